//! Double entry: what reachd counted, and what the servers wrote down.
//!
//! A probe that failed before its request was sent is in no log; one that got an answer, or the beginning of one, is
//! in it once. Only of a request that was sent and not answered can both be true, and its number is known.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use super::plan::{Plan, Probed};
use crate::kit::{Exposition, Lab};

/// Ways in which a proxy fails that are no answer of it.
const NO_ANSWERS: [&str; 3] = ["timeout", "closed", "protocol_error"];

/// What reachd says of one check.
#[derive(Debug, Default)]
struct Told {
    successes: u64,
    failures: Vec<Failures>,
}

#[derive(Debug)]
struct Failures {
    phase: String,
    peer: String,
    reason: String,
    count: u64,
}

/// How many lines of a log there must be, and how many there may be beside.
#[derive(Debug, Clone, Copy, Default)]
struct Lines {
    sure: u64,
    unsure: u64,
}

/// What a server wrote down of a host, by status.
type Written = BTreeMap<String, BTreeMap<String, u64>>;

/// What was compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) probes: u64,
    pub(super) requests: u64,
    pub(super) tunnels: u64,
    /// Requests and tunnels of which both would have been right.
    pub(super) unsure: u64,
    pub(super) by_reason: BTreeMap<String, u64>,
}

/// Compares check for check.
pub(super) fn compare(lab: &Lab, plan: &Plan, metrics: &Exposition) -> Compared {
    let requests = requests(&fs::read_to_string(lab.path("soak/requests.log")).unwrap());
    let tunnels = tunnels(&fs::read_to_string(lab.path("soak/squid/requests.log")).unwrap());
    let mut compared = Compared::default();
    let mut wrong = String::new();
    for check in &plan.checks {
        let told = Told::of(check, metrics);
        compared.count(&told);
        for (log, written, lines) in [
            ("web server", &requests, told.requests(check)),
            ("proxy", &tunnels, told.tunnels(check)),
        ] {
            let of_host = written.get(&check.host).cloned().unwrap_or_default();
            let count: u64 = of_host.values().sum();
            let Lines { sure, unsure } = lines;
            compared.unsure += unsure;
            if !(sure..=sure + unsure).contains(&count) {
                writeln!(wrong, "the {log} wrote {count} lines of {check:?}, {sure} to {} are right: {of_host:?}, {told:?}", sure + unsure).unwrap();
            }
        }
        told.compare_answers(check, requests.get(&check.host), &mut wrong);
    }
    compared.requests = total(&requests);
    compared.tunnels = total(&tunnels);
    for host in requests.keys().chain(tunnels.keys()) {
        if !plan.checks.iter().any(|check| check.host == *host) {
            writeln!(wrong, "nobody asked for {host}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "probes were lost or doubled:\n{wrong}");
    compared
}

impl Told {
    fn of(check: &Probed, metrics: &Exposition) -> Self {
        let labels = [("endpoint", check.host.as_str())];
        let with = |result| [labels[0], ("result", result)];
        let successes = metrics.value("reachd_probes_total", &with("success"));
        let failures = metrics.matching("reachd_probe_failures_total", &labels);
        let failures = failures.into_iter().map(|sample| Failures {
            phase: sample.labels["phase"].clone(),
            peer: sample.labels["peer"].clone(),
            reason: sample.labels["reason"].clone(),
            count: whole(sample.value),
        });
        let told = Self {
            successes: whole(successes.expect("it was probed")),
            failures: failures.collect(),
        };
        let failed = metrics.value("reachd_probes_total", &with("failure"));
        let by_reason: u64 = told.failures.iter().map(|failures| failures.count).sum();
        assert_eq!(whole(failed.unwrap()), by_reason, "{check:?}: {told:?}");
        told
    }

    /// That must be in the log of the web server.
    fn requests(&self, check: &Probed) -> Lines {
        if !check.kind.asks() {
            return Lines::default();
        }
        Lines {
            sure: self.successes + self.failed(|failures| failures.phase == "response"),
            unsure: self.failed(|failures| failures.phase == "request"),
        }
    }

    /// That must be in the log of the proxy.
    fn tunnels(&self, check: &Probed) -> Lines {
        if !check.kind.is_proxied() {
            return Lines::default();
        }
        let is_answer = |failures: &Failures| !NO_ANSWERS.contains(&failures.reason.as_str());
        let of_proxy = |failures: &Failures| failures.phase == "proxy";
        let beyond = |failures: &Failures| {
            failures.peer == "endpoint"
                && ["tls", "revocation", "request", "response"].contains(&failures.phase.as_str())
        };
        Lines {
            sure: self.successes
                + self.failed(beyond)
                + self.failed(|failures| of_proxy(failures) && is_answer(failures)),
            unsure: self.failed(|failures| of_proxy(failures) && !is_answer(failures)),
        }
    }

    /// Of each answer of the web server there are as many as reachd saw, but for those that came too late.
    fn compare_answers(
        &self,
        check: &Probed,
        written: Option<&BTreeMap<String, u64>>,
        wrong: &mut String,
    ) {
        let Some(written) = written else { return };
        let of = |status: &str| written.get(status).copied().unwrap_or_default();
        let late =
            self.failed(|failures| ["request", "response"].contains(&failures.phase.as_str()));
        let bad = self.failed(|failures| failures.reason == "bad_status");
        for (status, seen) in [("200", self.successes), ("502", bad)] {
            let count = of(status);
            if !(seen..=seen + late).contains(&count) {
                writeln!(wrong, "{check:?}: {seen} answers with {status} were seen, {count} were given: {self:?}").unwrap();
            }
        }
    }

    fn failed(&self, which: impl Fn(&Failures) -> bool) -> u64 {
        let failures = self.failures.iter().filter(|failures| which(failures));
        failures.map(|failures| failures.count).sum()
    }
}

impl Compared {
    fn count(&mut self, told: &Told) {
        *self.by_reason.entry("success".to_owned()).or_default() += told.successes;
        self.probes += told.successes;
        for Failures {
            phase,
            peer,
            reason,
            count,
        } in &told.failures
        {
            let way = format!("{phase}/{peer}/{reason}");
            *self.by_reason.entry(way).or_default() += count;
            self.probes += count;
        }
    }
}

/// Lines of host, status and completion.
fn requests(log: &str) -> Written {
    let mut written = Written::new();
    for line in log.lines() {
        let mut words = line.split(' ');
        let (Some(host), Some(status)) = (words.next(), words.next()) else {
            panic!("not a line of a request: {line:?}");
        };
        *entry(&mut written, host, status) += 1;
    }
    written
}

/// Lines of method, target and status. Connections without a request are of no interest.
fn tunnels(log: &str) -> Written {
    let mut written = Written::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["CONNECT", target, status] = words[..] {
            let host = target.trim_end_matches(":443");
            *entry(&mut written, host, status) += 1;
        }
    }
    written
}

fn entry<'w>(written: &'w mut Written, host: &str, status: &str) -> &'w mut u64 {
    let by_status = written.entry(host.to_owned()).or_default();
    by_status.entry(status.to_owned()).or_default()
}

fn total(written: &Written) -> u64 {
    written.values().flat_map(BTreeMap::values).sum()
}

/// Counters are whole numbers.
pub(super) fn whole(value: f64) -> u64 {
    // A sum over nothing is -0.
    let text = format!("{:.0}", value + 0.0);
    text.parse().expect("a counter")
}
