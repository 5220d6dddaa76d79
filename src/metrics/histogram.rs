//! Histograms over atomics: counted per bucket, summed in nanoseconds, read without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::text::Labels;
use crate::outcome::{Outcome, Peer, Phase, Step};

const STEPS: usize = Phase::OF_PROBE.len() * 2;

/// The upper bounds of all histograms of a plan.
#[derive(Debug)]
pub(super) struct Bounds {
    upper: Vec<Duration>,
    /// The rest of a bucket's line up to its value, the infinite bucket's last.
    labels: Vec<String>,
}

/// A histogram of durations.
#[derive(Debug)]
pub(super) struct Histogram {
    /// Not cumulative; the last one counts what is above every bound.
    buckets: Box<[AtomicU64]>,
    sum_nanos: AtomicU64,
}

/// The histograms of a check, or of a service over a route: one of its probes and one of each step.
#[derive(Debug)]
pub(super) struct HistogramSet {
    pub(super) labels: Labels,
    pub(super) bounds: Arc<Bounds>,
    probe: Histogram,
    /// A step that was not to be expected gets its histogram when it is first taken.
    steps: [OnceLock<Histogram>; STEPS],
}

// === impl Bounds ===

impl Bounds {
    /// From seconds, ascending, without the infinite one.
    pub(super) fn new(seconds: &[f64]) -> Self {
        let mut upper = Vec::with_capacity(seconds.len());
        let mut labels = Vec::with_capacity(seconds.len() + 1);
        for bound in seconds {
            // The configuration lets only sound bounds in; another one would be no bucket.
            if let Ok(duration) = Duration::try_from_secs_f64(*bound) {
                upper.push(duration);
                labels.push(format!("le=\"{bound}\"}} "));
            }
        }
        labels.push("le=\"+Inf\"} ".to_owned());
        Self { upper, labels }
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// The first bucket whose bound is not less than `elapsed`.
    fn bucket_of(&self, elapsed: Duration) -> usize {
        self.upper.partition_point(|bound| *bound < elapsed)
    }
}

// === impl Histogram ===

impl Histogram {
    fn new(bounds: &Bounds) -> Self {
        Self {
            buckets: bounds.labels.iter().map(|_| AtomicU64::new(0)).collect(),
            sum_nanos: AtomicU64::new(0),
        }
    }

    fn observe(&self, elapsed: Duration, bounds: &Bounds) {
        if let Some(bucket) = self.buckets.get(bounds.bucket_of(elapsed)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        // 584 years of probing fit.
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// The buckets' own counts, not cumulative.
    pub(super) fn buckets(&self) -> impl Iterator<Item = u64> {
        self.buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed))
    }

    pub(super) fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed))
    }
}

// === impl HistogramSet ===

impl HistogramSet {
    pub(super) fn new(labels: Labels, bounds: &Arc<Bounds>) -> Self {
        Self {
            labels,
            bounds: Arc::clone(bounds),
            probe: Histogram::new(bounds),
            steps: [const { OnceLock::new() }; STEPS],
        }
    }

    pub(super) fn observe(&self, outcome: &Outcome) {
        self.probe.observe(outcome.duration, &self.bounds);
        for timing in outcome.timings.iter() {
            self.of_step(timing.step)
                .observe(timing.elapsed, &self.bounds);
        }
    }

    /// The histogram of a step, which from now on is exposed.
    pub(super) fn of_step(&self, step: Step) -> &Histogram {
        self.steps[index(step)].get_or_init(|| Histogram::new(&self.bounds))
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
        let bounds = Bounds::new(&[0.005, 0.1, 2.5]);
        let cases = [
            (Duration::ZERO, 0),
            (Duration::from_millis(5), 0),
            (Duration::from_nanos(5_000_001), 1),
            (Duration::from_millis(100), 1),
            (Duration::from_millis(2500), 2),
            (Duration::from_secs(3), 3),
        ];
        for (elapsed, bucket) in cases {
            assert_eq!(bounds.bucket_of(elapsed), bucket, "{elapsed:?}");
        }
    }

    #[test]
    fn every_step_has_a_place_of_its_own() {
        let bounds = Arc::new(Bounds::new(&[1.0]));
        let set = HistogramSet::new(Labels::default(), &bounds);
        assert_eq!(set.steps().count(), 0);
        for phase in Phase::OF_PROBE {
            set.of_step(phase.with_proxy());
            set.of_step(phase.with_endpoint());
        }
        assert_eq!(set.steps().count(), STEPS);
    }
}
