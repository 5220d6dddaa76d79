//! One loop a check: first runs spread evenly, then at a fixed rate without drift, within a
//! limit on all probes together, of which those that go the same way have no more than their share. A turn that comes while a probe still runs is skipped and counted. A check that
//! begins to fail is probed once more before its next turn, so that a blip is told from an outage. A check that has a
//! hold has a second loop for it.

mod holds;
mod limit;
mod turns;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::holds::HoldFunction;
use self::holds::Holding;
use self::limit::{Hops, Lane, Limit, Permit};
use self::turns::Turns;
use crate::endpoint::Hold;
use crate::observer::{Observer, Observers, Watcher};
use crate::outcome::Outcome;
use crate::plan::{Check, CheckKey};

/// The first probes of a plan are spread over no more than this, so that the state of a check that runs once a
/// day is not unknown for half a day.
const MOST_TIME_TO_BEGIN: Duration = Duration::from_secs(60);

/// First probes are no further apart than this: of a handful of checks nobody has to wait a minute for.
const LONGEST_GAP: Duration = Duration::from_secs(1);

/// Makes the future of one probe; called anew for each, so that no check holds a future while it waits.
pub type ProbeFunction =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// A check and how it is probed.
#[derive(Clone)]
pub struct Job {
    /// What is probed, and how often.
    pub check: Arc<Check>,
    /// How.
    pub probe: ProbeFunction,
    /// How its connection is held, where the endpoint has a hold.
    pub hold: Option<HoldFunction>,
}

/// How much may be under way at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Concurrency {
    /// Probes.
    pub probes: usize,
    /// Connections held idle, beside the probes.
    pub holds: usize,
}

/// Runs the jobs of the plan in force.
pub struct Scheduler {
    observers: Observers,
    loops: HashMap<CheckKey, Loop>,
    probes: Limit,
    holds: Limit,
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

/// The loop of one check, as seen from outside.
struct Loop {
    check: Arc<Check>,
    /// What it does at its next turn. A reload replaces it without disturbing the loop's rhythm.
    probe: watch::Sender<ProbeFunction>,
    /// The same of its second loop, if it has one.
    hold: Option<watch::Sender<HoldFunction>>,
    stop: CancellationToken,
}

impl Scheduler {
    /// A scheduler without jobs. Tasks run on the runtime on which [`Scheduler::apply`] is called.
    #[must_use]
    pub fn new(observers: Observers) -> Self {
        Self {
            observers,
            loops: HashMap::new(),
            probes: Limit::default(),
            holds: Limit::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
        }
    }

    /// Brings a plan into force: checks that are gone stop, those that did not change keep their rhythm, new
    /// and changed ones start, spread evenly: over most of their interval, over a minute, or a second apart, whatever is shortest. The observers
    /// know the plan already.
    pub fn apply(&mut self, jobs: Vec<Job>, concurrency: Concurrency) {
        self.probes.change(concurrency.probes);
        self.holds.change(concurrency.holds);
        let mut former = std::mem::take(&mut self.loops);
        let mut fresh = Vec::new();
        for job in jobs {
            let check = &job.check;
            match former.remove(&check.key()) {
                Some(kept) if kept.check == *check => {
                    kept.probe.send_replace(job.probe);
                    if let (Some(kept), Some(hold)) = (&kept.hold, job.hold) {
                        kept.send_replace(hold);
                    }
                    self.loops.insert(check.key(), kept);
                }
                changed => {
                    if let Some(changed) = changed {
                        changed.stop.cancel();
                    }
                    fresh.push(job);
                }
            }
        }
        for gone in former.into_values() {
            gone.stop.cancel();
        }
        self.start_all(fresh);
    }

    /// Starts loops, their first turns spread evenly.
    fn start_all(&mut self, jobs: Vec<Job>) {
        let now = Instant::now();
        let count = jobs.len();
        let count_of_holds = jobs.iter().filter(|job| job.hold.is_some()).count();
        let mut holds = 0;
        for (number, Job { check, probe, hold }) in jobs.into_iter().enumerate() {
            let first = now + share(time_to_begin(check.interval, count), number, count);
            let stop = self.stop.child_token();
            let probe = self.start_probes(&check, probe, first, &stop);
            let hold = match (check.endpoint.hold, hold) {
                (Some(Hold { interval, .. }), Some(hold)) => {
                    let spread = interval.min(MOST_TIME_TO_BEGIN);
                    let turns = Turns::new(now + share(spread, holds, count_of_holds), interval);
                    holds += 1;
                    Some(self.start_holds(&check, hold, turns, &stop))
                }
                _ => None,
            };
            let key = check.key();
            let entry = Loop {
                check,
                probe,
                hold,
                stop,
            };
            self.loops.insert(key, entry);
        }
    }

    fn start_probes(
        &self,
        check: &Arc<Check>,
        probe: ProbeFunction,
        first: Instant,
        stop: &CancellationToken,
    ) -> watch::Sender<ProbeFunction> {
        let (sender, receiver) = watch::channel(probe);
        let running = Running {
            turns: Turns::new(first, check.interval),
            watcher: self.observers.watch(check),
            probe: receiver,
            lane: self.probes.lane(Hops::of(check)),
            check: Arc::clone(check),
            stop: stop.clone(),
            failing: false,
        };
        let abort = self.abort.clone();
        self.tasks
            .spawn(async move { abort.run_until_cancelled(running.run()).await });
        sender
    }

    fn start_holds(
        &self,
        check: &Arc<Check>,
        hold: HoldFunction,
        turns: Turns,
        stop: &CancellationToken,
    ) -> watch::Sender<HoldFunction> {
        let (sender, receiver) = watch::channel(hold);
        let holding = Holding {
            check: Arc::clone(check),
            watcher: self.observers.watch(check),
            hold: receiver,
            lane: self.holds.lane(Hops::SHARED),
            turns,
        };
        let stop = stop.clone();
        self.tasks
            .spawn(async move { stop.run_until_cancelled(holding.run()).await });
        sender
    }

    /// Starts no more probes, lets those under way finish for as long as `grace`, and aborts the rest. Says
    /// whether all of them finished. Holds end at once.
    pub async fn stop(self, grace: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        let all_finished = timeout(grace, self.tasks.wait()).await.is_ok();
        self.abort.cancel();
        self.tasks.wait().await;
        all_finished
    }
}

/// Over how long the first probes of so many checks are spread. The last of them come to their end before the first
/// ones have their second turn.
fn time_to_begin(interval: Duration, count: usize) -> Duration {
    let gaps = u32::try_from(count).unwrap_or(u32::MAX);
    let far_apart = LONGEST_GAP.saturating_mul(gaps);
    let most_of_interval = interval / 20 * 19;
    most_of_interval.min(MOST_TIME_TO_BEGIN).min(far_apart)
}

/// The part of that time after which the check `number` of `count` starts.
fn share(spread: Duration, number: usize, count: usize) -> Duration {
    let fraction = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    spread.mul_f64(fraction(number) / fraction(count.max(1)))
}

/// The loop of one check, from inside.
struct Running {
    check: Arc<Check>,
    watcher: Box<dyn Watcher>,
    probe: watch::Receiver<ProbeFunction>,
    lane: Lane,
    turns: Turns,
    stop: CancellationToken,
    /// Whether the latest probe failed.
    failing: bool,
}

impl Running {
    async fn run(mut self) {
        loop {
            let was_failing = self.failing;
            let turn = self.turns.next();
            if !self.run_at(turn).await {
                return;
            }
            if let (false, Some(retry)) = (was_failing, self.retry())
                && !self.run_at(retry).await
            {
                return;
            }
            let skipped = self.turns.skip_those_before(Instant::now());
            if skipped > 0 {
                self.watcher.skipped(skipped);
            }
        }
    }

    /// Probes when the time has come and there is room; answers whether to go on.
    async fn run_at(&mut self, turn: Instant) -> bool {
        let permit = self.stop.run_until_cancelled(self.permit_at(turn));
        let Some(permit) = permit.await else {
            return false;
        };
        // In a place of its own: of thousands of loops nearly all wait, and need no room for a probe.
        Box::pin(self.run_now(turn)).await;
        drop(permit);
        true
    }

    async fn run_now(&mut self, turn: Instant) {
        let probe = Arc::clone(&self.probe.borrow());
        self.watcher.started(turn.elapsed());
        if let Some(failed) = self.probe_once(&probe).await {
            self.failing = failed;
        }
    }

    /// When to look again whether it fails. The next turn does that, where it comes before.
    fn retry(&self) -> Option<Instant> {
        let after = self.check.retry_interval.filter(|_| self.failing)?;
        let retry = Instant::now() + after;
        (retry < self.turns.upcoming()).then_some(retry)
    }

    /// Waits for the turn, and then for one of the permits that all checks share.
    async fn permit_at(&self, turn: Instant) -> Permit {
        sleep_until(turn).await;
        self.lane.permit().await
    }

    /// Runs one probe in a task of its own, so that a fault in it ends neither this loop nor the daemon. The
    /// task ends with this future. Answers whether the probe failed; `None` where it came to no result.
    async fn probe_once(&self, probe: &ProbeFunction) -> Option<bool> {
        let mut abandoned = AbandonedUnlessObserved {
            watcher: &*self.watcher,
            over: false,
        };
        let mut task = JoinSet::new();
        task.spawn(probe());
        let mut failed = None;
        match task.join_next().await {
            Some(Ok(outcome)) => {
                failed = Some(outcome.result.is_err());
                self.watcher.observed(&Arc::new(outcome));
            }
            Some(Err(fault)) => {
                let key = self.check.key();
                tracing::error!(
                    service = key.service, endpoint = key.endpoint, route = key.route, %fault,
                    "a probe ended without an outcome: this is a fault of reachd, please report it"
                );
                self.watcher.abandoned(fault.is_panic());
            }
            None => self.watcher.abandoned(false),
        }
        abandoned.over = true;
        failed
    }
}

/// Tells the watcher of a probe that is dropped while it runs.
struct AbandonedUnlessObserved<'a> {
    watcher: &'a dyn Watcher,
    over: bool,
}

impl Drop for AbandonedUnlessObserved<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.watcher.abandoned(false);
        }
    }
}

#[cfg(test)]
mod tests;
