//! The URL of an endpoint or a proxy to what is spoken to. No error shows the URL, for it may hold a password.

use thiserror::Error;
use url::{Host, Url};

use crate::endpoint::{Authority, DnsQuestion, RecordType, Target};

/// Why a URL cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum TargetError {
    #[error("the URL must begin with https://, http://, tls://, tcp:// or dns:")]
    Scheme,
    #[error("not a valid URL: {0}")]
    Url(#[from] url::ParseError),
    #[error("credentials have no place in a URL")]
    Credentials,
    #[error("a fragment (`#...`) is never sent, so it has no place in the URL")]
    Fragment,
    #[error("expected a host and a port, such as example.com:443, and nothing after them")]
    Authority,
    #[error("the URL must not be longer than 8 KiB: no server takes more")]
    TooLong,
    #[error("the port must be a number from 1 to 65535")]
    Port,
    #[error("the port is missing")]
    NoPort,
    #[error(
        "not a DNS name: expected labels of 1 to 63 ASCII letters, digits, `-` or `_`, 253 characters in all"
    )]
    DnsName,
}

/// The longest URL that is asked for, in its encoded form.
const MOST_BYTES: usize = 8 * 1024;

/// What an endpoint's URL asks to be probed. A `dns:` target asks for addresses until its `record` is known.
pub(super) fn target(url: &str) -> Result<Target, TargetError> {
    let (scheme, rest) = url.split_once(':').ok_or(TargetError::Scheme)?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "dns" {
        return Ok(Target::Dns(DnsQuestion {
            name: dns_name(rest)?,
            record: RecordType::A,
        }));
    }
    let rest = rest.strip_prefix("//").ok_or(TargetError::Scheme)?;
    match scheme.as_str() {
        "https" | "http" => http(url).map(Target::Http),
        "tls" => authority(rest).map(Target::Tls),
        "tcp" => authority(rest).map(Target::Tcp),
        _ => Err(TargetError::Scheme),
    }
}

/// `host:port`, with an IPv6 address in brackets.
pub(super) fn authority(text: &str) -> Result<Authority, TargetError> {
    if text.contains('@') {
        return Err(TargetError::Credentials);
    }
    if text.contains('#') {
        return Err(TargetError::Fragment);
    }
    if text.contains(['/', '?', '\\']) {
        return Err(TargetError::Authority);
    }
    let has_port = text.rfind(':') > text.rfind(']');
    let (host, port) = match text.rsplit_once(':') {
        Some(host_and_port) if has_port => host_and_port,
        _ => return Err(TargetError::NoPort),
    };
    Ok(Authority {
        host: Host::parse(host)?,
        port: port_number(port)?,
    })
}

/// A name as the DNS writes it, without a trailing dot.
pub(super) fn dns_name(text: &str) -> Result<String, TargetError> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(allowed);
    if name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(name.to_owned());
    }
    Err(TargetError::DnsName)
}

fn http(text: &str) -> Result<Url, TargetError> {
    let url = Url::parse(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::Credentials);
    }
    if url.fragment().is_some() {
        return Err(TargetError::Fragment);
    }
    if url.port() == Some(0) {
        return Err(TargetError::Port);
    }
    if url.as_str().len() > MOST_BYTES {
        return Err(TargetError::TooLong);
    }
    Ok(url)
}

fn port_number(text: &str) -> Result<u16, TargetError> {
    let digits_only = text.chars().all(|c| c.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|port| digits_only && *port > 0)
        .ok_or(TargetError::Port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_url() {
        let table = [
            "https://cm01.corp.example/AdminService/v1.0/$metadata",
            "http://www.msftconnecttest.com/connecttest.txt?x=1",
            "https://[2001:db8::1]:8443/",
            "tls://sccm.example:443",
            "tcp://[2001:db8::1]:1433",
            "tcp://192.0.2.1:25",
            "dns:_ldap._tcp.corp.example",
        ];
        for url in table {
            assert_eq!(target(url).unwrap().to_string(), url);
        }
        assert!(matches!(target("TLS://a.example:1"), Ok(Target::Tls(_))));
        assert_eq!(target("dns:a.example.").unwrap().host(), "a.example");
    }

    #[test]
    fn a_url_that_no_server_takes_is_refused() {
        let url = format!("https://a.example/{}", "x".repeat(MOST_BYTES));
        assert_eq!(target(&url), Err(TargetError::TooLong));
    }

    #[test]
    fn what_is_no_target_is_refused() {
        let table = [
            ("example.com", TargetError::Scheme),
            ("ftp://example.com/", TargetError::Scheme),
            ("https:example.com", TargetError::Scheme),
            ("https://", TargetError::Url(url::ParseError::EmptyHost)),
            ("https://user:hunter2@a.example/", TargetError::Credentials),
            ("tls://user@a.example:443", TargetError::Credentials),
            ("https://a.example/#top", TargetError::Fragment),
            ("https://a.example:0/", TargetError::Port),
            ("tls://a.example", TargetError::NoPort),
            ("tls://[2001:db8::1]", TargetError::NoPort),
            ("tcp://a.example:0", TargetError::Port),
            ("tcp://a.example:+1", TargetError::Port),
            ("tcp://a.example:65536", TargetError::Port),
            ("tls://a.example:443/", TargetError::Authority),
            ("dns:", TargetError::DnsName),
            ("dns:a..example", TargetError::DnsName),
            ("dns://a.example", TargetError::DnsName),
        ];
        for (url, expected) in table {
            assert_eq!(target(url), Err(expected), "{url}");
        }
    }
}
