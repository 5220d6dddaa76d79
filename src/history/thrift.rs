//! How much is kept of each check: all of it of some thousand checks, less of more, so that what all of them take
//! together stays bounded.

use super::outcomes::Room;
use super::{EVIDENCE, FAILURES, RECENT};

/// Up to so many checks, of each there is kept what a page can show.
const FULL: usize = 2_500;

/// Of however many checks, so much is kept.
const LEAST_RECENT: usize = 15;
const LEAST_FAILURES: usize = 5;

/// Of the checks of one plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thrift {
    pub(super) recent: Room,
    pub(super) failures: Room,
    /// So many slots of latency are taken together.
    pub(super) slots: u32,
}

// === impl Thrift ===

impl Thrift {
    pub(super) fn of(checks: usize) -> Self {
        let share = |of_each: usize, least: usize| {
            (of_each * FULL / checks.max(1)).clamp(least.min(of_each), of_each)
        };
        Self {
            recent: Room {
                most: share(RECENT, LEAST_RECENT),
                whole: 1,
            },
            failures: Room {
                most: share(FAILURES, LEAST_FAILURES),
                whole: share(EVIDENCE, 1),
            },
            slots: match checks {
                0..=FULL => 1,
                _ if checks <= 2 * FULL => 2,
                _ => 4,
            },
        }
    }
}

impl Default for Thrift {
    fn default() -> Self {
        Self::of(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_checks_take_together_is_bounded() {
        let kept = |checks| {
            let Thrift {
                recent,
                failures,
                slots,
            } = Thrift::of(checks);
            (recent.most, failures.most, failures.whole, slots)
        };
        assert_eq!(kept(0), (60, 20, 5, 1));
        assert_eq!(kept(500), (60, 20, 5, 1));
        assert_eq!(kept(2_500), (60, 20, 5, 1));
        assert_eq!(kept(5_000), (30, 10, 2, 2));
        assert_eq!(kept(10_000), (15, 5, 1, 4));
        assert_eq!(kept(100_000), (15, 5, 1, 4));
    }
}
