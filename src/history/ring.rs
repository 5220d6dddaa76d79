//! The last outcomes of a check, packed: about 25 bytes each while they look alike, where an `Outcome` takes half a
//! kilobyte and more. What was seen is left out, and times are cut to microseconds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::outcome::{Failure, NotRun, Observed, Outcome, Step, Timings};
use crate::route::Via;

/// Never more than this, however long the outcomes are.
const MOST_BYTES: usize = 4_096;

/// Outcomes, oldest first. Each is a byte that says whether its shape is the next one, its start counted from the
/// one before, its duration, and the time of each step of its shape; all in microseconds, seven bits a byte.
#[derive(Debug, Clone, Default)]
pub(super) struct Ring {
    bytes: VecDeque<u8>,
    count: usize,
    failed: usize,
    /// From where the start of the first is counted.
    base: u64,
    /// The start of the last.
    last: u64,
    /// One for the first outcome, and one for each that differs from its predecessor.
    shapes: VecDeque<Arc<Shape>>,
}

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

const SAME: u8 = 0;
const NEXT: u8 = 1;

// === impl Ring ===

impl Ring {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn failed(&self) -> usize {
        self.failed
    }

    /// Adds one, with the details of what failed or without; the oldest leave when there are more than so many.
    pub(super) fn push(&mut self, outcome: &Outcome, most: usize, details: bool) {
        let start = micros_since_1970(outcome.started);
        if self.count == 0 {
            self.base = start;
            self.last = start;
        }
        let mut shape = Shape::of(outcome);
        if let (Err(failure), false) = (&mut shape.result, details) {
            failure.detail = String::new();
        }
        let same = self.shapes.back().is_some_and(|last| **last == shape);
        self.bytes.push_back(if same { SAME } else { NEXT });
        self.write(zigzag(start, self.last));
        self.write(micros(outcome.duration));
        for timing in outcome.timings.iter() {
            self.write(micros(timing.elapsed));
        }
        if !same {
            let known = self.shapes.iter().find(|known| ***known == shape);
            let shape = known.map_or_else(|| Arc::new(shape), Arc::clone);
            self.shapes.push_back(shape);
        }
        self.last = start;
        self.count += 1;
        self.failed += usize::from(outcome.result.is_err());
        while self.count > 1 && (self.count > most || self.bytes.len() > MOST_BYTES) {
            self.pop();
        }
    }

    /// All of them, oldest first.
    pub(super) fn unpack(&self) -> Vec<Outcome> {
        let mut bytes = self.bytes.iter();
        let (mut start, mut shapes) = (self.base, self.shapes.iter());
        let mut shape = shapes.next();
        let mut outcomes = Vec::with_capacity(self.count);
        for number in 0..self.count {
            if bytes.next() == Some(&NEXT) && number > 0 {
                shape = shapes.next();
            }
            let Some(shape) = shape else { break };
            start = unzigzag(read(&mut bytes), start);
            let duration = Duration::from_micros(read(&mut bytes));
            let mut timings = Timings::default();
            for step in &shape.steps {
                timings.add(*step, Duration::from_micros(read(&mut bytes)));
            }
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
        bytes.next();
        self.base = unzigzag(read(&mut bytes), self.base);
        for _ in 0..=shape.steps.len() {
            read(&mut bytes);
        }
        let taken = whole - bytes.len();
        self.bytes.drain(..taken);
        self.count -= 1;
        self.failed -= usize::from(shape.result.is_err());
        if self.bytes.front() == Some(&NEXT) {
            self.shapes.pop_front();
        }
    }

    fn write(&mut self, mut value: u64) {
        if self.bytes.capacity() - self.bytes.len() <= MOST_OF_A_NUMBER {
            // There are thousands of rings, so that doubling would waste much.
            self.bytes.reserve_exact(64);
        }
        while value >= 0x80 {
            self.bytes.push_back(seven_bits(value) | 0x80);
            value >>= 7;
        }
        self.bytes.push_back(seven_bits(value));
    }
}

// === impl Shape ===

impl Shape {
    fn of(outcome: &Outcome) -> Self {
        Self {
            via: outcome.via,
            result: outcome.result.clone(),
            steps: outcome.timings.iter().map(|timing| timing.step).collect(),
            not_run: outcome.not_run.as_slice().into(),
            warnings: outcome.warnings.as_slice().into(),
        }
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

pub(super) fn micros_since_1970(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, micros)
}

fn from_micros(micros: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_micros(micros))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The difference to a former value, which may be less than nothing, small where it is small: for a clock that is
/// set back.
fn zigzag(value: u64, former: u64) -> u64 {
    if value >= former {
        (value - former) << 1
    } else {
        ((former - value) << 1) | 1
    }
}

fn unzigzag(difference: u64, former: u64) -> u64 {
    if difference & 1 == 0 {
        former.saturating_add(difference >> 1)
    } else {
        former.saturating_sub(difference >> 1)
    }
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
