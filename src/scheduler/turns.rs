//! The turns of a check: a fixed rate from the first one on, whatever a probe takes.

use std::time::Duration;

use tokio::time::Instant;

/// Hands out one turn after the other.
#[derive(Debug)]
pub(super) struct Turns {
    next: Instant,
    interval: Duration,
}

impl Turns {
    pub(super) fn new(first: Instant, interval: Duration) -> Self {
        Self {
            next: first,
            interval,
        }
    }

    /// The next turn. Turns lie an interval apart, so that a late probe does not shift those after it.
    pub(super) fn next(&mut self) -> Instant {
        let turn = self.next;
        self.next += self.interval;
        turn
    }

    /// The one that will be handed out next.
    pub(super) fn upcoming(&self) -> Instant {
        self.next
    }

    /// Drops the turns that have passed, and says how many they were.
    pub(super) fn skip_those_before(&mut self, now: Instant) -> u64 {
        let mut skipped = 0;
        while self.next < now {
            self.next += self.interval;
            skipped += 1;
        }
        skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_do_not_drift_and_missed_ones_are_counted() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut turns = Turns::new(start, 10 * second);
        assert_eq!(turns.next(), start);
        assert_eq!(turns.skip_those_before(start + 3 * second), 0);
        assert_eq!(turns.next(), start + 10 * second);
        assert_eq!(turns.skip_those_before(start + 35 * second), 2);
        assert_eq!(turns.next(), start + 40 * second);
    }
}
