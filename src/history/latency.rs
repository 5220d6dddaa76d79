//! How long the phases of a check took, over time.

use std::time::{Duration, SystemTime};

use crate::outcome::Step;

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
