//! Who is told of outcomes. The scheduler knows observers only through these two traits.

use std::sync::Arc;
use std::time::Duration;

use crate::outcome::Outcome;
use crate::plan::{Check, Plan};

/// Somebody who wants to know how checks fare.
pub trait Observer: Send + Sync {
    /// A plan comes into force. What it no longer has leaves; what it keeps, by key, keeps its numbers.
    /// Called before any [`Observer::watch`] for a check of this plan.
    fn planned(&self, plan: &Plan);

    /// A handle for one check of the plan in force, asked for once when its loop starts, so that an outcome
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

    /// So many turns passed while a probe was still running or waiting for its turn.
    fn skipped(&self, turns: u64);
}
