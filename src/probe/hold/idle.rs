//! A connection that stands and over which nothing is asked, until it ends or its time is up.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use url::{Position, Url};

use super::heard::Heard;
use crate::endpoint::Target;
use crate::outcome::{Failure, HoldReason, HttpSeen, Observed, Peer, TlsReason};
use crate::probe::http::USER_AGENT_VALUE;
use crate::probe::stream::BoxedStream;
use crate::probe::tls::{demands_client_certificate, is_alert};
use crate::route::Proxy;

/// How every answer to a request of HTTP/1 begins.
const ANSWER: &[u8] = b"HTTP/1.";

/// How much of an answer says its status, in bytes: `HTTP/1.1 200`.
const STATUS: usize = 12;

/// A connection that stands.
pub(super) struct Idle<'a> {
    pub(super) stream: BoxedStream,
    pub(super) target: &'a Target,
    /// Over which it goes, if any.
    pub(super) proxy: Option<&'a Proxy>,
    /// How long it must live.
    pub(super) wanted: Duration,
    /// What it is used for when its time is up; nothing where nobody could answer.
    pub(super) at_end: Option<Use<'a>>,
    /// How long it lived, once that is known.
    pub(super) lived: Option<Duration>,
    /// What the peer said unasked.
    pub(super) heard: Heard,
}

/// One request at the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) url: &'a Url,
    pub(super) timeout: Duration,
}

/// How a connection ended.
#[derive(Debug)]
enum Ending {
    /// TLS's `close_notify` (RFC 8446 §6.1): only who holds the session's keys can say it.
    Farewell,
    /// A fatal alert of TLS, of which the same holds.
    Alert(String),
    /// TLS's alert for want of a client certificate.
    ClientCertificateDemanded,
    /// The end of the stream, which anybody on the way can bring about.
    Closed,
    Reset,
    /// TCP got no answer from the peer, or from a router that it is not to be reached.
    Lost(String),
    /// Something came that does not belong into a TLS session.
    Broken(String),
    /// The peer would not stop talking, so that it was left.
    Flooded,
}

impl Idle<'_> {
    /// Waits until the connection ends or its time is up, and then uses it.
    pub(super) async fn pass(&mut self, observed: &mut Observed) -> Result<(), Failure> {
        let stands = Instant::now();
        let ended = timeout(self.wanted, self.end()).await;
        self.lived = Some(stands.elapsed());
        if let Ok(ending) = ended {
            return Err(self.failure(&ending, "then"));
        }
        match self.at_end {
            None => Ok(()),
            Some(at_end) => self.put_to_use(at_end, observed).await,
        }
    }

    /// How long it lived.
    pub(super) fn lived(&self) -> Option<Duration> {
        self.lived
    }

    async fn end(&mut self) -> Ending {
        let mut piece = [0; 1024];
        loop {
            match self.stream.read(&mut piece).await {
                Ok(0) => return self.end_of_stream(),
                Ok(length) => self.heard.add(&piece[..length]),
                Err(error) => return Ending::of(&error),
            }
            if self.heard.is_too_much() {
                return Ending::Flooded;
            }
        }
    }

    /// Any answer of HTTP shows that the connection still led somewhere.
    async fn put_to_use(
        &mut self,
        at_end: Use<'_>,
        observed: &mut Observed,
    ) -> Result<(), Failure> {
        let Use { url, timeout: most } = at_end;
        let request = request(url);
        let mut instead = Heard::default();
        match timeout(most, self.answer(&request, &mut instead)).await {
            Ok(Ok(answer)) => {
                observed.http = status(&answer);
                Ok(())
            }
            Ok(Err(ending)) => Err(self.failure(&ending, "and as soon as it was used")),
            Err(_) => {
                let why = match instead.first_line() {
                    Some(line) => format!("what came was `{line}`, which is no HTTP/1"),
                    None => format!(
                        "the connection was forgotten silently on the way, by a firewall{}",
                        self.proxy.map_or("", |_| " or the proxy"),
                    ),
                };
                let within = seconds(most);
                let what = format!("then GET {url} got no answer within {within}: {why}");
                let (peer, detail) = (self.suspect(), self.describe(&what));
                Err(Failure::new(HoldReason::Timeout, peer, detail))
            }
        }
    }

    /// Asks, and waits until an answer begins. What comes before it was under way already, or is none.
    async fn answer(&mut self, request: &str, instead: &mut Heard) -> Result<Vec<u8>, Ending> {
        let sent = async {
            self.stream.write_all(request.as_bytes()).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| Ending::of(&error))?;
        let mut answer = Vec::new();
        let mut piece = [0; 1024];
        loop {
            let length = match self.stream.read(&mut piece).await {
                Ok(0) if answer.starts_with(ANSWER) => return Ok(answer),
                Ok(0) => return Err(self.end_of_stream()),
                Ok(length) => length,
                Err(error) => return Err(Ending::of(&error)),
            };
            answer.extend_from_slice(&piece[..length]);
            if answer.starts_with(ANSWER) && answer.len() >= STATUS {
                return Ok(answer);
            }
            if !answer.starts_with(ANSWER) && !ANSWER.starts_with(&answer) {
                instead.add(&answer);
                answer.clear();
            }
            if instead.is_too_much() {
                return Err(Ending::Flooded);
            }
        }
    }

    fn end_of_stream(&self) -> Ending {
        match self.target {
            Target::Http(_) | Target::Tls(_) => Ending::Farewell,
            Target::Tcp(_) | Target::Dns(_) => Ending::Closed,
        }
    }

    /// Whom the first hop leads to: of who is on the way, that one is the most likely.
    fn suspect(&self) -> Peer {
        match self.proxy {
            Some(_) => Peer::Proxy,
            None => Peer::Endpoint,
        }
    }

    fn failure(&self, ending: &Ending, when: &str) -> Failure {
        let by_whom = match self.suspect() {
            Peer::Proxy => {
                "by the proxy, by a firewall on the way, or by the endpoint behind the proxy"
            }
            Peer::Endpoint => "by the endpoint, or by a firewall on the way in its name",
        };
        let what = match ending {
            Ending::ClientCertificateDemanded => {
                let what = "the server demands a client certificate and was given none";
                let detail = format!("{}: {what}", self.target);
                return Failure::of_endpoint(TlsReason::ClientCertificateRequired, detail);
            }
            Ending::Farewell => {
                "it was closed with TLS's close_notify: by the endpoint, or by a device that inspects TLS".to_owned()
            }
            Ending::Alert(what) => format!("the endpoint ended it with an alert of TLS ({what})"),
            Ending::Closed => format!("it was closed {by_whom}"),
            Ending::Reset => format!("it was reset {by_whom}"),
            Ending::Lost(error) => {
                format!("TCP lost it ({error}): it was forgotten on the way, or nobody is there any more")
            }
            Ending::Flooded => {
                "it was given up, for it is not idle: the endpoint said more than 4 MiB unasked".to_owned()
            }
            Ending::Broken(error) => format!("something came that is no TLS ({error}), sent {by_whom}"),
        };
        let detail = self.describe(&format!("{when} {what}"));
        Failure::new(ending.reason(), ending.peer(self.suspect()), detail)
    }

    fn describe(&self, what: &str) -> String {
        let over = self.proxy.map_or_else(String::new, |proxy| {
            format!(" over proxy {} ({})", proxy.name, proxy.authority)
        });
        let lived = seconds(self.lived.unwrap_or_default());
        let said = match self.heard.first_line() {
            Some(line) => format!("; unasked, the peer had said `{line}`"),
            None => String::new(),
        };
        let (target, wanted) = (self.target, seconds(self.wanted));
        format!("{target}{over}: idle for {lived} of {wanted}, {what}{said}")
    }
}

// === impl Ending ===

impl Ending {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            _ if demands_client_certificate(error) => Self::ClientCertificateDemanded,
            _ if is_alert(error) => Self::Alert(error.to_string()),
            io::ErrorKind::UnexpectedEof => Self::Closed,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Reset,
            io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => Self::Lost(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }

    fn reason(&self) -> HoldReason {
        match self {
            Self::Reset => HoldReason::Reset,
            Self::Lost(_) => HoldReason::Timeout,
            Self::Farewell
            | Self::Alert(_)
            | Self::ClientCertificateDemanded
            | Self::Closed
            | Self::Broken(_)
            | Self::Flooded => HoldReason::ClosedEarly,
        }
    }

    /// Inside TLS, the endpoint speaks for itself; and nobody else talks without end over a connection that stands.
    fn peer(&self, suspect: Peer) -> Peer {
        match self {
            Self::Farewell | Self::Alert(_) | Self::ClientCertificateDemanded | Self::Flooded => {
                Peer::Endpoint
            }
            Self::Closed | Self::Reset | Self::Lost(_) | Self::Broken(_) => suspect,
        }
    }
}

/// The GET of a probe, in HTTP/1.1 and for the last time on this connection.
fn request(url: &Url) -> String {
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let host = &url[Position::BeforeHost..Position::AfterPort];
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT_VALUE}\r\nAccept: */*\r\n\
         Cache-Control: no-cache\r\nConnection: close\r\n\r\n"
    )
}

/// What the first piece of an answer says of itself, if it is as far as its status.
fn status(answer: &[u8]) -> Option<HttpSeen> {
    let line = std::str::from_utf8(answer.get(..STATUS)?).ok()?;
    let (version, status) = line.split_once(' ')?;
    let version = match version {
        "HTTP/1.1" => "HTTP/1.1",
        "HTTP/1.0" => "HTTP/1.0",
        _ => return None,
    };
    Some(HttpSeen {
        status: status.parse().ok()?,
        version,
        ..HttpSeen::default()
    })
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
