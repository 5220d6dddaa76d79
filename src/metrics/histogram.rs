//! Histograms over atomics: counted per bucket, summed in nanoseconds, read without a lock. The native ones beside them
//! are in native.rs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::exemplar::Exemplar;
use super::labels::Labels;
use super::native::Native;
use super::sample::{Reading, Value};
use crate::outcome::{Outcome, Peer, Phase, Step};
use crate::plan::OutcomeId;

const STEPS: usize = Phase::OF_PROBE.len() * 2;

/// What all histograms of a plan have in common.
#[derive(Debug)]
pub(super) struct Shape {
    upper: Vec<Duration>,
    /// The bounds as numbers, the infinite one last.
    bounds: Vec<f64>,
    /// The rest of a bucket's line up to its value, the infinite bucket's last.
    labels: Vec<String>,
    /// Whether each has a native one beside it.
    native: bool,
}

/// A histogram of durations.
#[derive(Debug)]
pub(super) struct Histogram {
    /// Not cumulative; the last one counts what is above every bound.
    buckets: Box<[AtomicU64]>,
    sum_nanos: AtomicU64,
    native: Option<Box<Native>>,
}

/// The histograms of a check, or of a service over a route: one of its probes and one of each step.
#[derive(Debug)]
pub(super) struct HistogramSet {
    pub(super) labels: Labels,
    pub(super) shape: Arc<Shape>,
    probe: Histogram,
    /// The latest probe.
    exemplar: Mutex<Option<Exemplar>>,
    /// A step that was not to be expected gets its histogram when it is first taken.
    steps: [OnceLock<Histogram>; STEPS],
}

// === impl Shape ===

impl Shape {
    /// From seconds, ascending, without the infinite one.
    pub(super) fn new(seconds: &[f64], native: bool) -> Self {
        let mut shape = Self {
            upper: Vec::with_capacity(seconds.len()),
            bounds: Vec::with_capacity(seconds.len() + 1),
            labels: Vec::with_capacity(seconds.len() + 1),
            native,
        };
        for bound in seconds {
            // The configuration lets only sound bounds in; another one would be no bucket.
            if let Ok(duration) = Duration::try_from_secs_f64(*bound) {
                shape.upper.push(duration);
                shape.bounds.push(*bound);
                shape
                    .labels
                    .push(format!("le=\"{}\"}} ", canonical(*bound)));
            }
        }
        shape.bounds.push(f64::INFINITY);
        shape.labels.push("le=\"+Inf\"} ".to_owned());
        shape
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    pub(super) fn bounds(&self) -> impl Iterator<Item = f64> {
        self.bounds.iter().copied()
    }

    /// The first bucket whose bound is not less.
    pub(super) fn bucket_of(&self, value: Value) -> usize {
        match value {
            Value::Seconds(elapsed) => self.upper.partition_point(|bound| *bound < elapsed),
            other => {
                let value = other.as_f64();
                self.bounds.partition_point(|bound| *bound < value)
            }
        }
    }
}

/// A bound as `OpenMetrics` wants it (`1.0`, `0.25`, `1e-05`), in each format: so that a series keeps its name whichever
/// format is asked for.
fn canonical(bound: f64) -> String {
    if (1e-4..1e6).contains(&bound) {
        return format!("{bound:?}");
    }
    let text = format!("{bound:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

// === impl Histogram ===

impl Histogram {
    fn new(shape: &Shape) -> Self {
        Self {
            buckets: shape.labels.iter().map(|_| AtomicU64::new(0)).collect(),
            sum_nanos: AtomicU64::new(0),
            native: shape.native.then(Box::default),
        }
    }

    fn observe(&self, elapsed: Duration, shape: &Shape) {
        let bucket = shape.bucket_of(Value::Seconds(elapsed));
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        // 584 years of probing fit.
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
        // The last one: whoever reads it finds all of its observations in the buckets, too.
        if let Some(native) = &self.native {
            native.observe(elapsed);
        }
    }

    pub(super) fn reading<'a>(
        &'a self,
        shape: &'a Shape,
    ) -> Reading<'a, impl Iterator<Item = u64> + use<'a>> {
        let buckets = self.buckets.iter();
        Reading {
            shape,
            buckets: buckets.map(|bucket| bucket.load(Ordering::Relaxed)),
            sum: Value::Seconds(Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed))),
            exemplar: None,
            native: self.native.as_deref(),
        }
    }
}

// === impl HistogramSet ===

impl HistogramSet {
    pub(super) fn new(labels: Labels, shape: &Arc<Shape>) -> Self {
        Self {
            labels,
            shape: Arc::clone(shape),
            probe: Histogram::new(shape),
            exemplar: Mutex::default(),
            steps: [const { OnceLock::new() }; STEPS],
        }
    }

    pub(super) fn observe(&self, id: OutcomeId, outcome: &Outcome) {
        self.probe.observe(outcome.duration, &self.shape);
        for timing in outcome.timings.iter() {
            self.of_step(timing.step)
                .observe(timing.elapsed, &self.shape);
        }
        let exemplar = self.exemplar.lock();
        *exemplar.unwrap_or_else(PoisonError::into_inner) =
            Some(Exemplar::of_duration(id, outcome));
    }

    pub(super) fn exemplar(&self) -> Option<Exemplar> {
        *self.exemplar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The histogram of a step, which from now on is exposed.
    pub(super) fn of_step(&self, step: Step) -> &Histogram {
        self.steps[index(step)].get_or_init(|| Histogram::new(&self.shape))
    }

    pub(super) fn probe(&self) -> &Histogram {
        &self.probe
    }

    /// The histograms of the steps that were to be expected or taken, the proxy's before the endpoint's.
    pub(super) fn steps(&self) -> impl Iterator<Item = (Step, &Histogram)> {
        let proxy = Phase::OF_PROBE.into_iter().map(Phase::with_proxy);
        let endpoint = Phase::OF_PROBE.into_iter().map(Phase::with_endpoint);
        proxy
            .chain(endpoint)
            .filter_map(|step| Some((step, self.steps[index(step)].get()?)))
    }
}

fn index(step: Step) -> usize {
    match step.peer {
        Peer::Proxy => step.phase as usize,
        Peer::Endpoint => Phase::OF_PROBE.len() + step.phase as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let shape = Shape::new(&[0.005, 0.1, 2.5], false);
        let cases = [
            (Duration::ZERO, 0),
            (Duration::from_millis(5), 0),
            (Duration::from_nanos(5_000_001), 1),
            (Duration::from_millis(100), 1),
            (Duration::from_millis(2500), 2),
            (Duration::from_secs(3), 3),
        ];
        for (elapsed, bucket) in cases {
            assert_eq!(
                shape.bucket_of(Value::Seconds(elapsed)),
                bucket,
                "{elapsed:?}"
            );
            let seconds = Value::Float(elapsed.as_secs_f64());
            assert_eq!(shape.bucket_of(seconds), bucket, "{elapsed:?}");
        }
    }

    #[test]
    fn every_step_has_a_place_of_its_own() {
        let shape = Arc::new(Shape::new(&[1.0], false));
        let set = HistogramSet::new(Labels::default(), &shape);
        assert_eq!(set.steps().count(), 0);
        for phase in Phase::OF_PROBE {
            set.of_step(phase.with_proxy());
            set.of_step(phase.with_endpoint());
        }
        assert_eq!(set.steps().count(), STEPS);
    }

    #[test]
    fn bounds_are_written_as_open_metrics_wants_them() {
        let cases = [
            (1.0, "1.0"),
            (0.25, "0.25"),
            (10.0, "10.0"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (0.000_012_5, "1.25e-05"),
            (1_000_000.0, "1e+06"),
            (1e12, "1e+12"),
        ];
        for (bound, text) in cases {
            assert_eq!(canonical(bound), text);
        }
    }
}
