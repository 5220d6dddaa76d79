//! What a probe writes down while it runs: the time of each step, failing or not, and what it saw.

use tokio::time::Instant;
use url::Host;

use crate::endpoint::Target;
use crate::outcome::{NotRun, Observed, Phase, Step, Timings, WhyNotRun};
use crate::route::{Route, Via, Way};

/// The notes of one probe.
#[derive(Debug)]
pub(super) struct Journal {
    /// When everything must be over.
    pub(super) deadline: Instant,
    /// How long each step took.
    pub(super) timings: Timings,
    /// What was seen.
    pub(super) observed: Observed,
}

impl Journal {
    pub(super) fn new(deadline: Instant) -> Self {
        Self {
            deadline,
            timings: Timings::default(),
            observed: Observed::default(),
        }
    }

    /// Writes down that a step which began at `started` is over, whatever came of it.
    pub(super) fn took(&mut self, step: Step, started: Instant) {
        self.timings.add(step, started.elapsed());
    }

    /// The steps that this kind of probe could have taken and did not, each with its reason.
    pub(super) fn not_run(&self, target: &Target, via: Via, route: &Route) -> Vec<NotRun> {
        let steps = possible_steps(target, via, route);
        let missing = steps
            .into_iter()
            .filter(|(step, _)| self.timings.of(*step).is_none());
        missing.map(|(step, why)| NotRun { step, why }).collect()
    }
}

/// The steps of a probe, each with the reason that it has for not running.
fn possible_steps(target: &Target, via: Via, route: &Route) -> Vec<(Step, WhyNotRun)> {
    let mut steps = Vec::with_capacity(8);
    let (dns, connect) = (Phase::Dns, Phase::Connect);
    if let (Via::Proxy, Way::Proxy(proxy)) = (via, &route.way) {
        let plain = matches!(target, Target::Http(url) if url.scheme() == "http");
        steps.push((dns.with_proxy(), why_not_resolved(&proxy.authority.host)));
        steps.push((connect.with_proxy(), WhyNotRun::EarlierFailure));
        let why_no_tunnel = if plain {
            WhyNotRun::NoTunnel
        } else {
            WhyNotRun::EarlierFailure
        };
        steps.push((Phase::Proxy.with_proxy(), why_no_tunnel));
        steps.push((dns.with_endpoint(), WhyNotRun::ResolvedByProxy));
        steps.push((connect.with_endpoint(), WhyNotRun::ConnectedByProxy));
    } else {
        let host = target.authority().map(|authority| authority.host);
        let why = host
            .as_ref()
            .map_or(WhyNotRun::EarlierFailure, why_not_resolved);
        steps.push((dns.with_endpoint(), why));
        if !matches!(target, Target::Dns(_)) {
            steps.push((connect.with_endpoint(), WhyNotRun::EarlierFailure));
        }
    }
    match target {
        Target::Http(url) => {
            let why_no_tls = if url.scheme() == "http" {
                WhyNotRun::PlainHttp
            } else {
                WhyNotRun::EarlierFailure
            };
            steps.push((Phase::Tls.with_endpoint(), why_no_tls));
            steps.push((Phase::Request.with_endpoint(), WhyNotRun::EarlierFailure));
            steps.push((Phase::Response.with_endpoint(), WhyNotRun::EarlierFailure));
        }
        Target::Tls(_) => steps.push((Phase::Tls.with_endpoint(), WhyNotRun::EarlierFailure)),
        Target::Tcp(_) | Target::Dns(_) => {}
    }
    steps
}

fn why_not_resolved(host: &Host<String>) -> WhyNotRun {
    match host {
        Host::Domain(_) => WhyNotRun::EarlierFailure,
        Host::Ipv4(_) | Host::Ipv6(_) => WhyNotRun::AddressLiteral,
    }
}
