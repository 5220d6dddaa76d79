//! An endpoint is down: it fails over every route over which it was heard, twice in a row over each. Where it fails
//! over one and is reachable over another, that route is at fault.
//!
//! What fails before HTTP fails for the host and port, whatever is asked of it: several endpoints there are one.

use std::collections::BTreeMap;

use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::Scene;
use crate::outcome::{CauseKind, Outcome, Phase};

/// What is asked whether it is down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Host(String),
    Target(String),
}

#[derive(Default)]
struct Heard<'f> {
    failing: Vec<Witness<'f>>,
    reachable: Vec<&'f Finding>,
}

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut places: BTreeMap<Place, Heard<'f>> = BTreeMap::new();
    for (finding, failure) in scene.failures() {
        if scene.stands_alone(finding, failure) {
            let heard = places.entry(place_of(finding)).or_default();
            heard.failing.push(Witness::failing(finding, failure));
        }
    }
    if places.is_empty() {
        return Vec::new();
    }
    for finding in scene.findings {
        for (place, reached) in reached(finding) {
            if let (true, Some(heard)) = (reached, places.get_mut(&place)) {
                heard.reachable.push(finding);
            }
        }
    }
    let mut found = Vec::new();
    let mut routes: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for heard in places.into_values() {
        if heard.reachable.is_empty() {
            found.extend(down(heard));
        } else {
            only(heard, &mut routes);
        }
    }
    found.extend(routes.into_values());
    found
}

fn down(heard: Heard<'_>) -> Option<Inference<'_>> {
    let names = heard.failing.iter();
    let first = names.map(|witness| witness.finding.endpoint()).min()?;
    let mut down = Inference::new(CauseKind::EndpointDown, first);
    down.supports = heard.failing;
    Some(down)
}

/// Adds to the causes of the routes over which it fails.
fn only<'f>(heard: Heard<'f>, routes: &mut BTreeMap<&'f str, Inference<'f>>) {
    for witness in heard.failing {
        let route = witness.finding.check.route.name.as_str();
        let elsewhere = heard
            .reachable
            .iter()
            .filter(|other| other.check.route.name != route);
        let routes_elsewhere = elsewhere.map(|other| other.check.route.name.as_str());
        let new = || Inference::new(CauseKind::RouteOnly, route);
        let inference = routes.entry(route).or_insert_with(new);
        let Witness { finding, words, .. } = &witness;
        let words = match routes_elsewhere.min() {
            Some(other) => format!("{words}; reachable over {other}"),
            None => words.to_string(),
        };
        let witness = Witness::saying(finding, Aspect::Failure, words);
        inference.supports.push(witness);
    }
}

/// Where a failing check says that something is down.
fn place_of(finding: &Finding) -> Place {
    let phase = finding.failure().map(crate::outcome::Failure::phase);
    match phase {
        Some(Phase::Dns | Phase::Connect | Phase::Proxy | Phase::Tls) => host_of(finding),
        _ => Place::Target(finding.check.endpoint.target.to_string()),
    }
}

fn host_of(finding: &Finding) -> Place {
    let target = &finding.check.endpoint.target;
    let authority = target.authority();
    Place::Host(authority.map_or_else(|| target.to_string(), |authority| authority.to_string()))
}

/// The places of a check, and whether its latest probe reached them.
fn reached(finding: &Finding) -> [(Place, bool); 2] {
    let target = Place::Target(finding.check.endpoint.target.to_string());
    let outcome = finding.latest.as_deref();
    let beyond_tls = |outcome: &Outcome| match &outcome.result {
        Ok(()) => true,
        Err(failure) => matches!(
            failure.phase(),
            Phase::Revocation | Phase::Request | Phase::Response
        ),
    };
    [
        (host_of(finding), outcome.is_some_and(beyond_tls)),
        (target, finding.success().is_some()),
    ]
}
