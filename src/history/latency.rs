//! How long the phases of a check took, over time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::time::{from_millis, millis, millis_of};
use super::uptime::Window;
use crate::outcome::{Outcome, Step};

/// The probes of one part of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyPoint {
    /// Its beginning.
    pub from: SystemTime,
    /// Its end.
    pub to: SystemTime,
    /// How many probes of it are known; points without one are left out.
    pub probes: usize,
    /// Of the probes as a whole.
    pub total: Latency,
    /// Of each step that one of them took, in the order of the steps.
    pub steps: Vec<(Step, Latency)>,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Half of them took no longer.
    pub median: Duration,
    /// None took longer.
    pub max: Duration,
}

/// No window is cut into more points.
pub const MOST_POINTS: usize = 1_000;

/// The window that ends now in so many parts; those without a probe are left out.
pub(super) fn over_time(
    outcomes: &[Arc<Outcome>],
    window: Window,
    points: usize,
    now: SystemTime,
) -> Vec<LatencyPoint> {
    let points = points.clamp(1, MOST_POINTS) as u64;
    let now = millis(now);
    let length = millis_of(window.duration());
    let start = now.saturating_sub(length);
    let mut parts: BTreeMap<u64, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        let at = millis(outcome.started);
        if (start..now).contains(&at) {
            let part = (at - start) * points / length;
            parts.entry(part).or_default().push(outcome);
        }
    }
    let edge = |part: u64| from_millis(start + length * part / points);
    let point = |(part, outcomes): (u64, Vec<&Outcome>)| {
        let total = Latency::of(outcomes.iter().map(|outcome| outcome.duration))?;
        let of_step = |step: Step| {
            let times = outcomes
                .iter()
                .filter_map(|outcome| outcome.timings.of(step));
            Some((step, Latency::of(times)?))
        };
        Some(LatencyPoint {
            from: edge(part),
            to: edge(part + 1),
            probes: outcomes.len(),
            total,
            steps: Step::ALL.into_iter().filter_map(of_step).collect(),
        })
    };
    parts.into_iter().filter_map(point).collect()
}

impl Latency {
    fn of(times: impl Iterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<Duration> = times.collect();
        times.sort_unstable();
        Some(Self {
            median: *times.get(times.len().saturating_sub(1) / 2)?,
            max: *times.last()?,
        })
    }
}
