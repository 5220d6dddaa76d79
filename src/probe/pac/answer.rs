//! What a script's answer means: a list such as `PROXY a:3128; SOCKS5 b; DIRECT`, in the order of preference.

use std::fmt;

use thiserror::Error;
use url::Host;

use super::bounded;
use crate::endpoint::{Authority, TlsSettings};
use crate::route::{Names, ProxyKind};

/// More entries of one answer are not tried.
pub(super) const MOST_ENTRIES: usize = 10;

/// So much of an entry that is not understood is shown.
const MOST_CHARACTERS_SHOWN: usize = 100;

/// One entry of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::probe) enum Entry {
    /// Without a proxy.
    Direct,
    /// Over this one.
    Proxy(ProxyKind, Authority),
}

/// An entry that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(in crate::probe) enum EntryError {
    #[error("`{0}`: expected PROXY, HTTP, HTTPS, SOCKS, SOCKS5 or DIRECT")]
    Kind(String),
    #[error("`{0}`: SOCKS version 4 is not supported; SOCKS and SOCKS5 mean version 5")]
    Socks4(String),
    #[error("`{0}`: expected a host, or host:port, after the kind of proxy")]
    Authority(String),
    #[error("`{0}`: DIRECT stands alone")]
    Direct(String),
}

/// Reads the entries one by one. An answer without any means that no proxy is to be used.
pub(in crate::probe) fn entries(answer: &str) -> Vec<Result<Entry, EntryError>> {
    let parts = answer.split(';').map(str::trim);
    let mut read: Vec<_> = parts
        .filter(|part| !part.is_empty())
        .take(MOST_ENTRIES)
        .map(entry)
        .collect();
    if read.is_empty() {
        read.push(Ok(Entry::Direct));
    }
    read
}

fn entry(text: &str) -> Result<Entry, EntryError> {
    let shown = || bounded(text, MOST_CHARACTERS_SHOWN);
    let (kind, rest) = text
        .split_once(|c: char| c.is_ascii_whitespace())
        .unwrap_or((text, ""));
    let (kind, default_port) = match kind.to_ascii_uppercase().as_str() {
        "DIRECT" if rest.is_empty() => return Ok(Entry::Direct),
        "DIRECT" => return Err(EntryError::Direct(shown())),
        "PROXY" | "HTTP" => (ProxyKind::Http, 80),
        "HTTPS" => {
            let tls = TlsSettings::default();
            (ProxyKind::Https { tls }, 443)
        }
        "SOCKS" | "SOCKS5" => {
            let names = Names::ResolvedByProxy;
            (ProxyKind::Socks5 { names }, 1080)
        }
        "SOCKS4" => return Err(EntryError::Socks4(shown())),
        _ => return Err(EntryError::Kind(shown())),
    };
    let authority = authority(rest.trim(), default_port);
    let authority = authority.ok_or_else(|| EntryError::Authority(shown()))?;
    Ok(Entry::Proxy(kind, authority))
}

fn authority(text: &str, default_port: u16) -> Option<Authority> {
    let has_port = text.rfind(':') > text.rfind(']');
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if has_port => (host, port_number(port)?),
        _ => (text, default_port),
    };
    if host.contains(['/', '@', '#', '?', '\\']) {
        return None;
    }
    Some(Authority {
        host: Host::parse(host).ok()?,
        port,
    })
}

fn port_number(text: &str) -> Option<u16> {
    let digits_only = text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|port| digits_only && *port > 0)
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Proxy(kind, authority) => write!(f, "{}://{authority}", kind.scheme()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str) -> Vec<String> {
        let written = |entry: Result<Entry, EntryError>| match entry {
            Ok(entry) => entry.to_string(),
            Err(error) => format!("! {error}"),
        };
        entries(answer).into_iter().map(written).collect()
    }

    #[test]
    fn what_answers_mean() {
        let table: [(&str, &[&str]); 9] = [
            ("DIRECT", &["direct"]),
            ("", &["direct"]),
            (" ; ", &["direct"]),
            ("PROXY Proxy.Example:3128", &["http://proxy.example:3128"]),
            (
                "proxy a;HTTP b:8080; HTTPS c ;SOCKS d;SOCKS5\te:1; direct;",
                &[
                    "http://a:80",
                    "http://b:8080",
                    "https://c:443",
                    "socks5h://d:1080",
                    "socks5h://e:1",
                    "direct",
                ],
            ),
            ("PROXY 10.0.0.1", &["http://10.0.0.1:80"]),
            ("PROXY [2001:db8::1]", &["http://[2001:db8::1]:80"]),
            ("PROXY [2001:db8::1]:3128", &["http://[2001:db8::1]:3128"]),
            ("PROXY  a:1", &["http://a:1"]),
        ];
        for (answer, expected) in table {
            assert_eq!(read(answer), expected, "{answer}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (answer, expected) in [
            ("PROXY", "after the kind"),
            ("PROXY a:0", "`PROXY a:0`"),
            ("PROXY a:b", "after the kind"),
            ("PROXY user@a:1", "after the kind"),
            ("PROXY http://a:1", "after the kind"),
            ("SOCKS4 a:1", "version 4"),
            ("QUIC a:1", "expected PROXY"),
            ("proxy.example:3128", "expected PROXY"),
            ("DIRECT a", "stands alone"),
        ] {
            let read = read(answer);
            assert!(
                read[0].starts_with("! ") && read[0].contains(expected),
                "{read:?}"
            );
        }
    }

    #[test]
    fn answers_are_bounded() {
        assert_eq!(read(&"PROXY a:1;".repeat(1000)).len(), MOST_ENTRIES);
        assert!(read(&"x".repeat(100_000))[0].len() < 200);
    }
}
