//! What all rules look at: the findings, and which hops that several checks share are known to work.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::SystemTime;

use super::finding::Finding;
use crate::endpoint::Target;
use crate::outcome::{
    ConnectReason, DnsReason, Failure, FailureReason, Outcome, Peer, ProxyReason, RootStanding,
    TlsReason,
};
use crate::route::Way;

/// All findings at one moment.
pub(super) struct Scene<'f> {
    pub(super) findings: &'f [Finding],
    /// The roots that the catalog requires, as the trust stores have them.
    pub(super) roots: &'f [RootStanding],
    pub(super) now: SystemTime,
    /// When a probe began that used the hop with success: the last one.
    proofs: HashMap<Hop<'f>, SystemTime>,
    /// Those over which more than one endpoint is to be probed.
    shared: HashSet<Hop<'f>>,
    /// By trust store, since when all have been heard that use it.
    heard: HashMap<Store<'f>, Option<SystemTime>>,
}

/// A trust store by its file; without one the system's.
type Store<'f> = Option<&'f Path>;

/// What several checks have in common on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Hop<'f> {
    /// The line out of this machine.
    Network,
    /// A resolver by its name.
    Resolver(&'f str),
    /// A proxy by its name, as far as its first word.
    Door(&'f str),
    /// What is behind a proxy.
    Upstream(&'f str),
}

impl<'f> Scene<'f> {
    pub(super) fn new(findings: &'f [Finding], roots: &'f [RootStanding], now: SystemTime) -> Self {
        let mut proofs: HashMap<Hop<'f>, SystemTime> = HashMap::new();
        let mut first_at: HashMap<Hop<'f>, &str> = HashMap::new();
        let mut shared = HashSet::new();
        let mut heard: HashMap<Store<'_>, Option<SystemTime>> = HashMap::new();
        for finding in findings {
            if uses_tls(finding) {
                let at = heard_of_trust_at(finding);
                let first = heard.entry(store_of(finding)).or_insert(at);
                *first = at.min(*first);
            }
            for hop in planned(finding) {
                let first = first_at.entry(hop).or_insert(finding.endpoint());
                if *first != finding.endpoint() {
                    shared.insert(hop);
                }
            }
            let Some(outcome) = &finding.latest else {
                continue;
            };
            for hop in passed(finding, outcome) {
                let latest = proofs.entry(hop).or_insert(outcome.started);
                *latest = outcome.started.max(*latest);
            }
        }
        Self {
            findings,
            roots,
            now,
            proofs,
            shared,
            heard,
        }
    }

    /// The confirmed failures.
    pub(super) fn failures(&self) -> impl Iterator<Item = (&'f Finding, &'f Failure)> + use<'f> {
        let findings = self.findings.iter();
        findings.filter_map(|finding| Some((finding, finding.failure()?)))
    }

    /// Whether a hop on which a check failed worked for another one soon after.
    pub(super) fn is_overtaken(&self, finding: &'f Finding) -> bool {
        let (Some(outcome), Some(failure)) = (&finding.latest, finding.failure()) else {
            return false;
        };
        let mut hops = hops_of(finding, failure).into_iter();
        hops.any(|hop| self.proofs.get(&hop) > Some(&outcome.started))
    }

    /// Whether a failure can be the endpoint's own: each hop that it may be owed to is used by nobody else, or
    /// worked since, or others have had the time to fail there, too; and of a certificate that is not trusted, all that
    /// use the same trust store have been heard.
    pub(super) fn stands_alone(&self, finding: &'f Finding, failure: &'f Failure) -> bool {
        let Some(failing) = finding.failing.as_deref() else {
            return false;
        };
        let others_heard = failing.since + failing.patience;
        if others_heard + failing.confirmation <= self.now {
            return true;
        }
        if is_untrusted(failure) && self.now < others_heard {
            let all_heard = self.heard.get(&store_of(finding)).copied().flatten();
            return all_heard >= Some(failing.since);
        }
        hops_of(finding, failure).iter().all(|hop| {
            let proof = self.proofs.get(hop);
            !self.shared.contains(hop) || proof.is_some_and(|proof| *proof >= failing.since)
        })
    }
}

/// Its certificate leads to no root of the trust store.
pub(super) fn is_untrusted(failure: &Failure) -> bool {
    failure.peer == Peer::Endpoint && failure.reason == TlsReason::UnknownIssuer.into()
}

fn store_of(finding: &Finding) -> Store<'_> {
    finding.check.tls.ca_file.as_deref()
}

fn uses_tls(finding: &Finding) -> bool {
    match &finding.check.endpoint.target {
        Target::Http(url) => url.scheme() == "https",
        Target::Tls(_) => true,
        Target::Tcp(_) | Target::Dns(_) => false,
    }
}

/// When the probe began that said whether it trusts; what may be a blip has not said yet.
fn heard_of_trust_at(finding: &Finding) -> Option<SystemTime> {
    let outcome = finding.latest.as_ref()?;
    let is_open = finding.failure().is_none() && outcome.result.as_ref().is_err_and(is_untrusted);
    (!is_open).then_some(outcome.started)
}

/// The hops that a check may use, heard or not.
fn planned(finding: &Finding) -> impl Iterator<Item = Hop<'_>> {
    let check = &finding.check;
    let resolvers = [&check.resolver, &check.proxy_resolver];
    let resolvers = resolvers.map(|resolver| Hop::Resolver(resolver.name()));
    let way = &check.route.way;
    let proxy = (!matches!(way, Way::Direct)).then(|| way.name());
    let over_proxy = proxy.map(|proxy| [Hop::Door(proxy), Hop::Upstream(proxy)]);
    let over_proxy = over_proxy.into_iter().flatten();
    [Hop::Network]
        .into_iter()
        .chain(resolvers)
        .chain(over_proxy)
}

/// The shared hops to which a failure may be owed.
fn hops_of<'f>(finding: &'f Finding, failure: &Failure) -> Vec<Hop<'f>> {
    let mut hops = Vec::new();
    if is_silence(failure) {
        hops.push(Hop::Network);
    }
    if let Some(resolver) = failing_resolver(finding, failure) {
        hops.push(Hop::Resolver(resolver));
    }
    if let Some(proxy) = finding.proxy() {
        if is_at_the_door(failure) {
            hops.push(Hop::Door(proxy));
        }
        if is_upstream(failure) {
            hops.push(Hop::Upstream(proxy));
        }
    }
    hops
}

/// The shared hops that a probe used with success.
fn passed<'f>(finding: &'f Finding, outcome: &'f Outcome) -> Vec<Hop<'f>> {
    let failure = outcome.result.as_ref().err();
    let mut hops = Vec::new();
    if !failure.is_some_and(heard_nobody) {
        hops.push(Hop::Network);
    }
    let answered = outcome.observed.dns.iter().filter(|seen| seen.answered());
    hops.extend(answered.map(|seen| Hop::Resolver(&seen.resolver)));
    if let Some(proxy) = finding.proxy() {
        if !failure.is_some_and(is_at_the_door) && !failure.is_some_and(is_before_the_way) {
            hops.push(Hop::Door(proxy));
        }
        if got_through(outcome) {
            hops.push(Hop::Upstream(proxy));
        }
    }
    hops
}

/// The resolver that gave no answer to a name, or would not.
pub(super) fn failing_resolver<'f>(finding: &'f Finding, failure: &Failure) -> Option<&'f str> {
    let gives_none = matches!(
        failure.reason,
        FailureReason::Dns(
            DnsReason::Timeout | DnsReason::NetworkError | DnsReason::ServFail | DnsReason::Refused
        )
    );
    let check = &finding.check;
    let resolver = match failure.peer {
        Peer::Proxy => &check.proxy_resolver,
        Peer::Endpoint => &check.resolver,
    };
    gives_none.then(|| resolver.name())
}

/// Nothing at all came back from the first host that was asked.
pub(super) fn is_silence(failure: &Failure) -> bool {
    matches!(
        failure.reason,
        FailureReason::Dns(DnsReason::Timeout | DnsReason::NetworkError)
            | FailureReason::Connect(
                ConnectReason::Timeout | ConnectReason::Unreachable | ConnectReason::NoRoute
            )
    )
}

/// Nobody was heard: nothing came back, or reachd itself had not what it takes to ask.
pub(super) fn heard_nobody(failure: &Failure) -> bool {
    is_silence(failure)
        || matches!(
            failure.reason,
            FailureReason::Proxy(
                ProxyReason::PacUnavailable
                    | ProxyReason::PacError
                    | ProxyReason::CredentialsUnavailable
            )
        )
}

/// The proxy did not come to say what it thinks of the endpoint.
pub(super) fn is_at_the_door(failure: &Failure) -> bool {
    match failure.reason {
        FailureReason::Dns(_) | FailureReason::Connect(_) => failure.peer == Peer::Proxy,
        FailureReason::Tls(reason) => {
            failure.peer == Peer::Proxy && reason != TlsReason::ClientCertificateRequired
        }
        FailureReason::Proxy(reason) => matches!(
            reason,
            ProxyReason::Timeout
                | ProxyReason::Closed
                | ProxyReason::ProtocolError
                | ProxyReason::PacUnavailable
                | ProxyReason::PacError
        ),
        _ => false,
    }
}

/// The proxy said that it could not get to the endpoint.
pub(super) fn is_upstream(failure: &Failure) -> bool {
    matches!(
        failure.reason,
        FailureReason::Proxy(
            ProxyReason::BadGateway
                | ProxyReason::GatewayTimeout
                | ProxyReason::ServiceUnavailable
                | ProxyReason::NameNotResolved
                | ProxyReason::SocksRejected
                | ProxyReason::UnexpectedStatus
        )
    )
}

/// The endpoint's name was not resolved, so that the proxy was not asked.
fn is_before_the_way(failure: &Failure) -> bool {
    failure.peer == Peer::Endpoint && matches!(failure.reason, FailureReason::Dns(_))
}

/// Something of the endpoint's own came back.
pub(super) fn got_through(outcome: &Outcome) -> bool {
    match &outcome.result {
        Ok(()) => true,
        Err(failure) => {
            failure.peer == Peer::Endpoint
                && match failure.reason {
                    FailureReason::Tls(reason) => !matches!(
                        reason,
                        TlsReason::Timeout | TlsReason::Closed | TlsReason::Reset
                    ),
                    FailureReason::Revocation(_) | FailureReason::Response(_) => true,
                    _ => false,
                }
        }
    }
}
