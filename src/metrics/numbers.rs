//! The numbers of one check. They belong to its key and outlive every change of its definition.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::exemplar::Exemplar;
use super::histogram::HistogramSet;
use super::labels::Labels;
use crate::outcome::{FailureReason, HoldOutcome, Outcome, Peer};
use crate::plan::OutcomeId;

/// What has been counted of one check, and how it fared the last time.
#[derive(Debug)]
pub(super) struct CheckNumbers {
    /// Service, endpoint and route.
    pub(super) labels: Labels,
    /// The same as a number, for the ids of its outcomes.
    digest: u64,
    successes: AtomicU64,
    failures: AtomicU64,
    /// Held for as long as it takes to exchange a pointer.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the changes of the check's definition, so that an outcome of a former one is not taken for a
    /// result of the present one.
    definition: u64,
    latest: Option<Arc<Outcome>>,
    latest_hold: Option<Arc<HoldOutcome>>,
    /// By reason and peer: closed sets, so that there is an end to it.
    failures: Vec<FailureCount>,
    /// Shared by the checks of a service, or this check's own.
    histograms: Option<Arc<HistogramSet>>,
}

/// How often a check failed in one way.
#[derive(Debug, Clone, Copy)]
pub(super) struct FailureCount {
    pub(super) reason: FailureReason,
    pub(super) peer: Peer,
    pub(super) count: u64,
}

// === impl CheckNumbers ===

impl CheckNumbers {
    pub(super) fn new(labels: Labels, digest: u64) -> Self {
        Self {
            labels,
            digest,
            successes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    pub(super) fn observe(&self, outcome: &Arc<Outcome>, definition: u64) {
        let total = match &outcome.result {
            Ok(()) => &self.successes,
            Err(_) => &self.failures,
        };
        total.fetch_add(1, Ordering::Relaxed);

        let mut state = self.state();
        if let Err(failure) = &outcome.result {
            state.count_failure(failure.reason, failure.peer);
        }
        let superseded = if state.definition == definition {
            state.latest.replace(Arc::clone(outcome))
        } else {
            None
        };
        let histograms = state.histograms.clone();
        drop(state);

        drop(superseded);
        if let Some(histograms) = histograms {
            histograms.observe(self.id_of(outcome), outcome);
        }
    }

    pub(super) fn observe_hold(&self, outcome: &Arc<HoldOutcome>, definition: u64) {
        let mut state = self.state();
        if state.definition == definition {
            state.latest_hold = Some(Arc::clone(outcome));
        }
    }

    /// The check is a different one from now on: what is known of its state no longer holds.
    pub(super) fn redefine(&self) {
        let mut state = self.state();
        state.definition += 1;
        state.latest = None;
        state.latest_hold = None;
    }

    pub(super) fn definition(&self) -> u64 {
        self.state().definition
    }

    pub(super) fn count_into(&self, histograms: Option<Arc<HistogramSet>>) {
        self.state().histograms = histograms;
    }

    pub(super) fn histograms(&self) -> Option<Arc<HistogramSet>> {
        self.state().histograms.clone()
    }

    pub(super) fn latest(&self) -> Option<Arc<Outcome>> {
        self.state().latest.clone()
    }

    /// The latest outcome, where somebody needs it.
    pub(super) fn latest_if(&self, needed: bool) -> Option<Arc<Outcome>> {
        if needed { self.latest() } else { None }
    }

    /// One of its outcomes as an example of what is counted.
    pub(super) fn example(&self, outcome: &Outcome) -> Exemplar {
        Exemplar::of_count(self.id_of(outcome), outcome)
    }

    fn id_of(&self, outcome: &Outcome) -> OutcomeId {
        OutcomeId::new(self.digest, outcome.started)
    }

    pub(super) fn latest_hold(&self) -> Option<Arc<HoldOutcome>> {
        self.state().latest_hold.clone()
    }

    pub(super) fn successes(&self) -> u64 {
        self.successes.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn failures_by_reason(&self) -> Vec<FailureCount> {
        self.state().failures.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn count_failure(&mut self, reason: FailureReason, peer: Peer) {
        let mut counts = self.failures.iter_mut();
        match counts.find(|count| (count.reason, count.peer) == (reason, peer)) {
            Some(found) => found.count += 1,
            None => self.failures.push(FailureCount {
                reason,
                peer,
                count: 1,
            }),
        }
    }
}
