//! A connection that must stay open although nothing is said.

use std::time::Duration;

/// How long an idle connection to an endpoint must live, and how often that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// How long it is kept open.
    pub duration: Duration,
    /// How often, from start to start.
    pub interval: Duration,
    /// After how much idle time TCP asks whether the peer is still there; `None` for a truly idle connection.
    pub keep_alive: Option<Duration>,
}

impl Hold {
    /// How often a connection is held where nothing else is said.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(15 * 60);
}
