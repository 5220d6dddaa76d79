//! What a probe writes down while it runs: the time of each step, failing or not, and what it saw.

use std::time::Duration;

use tokio::time::Instant;

use crate::outcome::{NotRun, Observed, Step, Timings, WhyNotRun};
use crate::plan::Check;

/// The notes of one probe.
#[derive(Debug)]
pub(super) struct Journal {
    /// When everything must be over.
    pub(super) deadline: Instant,
    /// After how much idle time TCP asks for the peer, on the connections that are opened.
    pub(super) keep_alive: Option<Duration>,
    /// How long each step took.
    pub(super) timings: Timings,
    /// What was seen.
    pub(super) observed: Observed,
}

impl Journal {
    pub(super) fn new(deadline: Instant) -> Self {
        Self {
            deadline,
            keep_alive: None,
            timings: Timings::default(),
            observed: Observed::default(),
        }
    }

    /// Writes down that a step which began at `started` is over, whatever came of it.
    pub(super) fn took(&mut self, step: Step, started: Instant) {
        self.timings.add(step, started.elapsed());
    }

    /// The steps of such a probe that it did not take, each with its reason.
    pub(super) fn not_run(&self, check: &Check) -> Vec<NotRun> {
        let steps = check.steps().into_iter();
        let missing = steps.filter(|(step, _)| self.timings.of(*step).is_none());
        missing
            .map(|(step, never)| NotRun {
                step,
                why: never.unwrap_or(WhyNotRun::EarlierFailure),
            })
            .collect()
    }
}
