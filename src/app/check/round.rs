//! One round: every check once, and every hold that is asked for, within their limits.

use std::collections::HashMap;
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use url::Url;

use crate::endpoint::Origin;
use crate::observer::led_to;
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::{Check, CheckKey};
use crate::scheduler::{Concurrency, Job};

/// What came of every check, ordered by key.
#[derive(Debug)]
pub(in crate::app) struct Round {
    pub(in crate::app) started: SystemTime,
    pub(in crate::app) duration: Duration,
    pub(in crate::app) outcomes: Vec<(Arc<Check>, Arc<Outcome>)>,
    /// What came of every hold, likewise.
    pub(in crate::app) holds: Vec<(Arc<Check>, Arc<HoldOutcome>)>,
    /// Those whose probe or hold ended without an outcome, which is a fault of reachd.
    pub(in crate::app) broken: Vec<(Arc<Check>, JoinError)>,
}

/// What ended.
enum Ended {
    Probe(Outcome),
    Hold(HoldOutcome),
}

impl Round {
    pub(in crate::app) async fn of(jobs: Vec<Job>, concurrency: Concurrency) -> Self {
        let clock = Instant::now();
        let progress = progress(jobs.len() + jobs.iter().filter(|job| job.hold.is_some()).count());
        let probes = Arc::new(Semaphore::new(concurrency.probes));
        let holds = Arc::new(Semaphore::new(concurrency.holds));
        let mut running = JoinSet::new();
        let mut round = Self {
            started: SystemTime::now(),
            duration: Duration::ZERO,
            outcomes: Vec::with_capacity(jobs.len()),
            holds: Vec::new(),
            broken: Vec::new(),
        };
        for Job { check, probe, hold } in jobs {
            if let Some(hold) = hold {
                let hold = async move { Ended::Hold(hold().await) };
                running.spawn(once(Arc::clone(&check), Arc::clone(&holds), hold));
            }
            let probe = async move { Ended::Probe(probe().await) };
            running.spawn(once(check, Arc::clone(&probes), probe));
        }
        while let Some(ended) = running.join_next().await {
            progress.inc(1);
            match ended {
                Ok((check, Ok(Ended::Probe(outcome)))) => {
                    round.outcomes.push((check, Arc::new(outcome)));
                }
                Ok((check, Ok(Ended::Hold(outcome)))) => {
                    round.holds.push((check, Arc::new(outcome)));
                }
                Ok((check, Err(fault))) => round.broken.push((check, fault)),
                // Only the runtime's end could keep a task from waiting for another one.
                Err(_) => {}
            }
        }
        progress.finish_and_clear();
        round.duration = clock.elapsed();
        round.sort();
        round
    }

    /// What came of a later round is a part of this one.
    pub(super) fn add(&mut self, later: Self) {
        self.duration += later.duration;
        self.outcomes.extend(later.outcomes);
        self.holds.extend(later.holds);
        self.broken.extend(later.broken);
        self.sort();
    }

    /// Where the redirects of the catalog's endpoints led.
    pub(super) fn led_to(&self) -> HashMap<CheckKey, Vec<Url>> {
        let outcomes = self.outcomes.iter();
        let of_catalog = outcomes.filter(|(check, _)| check.endpoint.origin == Origin::Catalog);
        of_catalog
            .map(|(check, outcome)| (check.key(), led_to(outcome).collect()))
            .collect()
    }

    fn sort(&mut self) {
        self.outcomes.sort_by_cached_key(|(check, _)| check.key());
        self.holds.sort_by_cached_key(|(check, _)| check.key());
        self.broken.sort_by_cached_key(|(check, _)| check.key());
    }
}

/// Waits for a permit, and for what it permits: in a task of its own, so that a fault in it is that of this check
/// and of no other.
async fn once(
    check: Arc<Check>,
    permits: Arc<Semaphore>,
    work: impl Future<Output = Ended> + Send + 'static,
) -> (Arc<Check>, Result<Ended, JoinError>) {
    // The semaphore is never closed; if it were, running at once would still be right.
    let _permit = permits.acquire_owned().await.ok();
    (check, tokio::spawn(work).await)
}

/// A bar on standard error, if somebody looks at it.
fn progress(checks: usize) -> ProgressBar {
    let target = if stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let progress = ProgressBar::with_draw_target(u64::try_from(checks).ok(), target);
    if let Ok(style) = ProgressStyle::with_template("probing {pos}/{len} {bar:40} {elapsed}") {
        progress.set_style(style);
    }
    progress
}
