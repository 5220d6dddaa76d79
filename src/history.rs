//! The last outcomes of every check, in memory and bounded: the last 60, and the last 20 failures kept apart.
//! What a probe saw takes most of the room, so that only the latest outcome and these failures keep it.

mod latency;
mod outage;
mod slots;
mod time;
mod uptime;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub use latency::{Latency, LatencyPoint};
pub use outage::{Outage, OutageCause, OutageFilter};
pub use uptime::{Bar, MOST_BARS, Uptime, Window};

use self::uptime::Timeline;
use crate::observer::{Observer, Watcher};
use crate::outcome::{HoldOutcome, Observed, Outcome};
use crate::plan::{Check, CheckKey, Plan};

/// How many outcomes of a check are kept.
pub const RECENT: usize = 60;

/// How many failures of a check are kept, however many successes came after them.
pub const FAILURES: usize = 20;

/// The outcomes kept for the page, the API and the log of changes.
#[derive(Debug, Default)]
pub struct History {
    known: Mutex<Known>,
}

/// What is known of all checks.
#[derive(Debug, Default)]
struct Known {
    /// Of the plan in force; `None` before the first.
    records: Option<Records>,
    /// Whether every check of a former plan had run.
    was_ready: bool,
}

/// What is known of one check.
#[derive(Debug, Clone)]
pub struct CheckHistory {
    /// The check.
    pub check: Arc<Check>,
    /// Since when it has been in its present state (success, or failing for one reason).
    pub since: Option<SystemTime>,
    /// The last outcomes, oldest first. What was seen is kept of the latest and of those among `failures`; of the
    /// others, `observed` is empty.
    pub recent: Vec<Arc<Outcome>>,
    /// The last failures, oldest first; they outlive newer successes.
    pub failures: Vec<Arc<Outcome>>,
    /// The latest hold, where the endpoint has one and it is over.
    pub hold: Option<Arc<HoldOutcome>>,
}

type Records = BTreeMap<CheckKey, Arc<Record>>;

/// What is known of one definition of a check. A changed check gets a new record, and who still watches the
/// former one writes where nobody reads.
#[derive(Debug)]
struct Record {
    check: Arc<Check>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    since: Option<SystemTime>,
    recent: VecDeque<Arc<Outcome>>,
    failures: VecDeque<Arc<Outcome>>,
    hold: Option<Arc<HoldOutcome>>,
    timeline: Timeline,
}

// === impl History ===

impl History {
    /// What is known of every check, ordered by key.
    #[must_use]
    pub fn snapshot(&self) -> Vec<CheckHistory> {
        let records: Vec<Arc<Record>> = match &self.known().records {
            Some(records) => records.values().map(Arc::clone).collect(),
            None => Vec::new(),
        };
        records.iter().map(|record| record.history()).collect()
    }

    /// What is known of one check.
    #[must_use]
    pub fn of(&self, key: &CheckKey) -> Option<CheckHistory> {
        Some(self.record(key)?.history())
    }

    /// Whether every check of a plan has run once. It stays so over reloads, for what reachd knows of the rest does
    /// not get worse when a check comes that has not run.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.known().is_ready()
    }

    /// How a check fared in the windows that end now, the shortest first; `None` where the plan has no such check.
    #[must_use]
    pub fn uptime(&self, check: &CheckKey, now: SystemTime) -> Option<[Uptime; 4]> {
        let record = self.record(check)?;
        let uptime = record.kept().timeline.uptime(now);
        Some(uptime)
    }

    /// The window that ends now in so many equal parts (1 to [`MOST_BARS`]), the oldest first; none where the plan
    /// has no such check.
    #[must_use]
    pub fn bars(
        &self,
        check: &CheckKey,
        window: Window,
        count: usize,
        now: SystemTime,
    ) -> Vec<Bar> {
        let record = self.record(check);
        record.map_or_else(Vec::new, |record| {
            record.kept().timeline.bars(window, count, now)
        })
    }

    /// The outages that a filter admits, the latest start first, and no more than so many.
    #[must_use]
    pub fn outages(&self, _filter: &OutageFilter, _limit: usize) -> Vec<Outage> {
        Vec::new()
    }

    /// How long the phases took over a window in so many equal parts at most, the oldest first; parts without a probe
    /// are left out.
    #[must_use]
    pub fn latencies(
        &self,
        _check: &CheckKey,
        _window: Window,
        _points: usize,
        _now: SystemTime,
    ) -> Vec<LatencyPoint> {
        Vec::new()
    }

    /// The diagnosis takes this for the cause of the outages of these checks that last.
    pub fn attribute(&self, _checks: &[CheckKey], _cause: &str, _subject: &str) {}

    fn record(&self, check: &CheckKey) -> Option<Arc<Record>> {
        self.known().records.as_ref()?.get(check).map(Arc::clone)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for History {
    fn planned(&self, plan: &Plan) {
        let mut known = self.known();
        known.was_ready = known.is_ready();
        let mut former = known.records.take().unwrap_or_default();
        let kept = plan.checks.iter().map(|check| {
            let key = check.key();
            let record = former.remove(&key).filter(|record| record.check == *check);
            (key, record.unwrap_or_else(|| Record::new(check)))
        });
        known.records = Some(kept.collect());
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        let known = self.known();
        let record = known.records.as_ref().and_then(|all| all.get(&check.key()));
        Box::new(HistoryWatcher(
            record.map_or_else(|| Record::new(check), Arc::clone),
        ))
    }
}

// === impl Known ===

impl Known {
    fn is_ready(&self) -> bool {
        let ran = |record: &Arc<Record>| !record.kept().recent.is_empty();
        self.was_ready
            || self
                .records
                .as_ref()
                .is_some_and(|all| all.values().all(ran))
    }
}

// === impl CheckHistory ===

impl CheckHistory {
    /// The latest outcome; `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<&Arc<Outcome>> {
        self.recent.last()
    }
}

// === impl Record ===

impl Record {
    fn new(check: &Arc<Check>) -> Arc<Self> {
        Arc::new(Self {
            check: Arc::clone(check),
            kept: Mutex::default(),
        })
    }

    fn history(&self) -> CheckHistory {
        let kept = self.kept();
        CheckHistory {
            check: Arc::clone(&self.check),
            since: kept.since,
            recent: kept.recent.iter().map(Arc::clone).collect(),
            failures: kept.failures.iter().map(Arc::clone).collect(),
            hold: kept.hold.clone(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Kept ===

impl Kept {
    fn add(&mut self, outcome: &Arc<Outcome>) {
        let unchanged = self
            .recent
            .back()
            .is_some_and(|latest| same_state(latest, outcome));
        if !unchanged {
            self.since = Some(outcome.started);
        }
        if let Some(former) = self.recent.back_mut()
            && former.result.is_ok()
        {
            forget_what_was_seen(former);
        }
        push_bounded(&mut self.recent, outcome, RECENT);
        if outcome.result.is_err()
            && let Some(left) = push_bounded(&mut self.failures, outcome, FAILURES)
        {
            let mut recent = self.recent.iter_mut();
            recent
                .find(|kept| Arc::ptr_eq(kept, &left))
                .map(forget_what_was_seen);
        }
    }
}

fn same_state(one: &Outcome, other: &Outcome) -> bool {
    match (&one.result, &other.result) {
        (Ok(()), Ok(())) => true,
        (Err(one), Err(other)) => (one.reason, one.peer) == (other.reason, other.peer),
        _ => false,
    }
}

/// Whoever else holds the outcome keeps it whole.
fn forget_what_was_seen(kept: &mut Arc<Outcome>) {
    let Outcome {
        started,
        duration,
        via,
        ref result,
        ref timings,
        ref not_run,
        ref warnings,
        observed: _,
    } = **kept;
    *kept = Arc::new(Outcome {
        started,
        duration,
        via,
        result: result.clone(),
        timings: timings.clone(),
        not_run: not_run.clone(),
        warnings: warnings.clone(),
        observed: Observed::default(),
    });
}

/// Returns the outcome for which there is no more room.
fn push_bounded(
    outcomes: &mut VecDeque<Arc<Outcome>>,
    outcome: &Arc<Outcome>,
    most: usize,
) -> Option<Arc<Outcome>> {
    let left = if outcomes.len() >= most {
        outcomes.pop_front()
    } else {
        None
    };
    outcomes.push_back(Arc::clone(outcome));
    left
}

// === impl HistoryWatcher ===

struct HistoryWatcher(Arc<Record>);

impl Watcher for HistoryWatcher {
    fn started(&self, _lag: Duration) {}

    fn observed(&self, outcome: &Arc<Outcome>) {
        let mut kept = self.0.kept();
        kept.add(outcome);
        kept.timeline.observe(
            outcome.started,
            outcome.result.is_ok(),
            self.0.check.interval,
        );
    }

    fn held(&self, outcome: &Arc<HoldOutcome>) {
        self.0.kept().hold = Some(Arc::clone(outcome));
    }

    fn abandoned(&self, _panicked: bool) {}

    fn skipped(&self, _turns: u64) {}

    fn hold_panicked(&self) {}

    fn holds_skipped(&self, _turns: u64) {}
}

#[cfg(test)]
mod tests;
