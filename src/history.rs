//! How checks fared: their last outcomes packed, their uptime by the hour, day, week and month, and their outages; in
//! memory and bounded, and with a `state_dir` on disk, where it outlives the process.

#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod keeper;
mod latency;
mod log;
mod outage;
mod outcomes;
mod record;
mod ring;
mod rows;
mod slots;
mod store;
mod thrift;
mod time;
mod uptime;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub use keeper::StoreReport;
pub use latency::{Latencies, Latency, LatencyPoint};
pub use outage::{Outage, OutageCause, OutageFilter};
pub use outcomes::Outcomes;
use tracing::info;
pub use uptime::{Bar, MOST_BARS, Uptime, Window};

use self::keeper::Keeper;
use self::log::Log;
use self::record::{Change, Lasting, Record};
use self::ring::Shapes;
use self::rows::{key_text, timeline_bytes};
use self::store::MOST_TIMELINES;
use self::thrift::Thrift;
use crate::observer::{Observer, Watcher};
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::{ByCheck, Check, CheckKey, Plan};

/// How many outcomes of a check are kept, where there are no more than some thousand checks.
pub const RECENT: usize = 60;

/// How many failures of a check are kept, however many successes came after them.
pub const FAILURES: usize = 20;

/// Of how many of them what was seen is kept, too: it takes most of the room.
pub const EVIDENCE: usize = 5;

/// The outcomes kept for the page, the API and the log of changes.
#[derive(Debug, Default)]
pub struct History {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<Known>,
    log: Mutex<Log>,
    /// How much is kept of each check of the plan.
    thrift: Mutex<Thrift>,
    shapes: Shapes,
    keeper: Option<Arc<Keeper>>,
}

/// What is known of all checks.
#[derive(Debug, Default)]
struct Known {
    /// Of the plan in force; `None` before the first.
    records: Option<Records>,
    /// Of checks that are not in the plan: they left it, or come later.
    absent: HashMap<CheckKey, Lasting>,
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
    /// The last outcomes, oldest first. What was seen is kept of the latest and of the last of `failures`; of the
    /// others, `observed` is empty. Failures that are not among `failures` any more have no detail.
    pub recent: Outcomes,
    /// The last failures, oldest first; they outlive newer successes. What was seen is kept of the last of them.
    pub failures: Outcomes,
    /// The latest hold, where the endpoint has one and it is over.
    pub hold: Option<Arc<HoldOutcome>>,
}

type Records = ByCheck<Arc<Record>>;

// === impl History ===

impl History {
    /// One that goes on where the file in this folder ended, and keeps it up to date. Without an answer from the disk
    /// it stays in memory alone; `report` is told so. It may take some seconds.
    #[must_use]
    pub fn kept_in(folder: &Path, report: StoreReport) -> Self {
        let (keeper, loaded, begin) = Keeper::start(folder, report);
        let mut known = Known::default();
        for (key, timeline) in loaded.timelines {
            known.absent.entry(key).or_default().timeline = timeline;
        }
        let mut log = Log::default();
        let mut over: Vec<Outage> = Vec::new();
        for outage in loaded.outages {
            if outage.end.is_some() {
                over.push(outage);
                continue;
            }
            // One of a check that has a younger one was not closed by whoever wrote it.
            let lasting = known.absent.entry(outage.check.clone()).or_default();
            let former = lasting.outage.replace(Box::new(outage));
            over.extend(former.map(|outage| outage.unwatched()));
        }
        over.sort_by_key(|outage| outage.end);
        let (outages, checks) = (over.len(), known.absent.len());
        info!(folder = %folder.display(), outages, checks, "the history goes on");
        for outage in over {
            log.push(outage);
        }
        let shared = Arc::new(Shared {
            known: Mutex::new(known),
            log: Mutex::new(log),
            keeper: Some(keeper),
            ..Shared::default()
        });
        let of_timelines = Arc::clone(&shared);
        begin
            .try_send(Box::new(move || of_timelines.timelines()))
            .ok();
        Self { shared }
    }

    /// Writes what is not written yet. Says whether everything is on the disk, where it should be.
    #[must_use]
    pub fn close(&self) -> bool {
        self.shared
            .keeper
            .as_ref()
            .is_none_or(|keeper| keeper.stop())
    }

    /// What is known of every check, ordered by key.
    #[must_use]
    pub fn snapshot(&self) -> Vec<CheckHistory> {
        let records = self.shared.records();
        records.iter().map(|record| record.history()).collect()
    }

    /// What is known of one check.
    #[must_use]
    pub fn of(&self, key: &CheckKey) -> Option<CheckHistory> {
        Some(self.shared.record(key)?.history())
    }

    /// Whether every check of a plan has run once. It stays so over reloads, for what reachd knows of the rest does
    /// not get worse when a check comes that has not run.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.shared.known().is_ready()
    }

    /// How a check fared in the windows that end now, the shortest first; `None` where the plan has no such check.
    #[must_use]
    pub fn uptime(&self, check: &CheckKey, now: SystemTime) -> Option<[Uptime; 4]> {
        let record = self.shared.record(check)?;
        record.timeline(|timeline| timeline.uptime(now))
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
        let record = self.shared.record(check);
        let bars =
            record.and_then(|record| record.timeline(|timeline| timeline.bars(window, count, now)));
        bars.unwrap_or_default()
    }

    /// The outages that a filter admits, the latest start first, and no more than so many.
    #[must_use]
    pub fn outages(&self, filter: &OutageFilter, limit: usize) -> Vec<Outage> {
        let records = self.shared.records();
        let mut ongoing: Vec<Outage> = records
            .iter()
            .filter_map(|record| record.outage())
            .collect();
        // Until there is a plan, those of the file.
        let known = self.shared.known();
        ongoing.extend(
            known
                .absent
                .values()
                .filter_map(|lasting| lasting.outage.as_deref().cloned()),
        );
        drop(known);
        let ongoing = ongoing.into_iter().filter(|outage| filter.admits(outage));
        let mut outages: Vec<Arc<Outage>> = ongoing.map(Arc::new).collect();
        outages.extend(self.shared.log().admitted_by(filter));
        outages.sort_by(|one, other| (other.start, &one.check).cmp(&(one.start, &other.check)));
        outages.truncate(limit);
        outages.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// How long the phases took over a window that ends now, as far as this process knows; `None` where the plan has no
    /// such check, and over thirty days, for which they are not kept.
    #[must_use]
    pub fn latencies(
        &self,
        check: &CheckKey,
        window: Window,
        now: SystemTime,
    ) -> Option<Latencies> {
        let thrift = *self.shared.thrift();
        self.shared.record(check)?.latencies(window, thrift, now)
    }

    /// The diagnosis takes this for the cause of the outages of these checks that last.
    pub fn attribute(&self, checks: &[CheckKey], cause: &str, subject: &str) {
        for key in checks {
            if let Some(record) = self.shared.record(key) {
                record.attribute(cause, subject, |outage| self.shared.keep(outage, false));
            }
        }
    }
}

impl Observer for History {
    fn planned(&self, plan: &Plan) {
        let mut known = self.shared.known();
        known.was_ready = known.is_ready();
        let mut records = known.records.take().unwrap_or_default();
        let absent = &mut known.absent;
        let gone = records.replan(plan, |check, former| match former {
            Some(record) if record.check().is_as(check) => record,
            Some(changed) => Record::new(check, changed.leave()),
            None if absent.is_empty() => Record::new(check, None),
            None => Record::new(check, absent.remove(&check.key())),
        });
        for (check, record) in gone {
            absent.extend(record.leave().map(|lasting| (check.key(), lasting)));
        }
        known.records = Some(records);
        *self.shared.thrift() = Thrift::of(plan.checks.len());
        let over = known.end_what_is_absent();
        drop(known);
        for outage in over {
            self.shared.keep(&outage, true);
            self.shared.log().push(outage);
        }
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        let known = self.shared.known();
        let record = known.records.as_ref().and_then(|all| all.of(check));
        Box::new(HistoryWatcher {
            // One of a former plan writes where nobody reads.
            record: record
                .filter(|record| record.check().is_as(check))
                .map_or_else(|| Record::new(check, None), Arc::clone),
            shared: Arc::clone(&self.shared),
        })
    }
}

// === impl Shared ===

impl Shared {
    fn records(&self) -> Vec<Arc<Record>> {
        let known = self.known();
        let records = known.records.iter().flat_map(ByCheck::values);
        records.map(Arc::clone).collect()
    }

    fn record(&self, check: &CheckKey) -> Option<Arc<Record>> {
        self.known().records.as_ref()?.get(check).map(Arc::clone)
    }

    fn timelines(&self) -> Vec<(String, Vec<u8>)> {
        let records = self.records();
        let row = |record: &Arc<Record>| {
            let bytes = record.timeline(timeline_bytes)?;
            Some((key_text(&record.check().key()), bytes))
        };
        records.iter().filter_map(row).collect()
    }

    fn keep(&self, outage: &Outage, is_urgent: bool) {
        if let Some(keeper) = &self.keeper {
            keeper.keep(outage, is_urgent);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn thrift(&self) -> MutexGuard<'_, Thrift> {
        self.thrift.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Known ===

impl Known {
    fn is_ready(&self) -> bool {
        self.was_ready
            || self
                .records
                .as_ref()
                .is_some_and(|all| all.values().all(|record| record.ran()))
    }

    /// What is not watched any more does not fail any more, as far as anybody knows.
    fn end_what_is_absent(&mut self) -> Vec<Outage> {
        let outages = self.absent.values_mut();
        let over = outages.filter_map(|lasting| lasting.outage.take());
        let over = over.map(|outage| outage.unwatched());
        let over = over.collect();
        if self.absent.len() > MOST_TIMELINES {
            let now = SystemTime::now();
            self.absent
                .retain(|_, lasting| !lasting.timeline.is_over(now));
            let too_many = self.absent.len().saturating_sub(MOST_TIMELINES);
            let some: Vec<CheckKey> = self.absent.keys().take(too_many).cloned().collect();
            for key in some {
                self.absent.remove(&key);
            }
        }
        over
    }
}

// === impl CheckHistory ===

impl CheckHistory {
    /// The latest outcome; `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<&Arc<Outcome>> {
        self.recent.latest()
    }
}

// === impl HistoryWatcher ===

struct HistoryWatcher {
    record: Arc<Record>,
    shared: Arc<Shared>,
}

impl Watcher for HistoryWatcher {
    fn started(&self, _lag: Duration) {}

    fn observed(&self, outcome: &Arc<Outcome>) {
        let (thrift, shapes) = (*self.shared.thrift(), &self.shared.shapes);
        let ended = self
            .record
            .observe(outcome, thrift, shapes, |change| match change {
                Change::Began(outage) | Change::Ended(outage) => self.shared.keep(outage, true),
                Change::WentOn(outage) => self.shared.keep(outage, false),
            });
        if let Some(outage) = ended {
            self.shared.log().push(outage);
        }
    }

    fn held(&self, outcome: &Arc<HoldOutcome>) {
        self.record.hold(outcome);
    }

    fn abandoned(&self, _panicked: bool) {}

    fn skipped(&self, _turns: u64) {}

    fn hold_panicked(&self) {}

    fn holds_skipped(&self, _turns: u64) {}
}

#[cfg(test)]
mod tests;
