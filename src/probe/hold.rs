//! The phase `hold`: a connection is opened as a probe opens it, and then nobody says anything. How long does it
//! live, who ends it, and is it still there when it is used at last?

mod heard;
mod idle;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use tokio::time::Instant;

use self::heard::Heard;
use self::idle::{Idle, Use};
use super::Probe;
use super::journal::Journal;
use super::stream::BoxedStream;
use crate::endpoint::{Authority, Hold, Target};
use crate::outcome::{ConnectReason, Failure, HoldOutcome, Peer, Phase, Step};
use crate::route::Proxy;

/// HTTP/2 peers speak on idle connections, so it is not offered (RFC 7301).
const ALPN: &[&str] = &["http/1.1"];

impl Probe {
    /// Holds a connection once. The way there, and what is asked at the end, each have the check's timeout.
    pub async fn hold(&self, hold: &Hold) -> HoldOutcome {
        let started = SystemTime::now();
        let mut journal = Journal::new(Instant::now() + self.check.timeout);
        journal.keep_alive = hold.keep_alive;
        let (lived, result) = match self.open(&mut journal).await {
            Err(failure) => (None, Err(failure)),
            Ok(stream) => {
                let stands = Instant::now();
                let proxy = journal.proxy();
                let mut idle = self.idle(stream, proxy.as_deref(), hold);
                let result = idle.pass(&mut journal.observed).await;
                let peer = result
                    .as_ref()
                    .err()
                    .map_or(Peer::Endpoint, |failure| failure.peer);
                let phase = Phase::Hold;
                journal.took(Step { phase, peer }, stands);
                (idle.lived(), result)
            }
        };
        let never_stood = matches!(&result, Err(failure) if failure.phase() != Phase::Hold);
        let via = journal.via(&self.check);
        let (timings, observed) = journal.evidence();
        HoldOutcome {
            started,
            via,
            held: lived.filter(|_| !never_stood),
            result,
            timings,
            observed,
        }
    }

    async fn open(&self, journal: &mut Journal) -> Result<BoxedStream, Failure> {
        let target = &self.check.endpoint.target;
        let Some(authority) = target.authority() else {
            let detail = format!("{target}: there is nothing to connect to");
            return Err(Failure::of_endpoint(ConnectReason::NoRoute, detail));
        };
        let mut choice = self.tunnelled(&authority, journal).await?;
        let stream = self.reach(&mut choice, &authority, journal).await?;
        match target {
            Target::Tcp(_) | Target::Dns(_) => Ok(stream),
            Target::Tls(_) => self.protected(stream, &authority, &[], journal).await,
            Target::Http(_) => self.protected(stream, &authority, ALPN, journal).await,
        }
    }

    async fn protected(
        &self,
        stream: BoxedStream,
        authority: &Authority,
        alpn: &[&str],
        journal: &mut Journal,
    ) -> Result<BoxedStream, Failure> {
        let secured = self.secure(stream, authority, alpn, journal).await?;
        Ok(secured.stream)
    }

    fn idle<'a>(&'a self, stream: BoxedStream, proxy: Option<&'a Proxy>, hold: &Hold) -> Idle<'a> {
        let target = &self.check.endpoint.target;
        let at_end = match target {
            Target::Http(url) => Some(Use {
                url,
                timeout: self.check.timeout,
            }),
            _ => None,
        };
        Idle {
            stream,
            target,
            proxy,
            wanted: hold.duration,
            at_end,
            lived: None,
            heard: Heard::default(),
        }
    }
}
