//! Times as they are kept: milliseconds since 1970, which fit where a `SystemTime` would take twice the room.

use std::time::{Duration, SystemTime};

/// A time before 1970 is that of a clock that was never set.
pub(super) fn millis(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, millis_of)
}

pub(super) fn millis_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// No clock and no file makes it overflow.
pub(super) fn from_millis(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_millis(millis))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
