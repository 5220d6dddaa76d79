//! What is met when the certificates that endpoints presented are their own, and are known not to be revoked.

use std::collections::BTreeMap;

use super::{Judgement, is_own};
use crate::endpoint::{Inspection, RevocationMode};
use crate::outcome::{Outcome, Phase, RevocationSeen, RevocationState};
use crate::plan::Check;
use crate::report::prerequisites::{Evidence, State};

/// How many findings of one kind are told.
const SHOWN: usize = 4;

/// Whether somebody decrypts the connections.
pub(super) fn inspection(evidence: Evidence<'_>) -> Judgement {
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    let mut others = Vec::new();
    let mut state = State::NotVerified;
    for (check, outcome) in own_checks(evidence) {
        let Some(interception) = &outcome.observed.interception else {
            continue;
        };
        let route = check.route.name.as_str();
        if !interception.intercepted {
            *own.entry(route).or_default() += 1;
            state = state.max(State::Met);
            continue;
        }
        let chain = check.endpoint.expectation.chain.as_ref();
        let is_forbidden = chain.is_some_and(|chain| chain.inspection == Inspection::Unsupported);
        state = state.max(if is_forbidden {
            State::NotMet
        } else {
            State::Warning
        });
        let words = interception.words();
        others.push(format!("{} over {route}: {words}", check.endpoint.name));
    }
    let own = own.iter().map(|(route, count)| {
        format!("over {route}: the certificates of {count} endpoints are their own")
    });
    let seen = own.chain(bounded(others)).collect();
    no_chain(Judgement {
        state,
        seen,
        what_to_do: Vec::new(),
    })
}

/// Whether it is known that nothing was revoked.
pub(super) fn revocation(evidence: Evidence<'_>) -> Judgement {
    let checks = || own_checks(evidence).map(|(check, _)| check);
    if checks().count() > 0 && checks().all(|check| check.revocation.mode == RevocationMode::Off) {
        return Judgement::not_verified(
            vec!["the configuration says that nobody looks: `revocation: {mode: off}`".to_owned()],
            vec![
                "Take that out, and reachd looks as the service connection point does.".to_owned(),
            ],
        );
    }
    let mut good: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bad = Vec::new();
    let mut state = State::NotVerified;
    for (check, outcome) in own_checks(evidence) {
        let route = check.revocation.route.name.as_str();
        let failed_critically = check.endpoint.critical
            && outcome
                .result
                .as_ref()
                .is_err_and(|failure| failure.phase() == Phase::Revocation);
        for (subject, seen) in by_certificate(outcome) {
            let (found, words) = of_certificate(&seen);
            if found == State::Met {
                *good.entry(route).or_default() += 1;
            } else {
                let endpoint = &check.endpoint.name;
                bad.push(format!("{endpoint} over {route}: {subject}: {words}"));
            }
            state = state.max(match found {
                State::Warning if failed_critically => State::NotMet,
                other => other,
            });
        }
    }
    let good = good.iter().map(|(route, count)| {
        format!("over {route}: {count} certificates are known not to be revoked")
    });
    let seen = good.chain(bounded(bad)).collect();
    no_chain(Judgement {
        state,
        seen,
        what_to_do: Vec::new(),
    })
}

fn own_checks(evidence: Evidence<'_>) -> impl Iterator<Item = (&Check, &Outcome)> {
    let results = evidence.results.iter();
    results
        .filter(|(check, _)| is_own(check))
        .map(|(check, outcome)| (&**check, &**outcome))
}

fn by_certificate(outcome: &Outcome) -> BTreeMap<&str, Vec<&RevocationSeen>> {
    let mut certificates: BTreeMap<&str, Vec<&RevocationSeen>> = BTreeMap::new();
    for seen in outcome.observed.revocation.iter() {
        certificates.entry(&seen.subject).or_default().push(seen);
    }
    certificates
}

/// What all methods together say of a certificate.
fn of_certificate(seen: &[&RevocationSeen]) -> (State, String) {
    let has = |state| seen.iter().any(|seen| seen.state == state);
    let told: Vec<String> = seen
        .iter()
        .map(|seen| {
            let method = seen.method.as_str();
            let url = seen.url.as_deref().map(|url| format!(" of {url}"));
            format!(
                "{method}{} {}",
                url.unwrap_or_default(),
                seen.state.as_str()
            )
        })
        .collect();
    let state = if has(RevocationState::Revoked) {
        State::NotMet
    } else if has(RevocationState::Good) {
        State::Met
    } else {
        State::Warning
    };
    (state, told.join(", "))
}

/// The first of them, and how many more there are.
fn bounded(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("... and {more} more like these"));
    }
    lines
}

/// Where no certificate came, there is nothing to judge.
fn no_chain(judgement: Judgement) -> Judgement {
    if judgement.state == State::NotVerified {
        return Judgement::not_verified(
            vec!["no endpoint came as far as showing its certificates".to_owned()],
            vec!["Mend the way to the endpoints first.".to_owned()],
        );
    }
    judgement
}
