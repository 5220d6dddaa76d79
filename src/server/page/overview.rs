//! The first page: the verdict in plain words, what is wrong and what to do about it, then every check.

use std::time::SystemTime;

use askama::Template;

use super::matrix::{Body, Matrix};
use super::services::{self, Services};
use crate::catalog::NotProbed;
use crate::diagnosis::Cause;
use crate::history::CheckHistory;
use crate::outcome::RootStanding;
use crate::plan::Shard;
use crate::report::cards::Card;
use crate::report::causes::{CauseCard, Explained};
use crate::report::words::{Moment, counted};
use crate::report::{CheckResult, FailureGroup, Verdict, of_trust_store};
use crate::server::path;
use crate::server::selection::Selection;
use crate::server::standing::{Counts, State};

/// Seconds until a browser without script asks again.
const REFRESH: u32 = 15;

/// Likewise, while checks wait for their first probe.
const REFRESH_WHILE_WAITING: u32 = 3;

/// How many kinds of failures are told.
const CARDS_SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "overview.html")]
pub(super) struct Overview<'a> {
    refresh: u32,
    rendered: Moment,
    state: &'static str,
    word: &'static str,
    headline: &'static str,
    /// Since when all is well, if it is.
    well_since: Option<Moment>,
    tally: String,
    message: Option<(u16, &'static str)>,
    causes: Vec<CauseCard<'a>>,
    services: Services<'a>,
    cards: Vec<Card<'a>>,
    untold: usize,
    untold_causes: usize,
    form: Form<'a>,
    matrix: Matrix<'a>,
    trust_store: Vec<String>,
    /// Which of several reachd this is.
    shard: Option<Shard>,
}

/// What can be asked for, and what is.
struct Form<'a> {
    selection: &'a Selection,
    states: [Choice<'static>; 3],
    services: Vec<Choice<'a>>,
    routes: Vec<Choice<'a>>,
}

struct Choice<'a> {
    name: &'a str,
    chosen: bool,
}

/// What the page is made of.
pub(super) struct Shown<'a> {
    pub(super) histories: &'a [CheckHistory],
    pub(super) causes: &'a [Cause],
    pub(super) not_probed: &'a [NotProbed],
    pub(super) trust_store: &'a [RootStanding],
    pub(super) selection: &'a Selection,
    pub(super) page: usize,
    pub(super) now: SystemTime,
    pub(super) shard: Option<Shard>,
}

impl<'a> Overview<'a> {
    pub(super) fn new(shown: &Shown<'a>) -> Self {
        let &Shown {
            histories,
            causes,
            not_probed,
            trust_store,
            selection,
            page,
            now,
            shard,
        } = shown;
        let counts = Counts::of(histories);
        let verdict = counts.verdict();
        let (state, word, headline) = headline(verdict, counts);
        let mut results: Vec<CheckResult<'a>> = histories
            .iter()
            .filter(|history| State::of(history) == State::Failing)
            .filter_map(|history| Some(CheckResult::new(&history.check, history.latest()?)))
            .collect();
        let explained = Explained::by(causes);
        results.retain(|result| !explained.has(result));
        let groups = FailureGroup::among(&results);
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
            well_since: well_since(histories, verdict).map(|since| Moment::new(since, now)),
            tally: tally(counts),
            message: verdict.map(|verdict| (verdict.message_id(), verdict.message())),
            untold: groups.len().saturating_sub(CARDS_SHOWN),
            untold_causes: causes.len().saturating_sub(CARDS_SHOWN),
            causes: causes
                .iter()
                .take(CARDS_SHOWN)
                .map(|cause| CauseCard::new(cause, now, link))
                .collect(),
            services: Services::new(histories),
            cards: groups
                .iter()
                .take(CARDS_SHOWN)
                .map(|group| Card::new(group, |it| link(it.service, it.endpoint, it.route)))
                .collect(),
            form: Form::new(histories, not_probed, selection),
            matrix: Matrix::new(histories, not_probed, selection, page),
            trust_store: of_trust_store(trust_store),
            shard,
        }
    }
}

fn link(service: &str, endpoint: &str, route: &str) -> String {
    format!("/checks/{}", path::of_check(service, endpoint, route))
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

/// The last time that a check came to succeed.
fn well_since(histories: &[CheckHistory], verdict: Option<Verdict>) -> Option<SystemTime> {
    let since = histories.iter().filter_map(|history| history.since).max();
    since.filter(|_| verdict == Some(Verdict::Ok))
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

// === impl Form ===

impl<'a> Form<'a> {
    fn new(
        histories: &'a [CheckHistory],
        not_probed: &'a [NotProbed],
        selection: &'a Selection,
    ) -> Self {
        let of_checks = histories.iter();
        let services = of_checks.map(|history| history.check.endpoint.service.as_str());
        let services = services.chain(not_probed.iter().map(|entry| entry.service.as_str()));
        let routes = histories.iter();
        let routes = routes.map(|history| history.check.route.name.as_str());
        Self {
            selection,
            states: State::ALL.map(|state| Choice {
                name: state.as_str(),
                chosen: selection.state == Some(state),
            }),
            services: choices(services.collect(), &selection.service),
            routes: choices(routes.collect(), &selection.route),
        }
    }
}

fn choices<'a>(mut names: Vec<&'a str>, chosen: &str) -> Vec<Choice<'a>> {
    names.sort_unstable();
    names.dedup();
    let choice = |name| Choice {
        name,
        chosen: name == chosen,
    };
    names.into_iter().map(choice).collect()
}
