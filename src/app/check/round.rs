//! One round: every check once, within the limit on all probes together.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::outcome::Outcome;
use crate::plan::Check;
use crate::scheduler::Job;

/// What came of every check, ordered by key.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) started: SystemTime,
    pub(super) duration: Duration,
    pub(super) outcomes: Vec<(Arc<Check>, Arc<Outcome>)>,
    /// Those whose probe ended without an outcome, which is a fault of reachd.
    pub(super) broken: Vec<(Arc<Check>, JoinError)>,
}

impl Round {
    pub(super) async fn of(jobs: Vec<Job>, concurrency: usize) -> Self {
        let clock = Instant::now();
        let progress = progress(jobs.len());
        let permits = Arc::new(Semaphore::new(concurrency));
        let mut running = JoinSet::new();
        let mut round = Self {
            started: SystemTime::now(),
            duration: Duration::ZERO,
            outcomes: Vec::with_capacity(jobs.len()),
            broken: Vec::new(),
        };
        for Job { check, probe, .. } in jobs {
            let permits = Arc::clone(&permits);
            running.spawn(async move {
                // The semaphore is never closed; if it were, running at once would still be right.
                let _permit = permits.acquire_owned().await.ok();
                // In a task of its own, so that a fault in it is that of this check and of no other.
                (check, tokio::spawn(async move { probe().await }).await)
            });
        }
        while let Some(ended) = running.join_next().await {
            progress.inc(1);
            match ended {
                Ok((check, Ok(outcome))) => round.outcomes.push((check, Arc::new(outcome))),
                Ok((check, Err(fault))) => round.broken.push((check, fault)),
                // Only the runtime's end could keep a task from waiting for another one.
                Err(_) => {}
            }
        }
        progress.finish_and_clear();
        round.outcomes.sort_by_cached_key(|(check, _)| check.key());
        round.broken.sort_by_cached_key(|(check, _)| check.key());
        round.duration = clock.elapsed();
        round
    }
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
