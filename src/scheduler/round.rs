//! What one check does again and again: its probes, or its holds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::Instant;
use tracing::error;

use super::turns::Turns;
use super::{HoldFunction, ProbeFunction};
use crate::observer::Watcher;
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::Check;

/// A round as the dispatcher keeps it.
pub(super) struct Round {
    pub(super) check: Arc<Check>,
    pub(super) work: Work,
    watcher: Box<dyn Watcher>,
    /// The number of the lane in which it waits.
    pub(super) lane: usize,
    turns: Turns,
    /// The turn that comes, or came last.
    turn: Instant,
    pub(super) standing: Standing,
    /// The round of the same check's holds.
    pub(super) holds: Option<usize>,
    /// Whether the latest probe failed.
    failing: bool,
    /// Whether the turn is one between two others, to look again.
    again: bool,
    /// Whether it left the plan while it ran.
    pub(super) gone: bool,
}

/// What it does at its next turn. A reload replaces it without disturbing what is under way.
pub(super) enum Work {
    Probes(ProbeFunction),
    Holds(HoldFunction),
}

/// What a round consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Probes,
    Holds,
}

/// How it stands with its turn.
#[derive(Debug)]
pub(super) enum Standing {
    IsDue,
    /// For its turn in its lane.
    Waits,
    Runs(AbortHandle),
}

/// What came of a turn.
pub(super) enum Ended {
    Probe(Arc<Outcome>),
    Hold(Arc<HoldOutcome>),
}

impl Round {
    pub(super) fn new(
        check: Arc<Check>,
        work: Work,
        watcher: Box<dyn Watcher>,
        lane: usize,
        turns: Turns,
    ) -> Self {
        Self {
            check,
            work,
            watcher,
            lane,
            turn: turns.upcoming(),
            turns,
            standing: Standing::IsDue,
            holds: None,
            failing: false,
            again: false,
            gone: false,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.work {
            Work::Probes(_) => Kind::Probes,
            Work::Holds(_) => Kind::Holds,
        }
    }

    pub(super) fn first_turn(&mut self) -> Instant {
        self.turn = self.turns.next();
        self.turn
    }

    /// Runs one probe or hold in a task of its own, so that a fault in it ends nothing else.
    pub(super) fn start(&self, tasks: &mut JoinSet<Ended>) -> AbortHandle {
        match &self.work {
            Work::Probes(probe) => {
                self.contained(|| self.watcher.started(self.turn.elapsed()));
                let probe = Arc::clone(probe);
                tasks.spawn(async move { Ended::Probe(Arc::new(probe().await)) })
            }
            Work::Holds(hold) => {
                let hold = Arc::clone(hold);
                tasks.spawn(async move { Ended::Hold(Arc::new(hold().await)) })
            }
        }
    }

    /// Tells of what came of it.
    pub(super) fn ended(&mut self, ended: Result<Ended, JoinError>) {
        match ended {
            Ok(Ended::Probe(outcome)) => {
                let fails = outcome.result.is_err();
                self.again = fails && !self.failing && !self.again;
                self.failing = fails;
                self.contained(|| self.watcher.observed(&outcome));
            }
            Ok(Ended::Hold(outcome)) => self.contained(|| self.watcher.held(&outcome)),
            Err(fault) => {
                self.again = false;
                self.contained(|| self.without_outcome(&fault));
            }
        }
    }

    /// Half a hold says nothing: of one that was aborted nothing is told.
    fn without_outcome(&self, fault: &JoinError) {
        let what = match self.work {
            Work::Probes(_) => {
                self.watcher.abandoned(fault.is_panic());
                "probe"
            }
            Work::Holds(_) => {
                if fault.is_panic() {
                    self.watcher.hold_panicked();
                }
                "hold"
            }
        };
        if fault.is_panic() {
            let [service, endpoint, route] = self.check.labels();
            error!(
                service, endpoint, route, %fault,
                "a {what} ended without an outcome: this is a fault of reachd, please report it"
            );
        }
    }

    /// When its turn comes now that one is over: those that passed meanwhile are skipped. One that began to fail looks
    /// again before.
    pub(super) fn next_turn(&mut self) -> Instant {
        if self.again
            && let Some(retry) = self.retry()
        {
            self.turn = retry;
            return retry;
        }
        self.again = false;
        let skipped = self.turns.skip_those_before(Instant::now());
        if skipped > 0 {
            self.contained(|| match self.work {
                Work::Probes(_) => self.watcher.skipped(skipped),
                Work::Holds(_) => self.watcher.holds_skipped(skipped),
            });
        }
        self.turn = self.turns.next();
        self.turn
    }

    /// When to look again whether it fails. The next turn does that, where it comes before.
    fn retry(&self) -> Option<Instant> {
        let retry = Instant::now() + self.check.retry_interval?;
        (retry < self.turns.upcoming()).then_some(retry)
    }

    /// A fault in somebody who is told ends neither this round nor all others.
    fn contained(&self, tell: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(tell)).is_err() {
            let [service, endpoint, route] = self.check.labels();
            error!(
                service,
                endpoint,
                route,
                "what became of a probe could not be told: this is a fault of reachd, please report it"
            );
        }
    }
}
