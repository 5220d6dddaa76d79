//! The phases `request` and `response`: one GET over the stream in hand, HTTP/1.1 or HTTP/2 as agreed by
//! ALPN, each answer judged or followed. The line between the two phases is the answer's first byte.

mod driver;
mod judge;
mod redirect;
mod watch;
mod wire;

use std::sync::Arc;
use std::time::SystemTime;

use hyper::ext::ReasonPhrase;
use hyper::header::{DATE, HeaderMap};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub(super) use self::driver::Driver;
use self::judge::Judge;
pub(super) use self::redirect::Hop;
pub(super) use self::watch::{Watch, Watched};
use self::wire::Answer;
use super::journal::Journal;
use super::proxy::{Head, own_answer};
use super::stream::BoxedStream;
use crate::endpoint::Expectation;
use crate::outcome::{
    Failure, HttpSeen, Observed, Phase, RedirectSeen, RequestReason, ResponseReason,
};
use crate::route::{Proxy, Via};

/// What is offered by ALPN (RFC 7301), the preferred one first.
pub(super) const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];

/// The most that the head of an answer may take, status line and all headers.
pub(super) const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How reachd introduces itself.
pub(super) const USER_AGENT_VALUE: &str = concat!("reachd/", env!("CARGO_PKG_VERSION"));

/// The HTTP part of one probe, over all its redirects.
#[derive(Debug)]
pub(super) struct HttpProbe<'a> {
    url: Url,
    expectation: &'a Expectation,
    redirects: Vec<RedirectSeen>,
}

/// What an answer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It counts as reachable.
    Reachable,
    /// It redirects with this status; the probe now points at the new place.
    Redirect(u16),
}

impl<'a> HttpProbe<'a> {
    pub(super) fn new(url: Url, expectation: &'a Expectation) -> Self {
        Self {
            url,
            expectation,
            redirects: Vec::new(),
        }
    }

    /// Writes down a redirect that is about to be followed.
    pub(super) fn record_redirect(&mut self, status: u16, via: Via) {
        self.redirects.push(RedirectSeen {
            status,
            url: self.url.to_string(),
            via,
        });
    }

    /// Sends the request over `stream` and judges the answer. With a proxy the request has the absolute form
    /// (RFC 9112 §3.2.2).
    pub(super) async fn exchange(
        &mut self,
        stream: BoxedStream,
        alpn: Option<&[u8]>,
        proxy: Option<&Arc<Proxy>>,
        journal: &mut Journal,
    ) -> Result<Verdict, Failure> {
        let watch = Watch::new();
        let started = Instant::now();
        let conversation = self.converse(stream, alpn, proxy, &watch, &mut journal.observed);
        let result = timeout_at(journal.deadline, conversation).await;
        let first_byte = watch.first_byte();
        let result = result.unwrap_or_else(|_| Err(self.late(first_byte.is_some())));
        let ended = Instant::now();
        match (&result, first_byte) {
            (Err(failure), _) if failure.phase() == Phase::Proxy => {
                journal
                    .timings
                    .add(Phase::Proxy.with_proxy(), ended - started);
            }
            (_, None) => journal
                .timings
                .add(Phase::Request.with_endpoint(), ended - started),
            (_, Some(first_byte)) => {
                journal
                    .timings
                    .add(Phase::Request.with_endpoint(), first_byte - started);
                journal
                    .timings
                    .add(Phase::Response.with_endpoint(), ended - first_byte);
            }
        }
        result
    }

    async fn converse(
        &mut self,
        stream: BoxedStream,
        alpn: Option<&[u8]>,
        proxy: Option<&Arc<Proxy>>,
        watch: &Watch,
        observed: &mut Observed,
    ) -> Result<Verdict, Failure> {
        let answer = wire::ask(
            stream,
            alpn == Some(b"h2"),
            &self.url,
            proxy.map(AsRef::as_ref),
            watch,
        );
        let Answer {
            response,
            mut driver,
        } = answer
            .await
            .map_err(|error| watch.failure(&error, &self.url))?;
        let (head, mut body) = response.into_parts();
        let status = head.status.as_u16();
        observed.http = Some(HttpSeen {
            status,
            version: wire::version_name(head.version),
            redirects: self.redirects.clone(),
            body_bytes: 0,
        });
        observed.clock_offset_seconds = clock_offset(&head.headers);
        if let Some(proxy) = proxy {
            let head = Head {
                status: head.status,
                phrase: head.extensions.get::<ReasonPhrase>(),
                headers: &head.headers,
            };
            if let Some((failure, seen)) = own_answer(&head, proxy) {
                observed.proxy = Some(seen);
                return Err(failure);
            }
        }
        let judge = Judge {
            url: &self.url,
            expectation: self.expectation,
        };
        if self.follows(status) {
            self.url = redirect::target(
                &self.url,
                status,
                &head.headers,
                self.expectation,
                self.redirects.len(),
            )?;
            return Ok(Verdict::Redirect(status));
        }
        judge.head(status, &head.headers)?;
        let mut read = wire::BodyReader::new(self.expectation);
        let ended = read.read_whole(&mut body, &mut driver).await;
        if let Some(seen) = &mut observed.http {
            seen.body_bytes = read.length();
        }
        match ended {
            Ok(()) => {}
            Err(wire::BodyError::TooLong) => return Err(judge.body_too_long()),
            Err(wire::BodyError::Broken(error)) => return Err(watch.failure(&error, &self.url)),
        }
        judge.body(read.bytes())?;
        Ok(Verdict::Reachable)
    }

    /// A redirect that the endpoint expects, or that it does not want followed, is an answer like any other.
    fn follows(&self, status: u16) -> bool {
        matches!(status, 301 | 302 | 303 | 307 | 308)
            && self.expectation.max_redirects > 0
            && !self.expectation.status.names(status)
    }

    fn late(&self, answer_has_begun: bool) -> Failure {
        let url = &self.url;
        if answer_has_begun {
            let detail = format!("GET {url}: the answer did not end in time");
            Failure::of_endpoint(ResponseReason::Timeout, detail)
        } else {
            let detail = format!("GET {url}: no answer in time");
            Failure::of_endpoint(RequestReason::Timeout, detail)
        }
    }
}

/// The peer's clock minus ours, from its Date header (RFC 9110 §6.6.1), which has whole seconds.
fn clock_offset(headers: &HeaderMap) -> Option<f64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let now = SystemTime::now();
    Some(match date.duration_since(now) {
        Ok(ahead) => ahead.as_secs_f64(),
        Err(behind) => -behind.duration().as_secs_f64(),
    })
}
