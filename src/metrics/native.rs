//! Native histograms: buckets that follow the observations, each a fixed factor wide. They begin fine, and grow wider
//! by the standard's own rule, two neighbours into one, when there are too many of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How fine they begin: 2³ buckets for each doubling, so that each is 9 % wide.
const SCHEMA: i8 = 3;

/// The upper bounds of the buckets within a doubling, as parts of its end.
const BOUNDS: [f64; 8] = [
    0.5,
    0.545_253_866_332_628_8,
    0.594_603_557_501_360_5,
    0.648_419_777_325_504_8,
    std::f64::consts::FRAC_1_SQRT_2,
    0.771_105_412_703_970_4,
    0.840_896_415_253_714_6,
    0.917_004_043_204_671_2,
];

/// More buckets with something in them make all of them wider. A kibibyte at most.
const MOST_BUCKETS: usize = 64;

/// What takes no longer, about a microsecond, took no time. A bound between two buckets, however wide they are.
pub(super) const ZERO_THRESHOLD: f64 = 1.0 / 1_048_576.0;

/// A native histogram of durations. Held for as long as it takes to find one of a few buckets, or to copy them.
#[derive(Debug, Default)]
pub(super) struct Native(Mutex<Sparse>);

/// The buckets that have something in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sparse {
    schema: i8,
    zeros: u64,
    /// By index, ascending: bucket `i` ends with 2^(i / 2^schema) seconds.
    buckets: Vec<Bucket>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bucket {
    index: i32,
    count: u64,
}

// === impl Native ===

impl Native {
    pub(super) fn observe(&self, elapsed: Duration) {
        self.sparse().observe(elapsed.as_secs_f64());
    }

    /// As it is now.
    pub(super) fn read(&self) -> Sparse {
        self.sparse().clone()
    }

    fn sparse(&self) -> MutexGuard<'_, Sparse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Sparse ===

impl Sparse {
    fn observe(&mut self, seconds: f64) {
        if seconds <= ZERO_THRESHOLD {
            self.zeros += 1;
            return;
        }
        loop {
            let index = (self.schema..SCHEMA).fold(index_of(seconds), |index, _| wider(index));
            let found = self
                .buckets
                .binary_search_by_key(&index, |bucket| bucket.index);
            match found {
                Ok(place) => self.buckets[place].count += 1,
                Err(_) if self.buckets.len() >= MOST_BUCKETS => {
                    self.widen();
                    continue;
                }
                Err(place) => self.buckets.insert(place, Bucket { index, count: 1 }),
            }
            return;
        }
    }

    /// Two neighbours become one.
    fn widen(&mut self) {
        self.schema -= 1;
        for bucket in &mut self.buckets {
            bucket.index = wider(bucket.index);
        }
        self.buckets.dedup_by(|next, kept| {
            let same = next.index == kept.index;
            kept.count += if same { next.count } else { 0 };
            same
        });
    }

    pub(super) fn schema(&self) -> i8 {
        self.schema
    }

    pub(super) fn zeros(&self) -> u64 {
        self.zeros
    }

    /// All observations.
    pub(super) fn count(&self) -> u64 {
        let counts = self.buckets.iter().map(|bucket| bucket.count);
        self.zeros + counts.sum::<u64>()
    }

    /// Buckets without a gap between them: how far they begin behind the ones before (behind index 0, the first), and
    /// how many they are.
    pub(super) fn spans(&self) -> impl Iterator<Item = (i32, u64)> {
        let adjoin = |one: &Bucket, next: &Bucket| one.index + 1 == next.index;
        let mut after = 0;
        self.buckets.chunk_by(adjoin).filter_map(move |span| {
            let offset = span.first()?.index - after;
            after = span.last()?.index + 1;
            Some((offset, span.len() as u64))
        })
    }

    /// How much more each bucket has than the one before.
    pub(super) fn deltas(&self) -> impl Iterator<Item = i64> {
        let mut before = 0;
        self.buckets.iter().map(move |bucket| {
            let count = bucket.count.cast_signed();
            count - std::mem::replace(&mut before, count)
        })
    }
}

impl Default for Sparse {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            zeros: 0,
            buckets: Vec::new(),
        }
    }
}

/// The bucket of the finest schema. Bounds are compared, never computed, so that what lies on one is below it.
fn index_of(seconds: f64) -> i32 {
    let (fraction, exponent) = parts(seconds);
    let within = BOUNDS.partition_point(|bound| *bound < fraction);
    (exponent - 1) * 8 + i32::try_from(within).unwrap_or(0)
}

/// A positive number as a fraction from a half up to one, and a power of two.
fn parts(value: f64) -> (f64, i32) {
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) - 1022;
    let fraction = f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52);
    (fraction, exponent)
}

/// The bucket of the next wider schema that holds this one.
fn wider(index: i32) -> i32 {
    (index + 1) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts by upper bound.
    fn by_bound(native: &Sparse) -> Vec<(f64, u64)> {
        let width = 2_f64.powi(native.schema.into());
        let buckets = native.buckets.iter();
        buckets
            .map(|bucket| ((f64::from(bucket.index) / width).exp2(), bucket.count))
            .collect()
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let cases = [
            (1.0, 0),
            (1.000_000_1, 1),
            (0.5, -8),
            (0.500_000_1, -7),
            (2.0, 8),
            (0.917_004_043_204_671_2, -1),
            (0.917_004_1, 0),
            (1_024.0, 80),
            (0.000_976_562_5, -80),
        ];
        for (seconds, index) in cases {
            assert_eq!(index_of(seconds), index, "{seconds}");
        }
    }

    #[test]
    fn every_observation_lies_within_its_bucket() {
        let factor = 2_f64.powf(0.125);
        for step in 0..5_000 {
            let seconds = 0.000_002 * 1.003_f64.powi(step);
            let mut native = Sparse::default();
            native.observe(seconds);
            let [(upper, 1)] = by_bound(&native)[..] else {
                panic!("{native:?}");
            };
            let within =
                seconds <= upper * (1.0 + 1e-12) && seconds > upper / factor * (1.0 - 1e-12);
            assert!(within, "{seconds} ends with {upper}");
        }
    }

    #[test]
    fn what_takes_no_time_is_counted_apart() {
        let native = Native::default();
        for nanos in [0, 1, 953, 954] {
            native.observe(Duration::from_nanos(nanos));
        }
        let native = native.read();
        assert_eq!((native.zeros(), native.count()), (3, 4));
    }

    #[test]
    fn too_many_buckets_become_wider_and_lose_nothing() {
        let mut native = Sparse::default();
        for step in 0..=26 * 8 {
            // From a microsecond to a minute, each bucket of the finest schema.
            let seconds = 2_f64.powf(f64::from(step) / 8.0 - 19.99);
            native.observe(seconds);
            assert!(native.buckets.len() <= MOST_BUCKETS);
        }
        assert_eq!(native.schema(), 1);
        assert_eq!(native.count(), 26 * 8 + 1);
        let sorted = native
            .buckets
            .is_sorted_by(|one, next| one.index < next.index);
        assert!(sorted, "{native:?}");
        native.observe(f64::from(u32::MAX));
        assert_eq!(native.count(), 26 * 8 + 2);
    }

    #[test]
    fn wider_buckets_hold_what_the_narrow_ones_held() {
        for index in -40..=40 {
            let ends = |index: i32, schema: i32| (f64::from(index) / 2_f64.powi(schema)).exp2();
            let (upper, before) = (ends(wider(index), 2), ends(wider(index) - 1, 2));
            let end = ends(index, 3);
            assert!(before < end && end <= upper * (1.0 + 1e-12), "{index}");
        }
    }

    #[test]
    fn gaps_part_the_spans() {
        let mut native = Sparse::default();
        for (seconds, times) in [(0.25, 2), (0.27, 5), (1.0, 1), (4.0, 7)] {
            for _ in 0..times {
                native.observe(seconds);
            }
        }
        // 2^-2 is bucket -16, and 0.27 the next; 1 is 0, and 4 is 16.
        let spans: Vec<_> = native.spans().collect();
        assert_eq!(spans, [(-16, 2), (14, 1), (15, 1)]);
        let deltas: Vec<_> = native.deltas().collect();
        assert_eq!(deltas, [2, 3, -4, 6]);
    }
}
