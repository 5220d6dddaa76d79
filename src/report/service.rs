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
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::endpoint::Origin;
    use crate::plan::fixture::{check, cut, expired, not_critical, success};
    use crate::report::sample;

    fn standing<'a>(check: &'a Check, outcome: Option<&'a Arc<Outcome>>) -> Standing<'a> {
        Standing {
            check,
            outcome: outcome.map(AsRef::as_ref),
            hold: None,
        }
    }

    #[test]
    fn the_worst_check_makes_the_status_and_everything_that_fails_is_named() {
        let (well, bad) = (success(1), expired(1));
        let critical = check("s", "critical", "https://a.example/");
        let lesser = not_critical(&check("s", "lesser", "https://b.example/"));
        let cases = [
            (
                vec![(&critical, Some(&well)), (&lesser, Some(&well))],
                Some(Verdict::Ok),
                "all 2 checks succeed",
                vec![],
            ),
            (
                vec![(&critical, Some(&well)), (&lesser, Some(&bad))],
                Some(Verdict::Warning),
                "1 not critical of 2 checks fails",
                vec!["lesser"],
            ),
            (
                vec![(&lesser, Some(&bad)), (&critical, Some(&bad))],
                Some(Verdict::Critical),
                "1 critical and 1 other of 2 checks fail",
                vec!["critical", "lesser"],
            ),
            (
                vec![(&critical, Some(&bad))],
                Some(Verdict::Critical),
                "1 critical of 1 check fails",
                vec!["critical"],
            ),
            (
                vec![(&critical, None), (&lesser, Some(&well))],
                None,
                "1 of 2 checks not probed yet, the others succeed",
                vec![],
            ),
            (
                vec![(&critical, None), (&lesser, Some(&bad))],
                Some(Verdict::Warning),
                "1 not critical of 2 checks fails",
                vec!["lesser"],
            ),
        ];
        for (checks, status, summary, failing) in cases {
            let standings = checks
                .iter()
                .map(|(check, outcome)| standing(check, *outcome));
            let services = ServiceReport::of(standings);
            let [service] = services.as_slice() else {
                panic!("{services:?}");
            };
            assert_eq!(service.status, status, "{service:?}");
            assert_eq!(service.summary(), summary);
            let names: Vec<&str> = service.failing.iter().map(|check| check.endpoint).collect();
            assert_eq!(names, failing);
        }
    }

    #[test]
    fn each_service_and_route_stands_for_itself() {
        let results = sample::results();
        let services = ServiceReport::of(
            results
                .iter()
                .map(|(check, outcome)| standing(check, Some(outcome))),
        );
        let told: Vec<(&str, &str, &str)> = services
            .iter()
            .map(|service| (service.title, service.route, service.word()))
            .collect();
        assert_eq!(
            told,
            [
                ("site", "corp", "NOT WORKING"),
                ("site", "direct", "NOT WORKING"),
                ("Tenant attach", "corp", "DEGRADED"),
                ("Tenant attach", "direct", "NOT WORKING"),
            ]
        );
    }

    #[test]
    fn what_breaks_comes_from_the_catalog_and_is_told_once() {
        let of_catalog = |name: &str, origin, cloud: Option<&str>| {
            let url = format!("http://{name}/");
            let mut check = Check::clone(&check("tenant-attach", name, &url));
            let endpoint = Arc::make_mut(&mut check.endpoint);
            endpoint.origin = origin;
            endpoint.cloud = cloud.map(str::to_owned);
            endpoint.serves_revocation = true;
            check
        };
        let public = Some("public");
        let checks = [
            of_catalog("crl3.digicert.com", Origin::Catalog, public),
            of_catalog("crl4.digicert.com", Origin::Catalog, public),
            of_catalog("crl.example/a.crl", Origin::Certificate, public),
            of_catalog("crl3.example", Origin::Configuration, None),
        ];
        let bad = expired(1);
        let services = ServiceReport::of(checks.iter().map(|check| standing(check, Some(&bad))));
        let breaks = &services[0].breaks;
        assert_eq!(breaks.len(), 2, "{breaks:?}");
        assert_eq!(breaks[1], WITHOUT_DERIVED);
        assert_eq!(services[0].failing.len(), 4);
    }

    #[test]
    fn a_connection_that_did_not_last_is_told_and_changes_no_status() {
        let check = check("s", "held", "https://a.example/");
        let (well, hold) = (success(1), cut(1));
        let services = ServiceReport::of([Standing {
            hold: Some(&hold),
            ..standing(&check, Some(&well))
        }]);
        assert_eq!(services[0].status, Some(Verdict::Ok));
        assert_eq!(
            services[0].summary(),
            "its one check succeeds; idle connections did not last: held"
        );
    }
}
