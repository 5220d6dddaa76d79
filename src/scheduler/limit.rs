//! How many probes may be under way at once, and who comes next when no more may. Checks that go the same way share a
//! lane. A lane takes no more than its share of what is free, and lanes take turns: when a proxy or a resolver is
//! dead, the checks behind it wait for each other, and all others run on time. A reload changes the number, and
//! probes under way count on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::endpoint::{ResolverSettings, Shared};
use crate::plan::Check;

/// A lane holds at most so many times what it leaves free to the others (the dynamic thresholds of Choudhury and
/// Hahne, IEEE/ACM Transactions on Networking 6(2), 1998): with one lane that does not end its probes, three
/// quarters; with two, three sevenths each; and so on, so that there is always room.
const TIMES_FREE: usize = 3;

/// The limit on all probes together. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Limit {
    state: Arc<Mutex<State>>,
}

/// What fails together: the same route, and the same resolver. `None` is one lane for all.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hops(Option<(String, Shared<ResolverSettings>)>);

/// Their part of the limit, as one check uses it.
#[derive(Debug)]
pub(super) struct Lane {
    limit: Limit,
    number: usize,
}

/// One probe may be under way, until this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    limit: Limit,
    lane: usize,
}

#[derive(Debug, Default)]
struct State {
    most: usize,
    under_way: usize,
    lanes: Vec<LaneState>,
    /// The lanes in which somebody waits, in the order of their turns.
    turns: VecDeque<usize>,
}

#[derive(Debug)]
struct LaneState {
    hops: Hops,
    /// How many checks may come to it.
    users: usize,
    under_way: usize,
    /// Who has gone away meanwhile is passed over.
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

// === impl Limit ===

impl Limit {
    /// Lets no more probes than this be under way, as soon as those have ended that are.
    pub(super) fn change(&self, most: usize) {
        self.state().most = most;
        self.pass_on();
    }

    /// The lane of those that share these hops.
    pub(super) fn lane(&self, hops: Hops) -> Lane {
        let mut state = self.state();
        let number = state.number_of(hops);
        state.lanes[number].users += 1;
        drop(state);
        Lane {
            limit: self.clone(),
            number,
        }
    }

    /// Gives what is free to those who wait.
    fn pass_on(&self) {
        loop {
            let Some((lane, waiting)) = self.state().next_waiting() else {
                return;
            };
            let limit = self.clone();
            // Who went away just now gives it back by that.
            drop(waiting.send(Permit { limit, lane }));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Hops ===

impl Hops {
    /// One for everybody: nobody is limited further.
    pub(super) const SHARED: Self = Self(None);

    pub(super) fn of(check: &Check) -> Self {
        Self(Some((check.route.name.clone(), check.resolver.clone())))
    }
}

// === impl Lane ===

impl Lane {
    /// Waits until one more probe of this lane may be under way.
    pub(super) async fn permit(&self) -> Permit {
        loop {
            let turn = {
                let mut state = self.limit.state();
                if state.may_start(self.number) {
                    state.start(self.number);
                    None
                } else {
                    Some(state.wait(self.number))
                }
            };
            let Some(turn) = turn else {
                return Permit {
                    limit: self.limit.clone(),
                    lane: self.number,
                };
            };
            // Nobody drops the other end without an answer.
            if let Ok(permit) = turn.await {
                return permit;
            }
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.limit.state().lanes[self.number].users -= 1;
        // Where one lane is left, it may take everything.
        self.limit.pass_on();
    }
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        self.limit.state().end(self.lane);
        self.limit.pass_on();
    }
}

// === impl State ===

impl State {
    fn number_of(&mut self, hops: Hops) -> usize {
        let mut lanes = self.lanes.iter();
        if let Some(known) = lanes.position(|lane| lane.hops == hops) {
            return known;
        }
        let lane = LaneState {
            hops,
            users: 0,
            under_way: 0,
            waiting: VecDeque::new(),
        };
        // Nobody remembers the number of a lane that is not used.
        if let Some(unused) = self.lanes.iter().position(LaneState::is_unused) {
            self.lanes[unused] = lane;
            return unused;
        }
        self.lanes.push(lane);
        self.lanes.len() - 1
    }

    fn may_start(&self, number: usize) -> bool {
        let free = self.most.saturating_sub(self.under_way);
        let of_lane = self.lanes[number].under_way;
        free > 0 && (of_lane < TIMES_FREE * free || self.is_only(number))
    }

    /// Whether nobody else comes to any other lane.
    fn is_only(&self, number: usize) -> bool {
        let mut lanes = self.lanes.iter().enumerate();
        lanes.all(|(other, lane)| other == number || lane.users == 0)
    }

    fn start(&mut self, number: usize) {
        self.under_way += 1;
        self.lanes[number].under_way += 1;
    }

    fn end(&mut self, number: usize) {
        self.under_way -= 1;
        self.lanes[number].under_way -= 1;
    }

    fn wait(&mut self, number: usize) -> oneshot::Receiver<Permit> {
        let lane = &mut self.lanes[number];
        let has_turn = !lane.waiting.is_empty();
        // Each who comes to it waits once: more are gone.
        if lane.waiting.len() > 2 * lane.users {
            lane.waiting.retain(|waiting| !waiting.is_closed());
        }
        let (sender, receiver) = oneshot::channel();
        lane.waiting.push_back(sender);
        if !has_turn {
            self.turns.push_back(number);
        }
        receiver
    }

    /// Who comes next, and starts by that.
    fn next_waiting(&mut self) -> Option<(usize, oneshot::Sender<Permit>)> {
        for _ in 0..self.turns.len() {
            let number = self.turns.pop_front()?;
            let next = if self.may_start(number) {
                self.lanes[number].next_waiting()
            } else {
                None
            };
            if !self.lanes[number].waiting.is_empty() {
                self.turns.push_back(number);
            }
            if let Some(next) = next {
                self.start(number);
                return Some((number, next));
            }
        }
        None
    }
}

// === impl LaneState ===

impl LaneState {
    fn is_unused(&self) -> bool {
        self.users == 0 && self.under_way == 0 && self.waiting.is_empty()
    }

    fn next_waiting(&mut self) -> Option<oneshot::Sender<Permit>> {
        loop {
            let next = self.waiting.pop_front()?;
            if !next.is_closed() {
                return Some(next);
            }
        }
    }
}

#[cfg(test)]
mod tests;
