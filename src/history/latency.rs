//! How long the phases of a check took, over time: means of some minutes to some hours, coarser the longer ago. In
//! memory alone, for Prometheus keeps it for longer and finer.

mod packed;

use std::time::{Duration, SystemTime};

use self::packed::{Closed, Slot, Sum};
use super::time::{from_millis, millis};
use super::uptime::Window;
use crate::outcome::{Outcome, Phase};

/// A window that ends with the slot of now, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latencies {
    /// Which.
    pub window: Window,
    /// Its beginning, that of a slot.
    pub from: SystemTime,
    /// The end of the slot that now is in.
    pub to: SystemTime,
    /// How long a slot is.
    pub slot: Duration,
    /// The slots, the oldest first; those without a probe are left out.
    pub points: Vec<LatencyPoint>,
}

/// The probes of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencyPoint {
    /// Its beginning.
    pub from: SystemTime,
    /// How many probes started in it.
    pub probes: u16,
    /// How many of them failed.
    pub failures: u16,
    /// How long the others took; `None` where there is none.
    pub latency: Option<Latency>,
}

/// How long probes took that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    /// The mean of them.
    pub mean: Duration,
    /// None took longer.
    pub max: Duration,
    /// What each phase takes of the mean, with whomever it was spoken.
    pub phases: Vec<(Phase, Duration)>,
}

/// Of each check, by window.
#[derive(Debug, Default)]
pub(super) struct Kept([Slots; WINDOWS.len()]);

/// The slots of one window.
#[derive(Debug, Default)]
struct Slots {
    closed: Closed,
    open: Sum,
}

/// Each window with the width of its slots in milliseconds, and their number.
const WINDOWS: [(Window, u64, u32); 3] = [
    (Window::Hour, 120_000, 30),
    (Window::Day, 1_800_000, 48),
    (Window::Week, 10_800_000, 56),
];

// === impl Kept ===

impl Kept {
    /// Adds an outcome, where so many slots are taken together.
    pub(super) fn observe(&mut self, outcome: &Outcome, together: u32) {
        let at = millis(outcome.started);
        for (slots, (_, width, most)) in self.0.iter_mut().zip(WINDOWS) {
            let number = number(at, width);
            let first = (number + 1).saturating_sub(most);
            slots.observe(number - number % together, first, together, outcome);
        }
    }

    /// `None` for a window that is not kept.
    pub(super) fn over(&self, window: Window, together: u32, now: SystemTime) -> Option<Latencies> {
        let mut windows = self.0.iter().zip(WINDOWS);
        let (slots, (_, width, most)) = windows.find(|(_, (kept, ..))| *kept == window)?;
        let last = number(millis(now), width);
        let last = last - last % together + together - 1;
        let first = (last + 1).saturating_sub(most.next_multiple_of(together));
        let start = |number: u32| from_millis(u64::from(number) * width);
        let mut all = slots.closed.unpack();
        all.extend((slots.open.probes > 0).then(|| Slot::of(&slots.open)));
        all.retain(|slot| (first..=last).contains(&slot.number));
        Some(Latencies {
            window,
            from: start(first),
            to: start(last + 1),
            slot: Duration::from_millis(width * u64::from(together)),
            points: all
                .into_iter()
                .map(|slot| LatencyPoint {
                    from: start(slot.number),
                    probes: slot.probes,
                    failures: slot.failures,
                    latency: slot.latency(),
                })
                .collect(),
        })
    }
}

/// The last numbers are never reached, so that there is always a next one.
fn number(at: u64, width: u64) -> u32 {
    const LAST: u32 = u32::MAX - 256;
    u32::try_from(at / width).map_or(LAST, |number| number.min(LAST))
}

// === impl Slots ===

impl Slots {
    fn observe(&mut self, number: u32, first: u32, together: u32, outcome: &Outcome) {
        self.open.number -= self.open.number % together;
        if self.open.probes > 0 && self.open.number != number {
            let open = std::mem::take(&mut self.open);
            if open.number < number {
                self.closed.push(Slot::of(&open), together);
            } else {
                // The clock was set back, and what lies ahead is no longer believed.
                self.closed.forget_from(number);
            }
        }
        self.closed.forget_before(first);
        self.open.number = number;
        self.open.add(outcome);
    }
}
