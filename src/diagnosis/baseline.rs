//! How long each step of a check usually takes: a median that follows slowly, kept in a few bytes a step.

use std::time::Duration;

use super::finding::SlowStep;
use crate::outcome::{Step, Timings};

/// So many successes are needed before anything counts as usual.
const FEW: u8 = 20;

/// So many probes in a row must be slow.
const IN_A_ROW: u8 = 3;

/// Slow is so many times as long as usual, and by so much longer: a step of a millisecond may well take five.
const TIMES: f32 = 3.0;
const LONGER: Duration = Duration::from_millis(200);

/// How far one probe moves the median, as a part of it: a lasting change is usual after some dozens of probes.
const PACE: f32 = 0.05;

/// The same while it is slow, so that a fault does not become usual before somebody had the time to mend it.
const PACE_WHILE_SLOW: f32 = 0.005;

/// The steps of one check.
#[derive(Debug, Default)]
pub(super) struct Baseline(Vec<Usual>);

/// Small, for there are thousands of them.
#[derive(Debug)]
struct Usual {
    step: Step,
    /// Counted up to what makes a difference, and so is the next.
    seen: u8,
    slow_in_a_row: u8,
    /// In seconds.
    median: f32,
    latest: f32,
}

impl Baseline {
    /// Learns from the timings of a success.
    pub(super) fn learn(&mut self, timings: &Timings) {
        for usual in &mut self.0 {
            if timings.of(usual.step).is_none() {
                usual.slow_in_a_row = 0;
            }
        }
        for timing in timings.iter() {
            let found = self.0.iter_mut().find(|usual| usual.step == timing.step);
            if let Some(usual) = found {
                usual.learn(timing.elapsed);
            } else {
                // There are few steps, and doubling would waste much.
                self.0.reserve_exact(1);
                self.0.push(Usual::new(timing.step, timing.elapsed));
            }
        }
    }

    /// The steps that are slow, in the order in which they were first taken.
    pub(super) fn slow(&self) -> Vec<SlowStep> {
        let slow = self
            .0
            .iter()
            .filter(|usual| usual.slow_in_a_row >= IN_A_ROW);
        slow.map(|usual| SlowStep {
            step: usual.step,
            took: Duration::from_secs_f32(usual.latest),
            usually: Duration::from_secs_f32(usual.median),
        })
        .collect()
    }
}

impl Usual {
    fn new(step: Step, took: Duration) -> Self {
        Self {
            step,
            seen: 1,
            slow_in_a_row: 0,
            median: took.as_secs_f32().max(1e-6),
            latest: took.as_secs_f32(),
        }
    }

    fn learn(&mut self, took: Duration) {
        let seconds = took.as_secs_f32();
        let is_slow = self.seen >= FEW
            && seconds > TIMES * self.median
            && seconds > self.median + LONGER.as_secs_f32();
        self.slow_in_a_row = if is_slow {
            self.slow_in_a_row.saturating_add(1)
        } else {
            0
        };
        // In the beginning it has far to go.
        let pace = if is_slow {
            PACE_WHILE_SLOW
        } else {
            PACE.max(0.5 / f32::from(self.seen))
        };
        if seconds > self.median {
            self.median *= 1.0 + pace;
        } else if seconds < self.median {
            self.median /= 1.0 + pace;
        }
        self.seen = self.seen.saturating_add(1);
        self.latest = seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Phase;

    fn learned(millis: impl IntoIterator<Item = u64>) -> Baseline {
        let mut baseline = Baseline::default();
        for millis in millis {
            let mut timings = Timings::default();
            timings.add(Phase::Tls.with_endpoint(), Duration::from_millis(millis));
            baseline.learn(&timings);
        }
        baseline
    }

    #[test]
    fn slow_is_far_from_usual_three_times_in_a_row() {
        let usual = || (0..40).map(|number| 90 + number % 20);
        let cases = [
            (vec![1000; 3], true),
            (vec![1000; 2], false),
            (vec![1000, 1000, 100, 1000], false),
            (vec![1000, 1000, 1000, 100], false),
            (vec![290; 5], false),
        ];
        for (then, is_slow) in cases {
            let baseline = learned(usual().chain(then.clone()));
            assert_eq!(!baseline.slow().is_empty(), is_slow, "{then:?}");
        }
        let slow = learned(usual().chain([1000; 3])).slow();
        let usually = slow[0].usually.as_millis();
        assert!((80..130).contains(&usually), "{usually}");
        assert_eq!(slow[0].took, Duration::from_secs(1));
    }

    #[test]
    fn a_few_milliseconds_are_never_slow() {
        assert!(
            learned((0..40).map(|_| 1).chain([150; 10]))
                .slow()
                .is_empty()
        );
    }

    #[test]
    fn nothing_is_usual_before_some_have_been_seen() {
        assert!(learned([10, 10, 10, 2000, 2000, 2000]).slow().is_empty());
    }

    #[test]
    fn what_lasts_becomes_usual_after_hours_and_not_after_minutes() {
        let with = |count| learned((0..40).map(|_| 100).chain((0..count).map(|_| 1000)));
        assert!(!with(100).slow().is_empty());
        assert!(with(400).slow().is_empty());
    }
}
