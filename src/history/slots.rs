//! Time in slots of equal width, each with how long a check succeeded and failed. Neighbours that are equal are kept
//! once: a check that always succeeds takes a few bytes for a month.

use serde::{Deserialize, Serialize};

/// In so many parts is a slot measured, which fit two bytes.
const PARTS: u64 = 60_000;

/// From one time to another, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) until: u64,
}

/// The last slots.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Slots {
    /// Of one slot, in milliseconds.
    width: u32,
    /// How many are kept.
    most: u32,
    /// How many there are.
    kept: u32,
    /// The number of the slot after the last, counted from 1970.
    next: u64,
    runs: Vec<Run>,
}

/// So many equal slots: how many parts of each it succeeded and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Run(u16, Slot);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Slot(u16, u16);

// === impl Span ===

impl Span {
    pub(super) fn length(self) -> u64 {
        self.until.saturating_sub(self.from)
    }

    pub(super) fn overlap(self, other: Self) -> u64 {
        let until = self.until.min(other.until);
        until.saturating_sub(self.from.max(other.from))
    }
}

// === impl Slots ===

impl Slots {
    pub(super) fn new(width: u32, most: u32) -> Self {
        Self {
            width,
            most,
            kept: 0,
            next: 0,
            runs: Vec::new(),
        }
    }

    /// So it was in a span that begins where the last one ended, or later.
    pub(super) fn add(&mut self, span: Span, succeeded: bool) {
        let last = (span.until - 1) / self.width();
        let first = (span.from / self.width()).max(last.saturating_sub(u64::from(self.most)));
        for number in first..=last {
            self.reach(number);
            let start = number * self.width();
            // Parts as seen from the slot's start, so that many small spans lose nothing to rounding.
            let part =
                |at: u64| (at.clamp(start, start + self.width()) - start) * PARTS / self.width();
            let parts = u16::try_from(part(span.until) - part(span.from)).unwrap_or(u16::MAX);
            let mut slot = self.pop().unwrap_or_default();
            let side = if succeeded { &mut slot.0 } else { &mut slot.1 };
            *side = side.saturating_add(parts);
            self.push(1, slot);
        }
    }

    /// How many milliseconds it succeeded and failed in a span. Of a slot that lies in it in part, the part counts;
    /// the last slot ends where it is written to so far.
    pub(super) fn in_span(&self, span: Span, written: u64) -> (u64, u64) {
        let (mut succeeded, mut failed) = (0, 0);
        let mut number = self.next - u64::from(self.kept);
        for Run(count, slot) in &self.runs {
            let end = number + u64::from(*count);
            let whole = Span {
                from: number * self.width(),
                until: end * self.width(),
            };
            if whole.overlap(span) > 0 && *slot != Slot::default() {
                let first = number.max(span.from / self.width());
                let last = end.min(span.until.div_ceil(self.width()));
                for number in first..last {
                    let start = number * self.width();
                    let slot_span = Span {
                        from: start,
                        until: (start + self.width()).min(written.max(start + 1)),
                    };
                    let overlap = slot_span.overlap(span);
                    let share = |parts: u16| {
                        let millis = u64::from(parts) * self.width() / PARTS;
                        millis * overlap / slot_span.length()
                    };
                    succeeded += share(slot.0);
                    failed += share(slot.1);
                }
            }
            number = end;
        }
        (succeeded, failed)
    }

    /// The clock was set back to this time: the slots after it are of another time.
    pub(super) fn forget_from(&mut self, at: u64) {
        while self.kept > 0 && self.next > at / self.width() {
            self.pop();
        }
        if self.kept == 0 {
            self.next = 0;
        }
    }

    /// Whether it is as this program writes it.
    pub(super) fn is_sound(&self, as_new: &Self) -> bool {
        let kept: u64 = self.runs.iter().map(|run| u64::from(run.0)).sum();
        let parts = |slot: Slot| u64::from(slot.0) + u64::from(slot.1);
        (self.width, self.most) == (as_new.width, as_new.most)
            && kept == u64::from(self.kept)
            && kept <= u64::from(self.most)
            && kept <= self.next
            && self.next < (1 << 53) / self.width()
            && self
                .runs
                .iter()
                .all(|run| run.0 > 0 && parts(run.1) <= PARTS)
    }

    fn width(&self) -> u64 {
        u64::from(self.width)
    }

    /// Makes this slot the last one.
    fn reach(&mut self, number: u64) {
        if self.kept == 0 {
            self.next = number;
        }
        let missing = (number + 1).saturating_sub(self.next);
        if missing > u64::from(self.most) {
            self.runs.clear();
            self.kept = 0;
            self.next = number;
        }
        let missing = (number + 1).saturating_sub(self.next);
        if missing > 0 {
            // No more than the most, which are few.
            self.push(u16::try_from(missing).unwrap_or(u16::MAX), Slot::default());
        }
    }

    fn push(&mut self, count: u16, slot: Slot) {
        self.next += u64::from(count);
        self.kept += u32::from(count);
        match self.runs.last_mut() {
            Some(run) if run.1 == slot => run.0 += count,
            _ => self.runs.push(Run(count, slot)),
        }
        while self.kept > self.most
            && let Some(oldest) = self.runs.first_mut()
        {
            oldest.0 -= 1;
            self.kept -= 1;
            if oldest.0 == 0 {
                self.runs.remove(0);
            }
        }
    }

    fn pop(&mut self) -> Option<Slot> {
        let run = self.runs.last_mut()?;
        let slot = run.1;
        run.0 -= 1;
        if run.0 == 0 {
            self.runs.pop();
        }
        self.next -= 1;
        self.kept -= 1;
        Some(slot)
    }
}
