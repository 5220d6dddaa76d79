//! What is known of one check when a diagnosis is made.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::outcome::{Failure, HoldOutcome, Outcome, Step};
use crate::plan::Check;

/// What is known of one check.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The check.
    pub check: Arc<Check>,
    /// What its latest probe found; `None` before the first.
    pub latest: Option<Arc<Outcome>>,
    /// Whether a failure of the latest probe is more than a blip: the one before it failed, too.
    pub confirmed: bool,
    /// Since when it has failed without a success.
    pub failing_since: Option<SystemTime>,
    /// What its latest hold found, where it has one.
    pub hold: Option<Arc<HoldOutcome>>,
    /// The steps that take far longer than they used to, for several probes in a row.
    pub slow: Vec<SlowStep>,
    /// How often it changed between success and failure of late.
    pub changes: usize,
}

/// A step that takes far longer than it used to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowStep {
    /// Which.
    pub step: Step,
    /// How long it took the last time.
    pub took: Duration,
    /// How long it usually takes.
    pub usually: Duration,
}

// === impl Finding ===

impl Finding {
    /// What a single outcome says, where there will be no second: its failure counts as confirmed.
    #[must_use]
    pub fn of_one_probe(check: &Arc<Check>, outcome: &Arc<Outcome>) -> Self {
        let failed = outcome.result.is_err();
        Self {
            check: Arc::clone(check),
            latest: Some(Arc::clone(outcome)),
            confirmed: failed,
            failing_since: failed.then_some(outcome.started),
            hold: None,
            slow: Vec::new(),
            changes: 0,
        }
    }

    /// Why it fails, where that is confirmed.
    pub(super) fn failure(&self) -> Option<&Failure> {
        let failure = self.latest.as_ref()?.result.as_ref().err()?;
        self.confirmed.then_some(failure)
    }

    /// What its latest probe found, where that was a success.
    pub(super) fn success(&self) -> Option<&Outcome> {
        let outcome = self.latest.as_deref()?;
        outcome.result.is_ok().then_some(outcome)
    }
}
