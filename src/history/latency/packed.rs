//! The slots of one window, in as few bytes as it takes: of thousands of checks each has more than a hundred.

use std::time::Duration;

use super::Latency;
use crate::outcome::{Outcome, Phase};

/// Slots that are over, packed, the oldest first: of each how far its number is from the one before, how many probes and
/// failures it has, the longest time, which phases there were, and their times.
#[derive(Debug, Default)]
pub(super) struct Closed {
    bytes: Vec<u8>,
    /// From where the number of the first is counted.
    before: u32,
    /// The number of the last.
    last: u32,
}

/// The probes of a slot that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Counted from 1970.
    pub(super) number: u32,
    pub(super) probes: u16,
    pub(super) failures: u16,
    max: Short,
    phases: [Short; PHASES],
}

/// The probes of a slot so far; there is no slot as long as there is no probe. Microseconds, exact up to some seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) number: u32,
    pub(super) probes: u16,
    pub(super) failures: u16,
    max: f32,
    phases: [f32; PHASES],
}

/// A duration in two bytes, to a thousandth: eleven bits of microseconds, and how far they are shifted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Short(u16);

const PHASES: usize = Phase::OF_PROBE.len();

// === impl Closed ===

impl Closed {
    /// Adds one, where so many slots are taken together from now on.
    pub(super) fn push(&mut self, slot: Slot, together: u32) {
        let known = || self.slots();
        if known().any(|known| known.number % together > 0 || known.number == slot.number) {
            let mut slots = self.unpack();
            slots.push(slot);
            take_together(&mut slots, together);
            self.repack(&slots);
        } else {
            self.append(&slot);
        }
    }

    fn append(&mut self, slot: &Slot) {
        if self.bytes.is_empty() {
            (self.before, self.last) = (slot.number, slot.number);
        }
        let mut packed = Vec::with_capacity(8 + 2 * PHASES);
        write(&mut packed, slot.number.saturating_sub(self.last));
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

    pub(super) fn unpack(&self) -> Vec<Slot> {
        self.slots().collect()
    }

    fn slots(&self) -> impl Iterator<Item = Slot> {
        let (mut bytes, mut number) = (self.bytes.iter(), self.before);
        std::iter::from_fn(move || {
            let slot = Slot::read(&mut bytes, number)?;
            number = slot.number;
            Some(slot)
        })
    }

    fn repack(&mut self, slots: &[Slot]) {
        *self = Self::default();
        for slot in slots {
            self.append(slot);
        }
    }

    pub(super) fn forget_from(&mut self, number: u32) {
        let mut slots = self.unpack();
        slots.retain(|slot| slot.number < number);
        self.repack(&slots);
    }

    pub(super) fn forget_before(&mut self, first: u32) {
        let mut bytes = self.bytes.iter();
        let (mut before, mut left) = (self.before, bytes.len());
        while let Some(slot) = Slot::read(&mut bytes, before).filter(|slot| slot.number < first) {
            (before, left) = (slot.number, bytes.len());
        }
        self.before = before;
        self.bytes.drain(..self.bytes.len() - left);
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

// === impl Sum ===

impl Sum {
    pub(super) fn add(&mut self, outcome: &Outcome) {
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
    pub(super) fn of(sum: &Sum) -> Self {
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

    pub(super) fn latency(&self) -> Option<Latency> {
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
            closed.push(*slot, 1);
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
