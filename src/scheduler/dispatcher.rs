//! Starts what is due, hears of what has ended, and says when its turn comes again. One task owns the rounds of all
//! checks: one that waits has a place in a queue, and neither a task nor a timer of its own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use slab::Slab;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::limit::{Hops, Limit};
use super::round::{Ended, Kind, Round, Standing, Work};
use super::turns::Turns;
use super::{Concurrency, Job};
use crate::observer::{Observer, Observers};
use crate::plan::Labelled;

/// The first probes of a plan are spread over no more than this, so that the state of a check that runs once a
/// day is not unknown for half a day.
const MOST_TIME_TO_BEGIN: Duration = Duration::from_secs(60);

/// First probes are no further apart than this: of a handful of checks nobody has to wait a minute for.
const LONGEST_GAP: Duration = Duration::from_secs(1);

/// What the dispatcher is told.
pub(super) enum Order {
    Apply {
        jobs: Vec<Job>,
        concurrency: Concurrency,
    },
    Stop {
        grace: Duration,
    },
}

/// Owns all rounds. Each of them is due some time, waits for room, or runs.
pub(super) struct Dispatcher {
    observers: Observers,
    rounds: Slab<Round>,
    /// Which are due when.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    probes: Limit,
    holds: Limit,
    under_way: JoinSet<Ended>,
    /// Which round runs in which task.
    running: HashMap<Id, usize>,
}

// === impl Dispatcher ===

impl Dispatcher {
    pub(super) fn new(observers: Observers) -> Self {
        Self {
            observers,
            rounds: Slab::new(),
            due: BinaryHeap::new(),
            probes: Limit::default(),
            holds: Limit::default(),
            under_way: JoinSet::new(),
            running: HashMap::new(),
        }
    }

    /// Goes on until it is told to stop, and says whether all probes had finished by then, or until nobody is there
    /// to tell it.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) -> bool {
        loop {
            self.start_what_is_due();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Apply { jobs, concurrency }) => self.apply(jobs, concurrency),
                    Some(Order::Stop { grace }) => return self.stop(grace).await,
                    None => return false,
                },
                Some(ended) = self.under_way.join_next_with_id() => self.ended(ended),
                () = until_due(&self.due) => {}
            }
        }
    }

    fn start_what_is_due(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, who))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            let Some(round) = self.rounds.get_mut(who) else {
                continue;
            };
            // Until it is started.
            round.standing = Standing::Waits;
            let (kind, lane) = (round.kind(), round.lane);
            if self.limit(kind).admits(lane, who) {
                self.start(who);
            }
        }
    }

    fn start(&mut self, who: usize) {
        if let Some(round) = self.rounds.get_mut(who) {
            let handle = round.start(&mut self.under_way);
            self.running.insert(handle.id(), who);
            round.standing = Standing::Runs(handle);
        }
    }

    /// Starts those who waited for what is free now.
    fn start_who_waits(&mut self) {
        while let Some(who) = self.probes.next_admitted() {
            self.start(who);
        }
        while let Some(who) = self.holds.next_admitted() {
            self.start(who);
        }
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let Some(who) = self.tell(ended) else {
            return;
        };
        if let Some(round) = self.rounds.get_mut(who) {
            let (kind, lane) = (round.kind(), round.lane);
            self.limit(kind).ends(lane);
        }
        match self.rounds.get_mut(who) {
            Some(round) if !round.gone => {
                round.standing = Standing::IsDue;
                self.due.push(Reverse((round.next_turn(), who)));
            }
            _ => self.remove(who),
        }
        self.start_who_waits();
    }

    /// Tells of the end of a task, and says whose it was.
    fn tell(&mut self, ended: Result<(Id, Ended), JoinError>) -> Option<usize> {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(fault) => (fault.id(), Err(fault)),
        };
        let who = self.running.remove(&id)?;
        self.rounds.get_mut(who)?.ended(ended);
        Some(who)
    }

    fn limit(&mut self, kind: Kind) -> &mut Limit {
        match kind {
            Kind::Probes => &mut self.probes,
            Kind::Holds => &mut self.holds,
        }
    }

    // === a new plan ===

    #[expect(
        clippy::mutable_key_type,
        reason = "the labels of a check do not change"
    )]
    fn apply(&mut self, jobs: Vec<Job>, concurrency: Concurrency) {
        self.probes.change(concurrency.probes);
        self.holds.change(concurrency.holds);
        let mut former: HashMap<Labelled, (usize, Option<usize>)> = HashMap::new();
        for (who, round) in &self.rounds {
            if round.kind() == Kind::Probes && !round.gone {
                former.insert(Labelled(Arc::clone(&round.check)), (who, round.holds));
            }
        }
        let mut fresh = Vec::new();
        for job in jobs {
            let key = Labelled(Arc::clone(&job.check));
            match former.remove_entry(&key) {
                Some((Labelled(check), (probes, holds))) if check.is_as(&job.check) => {
                    self.keep(probes, holds, job);
                }
                Some((changed, rounds)) => {
                    former.insert(changed, rounds);
                    fresh.push(job);
                }
                None => fresh.push(job),
            }
        }
        let gone = former.into_values();
        self.part_with(
            gone.flat_map(|(probes, holds)| [Some(probes), holds])
                .flatten(),
        );
        self.begin(fresh);
        self.start_who_waits();
    }

    /// What did not change goes on in its rhythm, with what it does at its next turn.
    fn keep(&mut self, probes: usize, holds: Option<usize>, job: Job) {
        if let Some(round) = self.rounds.get_mut(probes) {
            round.check = job.check;
            round.work = Work::Probes(job.probe);
        }
        if let Some(hold) = job.hold
            && let Some(round) = holds.and_then(|holds| self.rounds.get_mut(holds))
        {
            round.work = Work::Holds(hold);
        }
    }

    /// Probes under way may finish; all others leave at once.
    fn part_with(&mut self, gone: impl Iterator<Item = usize>) {
        let mut leaving = Vec::new();
        for who in gone {
            let Some(round) = self.rounds.get_mut(who) else {
                continue;
            };
            round.gone = true;
            match &round.standing {
                Standing::Runs(hold) if round.kind() == Kind::Holds => hold.abort(),
                Standing::Runs(_) => {}
                Standing::IsDue | Standing::Waits => leaving.push(who),
            }
        }
        let rounds = &self.rounds;
        let stays = |who: usize| rounds.get(who).is_some_and(|round| !round.gone);
        self.due.retain(|Reverse((_, who))| stays(*who));
        self.probes.forget_unless(stays);
        self.holds.forget_unless(stays);
        for who in leaving {
            self.remove(who);
        }
    }

    fn remove(&mut self, who: usize) {
        if let Some(round) = self.rounds.try_remove(who) {
            self.limit(round.kind()).leave(round.lane);
        }
    }

    /// New rounds, their first turns spread evenly.
    fn begin(&mut self, jobs: Vec<Job>) {
        let now = Instant::now();
        let count = jobs.len();
        let count_of_holds = jobs.iter().filter(|job| job.hold.is_some()).count();
        self.rounds.reserve_exact(count + count_of_holds);
        self.due.reserve_exact(count + count_of_holds);
        let mut earlier_holds = 0;
        for (number, Job { check, probe, hold }) in jobs.into_iter().enumerate() {
            let holds = check
                .endpoint
                .hold
                .as_deref()
                .zip(hold)
                .map(|(settings, hold)| {
                    let spread = settings.interval.min(MOST_TIME_TO_BEGIN);
                    let first = now + share(spread, earlier_holds, count_of_holds);
                    earlier_holds += 1;
                    let turns = Turns::new(first, settings.interval);
                    let lane = self.holds.join(Hops::SHARED);
                    let watcher = self.observers.watch(&check);
                    let (check, work) = (Arc::clone(&check), Work::Holds(hold));
                    self.insert(Round::new(check, work, watcher, lane, turns))
                });
            let first = now + share(time_to_begin(check.interval, count), number, count);
            let turns = Turns::new(first, check.interval);
            let lane = self.probes.join(Hops::of(&check));
            let watcher = self.observers.watch(&check);
            let mut round = Round::new(check, Work::Probes(probe), watcher, lane, turns);
            round.holds = holds;
            self.insert(round);
        }
    }

    fn insert(&mut self, mut round: Round) -> usize {
        let at = round.first_turn();
        let who = self.rounds.insert(round);
        self.due.push(Reverse((at, who)));
        who
    }

    // === the end ===

    async fn stop(mut self, grace: Duration) -> bool {
        for (_, round) in &self.rounds {
            if let (Kind::Holds, Standing::Runs(hold)) = (round.kind(), &round.standing) {
                hold.abort();
            }
        }
        let all_finished = timeout(grace, self.drain()).await.is_ok();
        self.under_way.abort_all();
        self.drain().await;
        all_finished
    }

    async fn drain(&mut self) {
        while let Some(ended) = self.under_way.join_next_with_id().await {
            self.tell(ended);
        }
    }
}

/// Until the first round is due, if there is one.
async fn until_due(due: &BinaryHeap<Reverse<(Instant, usize)>>) {
    match due.peek() {
        Some(Reverse((at, _))) => sleep_until(*at).await,
        None => pending().await,
    }
}

/// Over how long the first probes of so many checks are spread. The last of them come to their end before the first
/// ones have their second turn.
pub(super) fn time_to_begin(interval: Duration, count: usize) -> Duration {
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
