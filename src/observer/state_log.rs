//! The log of changes: one line when a check starts to fail, fails for another reason, or recovers; none for
//! an outcome like the one before. The same of the connections that are held idle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use super::{Observer, Watcher};
use crate::outcome::{Failure, FailureReason, HoldOutcome, Outcome, Peer};
use crate::plan::{ByCheck, Check, Plan};

/// Logs changes of state through `tracing`.
#[derive(Debug, Default)]
pub struct StateLog {
    /// Of the plan in force.
    standings: Mutex<ByCheck<Arc<Standing>>>,
}

/// How one definition of a check fares.
#[derive(Debug)]
struct Standing {
    check: Arc<Check>,
    states: Mutex<States>,
}

/// How the probes of a check fare, and its holds.
#[derive(Debug, Clone, Copy)]
struct States {
    probe: State,
    hold: State,
}

/// One of the two.
type Which = fn(&mut States) -> &mut State;

/// How a check fared the last time. A reload that changes the check hands the state on, so that the recovery which
/// such a change brings about is logged too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Reachable,
    Failing(FailureReason, Peer),
    /// The plan has another definition of the check, or none: what a probe of this one still finds is no change.
    Superseded,
}

struct StateWatcher {
    standing: Arc<Standing>,
}

// === impl StateLog ===

impl Observer for StateLog {
    fn planned(&self, plan: &Plan) {
        let standing = |check: &Arc<Check>, former: Option<Arc<Standing>>| match former {
            Some(kept) if kept.check.is_as(check) => kept,
            Some(changed) => Standing::new(check, changed.supersede()),
            None => Standing::new(check, States::of_both(State::Unknown)),
        };
        for (_, gone) in self.standings().replan(plan, standing) {
            gone.supersede();
        }
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        let standings = self.standings();
        let standing = standings.of(check);
        Box::new(StateWatcher {
            standing: standing.map_or_else(
                || Standing::new(check, States::of_both(State::Unknown)),
                Arc::clone,
            ),
        })
    }
}

impl StateLog {
    fn standings(&self) -> MutexGuard<'_, ByCheck<Arc<Standing>>> {
        self.standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Standing ===

impl Standing {
    fn new(check: &Arc<Check>, states: States) -> Arc<Self> {
        Arc::new(Self {
            check: Arc::clone(check),
            states: Mutex::new(states),
        })
    }

    /// Takes the states away, for the definition that comes after this one.
    fn supersede(&self) -> States {
        std::mem::replace(&mut *self.states(), States::of_both(State::Superseded))
    }

    /// Goes on to the state of this outcome, and returns the one before; `None` where that is no longer asked for.
    fn change(&self, which: Which, now: State) -> Option<State> {
        let mut states = self.states();
        let state = which(&mut states);
        (*state != State::Superseded).then(|| std::mem::replace(state, now))
    }

    fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl States ===

impl States {
    fn of_both(state: State) -> Self {
        Self {
            probe: state,
            hold: state,
        }
    }
}

// === impl State ===

impl State {
    fn after(result: &Result<(), Failure>) -> Self {
        match result {
            Ok(()) => Self::Reachable,
            Err(failure) => Self::Failing(failure.reason, failure.peer),
        }
    }
}

// === impl StateWatcher ===

impl Watcher for StateWatcher {
    fn started(&self, _lag: Duration) {}

    fn observed(&self, outcome: &Arc<Outcome>) {
        let now = State::after(&outcome.result);
        let Some(before) = self.standing.change(|states| &mut states.probe, now) else {
            return;
        };
        match (&outcome.result, before) {
            _ if now == before => {}
            (Ok(()), State::Failing(reason, peer)) => self.log_recovery(outcome, reason, peer),
            (Ok(()), _) => {}
            (Err(failure), State::Failing(..)) => {
                self.log_failure(
                    outcome,
                    failure,
                    "still not reachable, now for another reason",
                );
            }
            (Err(failure), _) => self.log_failure(outcome, failure, "not reachable"),
        }
    }

    fn held(&self, outcome: &Arc<HoldOutcome>) {
        let now = State::after(&outcome.result);
        let Some(before) = self.standing.change(|states| &mut states.hold, now) else {
            return;
        };
        match (&outcome.result, before) {
            _ if now == before => {}
            (Ok(()), State::Failing(reason, peer)) => self.log_held_again(outcome, reason, peer),
            (Ok(()), _) => {}
            (Err(failure), State::Failing(..)) => {
                let message = "an idle connection is still not held, now for another reason";
                self.log_not_held(outcome, failure, message);
            }
            (Err(failure), _) => {
                self.log_not_held(outcome, failure, "an idle connection was not held");
            }
        }
    }

    fn abandoned(&self, _panicked: bool) {}

    fn skipped(&self, _turns: u64) {}

    fn hold_panicked(&self) {}

    fn holds_skipped(&self, _turns: u64) {}
}

impl StateWatcher {
    fn check(&self) -> &Check {
        &self.standing.check
    }

    fn log_failure(&self, outcome: &Outcome, failure: &Failure, message: &'static str) {
        warn!(
            service = %self.check().endpoint.service,
            endpoint = %self.check().endpoint.name,
            route = %self.check().route.name,
            url = %self.standing.check.endpoint.target,
            phase = %failure.phase(),
            peer = %failure.peer,
            reason = failure.reason.as_str(),
            detail = %failure.detail,
            duration = ?outcome.duration,
            "{message}"
        );
    }

    /// Phase, peer and reason are those of the failure that is over.
    fn log_recovery(&self, outcome: &Outcome, reason: FailureReason, peer: Peer) {
        info!(
            service = %self.check().endpoint.service,
            endpoint = %self.check().endpoint.name,
            route = %self.check().route.name,
            url = %self.standing.check.endpoint.target,
            phase = %reason.phase(),
            peer = %peer,
            reason = reason.as_str(),
            duration = ?outcome.duration,
            "reachable again"
        );
    }

    fn log_not_held(&self, outcome: &HoldOutcome, failure: &Failure, message: &'static str) {
        warn!(
            service = %self.check().endpoint.service,
            endpoint = %self.check().endpoint.name,
            route = %self.check().route.name,
            url = %self.standing.check.endpoint.target,
            phase = %failure.phase(),
            peer = %failure.peer,
            reason = failure.reason.as_str(),
            detail = %failure.detail,
            held = ?outcome.held.unwrap_or_default(),
            "{message}"
        );
    }

    fn log_held_again(&self, outcome: &HoldOutcome, reason: FailureReason, peer: Peer) {
        info!(
            service = %self.check().endpoint.service,
            endpoint = %self.check().endpoint.name,
            route = %self.check().route.name,
            url = %self.standing.check.endpoint.target,
            phase = %reason.phase(),
            peer = %peer,
            reason = reason.as_str(),
            held = ?outcome.held.unwrap_or_default(),
            "an idle connection is held again"
        );
    }
}

#[cfg(test)]
mod tests;
