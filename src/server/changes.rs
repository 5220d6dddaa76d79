//! That something changed: an observer which counts, so that those who look at the page learn of it at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::observer::{Observer, Watcher};
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::{Check, Plan};

/// Counts what happens to checks.
#[derive(Debug, Clone, Default)]
pub struct Changes(watch::Sender<u64>);

impl Changes {
    /// How much happened so far, and when it is more.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }

    pub(super) fn count(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Observer for Changes {
    fn planned(&self, _plan: &Plan) {
        self.count();
    }

    fn watch(&self, _check: &Arc<Check>) -> Box<dyn Watcher> {
        Box::new(self.clone())
    }
}

impl Watcher for Changes {
    fn started(&self, _lag: Duration) {}

    fn observed(&self, _outcome: &Arc<Outcome>) {
        self.count();
    }

    fn abandoned(&self, _panicked: bool) {}

    fn held(&self, _outcome: &Arc<HoldOutcome>) {
        self.count();
    }

    fn skipped(&self, _turns: u64) {}

    fn hold_panicked(&self) {}

    fn holds_skipped(&self, _turns: u64) {}
}
