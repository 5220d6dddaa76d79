//! The phases `request` and `response`: one GET over the stream in hand, HTTP/1.1 or HTTP/2 as agreed by
//! ALPN, each answer judged or followed. The line between the two phases is the answer's first byte.

mod broken;
mod driver;
mod judge;
mod redirect;
mod watch;
mod wire;

use std::time::{Duration, SystemTime};

use hyper::ext::ReasonPhrase;
use hyper::header::{AGE, DATE, HeaderMap, WARNING};
use tokio::time::{Instant, timeout_at};
use url::Url;

use self::broken::Broken;
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
    Failure, HttpSeen, Observed, Peer, Phase, RedirectSeen, RequestReason, ResponseReason, Step,
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

/// What a request goes over.
pub(super) struct Line<'a> {
    /// A connection, a tunnel, or TLS over either.
    pub(super) stream: BoxedStream,
    /// Whether HTTP/2 was agreed by ALPN.
    pub(super) http2: bool,
    /// The proxy that is asked, where there is no tunnel through it.
    pub(super) proxy: Option<&'a Proxy>,
    /// Whether the server asked for a client certificate, and so may refuse us for want of one.
    pub(super) client_certificate_asked: bool,
}

/// What ends a conversation early.
enum Trouble {
    /// An answer that is a failure.
    Failure(Failure),
    /// No answer, or only a part of one.
    Broken(hyper::Error),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<hyper::Error> for Trouble {
    fn from(error: hyper::Error) -> Self {
        Self::Broken(error)
    }
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
    pub(super) fn record_redirect(&mut self, status: u16, via: Via, observed: &mut Observed) {
        self.redirects.push(RedirectSeen {
            status,
            url: self.url.to_string(),
            via,
        });
        if let Some(seen) = &mut observed.http {
            seen.redirects.clone_from(&self.redirects);
        }
    }

    /// Corrects how the last hop left, where that turned out only later.
    pub(super) fn amend_redirect(&mut self, via: Via, observed: &mut Observed) {
        if let Some(last) = self.redirects.last_mut() {
            last.via = via;
        }
        if let Some(seen) = &mut observed.http {
            let followed = seen.redirects.len();
            seen.redirects.clone_from_slice(&self.redirects[..followed]);
        }
    }

    /// Sends the request over the line in hand and judges the answer. To a proxy the request has the absolute
    /// form (RFC 9112 §3.2.2).
    pub(super) async fn exchange(
        &mut self,
        line: Line<'_>,
        journal: &mut Journal,
    ) -> Result<Verdict, Failure> {
        let watch = Watch::new();
        let started = Instant::now();
        let (proxy, asked) = (line.proxy, line.client_certificate_asked);
        let conversation = self.converse(line, &watch, &mut journal.observed);
        let result = match timeout_at(journal.deadline, conversation).await {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(Trouble::Failure(failure))) => Err(failure),
            Ok(Err(Trouble::Broken(error))) => {
                let broken = Broken {
                    url: &self.url,
                    proxy,
                    client_certificate_asked: asked,
                };
                Err(broken.failure(&error, &watch))
            }
            Err(_) => Err(self.late(proxy, watch.first_byte().is_some())),
        };
        let steps = steps(&result, started, watch.first_byte(), Instant::now());
        for (step, elapsed) in steps {
            journal.timings.add(step, elapsed);
        }
        result
    }

    async fn converse(
        &mut self,
        line: Line<'_>,
        watch: &Watch,
        observed: &mut Observed,
    ) -> Result<Verdict, Trouble> {
        let proxy = line.proxy;
        let answer = wire::ask(line.stream, line.http2, &self.url, proxy, watch).await?;
        let Answer {
            response,
            mut driver,
        } = answer;
        let (head, mut body) = response.into_parts();
        let status = head.status.as_u16();
        observed.http = Some(HttpSeen {
            status,
            version: wire::version_name(head.version),
            redirects: self.redirects.clone(),
            body_bytes: 0,
        });
        if let Some(proxy) = proxy {
            let head = Head {
                status: head.status,
                phrase: head.extensions.get::<ReasonPhrase>(),
                headers: &head.headers,
            };
            if let Some((failure, seen)) = own_answer(&head, proxy) {
                observed.proxy = Some(seen);
                return Err(failure.into());
            }
        }
        observed.clock_offset_seconds = clock_offset(&head.headers);
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
            Err(wire::BodyError::TooLong) => return Err(judge.body_too_long().into()),
            Err(wire::BodyError::Broken(error)) => return Err(error.into()),
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

    fn late(&self, proxy: Option<&Proxy>, answer_has_begun: bool) -> Failure {
        let url = &self.url;
        let over = over(proxy);
        if answer_has_begun {
            let detail = format!("GET {url}{over}: the answer did not end in time");
            Failure::of_endpoint(ResponseReason::Timeout, detail)
        } else {
            let detail = format!("GET {url}{over}: no answer in time");
            Failure::of_endpoint(RequestReason::Timeout, detail)
        }
    }
}

/// Says over which proxy a request for plain HTTP went.
fn over(proxy: Option<&Proxy>) -> String {
    proxy.map_or_else(String::new, |proxy| {
        format!(" over proxy {} ({})", proxy.name, proxy.authority)
    })
}

/// The steps of a conversation: a failure that is the proxy's is a talk with the proxy and nobody else.
fn steps(
    result: &Result<Verdict, Failure>,
    started: Instant,
    first_byte: Option<Instant>,
    ended: Instant,
) -> Vec<(Step, Duration)> {
    let answering = match result {
        Err(failure) if failure.phase() == Phase::Proxy => {
            return vec![(Phase::Proxy.with_proxy(), ended - started)];
        }
        Err(failure) if failure.phase() == Phase::Response => failure.peer,
        _ => Peer::Endpoint,
    };
    let response = Step {
        phase: Phase::Response,
        peer: answering,
    };
    let asked = Phase::Request.with_endpoint();
    match first_byte {
        None => vec![(asked, ended - started)],
        Some(first_byte) => vec![
            (asked, first_byte - started),
            (response, ended - first_byte),
        ],
    }
}

/// The peer's clock minus ours, from its Date header (RFC 9110 §6.6.1), which has whole seconds. An answer out
/// of some cache has the date at which it was made, and tells nothing.
fn clock_offset(headers: &HeaderMap) -> Option<f64> {
    if headers.contains_key(AGE) || headers.contains_key(WARNING) {
        return None;
    }
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let now = SystemTime::now();
    Some(match date.duration_since(now) {
        Ok(ahead) => ahead.as_secs_f64(),
        Err(behind) => -behind.duration().as_secs_f64(),
    })
}
