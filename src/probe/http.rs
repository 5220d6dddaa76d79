//! The phases `request` and `response`: one request over the stream in hand, HTTP/1.1 or HTTP/2 as agreed by
//! ALPN, each answer judged or followed. The line between the two phases is the answer's first byte.

mod broken;
mod connection;
mod driver;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod judge;
mod login;
mod redirect;
mod watch;
mod wire;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::header::{AGE, DATE, HeaderMap, WARNING};
use tokio::time::{Instant, timeout_at};
use url::Url;

use self::broken::Broken;
pub(super) use self::connection::{Connection, Leg};
pub(super) use self::driver::Driver;
use self::judge::Judge;
use self::login::ServerLogin;
pub(super) use self::redirect::{Hop, without_login, without_what_no_request_carries};
pub(super) use self::watch::{Watch, Watched};
use super::Probe;
use super::authentication::LoginSeen;
use super::errand::Fetched;
use super::journal::Journal;
use super::proxy::{Asked, Head, Question, own_answer};
use super::stream::BoxedStream;
use super::tls::Demand;
use super::way::ToProxy;
use crate::endpoint::Expectation;
use crate::outcome::{
    Failure, HttpSeen, Observed, Peer, Phase, RedirectSeen, RequestReason, ResponseReason, Step,
    shortened,
};
use crate::route::{Proxy, Via};

/// What is offered by ALPN (RFC 7301), the preferred one first.
pub(super) const ALPN: &[&str] = &["h2", "http/1.1"];

/// The most that the head of an answer may take, status line and all headers.
pub(super) const MAX_HEAD_BYTES: usize = 64 * 1024;

/// So much of a URL to which an answer leads is kept as evidence.
const MOST_URL_BYTES: usize = 2048;

/// How reachd introduces itself.
pub(super) const USER_AGENT_VALUE: &str = concat!("reachd/", env!("CARGO_PKG_VERSION"));

/// The HTTP part of one probe, over all its redirects.
#[derive(Debug)]
pub(super) struct HttpProbe<'a> {
    url: Url,
    expectation: &'a Expectation,
    redirects: Vec<RedirectSeen>,
    post: Option<Post>,
    /// What goes with the next request to the server, and goes on over all requests that it takes.
    login: Option<ServerLogin<'a>>,
    /// What the request says beyond what every request does.
    headers: HeaderMap,
    /// The status and the headers of the last answer, where it is wanted.
    head: (u16, HeaderMap),
    /// The body of the last answer, where it is wanted.
    body: Option<Vec<u8>>,
}

/// What is posted, in place of a GET.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

/// Whom a request goes to.
pub(super) enum Line<'a> {
    /// The server itself.
    Server(Server),
    /// The proxy, where there is no tunnel through it.
    Proxy {
        probe: &'a Probe,
        proxy: &'a Arc<Proxy>,
        to_proxy: ToProxy,
    },
}

/// What leads to the server.
pub(super) struct Server {
    /// A connection, a tunnel, or TLS over either.
    pub(super) stream: BoxedStream,
    /// Whether HTTP/2 was agreed by ALPN.
    pub(super) http2: bool,
    /// Whether the server asked for a client certificate, and so may refuse us.
    pub(super) demand: Demand,
}

/// What ends a conversation early.
pub(super) enum Trouble {
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
    /// It asks for more of the login, over another connection.
    LoginGoesOn,
}

impl<'a> HttpProbe<'a> {
    pub(super) fn new(url: Url, expectation: &'a Expectation) -> Self {
        Self {
            url,
            expectation,
            redirects: Vec::new(),
            post: None,
            login: None,
            headers: HeaderMap::new(),
            head: (0, HeaderMap::new()),
            body: None,
        }
    }

    /// The same for whoever wants the body of the answer.
    pub(super) fn fetching(url: Url, expectation: &'a Expectation, post: Option<Post>) -> Self {
        Self {
            post,
            body: Some(Vec::new()),
            ..Self::new(url, expectation)
        }
    }

    /// The same with more headers; they go wherever redirects lead.
    pub(super) fn with(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }

    /// The answer, for whoever wanted it.
    pub(super) fn into_answer(self) -> Fetched {
        let (status, headers) = self.head;
        Fetched {
            status,
            headers,
            body: self.body.unwrap_or_default(),
        }
    }

    /// The body of the answer, for whoever wanted it.
    pub(super) fn into_body(self) -> Vec<u8> {
        self.body.unwrap_or_default()
    }

    /// Logs in with the next request, unless a login is under way already.
    pub(super) fn logs_in(&mut self, login: impl FnOnce() -> Option<ServerLogin<'a>>) {
        self.login = self.login.take().or_else(login);
    }

    /// What is offered by ALPN for the next request.
    pub(super) fn alpn(&self) -> &'static [&'static str] {
        self.login.as_ref().map_or(ALPN, ServerLogin::alpn)
    }

    /// Writes down a redirect that is about to be followed.
    pub(super) fn record_redirect(&mut self, status: u16, via: Via, observed: &mut Observed) {
        self.redirects.push(RedirectSeen {
            status,
            url: shortened(self.url.to_string(), MOST_URL_BYTES),
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

    /// Sends the request over the line in hand and judges the answer, which must begin by a moment of its own. To a
    /// proxy the request has the absolute form (RFC 9112 §3.2.2).
    pub(super) async fn exchange(
        &mut self,
        line: Line<'_>,
        begins_by: Instant,
        journal: &mut Journal,
    ) -> Result<Verdict, Failure> {
        let (proxy, mut leg) = match &line {
            Line::Server(server) => (None, Leg::first(server.demand.clone())),
            Line::Proxy {
                proxy, to_proxy, ..
            } => (Some(&***proxy), Leg::first(to_proxy.demand.clone())),
        };
        let method = self.method();
        let deadline = journal.deadline;
        let watch = leg.watch.clone();
        let mut conversation = Box::pin(self.converse(line, &mut leg, journal));
        let mut ended = timeout_at(begins_by, &mut conversation).await;
        if ended.is_err() && watch.has_spoken() {
            ended = timeout_at(deadline, &mut conversation).await;
        }
        drop(conversation);
        let result = match ended {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(Trouble::Failure(failure))) => Err(failure),
            Ok(Err(Trouble::Broken(error))) => {
                let broken = Broken {
                    method,
                    url: &self.url,
                    proxy,
                    demand: &leg.demand,
                };
                Err(broken.failure(&error, &leg.watch))
            }
            Err(_) => Err(self.late(proxy, leg.watch.first_byte().is_some())),
        };
        let steps = steps(&result, &leg, Instant::now());
        for (step, elapsed) in steps {
            journal.timings.add(step, elapsed);
        }
        result
    }

    async fn converse(
        &mut self,
        line: Line<'_>,
        leg: &mut Leg,
        journal: &mut Journal,
    ) -> Result<Verdict, Trouble> {
        let (response, mut driver) = match line {
            Line::Server(server) => match self.ask_server(server, leg, journal).await? {
                Some(answer) => (answer.response, answer.session.into_driver()),
                None => return Ok(Verdict::LoginGoesOn),
            },
            Line::Proxy {
                probe,
                proxy,
                to_proxy,
            } => {
                let asked = wire::Asked {
                    url: &self.url,
                    post: self.post.as_ref(),
                    authorization: None,
                    headers: &self.headers,
                };
                let question = Question {
                    probe,
                    proxy,
                    request: wire::proxy_request(&asked, proxy),
                    described: format!("{} {}", self.method(), self.url),
                };
                let asked = question.ask(to_proxy, leg, journal).await?;
                self.note_answer(
                    &asked.response,
                    &LoginSeen::default(),
                    &mut journal.observed,
                );
                not_the_proxys_own(&asked, proxy, &mut journal.observed)?;
                (asked.response, asked.connection.into_driver())
            }
        };
        let observed = &mut journal.observed;
        let (head, mut body) = response.into_parts();
        let status = head.status.as_u16();
        observed.clock_offset_seconds = clock_offset(&head.headers);
        let judge = Judge {
            method: self.method(),
            url: &self.url,
            expectation: self.expectation,
        };
        judge.head_size(head.version, &head.headers)?;
        if self.follows(status) {
            self.url = redirect::target(
                self.method(),
                &self.url,
                status,
                &head.headers,
                self.expectation,
                self.redirects.len(),
            )?;
            return Ok(Verdict::Redirect(status));
        }
        judge.head(status, &head.headers)?;
        let mut read = wire::BodyReader::new(self.expectation, self.body.is_some());
        let ended = read.read_whole(&mut body, &mut driver).await;
        if let Some(seen) = &mut observed.http {
            seen.body_bytes = read.length();
        }
        match ended {
            Ok(()) => {}
            Err(wire::BodyError::TooLong) => return Err(judge.body_too_long().into()),
            Err(wire::BodyError::Broken(error)) => return Err(error.into()),
        }
        judge.body(read.bytes(), &head.headers)?;
        if let Some(body) = &mut self.body {
            *body = read.into_bytes();
            self.head = (status, head.headers);
        }
        Ok(Verdict::Reachable)
    }

    /// What is sent, for those who tell of it.
    fn method(&self) -> &'static str {
        match self.post {
            Some(_) => "POST",
            None => "GET",
        }
    }

    fn note_answer(
        &self,
        response: &Response<Incoming>,
        login: &LoginSeen,
        observed: &mut Observed,
    ) {
        let status = response.status().as_u16();
        let mut seen = HttpSeen {
            status,
            version: wire::version_name(response.version()),
            meaning: self.expectation.status_meanings.get(&status).cloned(),
            redirects: self.redirects.clone(),
            ..HttpSeen::default()
        };
        login.write_into_answer(&mut seen);
        observed.http = Some(seen);
    }

    /// A redirect that the endpoint expects, or that it does not want followed, is an answer like any other.
    fn follows(&self, status: u16) -> bool {
        matches!(status, 301 | 302 | 303 | 307 | 308)
            && self.expectation.max_redirects > 0
            && !self.expectation.status.names(status)
    }

    fn late(&self, proxy: Option<&Proxy>, answer_has_begun: bool) -> Failure {
        let (method, url) = (self.method(), &self.url);
        let over = over(proxy);
        if answer_has_begun {
            let detail = format!("{method} {url}{over}: the answer did not end in time");
            Failure::of_endpoint(ResponseReason::Timeout, detail)
        } else {
            let detail = format!("{method} {url}{over}: no answer in time");
            Failure::of_endpoint(RequestReason::Timeout, detail)
        }
    }
}

/// Notes what is seen of a proxy in its answer to a request, and refuses what it says for itself.
fn not_the_proxys_own(
    asked: &Asked,
    proxy: &Proxy,
    observed: &mut Observed,
) -> Result<(), Failure> {
    let response = &asked.response;
    let head = Head {
        status: response.status(),
        phrase: response.extensions().get::<ReasonPhrase>(),
        headers: response.headers(),
    };
    let own = own_answer(&head, proxy, asked.refusal.as_ref());
    if asked.login.is_any() || own.is_some() {
        let (failure, mut seen) = match own {
            Some((failure, seen)) => (Err(failure), seen),
            // What was noted of the demand for a login is over; `Server` is the endpoint's.
            None => (Ok(()), head.relayed()),
        };
        asked.login.write_into_proxy(&mut seen);
        observed.proxy = Some(Box::new(seen));
        return failure;
    }
    Ok(())
}

/// Says over which proxy a request for plain HTTP went.
fn over(proxy: Option<&Proxy>) -> String {
    proxy.map_or_else(String::new, |proxy| {
        format!(" over proxy {} ({})", proxy.name, proxy.authority)
    })
}

/// The steps of the last leg of a conversation: a failure that is the proxy's is a talk with the proxy and nobody
/// else.
fn steps(result: &Result<Verdict, Failure>, leg: &Leg, ended: Instant) -> Vec<(Step, Duration)> {
    let Some(started) = leg.started() else {
        return Vec::new();
    };
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
    match leg.watch.first_byte() {
        None => vec![(asked, ended - started)],
        Some(first_byte) => vec![
            (asked, first_byte - started),
            (response, ended - first_byte),
        ],
    }
}

/// The peer's clock minus ours, from its Date header (RFC 9110 §6.6.1), which has whole seconds. An answer out
/// of some cache has the date at which it was made, and tells nothing.
pub(super) fn clock_offset(headers: &HeaderMap) -> Option<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_was_sent() {
        let url = Url::parse("http://ocsp.test/").unwrap();
        let expectation = Expectation::default();
        let post = Post {
            content_type: "application/ocsp-request",
            body: Bytes::new(),
        };
        for (post, expected) in [(Some(post), "POST http:"), (None, "GET http:")] {
            let http = HttpProbe::fetching(url.clone(), &expectation, post);
            for begun in [false, true] {
                let detail = http.late(None, begun).detail;
                assert!(detail.starts_with(expected), "{detail}");
            }
            let judge = Judge {
                method: http.method(),
                url: &url,
                expectation: &expectation,
            };
            let detail = judge.body_too_long().detail;
            assert!(detail.starts_with(expected), "{detail}");
        }
    }
}
