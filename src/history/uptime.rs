//! How long a check succeeded and failed, over the last hour to the last thirty days. What a probe found holds from its
//! start until the next one starts, and no longer than two and a half intervals: after that nobody knows, because
//! reachd was down, the check is new, or the machine slept.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::slots::{Slots, Span};
use super::time::{from_millis, millis, millis_of};

/// The last hour, day, week or thirty days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// The last hour, kept by the minute.
    Hour,
    /// The last 24 hours, kept by five minutes.
    Day,
    /// The last seven days, kept by the hour.
    Week,
    /// The last thirty days, kept by the hour.
    Month,
}

/// How a check fared in a window that ends now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uptime {
    /// Which.
    pub window: Window,
    /// How long it succeeded.
    pub succeeded: Duration,
    /// How long it failed.
    pub failed: Duration,
    /// How long nobody knows.
    pub unknown: Duration,
    /// The part of the known time in which it succeeded, from 0 to 1; `None` when nothing is known.
    pub ratio: Option<f64>,
}

/// A part of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Its beginning.
    pub from: SystemTime,
    /// Its end.
    pub to: SystemTime,
    /// How long the check succeeded.
    pub succeeded: Duration,
    /// How long it failed.
    pub failed: Duration,
    /// How long nobody knows.
    pub unknown: Duration,
}

/// No window is cut into more bars.
pub const MOST_BARS: usize = 1_000;

/// How a check fared, coarser the longer ago.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Timeline {
    minutes: Slots,
    fives: Slots,
    hours: Slots,
    /// Until when it is written down.
    until: u64,
    latest: Option<Finding>,
}

/// What the latest probe found, which holds still.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Finding {
    at: u64,
    succeeded: bool,
    /// So long at most, in milliseconds.
    holds: u64,
}

/// A clock that goes back by more than this was set, and what lies ahead of it is no longer believed.
const SET_BACK: u64 = 60_000;

// === impl Window ===

impl Window {
    /// Every window, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Its stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// How long it is.
    #[must_use]
    pub fn duration(self) -> Duration {
        const HOUR: u64 = 3_600;
        Duration::from_secs(match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
        })
    }
}

// === impl Timeline ===

impl Timeline {
    /// A probe that started then found this. The former finding held until then.
    pub(super) fn observe(&mut self, at: SystemTime, succeeded: bool, interval: Duration) {
        let at = millis(at);
        if at + SET_BACK < self.until {
            for slots in [&mut self.minutes, &mut self.fives, &mut self.hours] {
                slots.forget_from(at);
            }
            self.until = at;
        }
        if let Some((span, succeeded)) = self.held_until(at) {
            for slots in [&mut self.minutes, &mut self.fives, &mut self.hours] {
                slots.add(span, succeeded);
            }
        }
        self.until = self.until.max(at);
        self.latest = Some(Finding {
            at,
            succeeded,
            holds: longest_hold(interval),
        });
    }

    /// How it fared in the windows that end now.
    pub(super) fn uptime(&self, now: SystemTime) -> [Uptime; 4] {
        Window::ALL.map(|window| {
            let now = millis(now);
            let span = Span {
                from: now.saturating_sub(millis_of(window.duration())),
                until: now,
            };
            let (succeeded, failed) = self.in_span(window, span, now);
            let known = succeeded + failed;
            Uptime {
                window,
                succeeded,
                failed,
                unknown: window.duration().saturating_sub(known),
                ratio: (!known.is_zero()).then(|| succeeded.as_secs_f64() / known.as_secs_f64()),
            }
        })
    }

    /// The window that ends now in so many equal parts, the oldest first.
    pub(super) fn bars(&self, window: Window, count: usize, now: SystemTime) -> Vec<Bar> {
        let count = count.clamp(1, MOST_BARS) as u64;
        let now = millis(now);
        let length = millis_of(window.duration());
        let start = now.saturating_sub(length);
        let edge = |number: u64| start + length * number / count;
        let bar = |number: u64| {
            let span = Span {
                from: edge(number),
                until: edge(number + 1),
            };
            let (succeeded, failed) = self.in_span(window, span, now);
            Bar {
                from: from_millis(span.from),
                to: from_millis(span.until),
                succeeded,
                failed,
                unknown: Duration::from_millis(span.length()).saturating_sub(succeeded + failed),
            }
        };
        (0..count).map(bar).collect()
    }

    /// Whether nothing of it is young enough to be shown.
    pub(super) fn is_over(&self, now: SystemTime) -> bool {
        millis(now).saturating_sub(self.until) > millis_of(Window::Month.duration())
    }

    /// Whether it is as this program writes it; one of a clock that was set to the far future is not.
    pub(super) fn is_sound(&self) -> bool {
        const FAR: u64 = 1 << 53;
        let new = Self::default();
        self.minutes.is_sound(&new.minutes)
            && self.fives.is_sound(&new.fives)
            && self.hours.is_sound(&new.hours)
            && self.until < FAR
            && self.latest.is_none_or(|latest| latest.at < FAR)
    }

    fn in_span(&self, window: Window, span: Span, now: u64) -> (Duration, Duration) {
        let slots = match window {
            Window::Hour => &self.minutes,
            Window::Day => &self.fives,
            Window::Week | Window::Month => &self.hours,
        };
        let (mut succeeded, mut failed) = slots.in_span(span, self.until);
        if let Some((held, success)) = self.held_until(now) {
            let more = held.overlap(span);
            *(if success { &mut succeeded } else { &mut failed }) += more;
        }
        // The edges of a slot are shared out, and rounded.
        let succeeded = succeeded.min(span.length());
        let failed = failed.min(span.length() - succeeded);
        (
            Duration::from_millis(succeeded),
            Duration::from_millis(failed),
        )
    }

    /// What the latest finding adds to what is written down, if it is believed until then.
    fn held_until(&self, then: u64) -> Option<(Span, bool)> {
        let latest = self.latest?;
        let span = Span {
            from: latest.at.max(self.until),
            until: then.min(latest.at.saturating_add(latest.holds)),
        };
        (span.from < span.until).then_some((span, latest.succeeded))
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            minutes: Slots::new(60_000, 61),
            fives: Slots::new(300_000, 289),
            hours: Slots::new(3_600_000, 721),
            until: 0,
            latest: None,
        }
    }
}

/// For how long at most what a probe found is believed.
pub(super) fn longest_hold(interval: Duration) -> u64 {
    millis_of(interval).saturating_mul(5) / 2
}
