//! What is kept of one check between diagnoses: its latest outcome, its failures in a row, how its last probes ended,
//! and how long its steps usually take. All of it bounded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::baseline::Baseline;
use super::diagnose::Explained;
use super::finding::{Failing, Finding};
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::Check;

/// Of so many probes it is known how they ended.
const PROBES: u32 = 10;

/// Of one definition of a check. A changed check gets a new record, and who still watches the former one writes
/// where nobody reads.
#[derive(Debug)]
pub(super) struct Record {
    check: Arc<Check>,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    finding: Finding,
    baseline: Baseline,
    /// How the last probes ended, a bit each, the latest lowest: 1 is a failure.
    ends: u16,
    probes: u32,
    /// Whether the latest failure is explained only because the one before was: that goes on no further.
    carried_on: bool,
}

impl Record {
    pub(super) fn new(check: &Arc<Check>) -> Self {
        Self {
            check: Arc::clone(check),
            kept: Mutex::new(Kept {
                finding: Finding::unheard(check),
                baseline: Baseline::default(),
                ends: 0,
                probes: 0,
                carried_on: false,
            }),
        }
    }

    pub(super) fn is_of(&self, check: &Arc<Check>) -> bool {
        self.check.is_as(check)
    }

    pub(super) fn finding(&self) -> Finding {
        self.kept().finding.clone()
    }

    /// Answers whether that may change the causes even where nothing fails.
    pub(super) fn observe(&self, outcome: &Arc<Outcome>) -> bool {
        let mut kept = self.kept();
        let changes = kept.changes_after(outcome.result.is_err());
        let was_calm = kept.is_calm();
        if outcome.result.is_ok() {
            kept.baseline.learn(&outcome.timings);
        }
        let slow = kept.baseline.slow();
        let carried_on = std::mem::take(&mut kept.carried_on);
        let finding = &mut kept.finding;
        finding.failing = failing_after(finding, outcome).map(Box::new);
        finding.changes = changes;
        finding.slow = slow;
        finding.explained_before = finding.explained_by.take().filter(|_| !carried_on);
        finding.latest = Some(Arc::clone(outcome));
        !was_calm || !kept.is_calm()
    }

    pub(super) fn hold(&self, outcome: &Arc<HoldOutcome>) {
        self.kept().finding.hold = Some(Arc::clone(outcome));
    }

    /// A diagnosis was made of this outcome: if it is still the latest, it is settled what explains its failure, and
    /// what explained the one before no longer matters.
    pub(super) fn is_diagnosed(&self, by: Option<Explained>, outcome: &Arc<Outcome>) {
        let mut kept = self.kept();
        let finding = &mut kept.finding;
        if finding
            .latest
            .as_ref()
            .is_some_and(|latest| Arc::ptr_eq(latest, outcome))
        {
            finding.explained_before = None;
            finding.explained_by = by.map(|by| by.by);
            kept.carried_on |= by.is_some_and(|by| by.carried_on);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The failures in a row, with this outcome.
fn failing_after(finding: &Finding, outcome: &Outcome) -> Option<Failing> {
    let check = &finding.check;
    outcome.result.as_ref().err()?;
    let before = finding.latest.as_ref().map(|before| before.started);
    let former = finding.failing.as_deref().copied();
    Some(Failing {
        since: former.map_or(outcome.started, |former| former.since),
        confirmed_since: former.and(before),
        patience: check.interval + check.timeout,
        confirmation: confirmation_of(check),
    })
}

/// From the end of a probe that fails to the end of the one that confirms it.
fn confirmation_of(check: &Check) -> Duration {
    let Check {
        interval, timeout, ..
    } = *check;
    // Where turns are skipped because probes take longer, the next turn is the retry.
    let retry = check.retry_interval.filter(|_| timeout < interval);
    let pause = retry.map_or(interval, |after| after.min(interval));
    pause + timeout
}

impl Kept {
    /// Nothing fails, is slow, or is worth a warning.
    fn is_calm(&self) -> bool {
        let finding = &self.finding;
        let outcome = finding.latest.as_ref();
        let is_well =
            |outcome: &Arc<Outcome>| outcome.result.is_ok() && outcome.warnings.is_empty();
        outcome.is_some_and(is_well) && finding.slow.is_empty() && finding.changes == 0
    }

    /// How often the last probes, with this one, changed between success and failure.
    fn changes_after(&mut self, failed: bool) -> usize {
        self.ends = (self.ends << 1) | u16::from(failed);
        self.probes = (self.probes + 1).min(PROBES);
        let changed = self.ends ^ (self.ends >> 1);
        let known = (1_u16 << (self.probes - 1)) - 1;
        (changed & known).count_ones() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::CauseKind;
    use crate::plan::fixture::{check, expired, success};

    fn record() -> Record {
        Record::new(&check("site", "gateway", "https://gateway.example/"))
    }

    #[test]
    fn two_failures_in_a_row_confirm_each_other() {
        let record = record();
        let started = |at| success(at).started;
        record.observe(&success(0));
        assert_eq!(record.finding().failing, None);
        record.observe(&expired(60));
        let failing = record.finding().failing.unwrap();
        assert_eq!(
            (failing.since, failing.confirmed_since),
            (started(60), None)
        );
        assert!(record.finding().failure().is_none());
        record.observe(&expired(65));
        record.observe(&expired(120));
        let failing = record.finding().failing.unwrap();
        assert_eq!(
            (failing.since, failing.confirmed_since),
            (started(60), Some(started(65)))
        );
        assert!(record.finding().failure().is_some());
        record.observe(&success(180));
        assert_eq!(record.finding().failing, None);
    }

    #[test]
    fn others_have_the_time_to_fail_and_to_be_confirmed() {
        let seconds = Duration::from_secs;
        let times = |timeout, retry: Option<u64>| {
            let mut check = Check::clone(&check("site", "gateway", "https://gateway.example/"));
            check.timeout = seconds(timeout);
            check.retry_interval = retry.map(seconds);
            let record = Record::new(&Arc::new(check));
            record.observe(&expired(0));
            let failing = record.finding().failing.unwrap();
            (failing.patience, failing.confirmation)
        };
        assert_eq!(times(10, Some(5)), (seconds(70), seconds(15)));
        assert_eq!(times(10, Some(90)), (seconds(70), seconds(70)));
        assert_eq!(times(10, None), (seconds(70), seconds(70)));
        assert_eq!(times(70, Some(5)), (seconds(130), seconds(130)));
    }

    #[test]
    fn changes_are_counted_over_the_last_ten_probes() {
        let record = record();
        record.observe(&expired(0));
        assert_eq!(record.finding().changes, 0);
        for at in 0..4 {
            record.observe(&success(at));
            record.observe(&expired(at));
        }
        assert_eq!(record.finding().changes, 8);
        for at in 0..9 {
            record.observe(&success(at));
        }
        assert_eq!(record.finding().changes, 1);
        record.observe(&success(100));
        assert_eq!(record.finding().changes, 0);
    }

    #[test]
    fn an_explanation_is_for_one_outcome_and_goes_on_for_one_more() {
        let by = |carried_on| Explained {
            by: CauseKind::ProxyDown,
            carried_on,
        };
        let record = record();
        let known = || {
            let finding = record.finding();
            (finding.explained_by, finding.explained_before)
        };
        let (former, latest) = (expired(0), expired(60));
        record.observe(&former);
        record.observe(&latest);
        record.is_diagnosed(Some(by(false)), &former);
        assert_eq!(known(), (None, None));
        record.is_diagnosed(Some(by(false)), &latest);
        assert_eq!(known(), (Some(CauseKind::ProxyDown), None));
        let next = expired(120);
        record.observe(&next);
        assert_eq!(known(), (None, Some(CauseKind::ProxyDown)));
        record.is_diagnosed(Some(by(true)), &next);
        // Later diagnoses know it only as one that is explained.
        record.is_diagnosed(Some(by(false)), &next);
        record.observe(&expired(180));
        assert_eq!(known(), (None, None));
    }

    #[test]
    fn success_after_success_is_no_news() {
        let record = record();
        assert!(record.observe(&success(0)));
        assert!(!record.observe(&success(60)));
        assert!(record.observe(&expired(120)));
        assert!(record.observe(&success(180)));
    }
}
