//! A document fetched directly, past every proxy: within a deadline, a size and a number of redirects. Whoever asks
//! learns the bytes, or in one line what was tried, on what, and what came back.

use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};
use url::{Host, Position, Url};

use super::connect::connect;
use super::dns::Resolver;
use super::http::{Driver, MAX_HEAD_BYTES, USER_AGENT_VALUE, without_what_no_request_carries};
use super::stream::{BoxedStream, Paced};
use super::tls::{TlsPeer, Trust};
use crate::endpoint::Authority;
use crate::outcome::{ConnectReason, DnsReason, TlsReason};
use crate::outcome::{Failure, FailureReason, Observed, Peer};

/// More redirects are not followed.
const MOST_REDIRECTS: usize = 5;

/// What is offered by ALPN: one request needs no more.
const ALPN: &[&[u8]] = &[b"http/1.1"];

/// Whom a fetch asks for addresses, and whom it trusts.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    pub(super) resolver: Arc<Resolver>,
    pub(super) trust: Arc<Trust>,
    /// Whose failures of the steps on the way they are.
    pub(super) peer: Peer,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Document<'a> {
    pub(super) url: &'a Url,
    pub(super) method: Method,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: Bytes,
    /// A longer answer is a failure.
    pub(super) most_bytes: usize,
}

/// Why a document cannot be had. Each says what was tried, on what, and what came back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum FetchError {
    /// The time is over.
    #[error("{0}")]
    Timeout(String),
    /// The document is longer than asked for.
    #[error("{0}")]
    TooLarge(String),
    /// There is no way to the server, or it ends in the middle.
    #[error("{0}")]
    Unreachable(String),
    /// The server answers with something else.
    #[error("{0}")]
    Answer(String),
}

/// What one request comes to.
enum Answered {
    Document(Vec<u8>),
    Elsewhere(Url),
}

impl<'a> Document<'a> {
    /// To be got by a GET.
    pub(super) fn at(url: &'a Url, most_bytes: usize) -> Self {
        Self {
            url,
            method: Method::GET,
            content_type: None,
            body: Bytes::new(),
            most_bytes,
        }
    }
}

impl Fetcher {
    /// The bytes of the document.
    pub(super) async fn fetch(
        &self,
        document: &Document<'_>,
        deadline: Instant,
    ) -> Result<Vec<u8>, FetchError> {
        let mut url = document.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            match self.ask(&url, document, deadline).await? {
                Answered::Document(bytes) => return Ok(bytes),
                Answered::Elsewhere(next) => url = next,
            }
        }
        Err(FetchError::Answer(format!(
            "{} {}: more than {MOST_REDIRECTS} redirects, the next one to {url}",
            document.method, document.url
        )))
    }

    async fn ask(
        &self,
        url: &Url,
        document: &Document<'_>,
        deadline: Instant,
    ) -> Result<Answered, FetchError> {
        let exchange = Exchange { url, document };
        let stream = self.reach(&exchange, deadline).await?;
        match timeout_at(deadline, exchange.run(stream)).await {
            Ok(result) => result,
            Err(_) => Err(FetchError::Timeout(exchange.says("no answer in time"))),
        }
    }

    async fn reach(
        &self,
        exchange: &Exchange<'_>,
        deadline: Instant,
    ) -> Result<BoxedStream, FetchError> {
        let authority = Authority::of(exchange.url)
            .ok_or_else(|| FetchError::Answer(exchange.says("the URL has no host")))?;
        // What is seen on this way is not the evidence of any probe's own steps.
        let mut unseen = Observed::default();
        let failed = |failure: Failure| exchange.on_the_way(&failure);
        let addresses = match &authority.host {
            Host::Domain(name) => {
                let asked = self
                    .resolver
                    .addresses(name, self.peer, deadline, &mut unseen);
                asked.await.map_err(failed)?
            }
            Host::Ipv4(address) => vec![(*address).into()],
            Host::Ipv6(address) => vec![(*address).into()],
        };
        let connecting = connect(&addresses, authority.port, self.peer, deadline, &mut unseen);
        let stream = Box::new(Paced::new(connecting.await.map_err(failed)?));
        if exchange.url.scheme() != "https" {
            return Ok(stream);
        }
        let peer = TlsPeer {
            peer: self.peer,
            authority: &authority,
            server_name: None,
            alpn: ALPN,
            asks_then: true,
            identity: None,
            pins: &[],
        };
        let securing = self.trust.handshake(stream, peer, deadline, &mut unseen);
        Ok(securing.await.map_err(failed)?.stream)
    }
}

/// One request and its answer.
struct Exchange<'a> {
    url: &'a Url,
    document: &'a Document<'a>,
}

impl Exchange<'_> {
    async fn run(&self, stream: BoxedStream) -> Result<Answered, FetchError> {
        let broken = |error: hyper::Error| FetchError::Unreachable(self.says(&error.to_string()));
        let handshake = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .max_header_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(broken)?;
        let mut driver = Driver::new(connection);
        let answer = driver.drive(sender.send_request(self.request())).await;
        let response = answer.map_err(broken)?;
        let status = response.status();
        if status == StatusCode::OK {
            return self.read(response, &mut driver).await;
        }
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return self.elsewhere(status, response.headers());
        }
        Err(FetchError::Answer(
            self.says(&format!("answered {}", status.as_u16())),
        ))
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.document.body.clone()));
        *request.method_mut() = self.document.method.clone();
        let target = &self.url[Position::BeforePath..Position::AfterQuery];
        *request.uri_mut() = target.parse().unwrap_or_else(|_| Uri::from_static("/"));
        let headers = request.headers_mut();
        if let Ok(host) = self.url[Position::BeforeHost..Position::AfterPort].parse() {
            headers.insert(HOST, host);
        }
        headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if let Some(content_type) = self.document.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        request
    }

    async fn read(
        &self,
        response: Response<Incoming>,
        driver: &mut Driver,
    ) -> Result<Answered, FetchError> {
        let most = self.document.most_bytes;
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = driver.drive(body.frame()).await {
            let frame =
                frame.map_err(|error| FetchError::Unreachable(self.says(&error.to_string())))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if bytes.len() + data.len() > most {
                let what = format!("the answer is longer than {} KiB", most >> 10);
                return Err(FetchError::TooLarge(self.says(&what)));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Answered::Document(bytes))
    }

    /// Not from https to http: what was to be protected would no longer be.
    fn elsewhere(&self, status: StatusCode, headers: &HeaderMap) -> Result<Answered, FetchError> {
        let status = status.as_u16();
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let target = location.and_then(|location| self.url.join(location).ok());
        let Some(mut target) = target.filter(Url::has_host) else {
            let what = format!("answered {status} without a Location that can be followed");
            return Err(FetchError::Answer(self.says(&what)));
        };
        without_what_no_request_carries(&mut target);
        match (self.url.scheme(), target.scheme()) {
            (_, "https") | ("http", "http") => Ok(Answered::Elsewhere(target)),
            _ => {
                let what = format!("answered {status}, leading to {target}");
                Err(FetchError::Answer(self.says(&what)))
            }
        }
    }

    fn on_the_way(&self, failure: &Failure) -> FetchError {
        let said = self.says(&format!("{}: {}", failure.reason, failure.detail));
        match failure.reason {
            FailureReason::Dns(DnsReason::Timeout)
            | FailureReason::Connect(ConnectReason::Timeout)
            | FailureReason::Tls(TlsReason::Timeout) => FetchError::Timeout(said),
            _ => FetchError::Unreachable(said),
        }
    }

    fn says(&self, what: &str) -> String {
        format!("{} {}: {what}", self.document.method, self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_location_is_neither_followed_nor_shown() {
        let url: Url = "https://a.test/".parse().unwrap();
        let document = Document::at(&url, 1);
        let exchange = Exchange {
            url: &url,
            document: &document,
        };
        for location in ["https://u:hunter2@b.test/x", "http://u:hunter2@b.test/x"] {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, location.parse().unwrap());
            let told = match exchange.elsewhere(StatusCode::FOUND, &headers) {
                Ok(Answered::Elsewhere(target)) => target.to_string(),
                Ok(Answered::Document(_)) => String::new(),
                Err(error) => error.to_string(),
            };
            assert!(told.contains("b.test/x"), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
