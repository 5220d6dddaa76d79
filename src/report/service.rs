//! Which service works over which route, and what of it does not: the findings of all its checks rolled up.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::Verdict;
use crate::catalog;
use crate::endpoint::Endpoint;
use crate::outcome::{HoldOutcome, Outcome, Peer, Phase};
use crate::plan::Check;

/// How a service fares over a route.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceReport<'a> {
    /// The service, as its checks name it.
    pub service: &'a str,
    /// Its name for people, where the catalog knows one.
    pub title: &'a str,
    /// The way out.
    pub route: &'a str,
    /// The worst that its checks found, as `reachd_service_status` tells it: `None` as long as nothing fails and
    /// something has not run.
    pub status: Option<Verdict>,
    /// How many checks it has.
    pub checks: usize,
    /// What fails, critical ones first.
    pub failing: Vec<Failing<'a>>,
    /// The endpoints whose idle connections did not last. They change no status.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_held: Vec<&'a str>,
    /// What an administrator notices of that, each once, in the order of what fails.
    pub breaks: Vec<&'a str>,
    #[serde(skip)]
    waiting: usize,
}

/// A check that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Failing<'a> {
    /// The endpoint.
    pub endpoint: &'a str,
    /// Whether its service stops without it.
    pub critical: bool,
    /// Where it failed.
    pub phase: Phase,
    /// Whom that phase spoke to.
    pub peer: Peer,
    /// The stable name of the reason.
    pub reason: &'static str,
    #[serde(skip)]
    breaks: Option<&'a str>,
}

/// A check as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The check.
    pub check: &'a Check,
    /// What its latest probe found, if there was one.
    pub outcome: Option<&'a Outcome>,
    /// What its latest hold found, if there was one.
    pub hold: Option<&'a HoldOutcome>,
}

/// What breaks without an endpoint that certificates name.
const WITHOUT_DERIVED: &str = "Whether certificates were revoked cannot be found out where they name this host: whoever insists on knowing refuses \
                               their connections.";

// === impl ServiceReport ===

impl<'a> ServiceReport<'a> {
    /// Rolls checks up by service and route, in the order of their names.
    #[must_use]
    pub fn of(standings: impl IntoIterator<Item = Standing<'a>>) -> Vec<Self> {
        let mut services: BTreeMap<(&str, &str), Self> = BTreeMap::new();
        for standing in standings {
            let service = standing.check.endpoint.service.as_str();
            let route = standing.check.route.name.as_str();
            let entry = services
                .entry((service, route))
                .or_insert_with(|| Self::empty(service, route));
            entry.add(standing);
        }
        let mut services: Vec<Self> = services.into_values().collect();
        services.iter_mut().for_each(Self::conclude);
        services
    }

    /// The state in a word that stands for itself where there are no colours.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.status {
            Some(Verdict::Ok) => "OK",
            Some(Verdict::Warning) => "DEGRADED",
            Some(Verdict::Critical) => "NOT WORKING",
            None => "WAITING",
        }
    }

    /// The state in a sentence without names: `1 critical and 2 other of 11 checks fail`.
    #[must_use]
    pub fn summary(&self) -> String {
        let all = self.checks;
        let critical = self.failing.iter().filter(|check| check.critical).count();
        let checks = if all == 1 { "check" } else { "checks" };
        let verb = if self.failing.len() == 1 {
            "fails"
        } else {
            "fail"
        };
        let mut text = match (critical, self.failing.len() - critical) {
            (0, 0) if self.waiting > 0 => {
                let waiting = self.waiting;
                format!("{waiting} of {all} {checks} not probed yet, the others succeed")
            }
            (0, 0) if all == 1 => "its one check succeeds".to_owned(),
            (0, 0) => format!("all {all} checks succeed"),
            (0, other) => format!("{other} not critical of {all} {checks} {verb}"),
            (critical, 0) => format!("{critical} critical of {all} {checks} {verb}"),
            (critical, other) => {
                format!("{critical} critical and {other} other of {all} {checks} {verb}")
            }
        };
        if !self.not_held.is_empty() {
            text.push_str("; idle connections did not last: ");
            text.push_str(&self.not_held.join(", "));
        }
        text
    }

    fn empty(service: &'a str, route: &'a str) -> Self {
        let title = catalog::feature(service).map_or(service, |feature| &feature.title);
        Self {
            service,
            title,
            route,
            status: None,
            checks: 0,
            failing: Vec::new(),
            not_held: Vec::new(),
            breaks: Vec::new(),
            waiting: 0,
        }
    }

    fn add(&mut self, standing: Standing<'a>) {
        let endpoint = &standing.check.endpoint;
        self.checks += 1;
        match standing.outcome.map(|outcome| &outcome.result) {
            None => self.waiting += 1,
            Some(Ok(())) => {}
            Some(Err(failure)) => self.failing.push(Failing {
                endpoint: &endpoint.name,
                critical: endpoint.critical,
                phase: failure.phase(),
                peer: failure.peer,
                reason: failure.reason.as_str(),
                breaks: breaks(endpoint),
            }),
        }
        if standing.hold.is_some_and(|hold| hold.result.is_err()) {
            self.not_held.push(&endpoint.name);
        }
    }

    fn conclude(&mut self) {
        self.failing.sort_by_key(|check| Reverse(check.critical));
        for breaks in self.failing.iter().filter_map(|check| check.breaks) {
            if !self.breaks.contains(&breaks) {
                self.breaks.push(breaks);
            }
        }
        self.status = match self.failing.first() {
            Some(Failing { critical: true, .. }) => Some(Verdict::Critical),
            Some(_) => Some(Verdict::Warning),
            None if self.waiting > 0 => None,
            None => Some(Verdict::Ok),
        };
    }
}

fn breaks(endpoint: &Endpoint) -> Option<&'static str> {
    if endpoint.origin.is_derived() {
        return Some(WITHOUT_DERIVED);
    }
    catalog::entry_of(endpoint).map(|entry| entry.breaks.as_str())
}

#[cfg(test)]
mod tests;
