//! An endpoint is down: it fails over every route over which it was heard, twice in a row over each. Where it fails
//! over a route and was reached over another since, and over this one by nobody, the route is at fault. A success from
//! before the failure says nothing of that: while it may still be renewed, nothing is told.
//!
//! What fails before HTTP fails for the host and port, whatever is asked of it: several endpoints there are one.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::diagnosis::finding::{Failing, Finding};
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
    failing: Vec<(Witness<'f>, Failing)>,
    /// Who reached it, each with the time at which that began.
    reached: Vec<(&'f Finding, SystemTime)>,
    /// By route, when the last of those began.
    over: BTreeMap<&'f str, SystemTime>,
}

/// What the successes say of one failure.
enum Elsewhere<'f> {
    /// The place was reached over this route since, and over that of the failure by nobody.
    Over(&'f str),
    /// It was before, over another route, which may still be heard.
    Unknown,
    /// It is the place that fails.
    No,
}

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut places: BTreeMap<Place, Heard<'f>> = BTreeMap::new();
    for (finding, failure) in scene.failures() {
        if let (true, Some(failing)) = (
            scene.stands_alone(finding, failure),
            finding.failing.as_deref(),
        ) {
            let heard = places.entry(place_of(finding)).or_default();
            heard
                .failing
                .push((Witness::failing(finding, failure), *failing));
        }
    }
    if places.is_empty() {
        return Vec::new();
    }
    for finding in scene.findings {
        for (place, started) in reached(finding) {
            if let (Some(started), Some(heard)) = (started, places.get_mut(&place)) {
                heard.reached.push((finding, started));
                let last = heard.over.entry(&finding.check.route.name);
                let last = last.or_insert(started);
                *last = started.max(*last);
            }
        }
    }
    let mut found = Vec::new();
    let mut routes: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for heard in places.into_values() {
        found.extend(heard.infer(scene.now, &mut routes));
    }
    found.extend(routes.into_values());
    found
}

// === impl Heard ===

impl<'f> Heard<'f> {
    /// What is down. What fails over some routes only is added to the causes of these.
    fn infer(
        self,
        now: SystemTime,
        routes: &mut BTreeMap<&'f str, Inference<'f>>,
    ) -> Option<Inference<'f>> {
        let mut down = Vec::new();
        let mut earliest = None;
        for (witness, failing) in &self.failing {
            let route = witness.finding.check.route.name.as_str();
            match self.elsewhere(route, *failing, now) {
                Elsewhere::Over(other) => {
                    let new = || Inference::new(CauseKind::RouteOnly, route);
                    let inference = routes.entry(route).or_insert_with(new);
                    let words = format!("{}; reachable over {other}", witness.words);
                    let witness = Witness::saying(witness.finding, Aspect::Failure, words);
                    inference.supports.push(witness);
                }
                Elsewhere::Unknown => {}
                Elsewhere::No => {
                    earliest =
                        Some(earliest.map_or(failing.since, |since| failing.since.min(since)));
                    down.push(witness.clone());
                }
            }
        }
        let first = down
            .iter()
            .map(|witness| witness.finding.endpoint())
            .min()?;
        let reached = self.reached.iter();
        let since = reached.filter(|(_, started)| Some(*started) >= earliest);
        Some(Inference {
            contradicts: since
                .map(|(finding, _)| Witness::as_it_ended(finding))
                .collect(),
            supports: down,
            ..Inference::new(CauseKind::EndpointDown, first)
        })
    }

    fn elsewhere(&self, route: &str, failing: Failing, now: SystemTime) -> Elsewhere<'f> {
        let is_since = |last: &SystemTime| *last >= failing.since;
        if self.over.get(route).is_some_and(is_since) {
            // Another endpoint at the same place gets there by the same route: it is not the way.
            return Elsewhere::No;
        }
        let others = || self.over.iter().filter(|(other, _)| **other != route);
        if let Some((other, _)) = others().find(|(_, last)| is_since(last)) {
            return Elsewhere::Over(other);
        }
        let may_be_heard = failing.since + failing.patience > now;
        if may_be_heard && others().next().is_some() {
            Elsewhere::Unknown
        } else {
            Elsewhere::No
        }
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

/// The places of a check, and when its latest probe began, where that reached them.
fn reached(finding: &Finding) -> [(Place, Option<SystemTime>); 2] {
    let target = Place::Target(finding.check.endpoint.target.to_string());
    let beyond_tls = |outcome: &&Outcome| match &outcome.result {
        Ok(()) => true,
        Err(failure) => matches!(
            failure.phase(),
            Phase::Revocation | Phase::Request | Phase::Response
        ),
    };
    let host = finding.latest.as_deref().filter(beyond_tls);
    [
        (host_of(finding), host.map(|outcome| outcome.started)),
        (target, finding.success().map(|outcome| outcome.started)),
    ]
}
