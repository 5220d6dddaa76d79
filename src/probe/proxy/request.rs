//! What a proxy is told: the request for a tunnel, and what the configuration adds.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method, Request};

use super::Tunnel;
use crate::endpoint::Authority;
use crate::outcome::{Failure, ProxyReason};
use crate::probe::http::USER_AGENT_VALUE;
use crate::route::Proxy;

impl Tunnel<'_> {
    pub(super) fn request(&self) -> Result<Request<Full<Bytes>>, Failure> {
        request(self.target, self.proxy)
            .map_err(|error| self.failure(ProxyReason::ProtocolError, &error.to_string()))
    }
}

fn request(target: &Authority, proxy: &Proxy) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let target = target.to_string();
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(&target)
        .header(HOST, &target)
        .header(USER_AGENT, USER_AGENT_VALUE)
        .body(Full::default())?;
    request.headers_mut().extend(proxy_headers(proxy));
    Ok(request)
}

/// The headers that are configured for the proxy. A value that no header can have was refused with the
/// configuration.
pub(in crate::probe) fn proxy_headers(proxy: &Proxy) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &proxy.connect_headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.expose())) {
            headers.append(name, sensitive(value));
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
    use crate::route::{Bypass, ProxyKind, Secret};

    fn authority(host: &str, port: u16) -> Authority {
        Authority {
            host: Host::parse(host).unwrap(),
            port,
        }
    }

    #[test]
    fn a_tunnel_is_asked_for_by_name_with_headers_that_do_not_show() {
        let proxy = Proxy {
            name: "corp".to_owned(),
            kind: ProxyKind::Http,
            authority: authority("proxy.corp.example", 3128),
            credentials: None,
            connect_headers: vec![("X-Team".to_owned(), Secret::new("hunter2".to_owned()))],
            bypass: Bypass::default(),
            resolver: None,
        };
        let request = request(&authority("www.example.test", 443), &proxy).unwrap();
        assert_eq!(request.uri(), "www.example.test:443");
        assert_eq!(request.headers()[HOST], "www.example.test:443");
        assert_eq!(request.headers()["x-team"], "hunter2");
        let printed = format!("{request:?} {proxy:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
