//! What a firewall knows of a URL: a host, which may be a pattern or a template, and a port.

/// The host and the port of a URL as the data files write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    /// With `*` in a wildcard, with `<name>` in a template.
    pub(super) host: String,
    pub(super) port: u16,
}

// === impl Address ===

impl Address {
    /// `Url` would refuse wildcards and templates, or escape them.
    pub(super) fn of(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let of_scheme = if scheme == "http" { 80 } else { 443 };
        let with_port = authority
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = with_port.unwrap_or((authority, of_scheme));
        // The names in a template are as they are; what fills it may be in any case.
        let host = if host.contains('<') {
            host.to_owned()
        } else {
            host.to_lowercase()
        };
        Self { host, port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_a_port() {
        for (url, host, port) in [
            ("https://aka.ms/configmgrgateway", "aka.ms", 443),
            ("http://crl3.digicert.com", "crl3.digicert.com", 80),
            (
                "https://*.manage.microsoft.us/",
                "*.manage.microsoft.us",
                443,
            ),
            (
                "https://*.<region>.logic.example:444/x",
                "*.<region>.logic.example",
                444,
            ),
            ("https://Falls.example", "falls.example", 443),
            ("https://a.example/x?at=1:2", "a.example", 443),
            ("tls://a.example:8443", "a.example", 8443),
        ] {
            let expected = Address {
                host: host.to_owned(),
                port,
            };
            assert_eq!(Address::of(url), expected, "{url}");
        }
    }
}
