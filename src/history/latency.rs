//! How long the phases of a check took, over time: means of some minutes to some hours, coarser the longer ago. In
//! memory alone, for Prometheus keeps it for longer and finer.

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
    closed: Closed,
    open: Sum,
}

/// Slots that are over, packed, the oldest first: of each how far its number is from the one before, how many probes and
/// failures it has, the longest time, which phases there were, and their times.
#[derive(Debug, Default)]
struct Closed {
    bytes: Vec<u8>,
    /// From where the number of the first is counted.
    before: u32,
    /// The number of the last.
    last: u32,
}

/// The probes of a slot that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    /// Counted from 1970.
    number: u32,
    probes: u16,
    failures: u16,
    max: Short,
    phases: [Short; PHASES],
}

/// The probes of a slot so far; there is no slot as long as there is no probe. Microseconds, exact up to some seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    number: u32,
    probes: u16,
    failures: u16,
    max: f32,
    phases: [f32; PHASES],
}

/// A duration in two bytes, to a thousandth: eleven bits of microseconds, and how far they are shifted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
        if self.open.probes > 0 && self.open.number != number {
            let open = std::mem::take(&mut self.open);
            if open.number < number {
                self.closed.push(&Slot::of(&open));
            } else {
                // The clock was set back, and what lies ahead is no longer believed.
                self.closed
                    .repack(|slots| slots.retain(|slot| slot.number < number));
            }
            if self.closed.is_finer_than(together) {
                self.closed.repack(|slots| take_together(slots, together));
            }
        }
        self.closed.forget_before(first);
        self.open.number = number;
        self.open.add(outcome);
    }
}

/// Joins neighbours, as if so many slots had been taken together from the start.
fn take_together(slots: &mut Vec<Slot>, together: u32) {
    for slot in slots.iter_mut() {
        slot.number -= slot.number % together;
    }
    slots.dedup_by(|next, slot| {
        let is_same = next.number == slot.number;
        if is_same {
            *slot = slot.and(next);
        }
        is_same
    });
}

// === impl Closed ===

impl Closed {
    fn push(&mut self, slot: &Slot) {
        if self.bytes.is_empty() {
            (self.before, self.last) = (slot.number, slot.number);
        }
        let mut packed = Vec::with_capacity(8 + 2 * PHASES);
        write(&mut packed, slot.number - self.last);
        write(&mut packed, u32::from(slot.probes));
        write(&mut packed, u32::from(slot.failures));
        let phases = slot.phases.iter().enumerate();
        let took = phases.filter(|(_, time)| **time != Short::default());
        let mask = took.clone().fold(0, |mask, (phase, _)| mask | (1 << phase));
        packed.push(mask);
        packed.extend(slot.max.0.to_le_bytes());
        packed.extend(took.flat_map(|(_, time)| time.0.to_le_bytes()));
        if self.bytes.capacity() - self.bytes.len() < packed.len() {
            // There are thousands of them, so that doubling would waste much.
            self.bytes.reserve_exact(packed.len().max(64));
        }
        self.bytes.append(&mut packed);
        self.last = slot.number;
    }

    fn unpack(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        let (mut bytes, mut number) = (self.bytes.iter(), self.before);
        while let Some(slot) = Slot::read(&mut bytes, number) {
            number = slot.number;
            slots.push(slot);
        }
        slots
    }

    fn repack(&mut self, change: impl FnOnce(&mut Vec<Slot>)) {
        let mut slots = self.unpack();
        change(&mut slots);
        *self = Self::default();
        for slot in &slots {
            self.push(slot);
        }
    }

    fn forget_before(&mut self, first: u32) {
        let mut bytes = self.bytes.iter();
        let (mut before, mut left) = (self.before, bytes.len());
        while let Some(slot) = Slot::read(&mut bytes, before).filter(|slot| slot.number < first) {
            (before, left) = (slot.number, bytes.len());
        }
        self.before = before;
        self.bytes.drain(..self.bytes.len() - left);
    }

    fn is_finer_than(&self, together: u32) -> bool {
        together > 1 && self.unpack().iter().any(|slot| slot.number % together > 0)
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
        self.max = self.max.max(in_micros(outcome.duration));
        for timing in outcome.timings.iter() {
            let mut phases = self.phases.iter_mut().zip(Phase::OF_PROBE);
            if let Some((sum, _)) = phases.find(|(_, phase)| *phase == timing.step.phase) {
                *sum += in_micros(timing.elapsed);
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "to a thousandth is enough, and there are thousands of them"
)]
fn in_micros(duration: Duration) -> f32 {
    (duration.as_secs_f64() * 1e6) as f32
}

// === impl Slot ===

impl Slot {
    fn of(sum: &Sum) -> Self {
        let succeeded = f32::from((sum.probes - sum.failures).max(1));
        Self {
            number: sum.number,
            probes: sum.probes,
            failures: sum.failures,
            max: Short::of_micros(sum.max),
            phases: sum.phases.map(|sum| Short::of_micros(sum / succeeded)),
        }
    }

    /// This one with the next, as one slot.
    fn and(&self, next: &Self) -> Self {
        let mut sum = Sum {
            number: self.number,
            ..Sum::default()
        };
        for slot in [self, next] {
            let succeeded = f32::from(slot.probes - slot.failures);
            sum.probes = sum.probes.saturating_add(slot.probes);
            sum.failures = sum.failures.saturating_add(slot.failures);
            sum.max = sum.max.max(in_micros(slot.max.into()));
            for (sum, mean) in sum.phases.iter_mut().zip(slot.phases) {
                *sum += in_micros(mean.into()) * succeeded;
            }
        }
        Self::of(&sum)
    }

    /// The next one, behind one of this number; `None` at the end.
    fn read<'a>(bytes: &mut impl Iterator<Item = &'a u8>, number: u32) -> Option<Self> {
        let number = number + read(bytes)?;
        let mut count = || Some(u16::try_from(read(bytes)?).unwrap_or(u16::MAX));
        let (probes, failures) = (count()?, count()?);
        let mask = *bytes.next()?;
        let mut time = || Some(Short(u16::from_le_bytes([*bytes.next()?, *bytes.next()?])));
        let max = time()?;
        let mut phases = [Short::default(); PHASES];
        for (phase, kept) in phases.iter_mut().enumerate() {
            if mask & (1 << phase) > 0 {
                *kept = time()?;
            }
        }
        Some(Self {
            number,
            probes,
            failures,
            max,
            phases,
        })
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

/// Seven bits a byte.
fn write(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn read<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<u32> {
    let mut value = 0;
    for place in 0..5 {
        let byte = bytes.next()?;
        value |= u32::from(byte & 0x7f) << (place * 7);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value)
}

// === impl Short ===

const BITS: u32 = 11;

/// In microseconds: what is longer is this long.
const LONGEST: u64 = 1 << 40;

impl Short {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of times; what does not fit becomes the nearest that does"
    )]
    fn of_micros(micros: f32) -> Self {
        let micros = (micros.round() as u64).min(LONGEST);
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
            let kept: Duration = Short::of_micros(in_micros(Duration::from_micros(micros))).into();
            let kept = u64::try_from(kept.as_micros()).unwrap();
            assert!(kept.abs_diff(micros) <= micros / 1_000, "{micros}: {kept}");
        }
        let longest: Duration = Short::of_micros(in_micros(Duration::MAX)).into();
        assert_eq!(longest, Duration::from_micros(1 << 40));
    }

    fn slot(number: u32, probes: u16, micros: f32) -> Slot {
        let mut phases = [0.0; PHASES];
        phases[1] = micros * f32::from(probes);
        Slot::of(&Sum {
            number,
            probes,
            failures: 0,
            max: micros,
            phases,
        })
    }

    #[test]
    fn packed_slots_come_back_as_they_were() {
        let slots = [slot(9, 1, 5.0), slot(10, 300, 2_000.0), slot(500, 7, 0.0)];
        let mut closed = Closed::default();
        for slot in &slots {
            closed.push(slot);
        }
        assert_eq!(closed.unpack(), slots);
        assert!(closed.bytes.len() < 3 * 12, "{}", closed.bytes.len());
        closed.forget_before(10);
        assert_eq!(closed.unpack(), slots[1..]);
        closed.forget_before(501);
        assert_eq!(closed.unpack(), []);
    }

    #[test]
    fn slots_taken_together_have_the_mean_of_all() {
        let mut slots = vec![slot(7, 1, 10.0), slot(8, 1, 100.0), slot(11, 3, 20.0)];
        take_together(&mut slots, 4);
        assert_eq!(
            slots,
            [slot(4, 1, 10.0), {
                let mut joined = slot(8, 4, 40.0);
                joined.max = Short::of_micros(100.0);
                joined
            }]
        );
    }
}
