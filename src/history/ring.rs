//! The last outcomes of a check, packed: about 15 bytes each while they look alike, where an `Outcome` takes half a
//! kilobyte and more. What was seen is left out, and times are cut to microseconds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::outcome::{Failure, NotRun, Observed, Outcome, Step, Timings};
use crate::route::Via;

/// Never more than this, however long the outcomes are.
const MOST_BYTES: usize = 4_096;

/// Outcomes, oldest first. Of each: by how much its start missed its turn, and whether its shape is the next one; by how
/// much its duration differs from the sum of its steps; and the time of each step of its shape. All in microseconds,
/// seven bits a byte.
#[derive(Debug, Clone, Default)]
pub(super) struct Ring {
    bytes: VecDeque<u8>,
    count: u16,
    failed: u16,
    /// Before the first.
    before: Turn,
    last: Turn,
    /// One for the first outcome, and one for each that differs from its predecessor.
    shapes: VecDeque<Arc<Shape>>,
}

/// The start of an outcome, and how long after the one before it came: so is the next one expected.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    start: u64,
    /// Less than nothing where a clock was set back, as all numbers here: they wrap around.
    pace: u64,
}

/// What outcomes look like, kept once for all checks.
#[derive(Debug, Default)]
pub(super) struct Shapes(Mutex<Vec<Arc<Shape>>>);

/// Among more different ones it is not looked.
const MOST_SHAPES: usize = 64;

/// What outcomes that look alike have in common.
#[derive(Debug, PartialEq)]
struct Shape {
    via: Via,
    result: Result<(), Failure>,
    steps: Box<[Step]>,
    not_run: Box<[NotRun]>,
    warnings: Box<[Failure]>,
}

/// What a number takes, seven bits a byte.
const MOST_OF_A_NUMBER: usize = 10;

// === impl Ring ===

impl Ring {
    pub(super) fn len(&self) -> usize {
        self.count.into()
    }

    pub(super) fn failed(&self) -> usize {
        self.failed.into()
    }

    /// Adds one, with the details of what failed or without; the oldest leave when there are more than so many.
    pub(super) fn push(&mut self, outcome: &Outcome, most: usize, details: bool, known: &Shapes) {
        let start = micros_since_1970(outcome.started);
        if self.count == 0 {
            self.last = Turn { start, pace: 0 };
            self.before = self.last;
        }
        let same = self
            .shapes
            .back()
            .is_some_and(|last| last.is_of(outcome, details));
        if !same {
            let mut own = self.shapes.iter();
            let shape = own.find(|shape| shape.is_of(outcome, details));
            let shape = shape.map_or_else(|| known.of(outcome, details), Arc::clone);
            self.shapes.reserve_exact(1);
            self.shapes.push_back(shape);
        }
        let missed_by = zigzag(start.wrapping_sub(self.last.expected()));
        self.write((missed_by << 1) | u64::from(!same));
        let steps: u64 = outcome
            .timings
            .iter()
            .map(|timing| micros(timing.elapsed))
            .fold(0, u64::wrapping_add);
        self.write(zigzag(micros(outcome.duration).wrapping_sub(steps)));
        for timing in outcome.timings.iter() {
            self.write(micros(timing.elapsed));
        }
        self.last = self.last.next(start);
        self.count += 1;
        self.failed += u16::from(outcome.result.is_err());
        while self.count > 1 && (self.len() > most || self.bytes.len() > MOST_BYTES) {
            self.pop();
        }
    }

    /// All of them, oldest first.
    pub(super) fn unpack(&self) -> Vec<Outcome> {
        let mut bytes = self.bytes.iter();
        let (mut turn, mut shapes) = (self.before, self.shapes.iter());
        let mut shape = shapes.next();
        let mut outcomes = Vec::with_capacity(self.len());
        for number in 0..self.count {
            let (start, is_next) = turn.read(&mut bytes);
            turn = turn.next(start);
            if is_next && number > 0 {
                shape = shapes.next();
            }
            let Some(shape) = shape else { break };
            let mut duration = unzigzag(read(&mut bytes));
            let mut timings = Timings::default();
            for step in &shape.steps {
                let micros = read(&mut bytes);
                duration = duration.wrapping_add(micros);
                timings.add(*step, Duration::from_micros(micros));
            }
            let duration = Duration::from_micros(duration);
            outcomes.push(shape.outcome(start, duration, timings));
        }
        outcomes
    }

    fn pop(&mut self) {
        let Some(shape) = self.shapes.front().map(Arc::clone) else {
            return;
        };
        let mut bytes = self.bytes.iter();
        let whole = bytes.len();
        let (start, _) = self.before.read(&mut bytes);
        self.before = self.before.next(start);
        for _ in 0..=shape.steps.len() {
            read(&mut bytes);
        }
        let taken = whole - bytes.len();
        let (_, is_next) = self.before.read(&mut bytes);
        self.bytes.drain(..taken);
        self.count -= 1;
        self.failed -= u16::from(shape.result.is_err());
        if is_next {
            self.shapes.pop_front();
        }
    }

    fn write(&mut self, mut value: u64) {
        if self.bytes.capacity() - self.bytes.len() <= MOST_OF_A_NUMBER {
            // There are thousands of rings, so that doubling would waste much.
            self.bytes.reserve_exact(32);
        }
        while value >= 0x80 {
            self.bytes.push_back(seven_bits(value) | 0x80);
            value >>= 7;
        }
        self.bytes.push_back(seven_bits(value));
    }
}

// === impl Turn ===

impl Turn {
    fn expected(self) -> u64 {
        self.start.wrapping_add(self.pace)
    }

    fn next(self, start: u64) -> Self {
        Self {
            start,
            pace: start.wrapping_sub(self.start),
        }
    }

    /// The start of the outcome after this one, and whether it has the next shape.
    fn read<'a>(self, bytes: &mut impl Iterator<Item = &'a u8>) -> (u64, bool) {
        let written = read(bytes);
        let missed_by = unzigzag(written >> 1);
        (self.expected().wrapping_add(missed_by), written & 1 == 1)
    }
}

// === impl Shapes ===

impl Shapes {
    /// Such as details of failures are in are nobody else's.
    fn of(&self, outcome: &Outcome, details: bool) -> Arc<Shape> {
        let is_own = !outcome.warnings.is_empty() || (details && outcome.result.is_err());
        if is_own {
            return Arc::new(Shape::of(outcome, details));
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|known| known.is_of(outcome, details)) {
            return Arc::clone(known);
        }
        let shape = Arc::new(Shape::of(outcome, details));
        if all.len() < MOST_SHAPES {
            all.push(Arc::clone(&shape));
        }
        shape
    }
}

// === impl Shape ===

impl Shape {
    /// Without the details of what failed, where nobody needs them.
    fn of(outcome: &Outcome, details: bool) -> Self {
        let without_details = |failure: &Failure| Failure {
            detail: String::new(),
            ..*failure
        };
        Self {
            via: outcome.via,
            result: match &outcome.result {
                Err(failure) if !details => Err(without_details(failure)),
                result => result.clone(),
            },
            steps: outcome.timings.iter().map(|timing| timing.step).collect(),
            not_run: outcome.not_run.as_slice().into(),
            warnings: outcome.warnings.as_slice().into(),
        }
    }

    /// Whether an outcome looks so.
    fn is_of(&self, outcome: &Outcome, details: bool) -> bool {
        let has_result = match (&self.result, &outcome.result) {
            (Err(own), Err(other)) if !details => {
                (own.reason, own.peer) == (other.reason, other.peer)
            }
            (own, other) => own == other,
        };
        let steps = outcome.timings.iter().map(|timing| timing.step);
        has_result
            && self.via == outcome.via
            && self.steps.iter().copied().eq(steps)
            && *self.not_run == *outcome.not_run
            && *self.warnings == *outcome.warnings
    }

    fn outcome(&self, start: u64, duration: Duration, timings: Timings) -> Outcome {
        Outcome {
            started: from_micros(start),
            duration,
            via: self.via,
            result: self.result.clone(),
            timings,
            not_run: self.not_run.to_vec(),
            warnings: self.warnings.to_vec(),
            observed: Observed::default(),
        }
    }
}

/// No clock goes that far, and differences of such times leave a bit to spare.
const LATEST_START: u64 = 1 << 60;

pub(super) fn micros_since_1970(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, micros).min(LATEST_START)
}

fn from_micros(micros: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_micros(micros))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A difference that may be less than nothing, small where it is small.
fn zigzag(difference: u64) -> u64 {
    let is_negative = difference >> 63;
    (difference << 1) ^ is_negative.wrapping_neg()
}

fn unzigzag(written: u64) -> u64 {
    (written >> 1) ^ (written & 1).wrapping_neg()
}

fn seven_bits(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

fn read<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> u64 {
    let mut value = 0;
    for (place, byte) in bytes.enumerate() {
        value |= u64::from(byte & 0x7f)
            .checked_shl(u32::try_from(place * 7).unwrap_or(u32::MAX))
            .unwrap_or(0);
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
