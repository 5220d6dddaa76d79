//! What the holds of a plan take: how long one at most, and how many stand at once.

use std::time::Duration;

use super::{Check, Plan};
use crate::endpoint::{Endpoint, Target};

/// How long a hold of the endpoint takes at most; `None` where it has none. To open the connection takes up to a
/// timeout, and so does what is asked over `https` at its end.
pub(super) fn longest(endpoint: &Endpoint, timeout: Duration) -> Option<Duration> {
    let timeouts = match endpoint.target {
        Target::Http(_) => 2,
        Target::Tls(_) | Target::Tcp(_) | Target::Dns(_) => 1,
    };
    Some(endpoint.hold.as_ref()?.duration + timeouts * timeout)
}

impl Plan {
    /// Why not every hold gets its turn, and what to do, where `global.hold_concurrency` is too small for them.
    #[must_use]
    pub fn shortage_of_holds(&self) -> Option<String> {
        let needed = self.holds_at_once();
        (needed > self.hold_concurrency).then(|| {
            format!(
                "holds stand up to {needed} at once to get all their turns, more than `global.hold_concurrency` \
                 allows ({}), so that turns are skipped: set it to {needed}, or raise `hold.interval`",
                self.hold_concurrency
            )
        })
    }

    /// How many connections stand at once when each hold begins at its turns and takes as long as it may.
    fn holds_at_once(&self) -> usize {
        let share = |check: &Check| {
            let interval = check.endpoint.hold.as_ref()?.interval;
            let longest = longest(&check.endpoint, check.timeout)?;
            Some(longest.as_secs_f64() / interval.as_secs_f64())
        };
        let needed: f64 = self.checks.iter().filter_map(|check| share(check)).sum();
        whole(needed)
    }
}

/// The next whole number. A sum of fractions that is off by its rounding needs no further one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sum of positive shares, each below one"
)]
fn whole(number: f64) -> usize {
    (number - 1e-6).ceil() as usize
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::plan::fixture::{check, plan, with_hold};

    #[test]
    fn holds_that_need_more_than_the_limit_are_told_of() {
        // Each takes up to 200 s of 900 s, the last, over tls, 190 s.
        let held = |url| with_hold(&check("s", "a", url));
        let mut checks: Vec<Arc<Check>> = (0..9).map(|_| held("https://a.example/")).collect();
        let plan_with = |limit| {
            let mut plan = plan(&checks);
            plan.hold_concurrency = limit;
            (plan.holds_at_once(), plan.shortage_of_holds())
        };
        assert_eq!(plan_with(2), (2, None));
        let (_, shortage) = plan_with(1);
        let shortage = shortage.unwrap();
        assert!(shortage.contains("allows (1)"), "{shortage}");
        assert!(shortage.contains("set it to 2"), "{shortage}");
        checks.push(held("tls://a.example:1"));
        assert_eq!(plan(&checks).holds_at_once(), 3);
        assert_eq!(
            plan([&check("s", "a", "https://a.example/")]).holds_at_once(),
            0
        );
    }
}
