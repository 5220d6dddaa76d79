//! How long the phases of a check took, over time: means of some minutes to some hours, coarser the longer ago. In
//! memory alone, for Prometheus keeps it for longer and finer.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

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
    closed: VecDeque<Slot>,
    open: Option<Sum>,
}

/// The probes of a slot that is over.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Counted from 1970.
    number: u32,
    probes: u16,
    failures: u16,
    max: Short,
    phases: [Short; PHASES],
}

/// The probes of a slot so far.
#[derive(Debug, Default)]
struct Sum {
    number: u32,
    probes: u16,
    failures: u16,
    max: Duration,
    phases: [Duration; PHASES],
}

/// A duration in two bytes, to a thousandth: eleven bits of microseconds, and how far they are shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Short(u16);

const PHASES: usize = Phase::OF_PROBE.len();

/// Each window with the width of its slots in milliseconds, and their number.
const WINDOWS: [(Window, u64, u32); 3] = [
    (Window::Hour, 120_000, 30),
    (Window::Day, 1_800_000, 48),
    (Window::Week, 10_800_000, 56),
];

// === impl Kept ===

impl Kept {
    pub(super) fn observe(&mut self, outcome: &Outcome) {
        let at = millis(outcome.started);
        for (slots, (_, width, most)) in self.0.iter_mut().zip(WINDOWS) {
            slots.observe(number(at, width), most, outcome);
        }
    }

    /// `None` for a window that is not kept.
    pub(super) fn over(&self, window: Window, now: SystemTime) -> Option<Latencies> {
        let mut windows = self.0.iter().zip(WINDOWS);
        let (slots, (_, width, most)) = windows.find(|(_, (kept, ..))| *kept == window)?;
        let last = number(millis(now), width);
        let first = (last + 1).saturating_sub(most);
        let start = |number: u32| from_millis(u64::from(number) * width);
        let closed = slots.closed.iter().copied();
        let all = closed.chain(slots.open.as_ref().map(Slot::of));
        let shown = all.filter(|slot| (first..=last).contains(&slot.number));
        Some(Latencies {
            window,
            from: start(first),
            to: start(last + 1),
            slot: Duration::from_millis(width),
            points: shown
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

/// The last number is never reached, so that there is always a next one.
fn number(at: u64, width: u64) -> u32 {
    u32::try_from(at / width).map_or(u32::MAX - 1, |number| number.min(u32::MAX - 1))
}

// === impl Slots ===

impl Slots {
    fn observe(&mut self, number: u32, most: u32, outcome: &Outcome) {
        if let Some(open) = self.open.take_if(|open| open.number != number) {
            if open.number < number {
                self.close(&open);
            } else {
                // The clock was set back, and what lies ahead is no longer believed.
                self.closed.retain(|slot| slot.number < number);
            }
        }
        let first = (number + 1).saturating_sub(most);
        while self.closed.front().is_some_and(|slot| slot.number < first) {
            self.closed.pop_front();
        }
        let open = self.open.get_or_insert_with(|| Sum {
            number,
            ..Sum::default()
        });
        open.add(outcome);
    }

    fn close(&mut self, open: &Sum) {
        if self.closed.len() == self.closed.capacity() {
            // There are thousands of them, so that doubling would waste much.
            self.closed.reserve_exact(8);
        }
        self.closed.push_back(Slot::of(open));
    }
}

// === impl Sum ===

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.probes = self.probes.saturating_add(1);
        if outcome.result.is_err() {
            self.failures = self.failures.saturating_add(1);
            return;
        }
        self.max = self.max.max(outcome.duration);
        for timing in outcome.timings.iter() {
            let mut phases = self.phases.iter_mut().zip(Phase::OF_PROBE);
            if let Some((sum, _)) = phases.find(|(_, phase)| *phase == timing.step.phase) {
                *sum = sum.saturating_add(timing.elapsed);
            }
        }
    }
}

// === impl Slot ===

impl Slot {
    fn of(sum: &Sum) -> Self {
        let succeeded = u32::from(sum.probes - sum.failures).max(1);
        Self {
            number: sum.number,
            probes: sum.probes,
            failures: sum.failures,
            max: Short::from(sum.max),
            phases: sum.phases.map(|sum| Short::from(sum / succeeded)),
        }
    }

    fn latency(&self) -> Option<Latency> {
        let phases = Phase::OF_PROBE.into_iter().zip(self.phases);
        let phases = phases.map(|(phase, time)| (phase, Duration::from(time)));
        let took: Vec<_> = phases.filter(|(_, time)| !time.is_zero()).collect();
        (self.probes > self.failures).then(|| Latency {
            mean: took.iter().map(|(_, time)| *time).sum(),
            max: self.max.into(),
            phases: took,
        })
    }
}

// === impl Short ===

const BITS: u32 = 11;

impl From<Duration> for Short {
    fn from(duration: Duration) -> Self {
        const LONGEST: u64 = 1 << 40;
        let micros = u64::try_from(duration.as_micros()).map_or(LONGEST, |it| it.min(LONGEST));
        let shift = (u64::BITS - micros.leading_zeros()).saturating_sub(BITS);
        let rounded = (micros + (1 << shift) / 2) >> shift;
        // What is rounded up to the next power of two takes a bit more.
        let (shift, bits) = match rounded >> BITS {
            0 => (shift, rounded),
            _ => (shift + 1, rounded >> 1),
        };
        let packed = (u64::from(shift) << BITS) | bits;
        Self(u16::try_from(packed).unwrap_or(u16::MAX))
    }
}

impl From<Short> for Duration {
    fn from(Short(packed): Short) -> Self {
        let bits = packed & ((1 << BITS) - 1);
        Self::from_micros(u64::from(bits) << (packed >> BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bytes_hold_a_duration_to_a_thousandth() {
        for micros in [0, 1, 999, 2_047, 2_048, 4_095, 50_000, 1_234_567, 1 << 39] {
            let kept: Duration = Short::from(Duration::from_micros(micros)).into();
            let kept = u64::try_from(kept.as_micros()).unwrap();
            assert!(kept.abs_diff(micros) <= micros / 1_000, "{micros}: {kept}");
        }
        let longest: Duration = Short::from(Duration::MAX).into();
        assert_eq!(longest, Duration::from_micros(1 << 40));
    }

    #[test]
    fn a_slot_takes_little() {
        assert_eq!(size_of::<Slot>(), 24);
    }
}
