//! Hosts that are reached without the proxy, in the syntax of WinHTTP's bypass list and of `NO_PROXY`.

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;
use url::Host;

/// Who is reached without the proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bypass(Vec<BypassPattern>);

/// One pattern of a bypass list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BypassPattern {
    /// `<local>`: host names without a period (not addresses).
    Local,
    /// Every host: `*`.
    All,
    /// `*.corp.example`, `10.*`, `cm*.corp.example`: `*` stands for any run of characters, at any place.
    Wildcard {
        /// In lower case.
        pattern: String,
        /// Only this port, where one is named.
        port: Option<u16>,
    },
    /// The `NO_PROXY` way to write a domain: itself and everything below it.
    Domain {
        /// In lower case, without a leading dot.
        domain: String,
        /// Only this port, where one is named.
        port: Option<u16>,
    },
    /// An address or a network, which only hosts written as addresses can be in.
    Network {
        /// A single address is a network of one.
        network: IpNet,
        /// Only this port, where one is named.
        port: Option<u16>,
    },
}

/// Why a bypass pattern cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BypassPatternError {
    /// Nothing between two separators.
    #[error("an empty bypass pattern")]
    Empty,
    /// Not a port number after the colon.
    #[error("`{0}` ends in a port that is not a number from 1 to 65535")]
    Port(String),
    /// Not a network after all.
    #[error("`{0}` looks like a network but its prefix length is not valid")]
    Network(String),
    /// Schemes, paths and blanks have no place in a host pattern.
    #[error(
        "`{0}` is not a host pattern: write a host, an address or a network, without scheme or path"
    )]
    NotAHost(String),
    /// `NO_PROXY` knows no other wildcards.
    #[error("`{0}`: in NO_PROXY a `*` stands alone or before the first dot")]
    Wildcard(String),
}

impl Bypass {
    /// Keeps the patterns; the first match decides, so their order does not matter.
    #[must_use]
    pub fn new(patterns: Vec<BypassPattern>) -> Self {
        Self(patterns)
    }

    /// Whether `host:port` is reached without the proxy.
    #[must_use]
    pub fn matches<T: AsRef<str>>(&self, host: &Host<T>, port: u16) -> bool {
        self.0.iter().any(|pattern| pattern.matches(host, port))
    }

    /// The patterns as they were given.
    #[must_use]
    pub fn patterns(&self) -> &[BypassPattern] {
        &self.0
    }
}

impl BypassPattern {
    /// Reads a pattern in WinHTTP's syntax: `<local>`, `*.corp.example`, `cm01`, `10.0.0.0/8`, `[fd00::1]:8443`.
    ///
    /// # Errors
    /// When it is empty, has a bad port or prefix length, or is more than a host.
    pub fn winhttp(text: &str) -> Result<Self, BypassPatternError> {
        let text = text.trim().to_ascii_lowercase();
        if text == "<local>" {
            return Ok(Self::Local);
        }
        Self::parse(&text, |pattern, port| Self::Wildcard { pattern, port })
    }

    /// Reads a pattern of the `NO_PROXY` variable as curl does: `corp.example` and `.corp.example` mean
    /// the domain and everything below it.
    ///
    /// # Errors
    /// When it is empty, has a bad port or prefix length, or is more than a host.
    pub fn no_proxy(text: &str) -> Result<Self, BypassPatternError> {
        let text = text.trim().to_ascii_lowercase();
        let read = Self::parse(&text, |pattern, port| {
            let domain = pattern.trim_start_matches("*.").trim_start_matches('.');
            Self::Domain {
                domain: domain.trim_end_matches('.').to_owned(),
                port,
            }
        })?;
        match &read {
            Self::Domain { domain, .. } if domain.is_empty() => Err(BypassPatternError::Empty),
            Self::Domain { domain, .. } if domain.contains('*') => {
                Err(BypassPatternError::Wildcard(text))
            }
            _ => Ok(read),
        }
    }

    fn parse(
        text: &str,
        host_pattern: impl FnOnce(String, Option<u16>) -> Self,
    ) -> Result<Self, BypassPatternError> {
        if text.is_empty() {
            return Err(BypassPatternError::Empty);
        }
        if text == "*" {
            return Ok(Self::All);
        }
        if let Some(network) = network(text) {
            return Ok(Self::Network {
                network,
                port: None,
            });
        }
        let (host, port) = split_port(text)?;
        if let Some(network) = network(host) {
            return Ok(Self::Network { network, port });
        }
        let is_network = host
            .split_once('/')
            .is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok());
        if is_network {
            return Err(BypassPatternError::Network(text.to_owned()));
        }
        let is_host = |c: char| c.is_alphanumeric() || "*.-_".contains(c);
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(BypassPatternError::NotAHost(text.to_owned()));
        }
        Ok(host_pattern(host.to_owned(), port))
    }

    fn matches<T: AsRef<str>>(&self, host: &Host<T>, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Local => matches!(host, Host::Domain(name) if !name.as_ref().contains('.')),
            Self::Wildcard {
                pattern,
                port: only,
            } => only.is_none_or(|only| only == port) && wildcard_matches(pattern, &text_of(host)),
            Self::Domain { domain, port: only } => {
                only.is_none_or(|only| only == port)
                    && matches!(host, Host::Domain(_))
                    && is_at_or_below(domain, &text_of(host))
            }
            Self::Network {
                network,
                port: only,
            } => {
                only.is_none_or(|only| only == port)
                    && address_of(host).is_some_and(|address| network.contains(&address))
            }
        }
    }
}

/// Splits `host:port` and `[v6]:port`; a bare IPv6 address has no port.
fn split_port(text: &str) -> Result<(&str, Option<u16>), BypassPatternError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, rest.strip_prefix(':').or(Some(rest))),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let Some(port) = port else {
        return Ok((host, None));
    };
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok((host, Some(port))),
        _ => Err(BypassPatternError::Port(text.to_owned())),
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok();
    network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn text_of<T: AsRef<str>>(host: &Host<T>) -> String {
    match host {
        Host::Domain(name) => name.as_ref().trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

fn address_of<T>(host: &Host<T>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address)),
    }
}

fn is_at_or_below(domain: &str, host: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// `*` stands for any run of characters, the empty one included. Linear in time for any pattern: the
/// pieces between the stars are found from left to right, the last one at the end.
fn wildcard_matches(pattern: &str, host: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == host;
    };
    let Some(mut remaining) = host.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match remaining.find(piece) {
            Some(at) => remaining = &remaining[at + piece.len()..],
            None => return false,
        }
    }
    remaining.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host<String> {
        Host::parse(text).unwrap()
    }

    fn winhttp(pattern: &str, target: &str, port: u16) -> bool {
        let bypass = Bypass::new(vec![BypassPattern::winhttp(pattern).unwrap()]);
        bypass.matches(&host(target), port)
    }

    #[test]
    fn winhttp_patterns() {
        // pattern, host, port, bypassed
        let table = [
            ("<local>", "cm01", 443, true),
            ("<local>", "cm01.corp.example", 443, false),
            ("<local>", "[::1]", 443, false),
            ("*.corp.example", "cm01.corp.example", 443, true),
            ("*.corp.example", "CM01.Corp.Example", 443, true),
            ("*.corp.example", "corp.example", 443, false),
            ("*.corp.example", "corp.example.evil.test", 443, false),
            ("cm*.corp.example", "cm01.corp.example", 443, true),
            ("cm*.corp.example", "dc01.corp.example", 443, false),
            ("*manage*", "us.manage.example", 443, true),
            ("a*a", "a", 443, false),
            ("10.*", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("10.0.0.0/8", "ten.corp.example", 443, false),
            ("192.0.2.7", "192.0.2.7", 80, true),
            ("fd00::/8", "[fd00::1]", 443, true),
            ("[fd00::1]:8443", "[fd00::1]", 8443, true),
            ("[fd00::1]:8443", "[fd00::1]", 443, false),
            ("cm01.corp.example:8443", "cm01.corp.example", 8443, true),
            ("cm01.corp.example:8443", "cm01.corp.example", 443, false),
            ("corp.example", "cm01.corp.example", 443, false),
            ("*", "anything.test", 1, true),
        ];
        for (pattern, target, port, expected) in table {
            assert_eq!(
                winhttp(pattern, target, port),
                expected,
                "{pattern} against {target}:{port}"
            );
        }
    }

    #[test]
    fn no_proxy_means_the_domain_and_below() {
        let table = [
            ("corp.example", "corp.example", true),
            ("corp.example", "cm01.corp.example", true),
            (".corp.example", "cm01.corp.example", true),
            (".corp.example", "corp.example", true),
            ("*.corp.example", "cm01.corp.example", true),
            ("corp.example", "notcorp.example", false),
            ("corp.example", "corp.example.evil.test", false),
            ("Corp.Example.", "CM01.corp.example", true),
            ("corp.example", "cm01.corp.example.", true),
            ("corp.example:443", "cm01.corp.example", true),
            ("corp.example:8443", "cm01.corp.example", false),
            ("*", "anything.test", true),
            ("*", "[::1]", true),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.0.0.0/8", "ten.corp.example", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:8443", "10.1.2.3", false),
            ("2.3", "10.1.2.3", false),
            ("::1", "[::1]", true),
            ("[::1]", "[::1]", true),
            ("[::1]:443", "[::1]", true),
            ("[::1]:8443", "[::1]", false),
            ("fd00::/8", "[fd12::1]", true),
            ("fd00::/8", "[fe80::1]", false),
        ];
        for (pattern, target, expected) in table {
            let bypass = Bypass::new(vec![BypassPattern::no_proxy(pattern).unwrap()]);
            assert_eq!(
                bypass.matches(&host(target), 443),
                expected,
                "{pattern} against {target}"
            );
        }
    }

    #[test]
    fn what_no_proxy_does_not_know_is_refused() {
        for pattern in [".", "*.", "cm*.corp.example", "corp*"] {
            assert!(BypassPattern::no_proxy(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let table = [
            ("", BypassPatternError::Empty),
            ("cm01:0", BypassPatternError::Port("cm01:0".into())),
            ("cm01:http", BypassPatternError::Port("cm01:http".into())),
            (
                "10.0.0.0/33",
                BypassPatternError::Network("10.0.0.0/33".into()),
            ),
            ("a b", BypassPatternError::NotAHost("a b".into())),
            (
                "corp.example/path",
                BypassPatternError::NotAHost("corp.example/path".into()),
            ),
        ];
        for (pattern, expected) in table {
            assert_eq!(BypassPattern::winhttp(pattern), Err(expected));
        }
    }
}
