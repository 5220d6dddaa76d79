//! What the readers of the file stand, given anything at all: it is on a disk where anybody may have written.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use std::time::{Duration, SystemTime};

use super::rows::{key_of, key_text, outage_bytes, outage_of, timeline_bytes, timeline_of};
use super::uptime::Window;

/// When everything happens.
const NOW: Duration = Duration::from_secs(1_800_000_000);

const INTERVAL: Duration = Duration::from_secs(60);

/// An outage, the key of a check or a timeline: what is understood comes back when it is written again, and no window
/// has more time than it is long.
pub fn history_row(bytes: &[u8]) {
    if let Some(outage) = outage_of(bytes) {
        assert_eq!(outage_of(&outage_bytes(&outage)), Some(outage));
    }
    if let Some(key) = str::from_utf8(bytes).ok().and_then(key_of) {
        assert_eq!(key_of(&key_text(&key)), Some(key));
    }
    let Some(mut timeline) = timeline_of(bytes) else {
        return;
    };
    let now = SystemTime::UNIX_EPOCH + NOW;
    for at in [now, now + INTERVAL, now - 600 * INTERVAL, now] {
        timeline.observe(at, true, INTERVAL);
        timeline.is_over(at);
        for uptime in timeline.uptime(at) {
            let all = uptime.succeeded + uptime.failed + uptime.unknown;
            assert_eq!(all, uptime.window.duration(), "{uptime:?}");
            assert!(
                uptime
                    .ratio
                    .is_none_or(|ratio| (0.0..=1.0).contains(&ratio))
            );
        }
        let bars = timeline.bars(Window::Week, 50, at);
        assert_eq!(bars.len(), 50);
    }
    assert!(timeline_of(&timeline_bytes(&timeline)).is_some());
}
