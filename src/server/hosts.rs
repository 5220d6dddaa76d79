//! By which names clients may ask for the server. A page of somebody else's site can have its own name lead to this
//! machine (DNS rebinding), and is then of the same origin as reachd to the browser that shows it; but that name stands
//! in each of its requests.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::respond::refusal;
use super::web::Keeper;

/// The name of this machine to itself, and everything below it (RFC 6761).
const LOCALHOST: &str = "localhost";

/// A name by which clients know the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFlag(String);

/// Who is answered through one door.
#[derive(Debug)]
pub(super) struct Hosts {
    /// The names that were configured.
    pub(super) names: Vec<HostFlag>,
    /// Whether nobody but clients of this machine comes in here.
    pub(super) is_local: bool,
    /// Whether the server has shown a certificate, which no other site has.
    pub(super) over_tls: bool,
    /// Who knows whether there are logins, which browsers keep from other sites.
    pub(super) keeper: Option<Arc<Keeper>>,
}

/// Refuses what is asked of somebody else.
pub(super) async fn only_own(
    State(hosts): State<Arc<Hosts>>,
    request: Request,
    next: Next,
) -> Response {
    if hosts.admit(&request) {
        return next.run(request).await;
    }
    refusal(
        request.uri(),
        StatusCode::MISDIRECTED_REQUEST,
        "reachd does not know itself by this name; start it with --web.host and the name if it is one of its own.",
    )
}

// === impl Hosts ===

impl Hosts {
    fn admit(&self, request: &Request) -> bool {
        if self.names.is_empty() && !self.trusts_whoever_is_here() {
            return true;
        }
        // In HTTP/2 the name is a part of the URI.
        let of_uri = request.uri().host();
        let of_header = request.headers().get(header::HOST);
        match (of_uri, of_header.map(|value| value.to_str())) {
            (Some(host), _) => self.is_own(host),
            (None, Some(Ok(authority))) => self.is_own(without_port(authority)),
            (None, Some(Err(_))) => false,
            // No browser asks without a name.
            (None, None) => true,
        }
    }

    /// Whether it takes nothing but to be on this machine to be answered, where browsers are, too.
    fn trusts_whoever_is_here(&self) -> bool {
        let has_logins = |keeper: &Arc<Keeper>| keeper.standing().last.has_logins();
        self.is_local && !self.over_tls && !self.keeper.as_ref().is_some_and(has_logins)
    }

    fn is_own(&self, host: &str) -> bool {
        let Ok(HostFlag(host)) = host.parse() else {
            return is_address(host);
        };
        let below = host.strip_suffix(LOCALHOST);
        is_address(&host)
            || below.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            || self.names.iter().any(|name| name.0 == host)
            // Nobody has a name without a dot in the DNS of the world.
            || (self.names.is_empty() && !host.contains('.'))
    }
}

/// Whoever asks for an address cannot have come here by a name.
fn is_address(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse::<IpAddr>().is_ok()
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

// === impl HostFlag ===

impl FromStr for HostFlag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if (1..=255).contains(&name.len()) && name.chars().all(is_plain) {
            return Ok(Self(name.to_ascii_lowercase()));
        }
        Err("a name has letters, digits, `-`, `_` and `.`, and neither a scheme nor a port")
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn hosts(names: &[&str], is_local: bool, over_tls: bool) -> Hosts {
        Hosts {
            names: names.iter().map(|name| name.parse().unwrap()).collect(),
            is_local,
            over_tls,
            keeper: None,
        }
    }

    fn request(host: &str) -> Request {
        let request = Request::get("/").header(header::HOST, host);
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_name_that_somebody_else_may_have_is_refused_where_nothing_else_protects() {
        let cases = [
            ("127.0.0.1:9797", true),
            ("127.0.0.1", true),
            ("[::1]:9797", true),
            ("[::1]", true),
            ("localhost:9797", true),
            ("LOCALHOST", true),
            ("a.localhost.:9797", true),
            ("cm01:9797", true),
            ("evil.example:9797", false),
            ("evil.example", false),
            ("notlocalhost.example", false),
            ("localhost.evil.example", false),
            ("evil.example.:9797", false),
            ("127.0.0.1.evil.example", false),
            ("evil.example:9797@127.0.0.1:1", false),
            ("", false),
        ];
        for (host, expected) in cases {
            let open = hosts(&[], true, false);
            assert_eq!(open.admit(&request(host)), expected, "{host}");
            for elsewhere in [hosts(&[], false, false), hosts(&[], true, true)] {
                assert!(elsewhere.admit(&request(host)), "{host}");
            }
        }
    }

    #[test]
    fn with_names_only_they_are_answered_wherever_clients_come_in() {
        let cases = [
            ("reachd.corp.example", true),
            ("Reachd.Corp.Example:443", true),
            ("192.0.2.1:9797", true),
            ("localhost", true),
            ("cm01", false),
            ("other.corp.example", false),
        ];
        for (host, expected) in cases {
            for (is_local, over_tls) in [(true, false), (false, false), (false, true)] {
                let named = hosts(&["reachd.corp.example."], is_local, over_tls);
                assert_eq!(named.admit(&request(host)), expected, "{host}");
            }
        }
    }

    #[test]
    fn in_http_2_the_name_stands_in_the_uri() {
        let open = hosts(&[], true, false);
        let ask = |uri: &str| Request::get(uri).body(Body::empty()).unwrap();
        assert!(!open.admit(&ask("http://evil.example:9797/")));
        assert!(open.admit(&ask("http://[::1]:9797/")));
        assert!(open.admit(&ask("/")), "HTTP/1.0 has no name");
    }

    #[test]
    fn a_flag_is_a_name_and_nothing_else() {
        for text in ["", ".", "a:1", "https://a", "a/b", "a b", "*"] {
            assert!(text.parse::<HostFlag>().is_err(), "{text}");
        }
    }
}
