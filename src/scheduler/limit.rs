//! How many probes may be under way at once, and who comes next when no more may. Checks that go the same way share a
//! lane. A lane takes no more than its share of what is free, and lanes take turns: when a proxy or a resolver is
//! dead, the checks behind it wait for each other, and all others run on time. A reload changes the number, and
//! probes under way count on.

use std::collections::VecDeque;

use crate::endpoint::{ResolverSettings, Shared};
use crate::plan::Check;

/// A lane holds at most so many times what it leaves free to the others (the dynamic thresholds of Choudhury and
/// Hahne, IEEE/ACM Transactions on Networking 6(2), 1998): with one lane that does not end its probes, three
/// quarters; with two, three sevenths each; and so on, so that there is always room.
const TIMES_FREE: usize = 3;

/// The limit on all probes together.
#[derive(Debug, Default)]
pub(super) struct Limit {
    most: usize,
    under_way: usize,
    lanes: Vec<Lane>,
    /// The lanes in which somebody waits, in the order of their turns.
    turns: VecDeque<usize>,
}

/// What fails together: the same route, and the same resolver. `None` is one lane for all.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hops(Option<(String, Shared<ResolverSettings>)>);

/// Their part of the limit.
#[derive(Debug)]
struct Lane {
    hops: Hops,
    /// How many rounds come to it.
    users: usize,
    under_way: usize,
    waiting: VecDeque<usize>,
}

// === impl Limit ===

impl Limit {
    /// Lets no more probes than this be under way, as soon as those have ended that are.
    pub(super) fn change(&mut self, most: usize) {
        self.most = most;
    }

    /// The number of the lane of those that share these hops, for one more.
    pub(super) fn join(&mut self, hops: Hops) -> usize {
        let number = self.number_of(hops);
        self.lanes[number].users += 1;
        number
    }

    /// One comes to this lane no more. Where one lane is left, it may take everything.
    pub(super) fn leave(&mut self, number: usize) {
        self.lanes[number].users -= 1;
    }

    /// Whether one more probe of this lane may be under way, which it is by that; otherwise `who` waits.
    pub(super) fn admits(&mut self, number: usize, who: usize) -> bool {
        if self.may_start(number) {
            self.start(number);
            return true;
        }
        let lane = &mut self.lanes[number];
        if lane.waiting.is_empty() {
            self.turns.push_back(number);
        }
        lane.waiting.push_back(who);
        false
    }

    /// A probe of this lane has ended.
    pub(super) fn ends(&mut self, number: usize) {
        self.under_way -= 1;
        self.lanes[number].under_way -= 1;
    }

    /// Who comes next of those who wait, and is under way by that.
    pub(super) fn next_admitted(&mut self) -> Option<usize> {
        for _ in 0..self.turns.len() {
            let number = self.turns.pop_front()?;
            let next = if self.may_start(number) {
                self.lanes[number].waiting.pop_front()
            } else {
                None
            };
            if !self.lanes[number].waiting.is_empty() {
                self.turns.push_back(number);
            }
            if next.is_some() {
                self.start(number);
                return next;
            }
        }
        None
    }

    /// Only these wait on.
    pub(super) fn forget_unless(&mut self, stays: impl Fn(usize) -> bool) {
        for lane in &mut self.lanes {
            lane.waiting.retain(|who| stays(*who));
        }
        let lanes = &self.lanes;
        self.turns
            .retain(|number| !lanes[*number].waiting.is_empty());
    }

    fn number_of(&mut self, hops: Hops) -> usize {
        let mut lanes = self.lanes.iter();
        if let Some(known) = lanes.position(|lane| lane.hops == hops) {
            return known;
        }
        let lane = Lane {
            hops,
            users: 0,
            under_way: 0,
            waiting: VecDeque::new(),
        };
        // Nobody remembers the number of a lane that is not used.
        if let Some(unused) = self.lanes.iter().position(Lane::is_unused) {
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
    fn is_unused(&self) -> bool {
        self.users == 0 && self.under_way == 0 && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests;
