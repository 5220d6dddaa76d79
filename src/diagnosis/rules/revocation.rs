//! Revocation is blocked on a route: a list or answer could not be fetched over it, be that fatal for the probe or
//! worth a warning; or a host that serves them cannot be reached over it. One is enough, for each authority has
//! hosts of its own.

use std::collections::BTreeMap;

use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::Scene;
use crate::outcome::{CauseKind, Failure, FailureReason, RevocationReason, RevocationState};

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut routes: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for finding in scene.findings {
        if let Some((route, witness)) = blocked(scene, finding) {
            let new = || Inference::new(CauseKind::RevocationBlocked, route);
            routes
                .entry(route)
                .or_insert_with(new)
                .supports
                .push(witness);
        }
    }
    for finding in scene.findings {
        let route = finding.check.revocation.route.name.as_str();
        if let (true, Some(inference)) = (was_fetched(finding), routes.get_mut(route)) {
            let words = "lists or answers were fetched";
            let witness = Witness::saying(finding, Aspect::Warning, words);
            inference.contradicts.push(witness);
        }
    }
    routes.into_values().collect()
}

/// The route over which it is blocked, and what there is to say.
fn blocked<'f>(scene: &Scene<'f>, finding: &'f Finding) -> Option<(&'f str, Witness<'f>)> {
    let check = &finding.check;
    let over = check.revocation.route.name.as_str();
    let outcome = finding.latest.as_ref()?;
    if let Some(warning) = outcome
        .warnings
        .iter()
        .find(|warning| cannot_be_had(warning))
    {
        let words = warning.detail.as_str();
        return Some((over, Witness::saying(finding, Aspect::Warning, words)));
    }
    let failure = finding.failure()?;
    if cannot_be_had(failure) {
        return Some((over, Witness::failing(finding, failure)));
    }
    let is_way = check.endpoint.serves_revocation && scene.stands_alone(finding, failure);
    is_way.then(|| {
        (
            check.route.name.as_str(),
            Witness::failing(finding, failure),
        )
    })
}

fn cannot_be_had(failure: &Failure) -> bool {
    matches!(
        failure.reason,
        FailureReason::Revocation(RevocationReason::Unreachable | RevocationReason::Timeout)
    )
}

fn was_fetched(finding: &Finding) -> bool {
    let outcome = finding.latest.as_ref();
    let seen = outcome
        .iter()
        .flat_map(|outcome| outcome.observed.revocation.iter());
    seen.into_iter()
        .any(|seen| seen.state == RevocationState::Good && seen.url.is_some())
}
