//! A connection that stands and over which nothing is asked, until it ends or its time is up.

use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use url::{Position, Url};

use crate::endpoint::Target;
use crate::outcome::{Failure, HoldReason, HttpSeen, Observed, Peer, TlsReason};
use crate::probe::http::USER_AGENT_VALUE;
use crate::probe::stream::BoxedStream;
use crate::probe::tls::{demands_client_certificate, is_alert};
use crate::route::Proxy;

/// Who says more on a connection that should be idle is not listened to any further, in bytes.
const MOST_HEARD: usize = 64 * 1024;

/// How much of what was said unasked is told, in characters.
const MOST_TOLD: usize = 80;

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
    pub(super) heard: Vec<u8>,
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
                Ok(length) => self.heard.extend_from_slice(&piece[..length]),
                Err(error) => return Ending::of(&error),
            }
            if self.heard.len() > MOST_HEARD {
                // It is alive, and not idle: what comes of it shows when its time is up.
                pending::<()>().await;
            }
        }
    }

    /// Any answer shows that the connection still led somewhere.
    async fn put_to_use(
        &mut self,
        at_end: Use<'_>,
        observed: &mut Observed,
    ) -> Result<(), Failure> {
        let Use { url, timeout: most } = at_end;
        let request = request(url);
        let mut answer = [0; 64];
        let conversation = async {
            self.stream.write_all(request.as_bytes()).await?;
            self.stream.flush().await?;
            self.stream.read(&mut answer).await
        };
        let ending = match timeout(most, conversation).await {
            Ok(Ok(0)) => self.end_of_stream(),
            Ok(Ok(length)) => {
                observed.http = status(&answer[..length]);
                return Ok(());
            }
            Ok(Err(error)) => Ending::of(&error),
            Err(_) => {
                let what = format!(
                    "then GET {url} got no answer within {}: the connection was forgotten silently on the way, by a \
                     firewall{}",
                    seconds(most),
                    self.proxy.map_or("", |_| " or the proxy"),
                );
                let (peer, detail) = (self.suspect(), self.describe(&what));
                return Err(Failure::new(HoldReason::Timeout, peer, detail));
            }
        };
        Err(self.failure(&ending, "and as soon as it was used"))
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
        let said = match first_line(&self.heard) {
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
            | Self::Broken(_) => HoldReason::ClosedEarly,
        }
    }

    /// Inside TLS, the endpoint speaks for itself.
    fn peer(&self, suspect: Peer) -> Peer {
        match self {
            Self::Farewell | Self::Alert(_) | Self::ClientCertificateDemanded => Peer::Endpoint,
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
    let line = std::str::from_utf8(answer.get(..12)?).ok()?;
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

fn first_line(heard: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&heard[..heard.len().min(4 * MOST_TOLD)]);
    let line = text.lines().next()?.trim();
    Some(line.chars().take(MOST_TOLD).collect())
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
