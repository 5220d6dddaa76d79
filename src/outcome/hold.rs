//! What a hold found: how long a connection lived that nobody used, and who ended it.

use std::time::{Duration, SystemTime};

use super::{Failure, Observed, Timings};
use crate::route::Via;

/// The result of one hold.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldOutcome {
    /// When it started.
    pub started: SystemTime,
    /// How the first hop left.
    pub via: Via,
    /// How long the connection lived, from when it stood until it ended or its time was up; `None` where none came
    /// about.
    pub held: Option<Duration>,
    /// The verdict. The way there can fail in any phase of a probe.
    pub result: Result<(), Failure>,
    /// How long each step of the way there took, and the hold itself with what was sent at its end.
    pub timings: Timings,
    /// What was seen.
    pub observed: Observed,
}
