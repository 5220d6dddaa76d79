//! What one probe found: success, or the phase, peer and reason of its failure; how long every phase took
//! that was reached; why the others were not; and what was seen on the way. Pure data: no I/O, no clock.

mod cause;
mod hold;
mod observed;
mod reason;
mod revocation;
mod root;

use std::fmt;
use std::time::{Duration, SystemTime};

pub use cause::CauseKind;
pub use hold::HoldOutcome;
pub use observed::{
    CertificateSeen, ConnectSeen, DnsSeen, HttpSeen, InterceptionSeen, Observed, PacSeen, PathSeen,
    ProxySeen, RedirectSeen, TlsSeen,
};
pub use reason::{
    ConnectReason, DnsReason, FailureReason, HoldReason, ProxyReason, RequestReason,
    ResponseReason, RevocationReason, TlsReason,
};
pub use revocation::{CertificatePlace, RevocationSeen, RevocationState};
pub use root::{RequiredRoot, RootStanding, RootState};
use serde::{Serialize, Serializer};

use crate::route::Via;

/// A part of a probe that has a beginning, an end and a peer. The times of all phases add up to the probe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A name is resolved.
    Dns,
    /// A TCP connection is opened.
    Connect,
    /// The proxy is asked for a tunnel, by CONNECT or SOCKS, as far as its answer; before that, a proxy script for
    /// the proxy.
    Proxy,
    /// The TLS handshake, certificate verification included.
    Tls,
    /// Whether a certificate was revoked is found out: by what the server says, or lists and answers of its authority.
    Revocation,
    /// From the request's first byte sent to the answer's first byte received.
    Request,
    /// From the answer's first byte to the verdict.
    Response,
    /// An idle connection is kept open: the last phase of a hold, and none of a probe.
    Hold,
}

/// Whom a phase spoke to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// The route's proxy.
    Proxy,
    /// The endpoint itself, or whoever answers in its place.
    Endpoint,
}

/// A phase towards a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// What was done.
    pub phase: Phase,
    /// With whom.
    pub peer: Peer,
}

/// How long a step took. The steps of all redirects are added up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timing {
    /// What was done, with whom.
    #[serde(flatten)]
    pub step: Step,
    /// How long, the failing step included.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}

/// The timings of a probe in the order in which the steps were first taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timings(Vec<Taken>);

/// A [`Timing`] in fewer bytes: every check keeps those of its latest probe.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Taken {
    step: Step,
    nanoseconds: u64,
}

/// Why a step did not run. It is not a time of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNotRun {
    /// The proxy resolves the endpoint's name; the probe never learns the address.
    ResolvedByProxy,
    /// The host is written as an address: there is no name to resolve.
    AddressLiteral,
    /// Plain HTTP has no TLS.
    PlainHttp,
    /// The configuration says so.
    Disabled,
    /// Plain HTTP is asked of the proxy in absolute form, without a tunnel.
    NoTunnel,
    /// The proxy connects to the endpoint; the probe's own connection goes to the proxy.
    ConnectedByProxy,
    /// The route's script says that the endpoint is reached without a proxy.
    ScriptChoseDirect,
    /// The probe failed before it came to this.
    EarlierFailure,
}

/// A step that did not run, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NotRun {
    /// What was not done.
    #[serde(flatten)]
    pub step: Step,
    /// The reason.
    pub why: WhyNotRun,
}

/// Why a probe failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The closed reason; it fixes the phase.
    pub reason: FailureReason,
    /// Whom the failing phase spoke to.
    pub peer: Peer,
    /// What was tried, on what, and what came back: for people, never a label.
    pub detail: String,
}

/// The result of one probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// When it started.
    pub started: SystemTime,
    /// How long it took from start to verdict.
    pub duration: Duration,
    /// How the first hop left.
    pub via: Via,
    /// The verdict.
    pub result: Result<(), Failure>,
    /// How long each step took, the failing one included.
    pub timings: Timings,
    /// The steps that did not run, each with its reason.
    pub not_run: Vec<NotRun>,
    /// What is wrong without making the endpoint unreachable: what would be failures if they were not tolerated.
    pub warnings: Vec<Failure>,
    /// What was seen.
    pub observed: Observed,
}

/// More of a detail is not kept: peers have a say in it, and are not to fill our memory.
const MOST_DETAIL_BYTES: usize = 4096;

/// A text of which no more than this is kept; what is cut off is marked.
#[must_use]
pub fn shortened(mut text: String, most_bytes: usize) -> String {
    const MARK: &str = "…";
    if text.len() > most_bytes {
        let mut end = most_bytes.saturating_sub(MARK.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(MARK);
        text.shrink_to_fit();
    }
    text
}

// === impl Phase ===

impl Phase {
    /// Every phase of a probe, in its order.
    pub const OF_PROBE: [Self; 7] = [
        Self::Dns,
        Self::Connect,
        Self::Proxy,
        Self::Tls,
        Self::Revocation,
        Self::Request,
        Self::Response,
    ];

    /// The value of the label `phase`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Revocation => "revocation",
            Self::Request => "request",
            Self::Response => "response",
            Self::Hold => "hold",
        }
    }

    /// This phase, spoken with the route's proxy.
    #[must_use]
    pub fn with_proxy(self) -> Step {
        Step {
            phase: self,
            peer: Peer::Proxy,
        }
    }

    /// This phase, spoken with the endpoint.
    #[must_use]
    pub fn with_endpoint(self) -> Step {
        Step {
            phase: self,
            peer: Peer::Endpoint,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Peer ===

impl Peer {
    /// The value of the label `peer`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Endpoint => "endpoint",
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Step ===

impl Step {
    /// Every step that a probe can take. A proxy has a response only where it answers in the endpoint's place.
    pub const ALL: [Self; 11] = [
        Self {
            phase: Phase::Dns,
            peer: Peer::Proxy,
        },
        Self {
            phase: Phase::Connect,
            peer: Peer::Proxy,
        },
        Self {
            phase: Phase::Tls,
            peer: Peer::Proxy,
        },
        Self {
            phase: Phase::Proxy,
            peer: Peer::Proxy,
        },
        Self {
            phase: Phase::Dns,
            peer: Peer::Endpoint,
        },
        Self {
            phase: Phase::Connect,
            peer: Peer::Endpoint,
        },
        Self {
            phase: Phase::Tls,
            peer: Peer::Endpoint,
        },
        Self {
            phase: Phase::Revocation,
            peer: Peer::Endpoint,
        },
        Self {
            phase: Phase::Request,
            peer: Peer::Endpoint,
        },
        Self {
            phase: Phase::Response,
            peer: Peer::Endpoint,
        },
        Self {
            phase: Phase::Response,
            peer: Peer::Proxy,
        },
    ];
}

// === impl Timings ===

impl Timings {
    /// Adds to the time of a step, which a redirect may take again.
    pub fn add(&mut self, step: Step, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        match self.0.iter_mut().find(|taken| taken.step == step) {
            Some(taken) => taken.nanoseconds = taken.nanoseconds.saturating_add(nanoseconds),
            None => self.0.push(Taken { step, nanoseconds }),
        }
    }

    /// The time of a step, if it was reached.
    #[must_use]
    pub fn of(&self, step: Step) -> Option<Duration> {
        let mut timings = self.iter();
        Some(timings.find(|timing| timing.step == step)?.elapsed)
    }

    /// The timings in the order in which the steps were first taken.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Timing> {
        self.0.iter().map(|taken| Timing {
            step: taken.step,
            elapsed: Duration::from_nanos(taken.nanoseconds),
        })
    }

    /// The sum of all steps.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.iter().map(|timing| timing.elapsed).sum()
    }
}

impl Serialize for Timings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

// === impl Outcome ===

impl Outcome {
    /// The same without room to grow: of thousands of checks each keeps its latest.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.timings.0.shrink_to_fit();
        self.not_run.shrink_to_fit();
        self.warnings.shrink_to_fit();
        self.observed.trim();
        self
    }
}

// === impl WhyNotRun ===

impl WhyNotRun {
    /// The stable name, as in the JSON report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResolvedByProxy => "resolved_by_proxy",
            Self::AddressLiteral => "address_literal",
            Self::PlainHttp => "plain_http",
            Self::Disabled => "disabled",
            Self::NoTunnel => "no_tunnel",
            Self::ConnectedByProxy => "connected_by_proxy",
            Self::ScriptChoseDirect => "script_chose_direct",
            Self::EarlierFailure => "earlier_failure",
        }
    }
}

// === impl Failure ===

impl Failure {
    /// A failure towards the endpoint.
    pub fn of_endpoint(reason: impl Into<FailureReason>, detail: impl Into<String>) -> Self {
        Self::new(reason, Peer::Endpoint, detail)
    }

    /// A failure towards the proxy.
    pub fn of_proxy(reason: impl Into<FailureReason>, detail: impl Into<String>) -> Self {
        Self::new(reason, Peer::Proxy, detail)
    }

    /// A failure towards a peer that only the caller knows.
    pub fn new(reason: impl Into<FailureReason>, peer: Peer, detail: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            peer,
            detail: shortened(detail.into(), MOST_DETAIL_BYTES),
        }
    }

    /// The phase in which it happened.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.reason.phase()
    }
}

/// Serialises a duration as seconds with a fraction, the base unit of every figure that reachd exposes.
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_has_an_end() {
        let of = |detail: &str| Failure::of_endpoint(DnsReason::BadAnswer, detail).detail;
        assert_eq!(of("short"), "short");
        let long = of(&"ü".repeat(MOST_DETAIL_BYTES));
        assert!(long.len() <= MOST_DETAIL_BYTES && long.ends_with("ü…"));
    }

    #[test]
    fn the_steps_of_redirects_add_up() {
        let mut timings = Timings::default();
        let (dns, tls) = (Phase::Dns.with_endpoint(), Phase::Tls.with_endpoint());
        timings.add(dns, Duration::from_millis(2));
        timings.add(tls, Duration::from_millis(5));
        timings.add(dns, Duration::from_millis(3));
        assert_eq!(timings.of(dns), Some(Duration::from_millis(5)));
        assert_eq!(timings.of(Phase::Connect.with_endpoint()), None);
        assert_eq!(timings.total(), Duration::from_millis(10));
    }
}
