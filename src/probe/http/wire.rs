//! Puts the request on the wire and reads what comes back, within bounds.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2;
use hyper::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use url::{Position, Url};

use super::{Connection, Driver, MAX_HEAD_BYTES, Post, Server, USER_AGENT_VALUE, Watch, Watched};
use crate::endpoint::Expectation;
use crate::probe::proxy::proxy_headers;
use crate::probe::stream::BoxedStream;
use crate::route::Proxy;

/// Enough for any body that is read, and no more than a peer may make us hold.
const HTTP2_WINDOW_BYTES: u32 = 256 * 1024;

/// What is asked for: by GET, unless there is something to post.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) url: &'a Url,
    pub(super) post: Option<&'a Post>,
    /// Beyond what every request says.
    pub(super) headers: &'a HeaderMap,
}

/// The head of an answer, and the connection over which its body comes.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) driver: Driver,
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

/// Sends the request to the server itself, and waits for the head of the answer.
pub(super) async fn ask(
    server: Server,
    asked: &Asked<'_>,
    watch: &Watch,
) -> Result<Answer, hyper::Error> {
    if server.http2 {
        return ask_http2(server.stream, asked, watch).await;
    }
    let mut connection = Connection::open(server.stream, watch).await?;
    let target = &asked.url[Position::BeforePath..Position::AfterQuery];
    let response = connection.ask(http1_request(asked, target)).await?;
    Ok(Answer {
        response,
        driver: connection.into_driver(),
    })
}

async fn ask_http2(
    stream: BoxedStream,
    asked: &Asked<'_>,
    watch: &Watch,
) -> Result<Answer, hyper::Error> {
    let io = TokioIo::new(Watched::without_first_byte(stream, watch));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX));
    let (mut sender, connection) = builder.handshake(io).await?;
    let mut driver = Driver::new(connection);
    let response = driver
        .drive(sender.send_request(http2_request(asked)))
        .await?;
    watch.answer_begins();
    Ok(Answer { response, driver })
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
