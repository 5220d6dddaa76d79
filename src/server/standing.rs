//! How things stand at one moment: all checks counted, by service and route and as a whole.

use std::collections::BTreeMap;
use std::iter::Sum;

use serde::Serialize;

use crate::history::CheckHistory;
use crate::report::{ServiceReport, Standing, Verdict};

/// How a check fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It has not run yet.
    Waiting,
    /// Its last probe succeeded.
    Succeeding,
    /// Its last probe failed.
    Failing,
}

/// Checks, counted by how they fare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) checks: usize,
    pub(super) succeeding: usize,
    pub(super) failing: usize,
    pub(super) failing_critical: usize,
    pub(super) waiting: usize,
    /// Whose last hold failed, whatever their probes say. They change no verdict.
    pub(super) holds_failing: usize,
}

// === impl State ===

impl State {
    /// Every state.
    pub(super) const ALL: [Self; 3] = [Self::Failing, Self::Succeeding, Self::Waiting];

    /// The stable name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Succeeding => "succeeding",
            Self::Failing => "failing",
        }
    }

    pub(super) fn of(history: &CheckHistory) -> Self {
        match history.latest() {
            None => Self::Waiting,
            Some(outcome) if outcome.result.is_ok() => Self::Succeeding,
            Some(_) => Self::Failing,
        }
    }
}

/// Whether its last idle connection did not live as long as it must.
pub(super) fn hold_fails(history: &CheckHistory) -> bool {
    let latest = history.hold.as_deref();
    latest.is_some_and(|outcome| outcome.result.is_err())
}

/// Which service works over which route, and what of it does not.
pub(super) fn roll_up(histories: &[CheckHistory]) -> Vec<ServiceReport<'_>> {
    ServiceReport::of(histories.iter().map(|history| Standing {
        check: &history.check,
        outcome: history.latest().map(AsRef::as_ref),
        hold: history.hold.as_deref(),
    }))
}

// === impl Counts ===

impl Counts {
    pub(super) fn of<'h>(histories: impl IntoIterator<Item = &'h CheckHistory>) -> Self {
        let mut counts = Self::default();
        for history in histories {
            counts.add(history);
        }
        counts
    }

    /// Counted by service and route, in their order.
    pub(super) fn by_service_and_route(histories: &[CheckHistory]) -> BTreeMap<(&str, &str), Self> {
        let mut counts: BTreeMap<_, Self> = BTreeMap::new();
        for history in histories {
            let check = &history.check;
            let key = (check.endpoint.service.as_str(), check.route.name.as_str());
            counts.entry(key).or_default().add(history);
        }
        counts
    }

    /// The verdict. `None` as long as nothing fails and something has not run: then it is not known.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        match self {
            Self {
                failing_critical: 1..,
                ..
            } => Some(Verdict::Critical),
            Self { failing: 1.., .. } => Some(Verdict::Warning),
            Self { waiting: 1.., .. } => None,
            _ => Some(Verdict::Ok),
        }
    }

    fn add(&mut self, history: &CheckHistory) {
        self.checks += 1;
        self.holds_failing += usize::from(hold_fails(history));
        match State::of(history) {
            // What was found meanwhile joins without a gap in what is known.
            State::Waiting if history.check.endpoint.origin.is_found() => {}
            State::Waiting => self.waiting += 1,
            State::Succeeding => self.succeeding += 1,
            State::Failing => {
                self.failing += 1;
                self.failing_critical += usize::from(history.check.endpoint.critical);
            }
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, counts| Self {
            checks: sum.checks + counts.checks,
            succeeding: sum.succeeding + counts.succeeding,
            failing: sum.failing + counts.failing,
            failing_critical: sum.failing_critical + counts.failing_critical,
            waiting: sum.waiting + counts.waiting,
            holds_failing: sum.holds_failing + counts.holds_failing,
        })
    }
}
