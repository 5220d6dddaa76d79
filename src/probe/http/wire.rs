//! Puts the request on the wire and reads what comes back, within bounds.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT,
};
use hyper::{HeaderMap, Method, Request, Response, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use url::{Position, Url};

use super::{Connection, Driver, MAX_HEAD_BYTES, Post, Server, USER_AGENT_VALUE, Watch, Watched};
use crate::endpoint::Expectation;
use crate::probe::proxy::proxy_headers;
use crate::route::Proxy;

/// Enough for any body that is read, and no more than a peer may make us hold.
const HTTP2_WINDOW_BYTES: u32 = 256 * 1024;

/// What is asked for: by GET, unless there is something to post.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) url: &'a Url,
    pub(super) post: Option<&'a Post>,
    /// With what the request is logged in to the server itself.
    pub(super) authorization: Option<&'a HeaderValue>,
    /// Beyond what every request says.
    pub(super) headers: &'a HeaderMap,
}

/// A connection to the server itself, over which one request may follow another.
pub(super) enum Session {
    Http1(Connection),
    Http2 {
        sender: SendRequest<Full<Bytes>>,
        driver: Driver,
    },
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub(super) enum BodyError {
    TooLong,
    Broken(hyper::Error),
}

/// Reads a body up to the limit; keeps it only where a rule wants to see it.
#[derive(Debug)]
pub(super) struct BodyReader {
    keep: bool,
    limit: usize,
    kept: Vec<u8>,
    length: usize,
}

impl Session {
    pub(super) async fn open(server: Server, watch: &Watch) -> Result<Self, hyper::Error> {
        if !server.http2 {
            let connection = Connection::open(server.stream, watch).await?;
            return Ok(Self::Http1(connection));
        }
        let io = TokioIo::new(Watched::without_first_byte(server.stream, watch));
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .initial_stream_window_size(HTTP2_WINDOW_BYTES)
            .initial_connection_window_size(HTTP2_WINDOW_BYTES)
            .max_header_list_size(u32::try_from(2 * MAX_HEAD_BYTES).unwrap_or(u32::MAX));
        let (sender, connection) = builder.handshake(io).await?;
        let driver = Driver::new(connection);
        Ok(Self::Http2 { sender, driver })
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn ask(
        &mut self,
        asked: &Asked<'_>,
        watch: &Watch,
    ) -> Result<Response<Incoming>, hyper::Error> {
        match self {
            Self::Http1(connection) => {
                let request = http1_request(asked, target_at_server(asked.url));
                connection.ask(request).await
            }
            Self::Http2 { sender, driver } => {
                let response = driver
                    .drive(sender.send_request(http2_request(asked)))
                    .await?;
                watch.answer_begins();
                Ok(response)
            }
        }
    }

    /// Reads past the body of an answer, and tells whether another request can follow.
    pub(super) async fn is_free_after(&mut self, body: Incoming) -> bool {
        match self {
            Self::Http1(connection) => connection.is_free_after(body).await,
            Self::Http2 { sender, driver } => {
                driver.reads_past(body).await && driver.drive(sender.ready()).await.is_ok()
            }
        }
    }

    /// What keeps the last answer coming.
    pub(super) fn into_driver(self) -> Driver {
        match self {
            Self::Http1(connection) => connection.into_driver(),
            Self::Http2 { driver, .. } => driver,
        }
    }
}

/// What the server itself is asked for: the origin form (RFC 9112 §3.2.1).
pub(super) fn target_at_server(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

/// What a proxy is asked: the absolute form (RFC 9112 §3.2.2).
pub(super) fn proxy_request(asked: &Asked<'_>, proxy: &Proxy) -> Request<Full<Bytes>> {
    let mut request = http1_request(asked, &asked.url[..Position::AfterQuery]);
    request.headers_mut().extend(proxy_headers(proxy));
    request
}

fn http1_request(asked: &Asked<'_>, target: &str) -> Request<Full<Bytes>> {
    let mut request = request(asked, target);
    if let Ok(host) = asked.url[Position::BeforeHost..Position::AfterPort].parse() {
        request.headers_mut().insert(HOST, host);
    }
    request
}

/// The URL whole: hyper makes the pseudo-headers of it (RFC 9113 §8.3.1).
fn http2_request(asked: &Asked<'_>) -> Request<Full<Bytes>> {
    request(asked, &asked.url[..Position::AfterQuery])
}

fn request(asked: &Asked<'_>, target: &str) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    // URLs that a request cannot carry were refused with the configuration, or with the redirect.
    *request.uri_mut() = target.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    // What a cache on the way remembers says nothing of the endpoint (RFC 9111 §5.2.1.4).
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(authorization) = asked.authorization {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    headers.extend(asked.headers.clone());
    if let Some(post) = asked.post {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(post.content_type));
        *request.method_mut() = Method::POST;
        *request.body_mut() = Full::new(post.body.clone());
    }
    request
}

pub(super) fn version_name(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

impl BodyReader {
    pub(super) fn new(expectation: &Expectation, is_wanted: bool) -> Self {
        Self {
            keep: is_wanted || expectation.body.is_some(),
            limit: expectation.max_body_bytes,
            kept: Vec::new(),
            length: 0,
        }
    }

    /// Reads until the body ends, or is longer than the limit.
    pub(super) async fn read_whole(
        &mut self,
        body: &mut Incoming,
        driver: &mut Driver,
    ) -> Result<(), BodyError> {
        while let Some(frame) = driver.drive(body.frame()).await {
            let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else {
                continue;
            };
            self.length += data.len();
            if self.length > self.limit {
                return Err(BodyError::TooLong);
            }
            if self.keep {
                self.kept.extend_from_slice(&data);
            }
        }
        Ok(())
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.kept
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.kept
    }
}
