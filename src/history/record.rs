//! What is known of one definition of a check. A changed check gets a new record, which takes over what lasts; who still
//! watches the former one writes where nobody reads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::CheckHistory;
use super::latency::{self, Latencies};
use super::outage::{Outage, OutageCause};
use super::outcomes::{Outcomes, Packed};
use super::ring::Shapes;
use super::thrift::Thrift;
use super::uptime::{Timeline, Window};
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::Check;

#[derive(Debug)]
pub(super) struct Record {
    check: Arc<Check>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    since: Option<SystemTime>,
    /// `None` before the first; there are thousands of checks.
    recent: Option<Packed>,
    failures: Option<Box<Packed>>,
    hold: Option<Arc<HoldOutcome>>,
    /// `None` when another record took it over.
    lasting: Option<Lasting>,
}

/// What a check keeps, by its key, over changes of its definition and, but for the latencies, over restarts.
#[derive(Debug, Default)]
pub(super) struct Lasting {
    pub(super) timeline: Timeline,
    latencies: latency::Kept,
    /// The one that lasts.
    pub(super) outage: Option<Box<Outage>>,
}

/// What an outcome means for the outages of its check.
pub(super) enum Change<'a> {
    Began(&'a Outage),
    WentOn(&'a Outage),
    Ended(&'a Outage),
}

// === impl Record ===

impl Record {
    pub(super) fn new(check: &Arc<Check>, lasting: Option<Lasting>) -> Arc<Self> {
        Arc::new(Self {
            check: Arc::clone(check),
            kept: Mutex::new(Kept {
                lasting: Some(lasting.unwrap_or_default()),
                ..Kept::default()
            }),
        })
    }

    pub(super) fn check(&self) -> &Arc<Check> {
        &self.check
    }

    /// Another record takes over what lasts.
    pub(super) fn leave(&self) -> Option<Lasting> {
        self.kept().lasting.take()
    }

    pub(super) fn ran(&self) -> bool {
        self.kept().recent.is_some()
    }

    pub(super) fn history(&self) -> CheckHistory {
        let kept = self.kept();
        let failures = outcomes_of(kept.failures.as_deref());
        CheckHistory {
            check: Arc::clone(&self.check),
            since: kept.since,
            recent: outcomes_of(kept.recent.as_ref()).with_details(&failures),
            failures,
            hold: kept.hold.clone(),
        }
    }

    /// Looks at the timeline, if it is still this record's.
    pub(super) fn timeline<T>(&self, look: impl FnOnce(&Timeline) -> T) -> Option<T> {
        let kept = self.kept();
        kept.lasting.as_ref().map(|lasting| look(&lasting.timeline))
    }

    /// How long the phases took over a window, if that is kept and still this record's.
    pub(super) fn latencies(
        &self,
        window: Window,
        thrift: Thrift,
        now: SystemTime,
    ) -> Option<Latencies> {
        let kept = self.kept();
        let latencies = &kept.lasting.as_ref()?.latencies;
        latencies.over(window, thrift.slots, now)
    }

    /// The outage that lasts.
    pub(super) fn outage(&self) -> Option<Outage> {
        self.kept().lasting.as_ref()?.outage.as_deref().cloned()
    }

    /// Adds an outcome, and tells what it changes, in the order in which it happens. Returns an outage that is over.
    pub(super) fn observe(
        &self,
        outcome: &Arc<Outcome>,
        thrift: Thrift,
        shapes: &Shapes,
        tell: impl FnOnce(Change<'_>),
    ) -> Option<Outage> {
        let mut kept = self.kept();
        kept.add(outcome, thrift, shapes);
        let lasting = kept.lasting.as_mut()?;
        lasting.latencies.observe(outcome, thrift.slots);
        let interval = self.check.interval;
        lasting
            .timeline
            .observe(outcome.started, outcome.result.is_ok(), interval);
        match (&outcome.result, lasting.outage.take()) {
            (Ok(()), None) => None,
            (Ok(()), Some(outage)) => {
                let outage = outage.ended_by(outcome, interval);
                tell(Change::Ended(&outage));
                Some(outage)
            }
            (Err(failure), None) => {
                let outage = Outage::begin(&self.check.key(), outcome.started, failure);
                tell(Change::Began(lasting.outage.insert(Box::new(outage))));
                None
            }
            (Err(failure), Some(mut outage)) => {
                outage.goes_on(outcome.started, failure);
                tell(Change::WentOn(lasting.outage.insert(outage)));
                None
            }
        }
    }

    pub(super) fn hold(&self, outcome: &Arc<HoldOutcome>) {
        self.kept().hold = Some(Arc::clone(outcome));
    }

    /// Says what the outage that lasts comes from, and tells of it where that is news.
    pub(super) fn attribute(&self, cause: &str, subject: &str, tell: impl FnOnce(&Outage)) {
        let mut kept = self.kept();
        let lasting = kept.lasting.as_mut();
        let Some(outage) = lasting.and_then(|lasting| lasting.outage.as_mut()) else {
            return;
        };
        let cause = OutageCause {
            cause: cause.to_owned(),
            subject: subject.to_owned(),
        };
        if outage.cause.as_ref() != Some(&cause) {
            outage.cause = Some(cause);
            tell(outage);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Kept ===

impl Kept {
    fn add(&mut self, outcome: &Arc<Outcome>, thrift: Thrift, shapes: &Shapes) {
        let latest = self.recent.as_ref().and_then(Packed::latest);
        if !latest.is_some_and(|latest| same_state(latest, outcome)) {
            self.since = Some(outcome.started);
        }
        match &mut self.recent {
            Some(recent) => recent.push(outcome, thrift.recent, false, shapes),
            none => *none = Some(Packed::of(outcome, thrift.recent, false, shapes)),
        }
        if outcome.result.is_err() {
            match &mut self.failures {
                Some(failures) => failures.push(outcome, thrift.failures, true, shapes),
                none => {
                    let first = Packed::of(outcome, thrift.failures, true, shapes);
                    *none = Some(Box::new(first));
                }
            }
        }
    }
}

fn outcomes_of(packed: Option<&Packed>) -> Outcomes {
    packed.map(Packed::outcomes).unwrap_or_default()
}

fn same_state(one: &Outcome, other: &Outcome) -> bool {
    match (&one.result, &other.result) {
        (Ok(()), Ok(())) => true,
        (Err(one), Err(other)) => (one.reason, one.peer) == (other.reason, other.peer),
        _ => false,
    }
}
