//! The phase `proxy`: the proxy is asked for a tunnel to the endpoint. HTTP proxies are asked by CONNECT and told
//! the name, never an address that the probe resolved (RFC 9110 §9.3.6); `socks` asks the others.

mod answer;
mod list;
mod request;
pub(super) mod socks;

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::ext::ReasonPhrase;
use hyper::{HeaderMap, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

pub(super) use self::answer::own_answer;
use self::answer::refusal;
pub(super) use self::request::proxy_headers;
use super::http::{Driver, MAX_HEAD_BYTES, Watch, Watched};
use super::stream::BoxedStream;
use crate::endpoint::Authority;
use crate::outcome::{Failure, Observed, ProxyReason, TlsReason};
use crate::route::Proxy;

/// What is offered by ALPN to a proxy over TLS: CONNECT is asked in HTTP/1.1.
pub(super) const ALPN: &[&[u8]] = &[b"http/1.1"];

/// A tunnel to be had from an HTTP proxy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tunnel<'a> {
    pub(super) proxy: &'a Proxy,
    pub(super) target: &'a Authority,
    /// Whether the proxy asked for a client certificate, and so may refuse us for want of one.
    pub(super) client_certificate_asked: bool,
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
        stream: BoxedStream,
        deadline: Instant,
        observed: &mut Observed,
    ) -> Result<BoxedStream, Failure> {
        let watch = Watch::new();
        let opening = self.negotiate(Watched::new(stream, &watch), &watch, observed);
        let late = |_| Err(self.failure(ProxyReason::Timeout, "no answer in time"));
        timeout_at(deadline, opening).await.unwrap_or_else(late)
    }

    async fn negotiate(
        &self,
        stream: Watched,
        watch: &Watch,
        observed: &mut Observed,
    ) -> Result<BoxedStream, Failure> {
        let handshake = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .max_header_size(MAX_HEAD_BYTES)
            .handshake::<_, Empty<Bytes>>(TokioIo::new(stream));
        let (mut sender, connection) = handshake
            .await
            .map_err(|error| self.broken(&error, watch))?;
        let mut driver = Driver::new(connection.with_upgrades());
        let answer = sender.send_request(self.request()?);
        let response = driver
            .drive(answer)
            .await
            .map_err(|error| self.broken(&error, watch))?;
        self.judge(&response, observed)?;
        let upgraded = driver.drive(hyper::upgrade::on(response)).await;
        let upgraded = upgraded.map_err(|error| self.broken(&error, watch))?;
        Ok(Box::new(TokioIo::new(upgraded)))
    }

    fn judge(&self, response: &Response<Incoming>, observed: &mut Observed) -> Result<(), Failure> {
        let head = Head {
            status: response.status(),
            phrase: response.extensions().get::<ReasonPhrase>(),
            headers: response.headers(),
        };
        observed.proxy = Some(head.seen(true));
        if response.status().is_success() {
            return Ok(());
        }
        let (reason, detail) = refusal(&head, self.proxy);
        Err(self.failure(reason, &detail))
    }

    fn broken(&self, error: &hyper::Error, watch: &Watch) -> Failure {
        if error.is_parse_too_large() {
            let what = "the head of the answer is longer than 64 KiB or has more than 100 headers";
            return self.failure(ProxyReason::ProtocolError, what);
        }
        if watch.demands_client_certificate()
            || (self.client_certificate_asked && watch.first_byte().is_none() && watch.ended())
        {
            let detail = format!(
                "{}: the proxy asked for a client certificate, was given none, and ended the connection",
                self.describe()
            );
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
