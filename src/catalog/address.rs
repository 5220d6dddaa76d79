//! What a firewall knows of a URL: a host, which may be a pattern or a template, a port and a protocol.

use std::fmt;

use serde::Serialize;

/// The host and the port of a URL as the data files write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Address {
    /// With `*` in a wildcard, with `<name>` in a template.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is spoken to the port.
    pub protocol: Protocol,
}

/// What a firewall tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Almost everything.
    Tcp,
    /// The time.
    Udp,
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
        Self {
            host: host.to_owned(),
            port,
            protocol: if scheme == "udp" {
                Protocol::Udp
            } else {
                Protocol::Tcp
            },
        }
    }

    /// Whether the host still has templates in it.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.host.contains('<')
    }

    /// The port as people write it: `443`, `123/udp`.
    pub(super) fn service(&self) -> String {
        match self.protocol {
            Protocol::Tcp => self.port.to_string(),
            Protocol::Udp => format!("{}/udp", self.port),
        }
    }
}

impl Protocol {
    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.host, self.service())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_a_port() {
        for (url, expected) in [
            ("https://aka.ms/configmgrgateway", "aka.ms 443"),
            ("http://crl3.digicert.com", "crl3.digicert.com 80"),
            (
                "https://*.manage.microsoft.us/",
                "*.manage.microsoft.us 443",
            ),
            (
                "https://*.<region>.logic.example:444/x",
                "*.<region>.logic.example 444",
            ),
            ("https://a.example/x?at=1:2", "a.example 443"),
            ("tls://a.example:8443", "a.example 8443"),
            ("udp://time.example:123", "time.example 123/udp"),
        ] {
            assert_eq!(Address::of(url).to_string(), expected, "{url}");
        }
    }
}
