//! A proxy is down: at least two endpoints fail before it said what it thinks of them, twice in a row, and since then
//! it said so of none. A single endpoint that fails is never a dead proxy.
//!
//! A proxy gets nowhere: it says so of at least two endpoints, and since then it got through to none.
//!
//! That it wants another login, or that its policy denies an endpoint, the proxy says itself: one check is enough.

use std::collections::BTreeMap;

use super::SEVERAL;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Inference, Witness};
use crate::diagnosis::scene::{Scene, got_through, is_at_the_door, is_upstream};
use crate::outcome::{
    CauseKind, Failure, FailureReason, Outcome, Peer, ProxyReason, ResponseReason,
};

type Proxies<'f> = BTreeMap<(CauseKind, &'f str), Inference<'f>>;

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut proxies = Proxies::new();
    for (finding, failure) in scene.failures() {
        let kind = kind_of(finding, failure);
        if let (Some(kind), Some(proxy)) = (kind, finding.proxy()) {
            let new = || Inference::new(kind, proxy);
            let inference = proxies.entry((kind, proxy)).or_insert_with(new);
            inference.supports.push(Witness::failing(finding, failure));
        }
    }
    contradict(scene, &mut proxies);
    proxies.into_values().filter(is_confident).collect()
}

fn kind_of(finding: &Finding, failure: &Failure) -> Option<CauseKind> {
    if is_at_the_door(failure) {
        return Some(CauseKind::ProxyDown);
    }
    if is_upstream(failure) {
        return Some(CauseKind::ProxyUpstream);
    }
    match failure.reason {
        FailureReason::Proxy(
            ProxyReason::AuthRequired
            | ProxyReason::AuthRejected
            | ProxyReason::UnsupportedAuth
            | ProxyReason::CredentialsUnavailable,
        ) => Some(CauseKind::ProxyAuthentication),
        // Who may not fetch lists has a cause of its own.
        FailureReason::Proxy(ProxyReason::Forbidden)
        | FailureReason::Response(ResponseReason::ProxyStatus)
            if !finding.check.endpoint.serves_revocation =>
        {
            Some(CauseKind::ProxyPolicy)
        }
        _ => None,
    }
}

fn contradict<'f>(scene: &Scene<'f>, proxies: &mut Proxies<'f>) {
    if proxies.is_empty() {
        return;
    }
    for finding in scene.findings {
        let (Some(outcome), Some(proxy)) = (&finding.latest, finding.proxy()) else {
            continue;
        };
        for ((kind, _), inference) in proxies.iter_mut().filter(|((_, name), _)| *name == proxy) {
            if speaks_against(*kind, outcome) {
                inference.contradicts.push(Witness::as_it_ended(finding));
            }
        }
    }
}

fn speaks_against(kind: CauseKind, outcome: &Outcome) -> bool {
    match (kind, &outcome.result) {
        (_, Ok(())) => true,
        (CauseKind::ProxyDown, Err(failure)) => {
            let was_asked =
                failure.peer == Peer::Proxy || !matches!(failure.reason, FailureReason::Dns(_));
            was_asked && !is_at_the_door(failure)
        }
        (CauseKind::ProxyUpstream, Err(_)) => got_through(outcome),
        (_, Err(_)) => false,
    }
}

fn is_confident(inference: &Inference<'_>) -> bool {
    match inference.kind {
        CauseKind::ProxyDown | CauseKind::ProxyUpstream => {
            inference.agreeing(Finding::endpoint) >= SEVERAL
        }
        _ => true,
    }
}
