//! The last outcomes of every check, in memory and bounded: the last 60, and the last 20 failures kept apart.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::observer::{Observer, Watcher};
use crate::outcome::Outcome;
use crate::plan::{Check, CheckKey, Plan};

/// The outcomes kept for the page, the API and the log of changes.
#[derive(Debug, Default)]
pub struct History {}

/// What is known of one check.
#[derive(Debug, Clone)]
pub struct CheckHistory {
    /// The check.
    pub check: Arc<Check>,
    /// Since when it has been in its present state (success, or failing for one reason).
    pub since: Option<SystemTime>,
    /// The last outcomes, oldest first.
    pub recent: Vec<Arc<Outcome>>,
    /// The last failures, oldest first; they outlive newer successes.
    pub failures: Vec<Arc<Outcome>>,
}

impl History {
    /// What is known of every check, ordered by key.
    #[must_use]
    pub fn snapshot(&self) -> Vec<CheckHistory> {
        Vec::new()
    }

    /// What is known of one check.
    #[must_use]
    pub fn of(&self, _key: &CheckKey) -> Option<CheckHistory> {
        None
    }

    /// Whether every check of the plan in force has run once.
    #[must_use]
    pub fn every_check_ran(&self) -> bool {
        false
    }
}

impl CheckHistory {
    /// The latest outcome; `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<&Arc<Outcome>> {
        self.recent.last()
    }
}

impl Observer for History {
    fn planned(&self, _plan: &Plan) {}

    fn watch(&self, _check: &Arc<Check>) -> Box<dyn Watcher> {
        Box::new(Nobody)
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn started(&self, _lag: Duration) {}
    fn observed(&self, _outcome: &Arc<Outcome>) {}
    fn abandoned(&self, _panicked: bool) {}
    fn skipped(&self, _turns: u64) {}
}
