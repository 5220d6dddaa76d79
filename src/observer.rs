//! Who is told of outcomes. The scheduler knows observers only through these two traits.

mod redirects;
mod state_log;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use redirects::{Redirects, led_to};
pub use state_log::StateLog;

use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::{Check, Plan};

/// Somebody who wants to know how checks fare.
pub trait Observer: Send + Sync {
    /// A plan comes into force. What it no longer has leaves; what it keeps, by key, keeps its numbers.
    /// Called before any [`Observer::watch`] for a check of this plan.
    fn planned(&self, plan: &Plan);

    /// A handle for one check of the plan in force, asked for once when one of its loops starts, so that an outcome
    /// needs no look-up.
    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher>;
}

/// Told of everything that happens to one check.
pub trait Watcher: Send + Sync {
    /// A probe started, this much later than its turn.
    fn started(&self, lag: Duration);

    /// A probe ended with an outcome.
    fn observed(&self, outcome: &Arc<Outcome>);

    /// A probe ended without an outcome: it was cancelled, or reachd itself is at fault.
    fn abandoned(&self, panicked: bool);

    /// A hold ended with an outcome. Of one that was cancelled nothing is told.
    fn held(&self, outcome: &Arc<HoldOutcome>);

    /// So many turns passed while a probe was still running or waiting for its turn.
    fn skipped(&self, turns: u64);

    /// A hold ended without an outcome: reachd itself is at fault.
    fn hold_panicked(&self);

    /// So many turns passed while a hold was still running or waiting until there was room for it.
    fn holds_skipped(&self, turns: u64);
}

/// Several observers, told in this order, as one.
#[derive(Clone, Default)]
pub struct Observers(pub Vec<Arc<dyn Observer>>);

struct Watchers(Vec<Box<dyn Watcher>>);

// === impl Observers ===

impl Observer for Observers {
    fn planned(&self, plan: &Plan) {
        for observer in &self.0 {
            observer.planned(plan);
        }
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        let watchers = self.0.iter().map(|observer| observer.watch(check));
        Box::new(Watchers(watchers.collect()))
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observers({})", self.0.len())
    }
}

// === impl Watchers ===

impl Watcher for Watchers {
    fn started(&self, lag: Duration) {
        for watcher in &self.0 {
            watcher.started(lag);
        }
    }

    fn observed(&self, outcome: &Arc<Outcome>) {
        for watcher in &self.0 {
            watcher.observed(outcome);
        }
    }

    fn abandoned(&self, panicked: bool) {
        for watcher in &self.0 {
            watcher.abandoned(panicked);
        }
    }

    fn held(&self, outcome: &Arc<HoldOutcome>) {
        for watcher in &self.0 {
            watcher.held(outcome);
        }
    }

    fn skipped(&self, turns: u64) {
        for watcher in &self.0 {
            watcher.skipped(turns);
        }
    }

    fn hold_panicked(&self) {
        for watcher in &self.0 {
            watcher.hold_panicked();
        }
    }

    fn holds_skipped(&self, turns: u64) {
        for watcher in &self.0 {
            watcher.holds_skipped(turns);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::plan::fixture;

    /// Writes down what it is told.
    #[derive(Default, Clone)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    impl Notes {
        fn write(&self, note: String) {
            self.0.lock().unwrap().push(note);
        }
    }

    impl Observer for Notes {
        fn planned(&self, plan: &Plan) {
            self.write(format!("planned {}", plan.checks.len()));
        }

        fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
            self.write(format!("watch {}", check.endpoint.name));
            Box::new(self.clone())
        }
    }

    impl Watcher for Notes {
        fn started(&self, lag: Duration) {
            self.write(format!("started {lag:?}"));
        }

        fn observed(&self, outcome: &Arc<Outcome>) {
            self.write(format!("observed {}", outcome.result.is_ok()));
        }

        fn abandoned(&self, panicked: bool) {
            self.write(format!("abandoned {panicked}"));
        }

        fn held(&self, outcome: &Arc<HoldOutcome>) {
            self.write(format!("held {:?}", outcome.held));
        }

        fn skipped(&self, turns: u64) {
            self.write(format!("skipped {turns}"));
        }

        fn hold_panicked(&self) {
            self.write("hold panicked".to_owned());
        }

        fn holds_skipped(&self, turns: u64) {
            self.write(format!("holds skipped {turns}"));
        }
    }

    #[test]
    fn everybody_is_told_everything() {
        let (first, second) = (Notes::default(), Notes::default());
        let observers = Observers(vec![Arc::new(first.clone()), Arc::new(second.clone())]);
        let check = fixture::check("site", "gateway", "https://gateway.example/");

        observers.planned(&fixture::plan([&check]));
        let watcher = observers.watch(&check);
        watcher.started(Duration::from_millis(2));
        watcher.observed(&fixture::success(0));
        watcher.abandoned(true);
        watcher.held(&fixture::held(0));
        watcher.skipped(3);
        watcher.hold_panicked();
        watcher.holds_skipped(4);

        let expected = [
            "planned 1",
            "watch gateway",
            "started 2ms",
            "observed true",
            "abandoned true",
            "held Some(180s)",
            "skipped 3",
            "hold panicked",
            "holds skipped 4",
        ];
        assert_eq!(*first.0.lock().unwrap(), expected);
        assert_eq!(*second.0.lock().unwrap(), expected);
    }
}
