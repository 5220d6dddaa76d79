//! Services and endpoints against routes: a row an endpoint, a column a route, a cell a check.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::NotProbed;
use crate::endpoint::Origin;
use crate::history::CheckHistory;
use crate::report::HoldResult;
use crate::report::words::{self, counted};
use crate::route::Via;
use crate::server::path;
use crate::server::selection::Selection;
use crate::server::standing::{Counts, State, hold_fails};

/// How many endpoints a page has.
const ROWS: usize = 100;

/// How many routes are columns; the others are found by asking for them.
const COLUMNS: usize = 12;

/// One page of the matrix.
pub(super) struct Matrix<'a> {
    pub(super) routes: Vec<&'a str>,
    /// How many more routes there are.
    pub(super) untold_routes: usize,
    pub(super) services: Vec<Service<'a>>,
    pub(super) pages: Pages,
}

/// Where one is among the pages.
pub(super) struct Pages {
    /// `1–100 of 3400 endpoints`.
    pub(super) words: String,
    pub(super) former: Option<String>,
    pub(super) next: Option<String>,
}

pub(super) struct Service<'a> {
    pub(super) name: &'a str,
    pub(super) cells: Vec<Option<Standing>>,
    pub(super) rows: Vec<Row<'a>>,
}

/// How a service fares over one route.
pub(super) struct Standing {
    pub(super) state: &'static str,
    pub(super) symbol: &'static str,
    pub(super) words: String,
}

pub(super) struct Row<'a> {
    pub(super) endpoint: &'a str,
    pub(super) notes: Vec<String>,
    pub(super) body: Body<'a>,
}

pub(super) enum Body<'a> {
    Cells(Vec<Option<Cell>>),
    NotProbed(&'a str),
}

/// One check.
pub(super) struct Cell {
    pub(super) href: String,
    pub(super) state: &'static str,
    pub(super) symbol: &'static str,
    /// What the symbol says.
    pub(super) word: &'static str,
    /// The time of the last probe, or why it failed.
    pub(super) finding: String,
    /// What else there is to know at a glance.
    pub(super) note: Option<String>,
}

/// An endpoint with its checks, or with why it has none.
enum Entry<'a> {
    Probed(Vec<&'a CheckHistory>),
    NotProbed(&'a NotProbed),
}

type Entries<'a> = BTreeMap<(&'a str, &'a str), Entry<'a>>;

// === impl Matrix ===

impl<'a> Matrix<'a> {
    /// The page of number `page` of what the selection takes.
    pub(super) fn new(
        histories: &'a [CheckHistory],
        not_probed: &'a [NotProbed],
        selection: &Selection,
        page: usize,
    ) -> Self {
        let taken: Vec<_> = histories
            .iter()
            .filter(|history| selection.takes(history))
            .collect();
        let all_routes = routes(&taken);
        let mut columns = all_routes.clone();
        columns.truncate(COLUMNS);
        let entries = entries(&taken, not_probed, selection);

        let page = page.clamp(1, entries.len().div_ceil(ROWS).max(1));
        let skipped = (page - 1) * ROWS;
        let shown: Vec<_> = entries.iter().skip(skipped).take(ROWS).collect();
        let counts = Counts::by_service_and_route(histories);
        let service = |rows: &[(&(&'a str, &'a str), &Entry<'a>)]| Service {
            name: rows.first().map_or("", |((service, _), _)| *service),
            cells: columns
                .iter()
                .map(|route| {
                    let ((service, _), _) = rows.first()?;
                    counts.get(&(*service, *route)).map(Standing::of)
                })
                .collect(),
            rows: rows
                .iter()
                .map(|((_, endpoint), entry)| Row::new(endpoint, entry, &columns))
                .collect(),
        };
        let link = |page: usize| format!("/?{}#checks", selection.query(page));
        Self {
            services: shown
                .chunk_by(|((one, _), _), ((other, _), _)| one == other)
                .map(service)
                .collect(),
            untold_routes: all_routes.len() - columns.len(),
            pages: Pages {
                words: range(skipped, shown.len(), entries.len()),
                former: (page > 1).then(|| link(page - 1)),
                next: (skipped + shown.len() < entries.len()).then(|| link(page + 1)),
            },
            routes: columns,
        }
    }
}

/// The routes of these checks, by name; without a proxy first.
fn routes<'a>(histories: &[&'a CheckHistory]) -> Vec<&'a str> {
    let names = histories
        .iter()
        .map(|history| history.check.route.name.as_str());
    let names: BTreeSet<_> = names.collect();
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by_key(|name| *name != "direct");
    names
}

fn entries<'a>(
    taken: &[&'a CheckHistory],
    not_probed: &'a [NotProbed],
    selection: &Selection,
) -> Entries<'a> {
    let mut entries = Entries::new();
    let left_out = not_probed.iter();
    for entry in left_out.filter(|entry| selection.takes_not_probed(entry)) {
        let key = (entry.service.as_str(), entry.endpoint.as_str());
        entries.insert(key, Entry::NotProbed(entry));
    }
    for history in taken {
        let endpoint = &history.check.endpoint;
        let key = (endpoint.service.as_str(), endpoint.name.as_str());
        match entries.get_mut(&key) {
            Some(Entry::Probed(checks)) => checks.push(history),
            _ => {
                entries.insert(key, Entry::Probed(vec![history]));
            }
        }
    }
    entries
}

fn range(skipped: usize, shown: usize, all: usize) -> String {
    let all_words = counted(all, "endpoint");
    if shown == all {
        return all_words;
    }
    format!("{}–{} of {all_words}", skipped + 1, skipped + shown)
}

// === impl Standing ===

impl Standing {
    fn of(counts: &Counts) -> Self {
        let (state, symbol) = match counts {
            Counts {
                failing_critical: 1..,
                ..
            } => ("critical", "✕"),
            Counts { failing: 1.., .. } => ("warning", "!"),
            Counts { waiting: 1.., .. } => ("waiting", "…"),
            _ => ("ok", "✓"),
        };
        let words = match (counts.failing, counts.waiting) {
            (0, 0) => format!("{} reachable", counts.checks),
            (0, waiting) => format!("{waiting} of {} waiting", counts.checks),
            (failing, _) => format!("{failing} of {} failing", counts.checks),
        };
        Self {
            state,
            symbol,
            words,
        }
    }
}

// === impl Row ===

impl<'a> Row<'a> {
    fn new(endpoint: &'a str, entry: &Entry<'a>, routes: &[&str]) -> Self {
        match entry {
            Entry::NotProbed(entry) => Self {
                endpoint,
                notes: Vec::new(),
                body: Body::NotProbed(&entry.why),
            },
            Entry::Probed(checks) => Self {
                endpoint,
                notes: checks.first().map(|check| notes(check)).unwrap_or_default(),
                body: Body::Cells(
                    routes
                        .iter()
                        .map(|route| {
                            let is_over = |check: &&&CheckHistory| check.check.route.name == *route;
                            checks.iter().find(is_over).map(|check| Cell::new(check))
                        })
                        .collect(),
                ),
            },
        }
    }
}

fn notes(history: &CheckHistory) -> Vec<String> {
    let endpoint = &history.check.endpoint;
    let mut notes = Vec::new();
    if !endpoint.critical {
        notes.push("not critical".to_owned());
    }
    match endpoint.origin {
        Origin::Certificate => notes.push("derived from a certificate".to_owned()),
        Origin::Redirect => notes.push("derived from a redirect".to_owned()),
        _ => {}
    }
    if let Some(wildcard) = &endpoint.stands_in_for {
        notes.push(format!("for {wildcard}"));
    }
    notes
}

// === impl Cell ===

impl Cell {
    fn new(history: &CheckHistory) -> Self {
        let (endpoint, route) = (&history.check.endpoint, &history.check.route);
        let (state, symbol, word) = match State::of(history) {
            State::Waiting => ("waiting", "…", "waiting"),
            State::Succeeding => ("ok", "✓", "reachable"),
            State::Failing if endpoint.critical => ("critical", "✕", "fails, critical"),
            State::Failing => ("warning", "!", "fails"),
        };
        let latest = history.latest();
        Self {
            href: format!(
                "/checks/{}",
                path::of_check(&endpoint.service, &endpoint.name, &route.name)
            ),
            state,
            symbol,
            word,
            finding: match latest.map(|outcome| (&outcome.result, outcome.duration)) {
                None => "waiting".to_owned(),
                Some((Ok(()), duration)) => words::short(duration),
                Some((Err(failure), _)) => failure.reason.to_string(),
            },
            note: match latest.map(|outcome| outcome.via) {
                _ if hold_fails(history) => not_held(history),
                Some(Via::Bypass) => Some("past the proxy".to_owned()),
                _ => None,
            },
        }
    }
}

fn not_held(history: &CheckHistory) -> Option<String> {
    let outcome = history.hold.as_deref()?;
    let words = HoldResult::new(&history.check, outcome)?.words();
    Some(format!("idle connection {words}"))
}
