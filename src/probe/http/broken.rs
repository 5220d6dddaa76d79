//! What a conversation comes to that broke off: by what was seen on the wire, in the phase in which it was.

use hyper::Error;
use url::Url;

use super::over;
use super::watch::{Ending, Watch};
use crate::outcome::{Failure, Peer, ProxyReason, RequestReason, ResponseReason, TlsReason};
use crate::probe::tls::Demand;
use crate::route::Proxy;

/// A conversation that broke off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Broken<'a> {
    pub(super) method: &'static str,
    pub(super) url: &'a Url,
    pub(super) proxy: Option<&'a Proxy>,
    pub(super) demand: &'a Demand,
}

/// How it broke, as far as the reason goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    Closed,
    Reset,
    NotHttp,
}

impl Broken<'_> {
    pub(super) fn failure(&self, error: &Error, watch: &Watch) -> Failure {
        if error.is_parse_too_large() {
            let what = "the head of the answer is longer than 64 KiB or has more than 100 headers";
            return Failure::of_endpoint(ResponseReason::TooLarge, self.describe(what));
        }
        let begun = watch.first_byte().is_some();
        match watch.ending() {
            Some(ending) if watch.refuses_client(self.demand) => self.client_certificate(&ending),
            Some(Ending::Reset) => self.of(Break::Reset, begun, "the connection was reset"),
            Some(Ending::Broken(what)) => self.of(Break::NotHttp, begun, &what),
            _ if error.is_parse() => {
                let what = format!("the answer is not HTTP ({error})");
                self.of(Break::NotHttp, begun, &what)
            }
            Some(Ending::Closed) if begun => {
                let what = "the connection was closed in the middle of the answer";
                self.of(Break::Closed, begun, what)
            }
            Some(Ending::Closed) => self.of(
                Break::Closed,
                begun,
                "the connection was closed without an answer",
            ),
            // A demand is a refusal, whenever it comes.
            Some(Ending::ClientCertificateDemanded) | None => {
                self.of(Break::NotHttp, begun, &chain(error))
            }
        }
    }

    /// Before the answer begins, the one that breaks off is the proxy, where one was asked.
    fn of(&self, broke: Break, begun: bool, what: &str) -> Failure {
        let detail = self.describe(what);
        if self.proxy.is_some() && (!begun || broke == Break::NotHttp) {
            let reason = match broke {
                Break::Closed | Break::Reset => ProxyReason::Closed,
                Break::NotHttp => ProxyReason::ProtocolError,
            };
            return Failure::of_proxy(reason, detail);
        }
        match (begun, broke) {
            (false, Break::Closed) => Failure::of_endpoint(RequestReason::Closed, detail),
            (false, Break::Reset) => Failure::of_endpoint(RequestReason::Reset, detail),
            (false, Break::NotHttp) => Failure::of_endpoint(RequestReason::ProtocolError, detail),
            (true, Break::Closed) => Failure::of_endpoint(ResponseReason::Closed, detail),
            (true, Break::Reset) => Failure::of_endpoint(ResponseReason::Reset, detail),
            (true, Break::NotHttp) => Failure::of_endpoint(ResponseReason::ProtocolError, detail),
        }
    }

    fn client_certificate(&self, ending: &Ending) -> Failure {
        // Where a proxy is asked without a tunnel, the TLS session is the one with the proxy.
        let (peer, who) = match self.proxy {
            Some(_) => (Peer::Proxy, "proxy"),
            None => (Peer::Endpoint, "server"),
        };
        Failure::new(
            TlsReason::ClientCertificateRequired,
            peer,
            self.describe(&self.demand.refusal(who, ending)),
        )
    }

    fn describe(&self, what: &str) -> String {
        let over = over(self.proxy);
        format!("{} {}{over}: {what}", self.method, self.url)
    }
}

/// An error with everything that caused it.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
