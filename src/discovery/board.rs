//! What a source has found, seen by whoever makes the plan and the metrics; and the log of its good and bad times.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::watch;
use tracing::{info, warn};

use crate::catalog::NotProbed;
use crate::config::EndpointSettings;

/// What one source names.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Found {
    pub(super) endpoints: Vec<EndpointSettings>,
    pub(super) not_probed: Vec<NotProbed>,
}

/// What one source knows.
#[derive(Debug)]
pub(super) struct Board {
    name: String,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    found: Arc<Found>,
    revision: u64,
    up: Option<bool>,
    success: Option<SystemTime>,
    problem: Option<String>,
}

/// The longest problem that is told, in characters: what is wrong may come with what was sent.
const LONGEST_PROBLEM: usize = 500;

/// A problem as it may be told: short, and without a login in a URL.
pub(super) fn printable(problem: &str) -> String {
    let mut shown = String::new();
    let mut rest = problem;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || c == '"' || c == '`');
        let authority = &after[..end.unwrap_or(after.len())];
        rest = match authority.rfind('@') {
            Some(login) => {
                shown.push_str("<secret>");
                &after[login..]
            }
            None => after,
        };
    }
    shown.push_str(rest);
    if shown.chars().count() > LONGEST_PROBLEM {
        shown = shown.chars().take(LONGEST_PROBLEM).collect();
        shown.push_str(" ...");
    }
    shown
}

impl Board {
    pub(super) fn new(name: String, changed: watch::Sender<()>) -> Self {
        Self {
            name,
            state: Mutex::default(),
            changed,
        }
    }

    /// The source is good, and names this.
    pub(super) fn good(&self, found: Found, at: SystemTime) {
        let mut state = self.state();
        state.success = Some(at);
        let was_down = state.problem.take().is_some();
        let is_new = state.up != Some(true);
        state.up = Some(true);
        let is_other = state.replace(found);
        let targets = state.found.endpoints.len();
        drop(state);
        if was_down || is_other {
            let source = &self.name;
            info!(source, targets, "targets were found");
        }
        if is_new || is_other {
            self.changed.send_replace(());
        }
    }

    /// A part of the source is good, and names this; the rest is broken.
    pub(super) fn partly_good(&self, found: Found, problem: &str) {
        let is_other = self.state().replace(found);
        if is_other {
            self.changed.send_replace(());
        }
        self.failed(problem);
    }

    /// What was kept from before, until the source itself says more.
    pub(super) fn remembered(&self, found: Found, at: Option<SystemTime>) {
        let mut state = self.state();
        state.replace(found);
        state.success = at;
        state.up = at.map(|_| true);
    }

    /// What the same source named before its settings changed, until it says more itself.
    pub(super) fn inherit(&self, former: &Self) {
        let (found, success) = (former.found(), former.state().success);
        self.remembered(Found::clone(&found), success);
    }

    /// The source is broken: what it named before stays.
    pub(super) fn failed(&self, problem: &str) {
        let problem = &printable(problem);
        let mut state = self.state();
        let was_up = state.up.replace(false) != Some(false);
        let is_new = state.problem.as_deref() != Some(problem);
        let kept = state.found.endpoints.len();
        state.problem = Some(problem.to_owned());
        drop(state);
        if is_new {
            let source = &self.name;
            warn!(
                source,
                kept, problem, "a source of targets is broken: what it named before stays"
            );
        }
        if was_up {
            self.changed.send_replace(());
        }
    }

    pub(super) fn found(&self) -> Arc<Found> {
        Arc::clone(&self.state().found)
    }

    pub(super) fn revision(&self) -> u64 {
        self.state().revision
    }

    pub(super) fn problem(&self) -> Option<String> {
        let state = self.state();
        let problem = state.problem.as_ref()?;
        Some(format!("discovery: {}: {problem}", self.name))
    }

    /// Whether it is good, how many endpoints it names, and when it was last good.
    pub(super) fn standing(&self) -> (Option<bool>, usize, Option<SystemTime>) {
        let state = self.state();
        (state.up, state.found.endpoints.len(), state.success)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn replace(&mut self, found: Found) -> bool {
        let is_other = *self.found != found;
        if is_other {
            self.found = Arc::new(found);
            self.revision += 1;
        }
        is_other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::target::tests::found;

    #[test]
    fn a_problem_is_told_short_and_without_a_login() {
        for (problem, expected) in [
            ("plain", "plain"),
            (
                "`https://u:hush@h.example/x` is bad",
                "`https://<secret>@h.example/x` is bad",
            ),
            (
                "http://a/@b and ftp://u@c",
                "http://a/@b and ftp://<secret>@c",
            ),
        ] {
            assert_eq!(printable(problem), expected);
        }
        let long = printable(&"x".repeat(10_000));
        assert_eq!(long.chars().count(), LONGEST_PROBLEM + 4);
    }

    #[test]
    fn what_is_broken_keeps_what_was_good() {
        let board = Board::new("s".to_owned(), watch::Sender::default());
        let changes = board.changed.subscribe();
        let at = SystemTime::UNIX_EPOCH;
        assert_eq!(board.standing(), (None, 0, None));
        assert!(!changes.has_changed().unwrap());
        board.good(found(&["a:1"]), at);
        assert_eq!(board.standing(), (Some(true), 1, Some(at)));
        assert!(changes.has_changed().unwrap());
        board.failed("broken");
        assert_eq!(board.standing(), (Some(false), 1, Some(at)));
        assert_eq!(board.problem().unwrap(), "discovery: s: broken");
        let before = board.revision();
        board.good(found(&["a:1"]), at);
        assert_eq!((board.problem(), board.revision()), (None, before));
        board.good(found(&["b:1"]), at);
        assert_eq!(board.revision(), before + 1);
    }
}
