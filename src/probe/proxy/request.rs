//! What a proxy is told: the request for a tunnel, who asks, and what the configuration adds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{HeaderMap, Method, Request};

use super::Tunnel;
use crate::outcome::{Failure, ProxyReason};
use crate::probe::http::USER_AGENT_VALUE;
use crate::route::{Credentials, Proxy};

impl Tunnel<'_> {
    pub(super) fn request(&self) -> Result<Request<Empty<Bytes>>, Failure> {
        let target = self.target.to_string();
        let mut request = Request::builder()
            .method(Method::CONNECT)
            .uri(&target)
            .header(HOST, &target)
            .header(USER_AGENT, USER_AGENT_VALUE)
            .body(Empty::new())
            .map_err(|error| self.failure(ProxyReason::ProtocolError, &error.to_string()))?;
        request.headers_mut().extend(proxy_headers(self.proxy));
        Ok(request)
    }
}

/// The headers that are the proxy's: credentials (RFC 7617) and those configured. A value that no header can
/// have was refused with the configuration.
pub(in crate::probe) fn proxy_headers(proxy: &Proxy) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &proxy.connect_headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.expose())) {
            headers.append(name, sensitive(value));
        }
    }
    if let Some(Credentials::Basic { username, password }) = &proxy.credentials {
        let encoded = STANDARD.encode(format!("{username}:{}", password.expose()));
        if let Ok(value) = HeaderValue::from_str(&format!("Basic {encoded}")) {
            headers.insert(PROXY_AUTHORIZATION, sensitive(value));
        }
    }
    headers
}

/// Keeps the value out of every Debug output.
fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use url::Host;

    use super::*;
    use crate::endpoint::Authority;
    use crate::route::{Bypass, ProxyKind, Secret};

    fn authority(host: &str, port: u16) -> Authority {
        Authority {
            host: Host::parse(host).unwrap(),
            port,
        }
    }

    #[test]
    fn a_tunnel_is_asked_for_by_name_with_credentials_that_do_not_show() {
        let proxy = Proxy {
            name: "corp".to_owned(),
            kind: ProxyKind::Http,
            authority: authority("proxy.corp.example", 3128),
            credentials: Some(Credentials::Basic {
                username: "svc".to_owned(),
                password: Secret::new("hunter2".to_owned()),
            }),
            connect_headers: vec![("X-Team".to_owned(), Secret::new("endpoint".to_owned()))],
            bypass: Bypass::default(),
            resolver: None,
        };
        let target = authority("www.example.test", 443);
        let request = Tunnel {
            proxy: &proxy,
            target: &target,
            client_certificate_asked: false,
        }
        .request()
        .unwrap();
        assert_eq!(request.uri(), "www.example.test:443");
        assert_eq!(request.headers()[HOST], "www.example.test:443");
        assert_eq!(request.headers()["x-team"], "endpoint");
        assert_eq!(
            request.headers()[PROXY_AUTHORIZATION],
            "Basic c3ZjOmh1bnRlcjI="
        );
        let printed = format!("{request:?} {proxy:?}");
        assert!(
            !printed.contains("c3Zj") && !printed.contains("hunter2"),
            "{printed}"
        );
    }
}
