//! What the readers of this room stand, given anything at all: each is beside what it reads.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use url::Host;

pub use super::authentication::fuzzed::{challenges, ntlm_challenge};
pub use super::dns::fuzzed::dns_answer;
pub use super::http::fuzzed::http_answer;
pub use super::pac::fuzzed::pac_answer;
pub use super::proxy::fuzzed::{connect_answer, socks_answer};
pub use super::revocation::fuzzed::{revocation_answer, revocation_list};
pub use super::tls::fuzzed::certificate;
use crate::endpoint::Authority;
use crate::route::{Bypass, Credentials, Proxy, ProxyKind, Secret};

/// In nothing that is told.
pub(super) const SECRET: &str = "hunter2";

/// No detail of a failure is longer.
pub(super) const LONGEST_DETAIL: usize = 8192;

/// What the library lets through as headers: a name, a colon and a value a line.
pub(super) fn headers(bytes: &[u8]) -> HeaderMap {
    let lines = bytes.split(|byte| *byte == b'\n');
    let header = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
        let value = line.get(colon + 1..)?.trim_ascii();
        Some((name, HeaderValue::from_bytes(value).ok()?))
    };
    let mut headers = HeaderMap::new();
    // No answer has more of them.
    for (name, value) in lines.filter_map(header).take(100) {
        headers.append(name, value);
    }
    headers
}

pub(super) fn authority(host: &str, port: u16) -> Authority {
    Authority {
        host: Host::Domain(host.to_owned()),
        port,
    }
}

/// A proxy that is known by name and password.
pub(super) fn proxy(kind: ProxyKind) -> Proxy {
    Proxy {
        name: "corp".to_owned(),
        kind,
        authority: authority("proxy.test", 3128),
        credentials: Some(Credentials::Basic {
            username: "svc".to_owned(),
            password: Secret::new(SECRET.to_owned()),
        }),
        connect_headers: Vec::new(),
        bypass: Bypass::default(),
        resolver: None,
    }
}
