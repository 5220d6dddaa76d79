//! Collects what a diagnosis needs while checks run, and diagnoses when something changed: off the path of the
//! probes, never more often than twice a second, and no more often than that takes a small part of a processor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::cause::Cause;
use super::diagnose::Diagnosed;
use super::finding::Finding;
use super::record::Record;
use crate::observer::{Observer, Watcher};
use crate::outcome::{HoldOutcome, Outcome, RootStanding};
use crate::plan::{ByCheck, Check, Plan};

/// What happens within this time is diagnosed together.
const AT_MOST_EVERY: Duration = Duration::from_millis(500);

/// The most time of a processor that it takes, of however many checks: one part in so many.
const AT_MOST_A_SHARE: u32 = 20;

/// Certificates come to their end while nothing else changes.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// Diagnoses what it observes.
#[derive(Debug)]
pub struct Diagnosis {
    records: Mutex<ByCheck<Arc<Record>>>,
    roots: Mutex<Arc<[RootStanding]>>,
    news: Arc<News>,
    causes: watch::Sender<Arc<Vec<Cause>>>,
    diagnosing: Mutex<()>,
}

/// Whether something happened that may change the causes.
#[derive(Debug, Default)]
struct News {
    came: Notify,
    /// Something fails, or has a cause: then a success may be news, too.
    troubled: AtomicBool,
}

struct DiagnosisWatcher {
    record: Arc<Record>,
    news: Arc<News>,
}

// === impl Diagnosis ===

impl Diagnosis {
    /// The causes as they are, and whenever they change.
    #[must_use]
    pub fn causes(&self) -> watch::Receiver<Arc<Vec<Cause>>> {
        self.causes.subscribe()
    }

    /// Takes note of how the roots stand that the catalog requires.
    pub fn trust_store(&self, roots: &[RootStanding]) {
        *self.roots.lock().unwrap_or_else(PoisonError::into_inner) = roots.into();
        self.news.came.notify_one();
    }

    /// Diagnoses for as long as it is polled.
    pub async fn run(self: Arc<Self>) {
        let mut look_again = AT_LEAST_EVERY;
        loop {
            tokio::select! {
                () = self.news.came.notified() => {}
                () = sleep(look_again) => {}
            }
            let diagnosis = Arc::clone(&self);
            let looked = spawn_blocking(move || {
                let begun = Instant::now();
                (diagnosis.now(SystemTime::now()), begun.elapsed())
            });
            // It ends early only with the runtime.
            let (again, took) = looked.await.unwrap_or((AT_LEAST_EVERY, Duration::ZERO));
            look_again = again;
            sleep(AT_MOST_EVERY.max(took * AT_MOST_A_SHARE)).await;
        }
    }

    /// Makes a diagnosis, and tells of it where it is another one. Answers after what time it may be another one although
    /// nothing happened: a failure waits for the others no longer, or a certificate comes to its end.
    pub fn now(&self, now: SystemTime) -> Duration {
        // One after the other, so that what is told last is what was looked at last.
        let diagnosing = self.diagnosing.lock();
        let _one_at_a_time = diagnosing.unwrap_or_else(PoisonError::into_inner);
        let records: Vec<Arc<Record>> = self.records().values().map(Arc::clone).collect();
        let findings: Vec<_> = records.iter().map(|record| record.finding()).collect();
        let roots = Arc::clone(&self.roots.lock().unwrap_or_else(PoisonError::into_inner));
        let Diagnosed {
            mut causes,
            explained,
        } = Diagnosed::of(&findings, &roots, now);
        for ((record, finding), by) in records.iter().zip(&findings).zip(explained) {
            if let (Some(_), Some(outcome)) = (&finding.failing, &finding.latest) {
                record.is_diagnosed(by, outcome);
            }
        }
        let fails = findings.iter().any(|finding| finding.failing.is_some());
        let troubled = fails || !causes.is_empty();
        self.news.troubled.store(troubled, Ordering::Relaxed);
        let former = Arc::clone(&self.causes.borrow());
        remember_since(&mut causes, &former);
        if *former != causes {
            log(&former, &causes);
            self.causes.send_replace(Arc::new(causes));
        }
        next_end_of_patience(&findings, now)
    }

    fn records(&self) -> MutexGuard<'_, ByCheck<Arc<Record>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Diagnosis {
    fn default() -> Self {
        Self {
            records: Mutex::default(),
            roots: Mutex::new(Arc::default()),
            news: Arc::default(),
            causes: watch::channel(Arc::default()).0,
            diagnosing: Mutex::default(),
        }
    }
}

impl Observer for Diagnosis {
    fn planned(&self, plan: &Plan) {
        self.records().replan(plan, |check, former| {
            let kept = former.filter(|record: &Arc<Record>| record.is_of(check));
            kept.unwrap_or_else(|| Arc::new(Record::new(check)))
        });
        self.news.came.notify_one();
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        let record = self.records().of(check).map(Arc::clone);
        Box::new(DiagnosisWatcher {
            record: record.unwrap_or_else(|| Arc::new(Record::new(check))),
            news: Arc::clone(&self.news),
        })
    }
}

fn next_end_of_patience(findings: &[Finding], now: SystemTime) -> Duration {
    let failing = findings
        .iter()
        .filter_map(|finding| finding.failing.as_deref());
    let ends = failing.flat_map(|failing| {
        let heard = failing.since + failing.patience;
        [heard, heard + failing.confirmation]
    });
    let ends = ends.filter_map(|end| end.duration_since(now).ok());
    let still_to_come = ends.filter(|left| !left.is_zero());
    still_to_come
        .min()
        .unwrap_or(AT_LEAST_EVERY)
        .min(AT_LEAST_EVERY)
}

/// Of a cause that goes on, the beginning is kept, for those who saw it may have recovered meanwhile.
fn remember_since(causes: &mut [Cause], former: &[Cause]) {
    for cause in causes {
        if let Some(former) = former.iter().find(|former| is_same(former, cause)) {
            cause.since = former.since.min(cause.since);
        }
    }
}

fn is_same(one: &Cause, other: &Cause) -> bool {
    (one.kind, &one.subject) == (other.kind, &other.subject)
}

/// One line when a cause comes, and one when it goes.
fn log(former: &[Cause], causes: &[Cause]) {
    let is_among =
        |cause: &Cause, others: &[Cause]| others.iter().any(|other| is_same(cause, other));
    for cause in causes.iter().filter(|cause| !is_among(cause, former)) {
        let explanation = cause.explanation();
        warn!(
            cause = %cause.kind,
            subject = cause.subject,
            critical = cause.critical,
            supporting = cause.supporting,
            contradicting = cause.contradicting,
            owner = explanation.owner,
            "{}", explanation.what
        );
    }
    for cause in former.iter().filter(|cause| !is_among(cause, causes)) {
        info!(cause = %cause.kind, subject = cause.subject, "the cause is gone");
    }
}

// === impl DiagnosisWatcher ===

impl DiagnosisWatcher {
    fn tell(&self, is_news: bool) {
        if is_news || self.news.troubled.load(Ordering::Relaxed) {
            self.news.came.notify_one();
        }
    }
}

impl Watcher for DiagnosisWatcher {
    fn started(&self, _lag: Duration) {}

    fn observed(&self, outcome: &Arc<Outcome>) {
        self.tell(self.record.observe(outcome));
    }

    fn abandoned(&self, _panicked: bool) {}

    fn held(&self, outcome: &Arc<HoldOutcome>) {
        self.record.hold(outcome);
        self.tell(true);
    }

    fn skipped(&self, _turns: u64) {}

    fn hold_panicked(&self) {}

    fn holds_skipped(&self, _turns: u64) {}
}
