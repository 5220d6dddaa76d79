//! The phase `proxy`: the proxy is asked for a tunnel to the endpoint. HTTP proxies are asked by CONNECT and told
//! the name, never an address that the probe resolved (RFC 9110 §9.3.6); `socks` asks the others.

mod answer;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod question;
mod request;
pub(super) mod socks;

use std::sync::Arc;

use hyper::ext::ReasonPhrase;
use hyper::{HeaderMap, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::timeout_at;

pub(super) use self::answer::own_answer;
use self::answer::refusal;
pub(super) use self::question::{Asked, Question};
pub(super) use self::request::proxy_headers;
use super::Probe;
use super::http::{Leg, Trouble};
use super::journal::Journal;
use super::stream::BoxedStream;
use super::way::ToProxy;
use crate::endpoint::Authority;
use crate::outcome::{Failure, Observed, ProxyReason, TlsReason};
use crate::route::Proxy;

/// What is offered by ALPN to a proxy over TLS: CONNECT is asked in HTTP/1.1.
pub(super) const ALPN: &[&[u8]] = &[b"http/1.1"];

/// A tunnel to be had from an HTTP proxy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tunnel<'a> {
    pub(super) probe: &'a Probe,
    pub(super) proxy: &'a Arc<Proxy>,
    pub(super) target: &'a Authority,
}

/// A proxy's answer, as far as its head goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) status: StatusCode,
    /// As sent, where it is not the status's usual one.
    pub(super) phrase: Option<&'a ReasonPhrase>,
    pub(super) headers: &'a HeaderMap,
}

impl Tunnel<'_> {
    /// Asks for the tunnel over a connection to the proxy.
    pub(super) async fn open(
        &self,
        to_proxy: ToProxy,
        journal: &mut Journal,
    ) -> Result<BoxedStream, Failure> {
        let mut leg = Leg::first(to_proxy.demand.clone());
        let deadline = journal.deadline;
        let opening = self.negotiate(to_proxy, &mut leg, journal);
        let result = match timeout_at(deadline, opening).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(Trouble::Failure(failure))) => Err(failure),
            Ok(Err(Trouble::Broken(error))) => Err(self.broken(&error, &leg)),
            Err(_) => Err(self.failure(ProxyReason::Timeout, "no answer in time")),
        };
        leg.ends_in_phase_proxy(journal);
        result
    }

    async fn negotiate(
        &self,
        to_proxy: ToProxy,
        leg: &mut Leg,
        journal: &mut Journal,
    ) -> Result<BoxedStream, Trouble> {
        let question = Question {
            probe: self.probe,
            proxy: self.proxy,
            request: self.request()?,
            described: format!("CONNECT {}", self.target),
        };
        let asked = question.ask(to_proxy, leg, journal).await?;
        self.judge(&asked, &mut journal.observed)?;
        let mut driver = asked.connection.into_driver();
        let upgraded = driver.drive(hyper::upgrade::on(asked.response)).await?;
        Ok(Box::new(TokioIo::new(upgraded)))
    }

    fn judge(&self, asked: &Asked, observed: &mut Observed) -> Result<(), Failure> {
        let response = &asked.response;
        let head = Head {
            status: response.status(),
            phrase: response.extensions().get::<ReasonPhrase>(),
            headers: response.headers(),
        };
        let mut seen = head.seen(true);
        // A proxy that asked for a login first dated that answer; the one that opens a tunnel has seldom a date.
        let earlier = observed.proxy.as_ref();
        let earlier = earlier.and_then(|earlier| earlier.clock_offset_seconds);
        seen.clock_offset_seconds = seen.clock_offset_seconds.or(earlier);
        asked.login.write_into_proxy(&mut seen);
        observed.proxy = Some(Box::new(seen));
        if response.status().is_success() {
            return Ok(());
        }
        let (reason, detail) = refusal(&head, self.proxy, asked.refusal.as_ref());
        Err(self.failure(reason, &detail))
    }

    fn broken(&self, error: &hyper::Error, leg: &Leg) -> Failure {
        let watch = &leg.watch;
        if error.is_parse_too_large() {
            let what = "the head of the answer is longer than 64 KiB or has more than 100 headers";
            return self.failure(ProxyReason::ProtocolError, what);
        }
        if watch.refuses_client(&leg.demand) {
            let how = "the connection was ended";
            let detail = format!("{}: {}", self.describe(), leg.demand.refusal("proxy", how));
            return Failure::of_proxy(TlsReason::ClientCertificateRequired, detail);
        }
        // A peer that speaks before it is asked makes the library give up without reading a word of it.
        let spoke_out_of_turn =
            error.is_canceled() && watch.first_byte().is_some() && !watch.ended();
        if error.is_parse() || spoke_out_of_turn {
            return self.failure(
                ProxyReason::ProtocolError,
                &format!("the answer is not HTTP ({error})"),
            );
        }
        if watch.ended()
            || error.is_incomplete_message()
            || error.is_closed()
            || error.is_canceled()
        {
            return self.failure(
                ProxyReason::Closed,
                "the connection was closed without an answer",
            );
        }
        self.failure(ProxyReason::ProtocolError, &error.to_string())
    }

    fn failure(&self, reason: ProxyReason, detail: &str) -> Failure {
        Failure::of_proxy(reason, format!("{}: {detail}", self.describe()))
    }

    fn describe(&self) -> String {
        let Self { proxy, target, .. } = self;
        format!(
            "CONNECT {target} at proxy {} ({})",
            proxy.name, proxy.authority
        )
    }
}
