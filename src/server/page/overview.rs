//! The first page: the verdict in plain words, which service works over which route, what fails and what to do about it, then every check.

use std::time::SystemTime;

use askama::Template;

use super::bar::{self, Piece};
use super::words::{self, Moment, counted};
use crate::catalog::NotProbed;
use crate::explain::Explanation;
use crate::history::CheckHistory;
use crate::outcome::{Outcome, RootStanding};
use crate::report::{
    CheckResult, FailureGroup, HoldResult, ServiceReport, Verdict, of_trust_store,
};
use crate::route::Via;
use crate::server::path;
use crate::server::standing::{Counts, State, hold_fails, roll_up};

/// How many checks the page shows, failing ones first; the API has all of them.
const ROWS_SHOWN: usize = 500;

/// How many endpoints of one kind of failure are named.
const NAMES_SHOWN: usize = 24;

/// How many services and routes are shown, the worst first.
const SERVICES_SHOWN: usize = 100;

/// How many failing endpoints of one service and route are named.
const FAILING_SHOWN: usize = 8;

/// How much of what that breaks is told.
const BREAKS_SHOWN: usize = 4;

/// How many different details of one kind of failure are told.
const DETAILS_SHOWN: usize = 3;

/// Seconds until a browser asks again.
const REFRESH: u32 = 15;

/// Likewise, while checks wait for their first probe.
const REFRESH_WHILE_WAITING: u32 = 3;

#[derive(Template)]
#[template(path = "overview.html")]
pub(super) struct Overview<'a> {
    refresh: u32,
    rendered: Moment,
    state: &'static str,
    word: &'static str,
    headline: &'static str,
    tally: String,
    message: Option<(u16, &'static str)>,
    rolled_up: Vec<RolledUp<'a>>,
    unrolled: usize,
    groups: Vec<Group<'a>>,
    services: Vec<Service<'a>>,
    omitted: usize,
    key: [(&'static str, &'static str); 7],
    not_probed: &'a [NotProbed],
    trust_store: Vec<String>,
}

/// A service over a route.
struct RolledUp<'a> {
    state: &'static str,
    word: &'static str,
    title: &'a str,
    service: &'a str,
    route: &'a str,
    summary: String,
    names: Vec<Name<'a>>,
    unnamed: usize,
    breaks: Vec<&'a str>,
    untold: usize,
}

/// Failures that are alike.
struct Group<'a> {
    critical: bool,
    phase: &'static str,
    peer: &'static str,
    reason: &'static str,
    route: &'a str,
    count: String,
    names: Vec<Name<'a>>,
    unnamed: usize,
    details: Vec<&'a str>,
    untold: usize,
    explanation: Explanation,
}

/// A check by its endpoint's name.
struct Name<'a> {
    href: String,
    endpoint: &'a str,
    service: &'a str,
    critical: bool,
}

struct Service<'a> {
    name: &'a str,
    tally: String,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    href: String,
    state: &'static str,
    word: &'static str,
    endpoint: &'a str,
    critical: bool,
    route: &'a str,
    bypass: bool,
    /// How its idle connection failed, if it did.
    not_held: Option<String>,
    seen: Option<Seen>,
}

/// What the latest outcome of a check says in a line.
struct Seen {
    finding: String,
    since: Option<Moment>,
    time: String,
    pieces: Vec<Piece>,
}

impl<'a> Overview<'a> {
    pub(super) fn new(
        histories: &'a [CheckHistory],
        not_probed: &'a [NotProbed],
        now: SystemTime,
    ) -> Self {
        let counts = Counts::of(histories);
        let verdict = counts.verdict();
        let (state, word, headline) = headline(verdict, counts);
        let results: Vec<CheckResult<'a>> = histories
            .iter()
            .filter_map(|history| Some(CheckResult::new(&history.check, history.latest()?)))
            .collect();
        let shown = shown(histories);
        let mut rolled_up = roll_up(histories);
        // The worst first, and what is not known yet before what is well.
        rolled_up.sort_by_key(|service| match service.status {
            Some(Verdict::Critical) => 0,
            Some(Verdict::Warning) => 1,
            None => 2,
            Some(Verdict::Ok) => 3,
        });
        Self {
            refresh: if counts.waiting > 0 {
                REFRESH_WHILE_WAITING
            } else {
                REFRESH
            },
            rendered: Moment::new(now, now),
            state,
            word,
            headline,
            tally: tally(counts),
            message: verdict.map(|verdict| (verdict.message_id(), verdict.message())),
            unrolled: rolled_up.len().saturating_sub(SERVICES_SHOWN),
            rolled_up: rolled_up
                .into_iter()
                .take(SERVICES_SHOWN)
                .map(RolledUp::from)
                .collect(),
            groups: FailureGroup::among(&results)
                .iter()
                .map(Group::from)
                .collect(),
            services: shown
                .chunk_by(|one, other| one.check.endpoint.service == other.check.endpoint.service)
                .map(|shown| Service::new(shown, histories, now))
                .collect(),
            omitted: histories.len() - shown.len(),
            key: bar::key(),
            not_probed,
            trust_store: Vec::new(),
        }
    }

    /// Says how the roots stand that the catalog requires.
    pub(super) fn with_trust_store(mut self, roots: &[RootStanding]) -> Self {
        self.trust_store = of_trust_store(roots);
        self
    }
}

fn headline(
    verdict: Option<Verdict>,
    counts: Counts,
) -> (&'static str, &'static str, &'static str) {
    match verdict {
        Some(Verdict::Ok) if counts.checks == 0 => (
            "waiting",
            "NO CHECKS",
            "Nothing is configured to be checked",
        ),
        Some(Verdict::Ok) => ("ok", "OK", "Everything required is reachable"),
        Some(Verdict::Warning) => (
            "warning",
            "WARNING",
            "Something is not reachable, but nothing critical",
        ),
        Some(Verdict::Critical) => (
            "critical",
            "CRITICAL",
            "Something critical is not reachable",
        ),
        None => ("waiting", "WAITING", "Nothing fails so far"),
    }
}

fn tally(counts: Counts) -> String {
    let mut parts = Vec::new();
    if counts.failing > 0 {
        let weight = match counts.failing_critical {
            0 => "none of them critical".to_owned(),
            critical => format!("{critical} critical"),
        };
        parts.push(format!("{} failing ({weight})", counts.failing));
    }
    parts.push(format!("{} succeeding", counts.succeeding));
    if counts.waiting > 0 {
        parts.push(format!("{} waiting for the first probe", counts.waiting));
    }
    if counts.holds_failing > 0 {
        let connections = counted(counts.holds_failing, "idle connection");
        parts.push(format!("{connections} not held"));
    }
    format!("{}: {}", counted(counts.checks, "check"), parts.join(", "))
}

/// The checks that the page has room for, in their order: failing ones before others.
fn shown(histories: &[CheckHistory]) -> Vec<&CheckHistory> {
    let fails =
        |history: &CheckHistory| State::of(history) == State::Failing || hold_fails(history);
    let mut room_for_failing = ROWS_SHOWN;
    let failing = histories.iter().filter(|history| fails(history)).count();
    let mut room_for_others = ROWS_SHOWN.saturating_sub(failing);
    let fits = |history: &&CheckHistory| {
        let room = if fails(history) {
            &mut room_for_failing
        } else {
            &mut room_for_others
        };
        let fits = *room > 0;
        *room -= usize::from(fits);
        fits
    };
    histories.iter().filter(fits).collect()
}

impl<'a> From<ServiceReport<'a>> for RolledUp<'a> {
    fn from(rolled_up: ServiceReport<'a>) -> Self {
        let names = rolled_up.failing.iter().map(|failing| Name {
            href: href(rolled_up.service, failing.endpoint, rolled_up.route),
            endpoint: failing.endpoint,
            service: rolled_up.service,
            critical: failing.critical,
        });
        Self {
            state: rolled_up.status.map_or("waiting", Verdict::as_str),
            word: rolled_up.word(),
            title: rolled_up.title,
            service: rolled_up.service,
            route: rolled_up.route,
            summary: rolled_up.summary(),
            names: names.take(FAILING_SHOWN).collect(),
            unnamed: rolled_up.failing.len().saturating_sub(FAILING_SHOWN),
            untold: rolled_up.breaks.len().saturating_sub(BREAKS_SHOWN),
            breaks: rolled_up.breaks.into_iter().take(BREAKS_SHOWN).collect(),
        }
    }
}

impl<'a> From<&FailureGroup<'_, 'a>> for Group<'a> {
    fn from(group: &FailureGroup<'_, 'a>) -> Self {
        let named = group.critical().chain(group.not_critical());
        let details = group.details();
        Self {
            critical: group.critical().next().is_some(),
            phase: group.failure.phase.as_str(),
            peer: group.failure.peer.as_str(),
            reason: group.failure.reason,
            route: group.route,
            count: counted(group.checks.len(), "check"),
            names: named.take(NAMES_SHOWN).map(Name::from).collect(),
            unnamed: group.checks.len().saturating_sub(NAMES_SHOWN),
            untold: details.len().saturating_sub(DETAILS_SHOWN),
            details: details.into_iter().take(DETAILS_SHOWN).collect(),
            explanation: group.failure.explanation,
        }
    }
}

impl<'a> From<&CheckResult<'a>> for Name<'a> {
    fn from(result: &CheckResult<'a>) -> Self {
        let subject = &result.subject;
        Self {
            href: href(subject.service, subject.endpoint, subject.route),
            endpoint: subject.endpoint,
            service: subject.service,
            critical: subject.critical,
        }
    }
}

impl<'a> Service<'a> {
    /// The section of the checks in `shown`, which are of one service; all of its checks are counted.
    fn new(shown: &[&'a CheckHistory], all: &[CheckHistory], now: SystemTime) -> Self {
        let name = shown
            .first()
            .map_or("", |history| history.check.endpoint.service.as_str());
        let counted = all
            .iter()
            .filter(|history| history.check.endpoint.service == name);
        Self {
            name,
            tally: tally(Counts::of(counted)),
            rows: shown.iter().map(|history| Row::new(history, now)).collect(),
        }
    }
}

impl<'a> Row<'a> {
    fn new(history: &'a CheckHistory, now: SystemTime) -> Self {
        let (endpoint, route) = (&history.check.endpoint, &history.check.route);
        let (state, word) = match State::of(history) {
            State::Waiting => ("waiting", "…"),
            State::Succeeding => ("ok", "OK"),
            State::Failing if endpoint.critical => ("critical", "FAIL"),
            State::Failing => ("warning", "FAIL"),
        };
        let latest = history.latest();
        Self {
            href: href(&endpoint.service, &endpoint.name, &route.name),
            state,
            word,
            endpoint: &endpoint.name,
            critical: endpoint.critical,
            route: &route.name,
            not_held: not_held(history),
            bypass: latest.is_some_and(|outcome| outcome.via == Via::Bypass),
            seen: latest.map(|outcome| Seen {
                finding: finding(outcome),
                since: history.since.map(|since| Moment::new(since, now)),
                time: words::short(outcome.duration),
                pieces: bar::pieces(outcome),
            }),
        }
    }
}

fn href(service: &str, endpoint: &str, route: &str) -> String {
    format!("/checks/{}", path::of_check(service, endpoint, route))
}

fn not_held(history: &CheckHistory) -> Option<String> {
    let outcome = history.hold.as_deref().filter(|_| hold_fails(history))?;
    Some(HoldResult::new(&history.check, outcome)?.words())
}

fn finding(outcome: &Outcome) -> String {
    match (&outcome.result, &outcome.observed.http) {
        (Err(failure), _) => failure.reason.to_string(),
        (Ok(()), Some(http)) => format!("HTTP {}", http.status),
        (Ok(()), None) => String::new(),
    }
}
