//! What is met when endpoints are reachable, over each route by itself.

use std::collections::{BTreeMap, HashSet};

use super::Judgement;
use crate::explain::explain;
use crate::outcome::{Failure, Outcome};
use crate::plan::Check;
use crate::report::prerequisites::{Evidence, State};

/// How many failing endpoints of a route are named.
const NAMES_SHOWN: usize = 6;

/// How many kinds of failure are told with their detail and advice.
const KINDS_SHOWN: usize = 3;

/// Judges the checks that are meant; says what `nothing` says where there are none.
pub(super) fn of_checks(
    evidence: Evidence<'_>,
    is_meant: fn(&Check) -> bool,
    nothing: impl FnOnce() -> Judgement,
) -> Judgement {
    let mut routes: BTreeMap<&str, Vec<(&Check, &Outcome)>> = BTreeMap::new();
    for (check, outcome) in evidence.results {
        if is_meant(check) {
            routes
                .entry(&check.route.name)
                .or_default()
                .push((check, outcome));
        }
    }
    if routes.is_empty() {
        return nothing();
    }
    let mut failures: Vec<(&Check, &Failure)> =
        routes.values().flatten().filter_map(failure).collect();
    failures.sort_by_key(|(check, _)| !check.endpoint.critical);
    let is_critical = failures.iter().any(|(check, _)| check.endpoint.critical);
    let mut seen: Vec<String> = routes
        .iter()
        .map(|(route, checks)| of_route(route, checks))
        .collect();
    let mut what_to_do = Vec::new();
    let mut kinds = HashSet::new();
    for (check, failure) in failures.iter().copied() {
        if kinds.len() == KINDS_SHOWN
            || !kinds.insert((failure.reason.as_str(), failure.phase(), failure.peer))
        {
            continue;
        }
        let (phase, reason, peer) = (failure.phase(), failure.reason.as_str(), failure.peer);
        seen.push(format!(
            "{}: {phase}/{reason}: {}",
            check.endpoint.name, failure.detail
        ));
        if let Some(step) = explain(failure.reason, failure.peer).steps.first() {
            what_to_do.push(format!("{phase}/{reason} at the {peer}: {step}"));
        }
    }
    let state = match (failures.is_empty(), is_critical) {
        (true, _) => State::Met,
        (false, false) => State::Warning,
        (false, true) => State::NotMet,
    };
    Judgement {
        state,
        seen,
        what_to_do,
    }
}

fn failure<'a>((check, outcome): &(&'a Check, &'a Outcome)) -> Option<(&'a Check, &'a Failure)> {
    Some((*check, outcome.result.as_ref().err()?))
}

fn of_route(route: &str, checks: &[(&Check, &Outcome)]) -> String {
    let all = checks.len();
    let mut failing: Vec<(&Check, &Failure)> = checks.iter().filter_map(failure).collect();
    failing.sort_by_key(|(check, _)| !check.endpoint.critical);
    let critical = failing
        .iter()
        .filter(|(check, _)| check.endpoint.critical)
        .count();
    let names: Vec<&str> = failing
        .iter()
        .take(NAMES_SHOWN)
        .map(|(check, _)| check.endpoint.name.as_str())
        .collect();
    let more = match failing.len().saturating_sub(NAMES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match (all, failing.len()) {
        (1, 0) => format!("over {route}: {} is reachable", checks[0].0.endpoint.name),
        (_, 0) => format!("over {route}: all {all} are reachable"),
        (_, failing) => format!(
            "over {route}: {failing} of {all} not reachable ({critical} critical): {}{more}",
            names.join(", ")
        ),
    }
}
