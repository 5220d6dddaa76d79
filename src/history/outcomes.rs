//! Outcomes of a check as they are handed out: unpacked when somebody looks at them one by one, and not before.

use std::ops::Deref;
use std::slice;
use std::sync::{Arc, OnceLock};

use super::ring::{Ring, Shapes, micros_since_1970};
use crate::outcome::Outcome;

/// Some last outcomes of a check, oldest first. How many there are, and the latest, costs nothing; everything else
/// unpacks them all.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    ring: Arc<Ring>,
    /// Failures with their details, where the ring has none.
    detailed: Option<Arc<Ring>>,
    whole: Vec<Arc<Outcome>>,
    unpacked: OnceLock<Vec<Arc<Outcome>>>,
}

/// The same as they are kept: packed, and the last few as they are.
#[derive(Debug)]
pub(super) struct Packed {
    ring: Arc<Ring>,
    whole: Vec<Arc<Outcome>>,
}

/// How many are kept, packed and whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) most: usize,
    pub(super) whole: usize,
}

// === impl Outcomes ===

impl Outcomes {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of them are failures.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.ring.failed()
    }

    /// The latest.
    #[must_use]
    pub fn latest(&self) -> Option<&Arc<Outcome>> {
        self.whole.last()
    }

    /// Failures that have more than these stand in for them.
    pub(super) fn with_details(mut self, failures: &Self) -> Self {
        self.detailed = Some(Arc::clone(&failures.ring));
        let latest = self.whole.pop();
        self.whole.clone_from(&failures.whole);
        self.whole.extend(latest);
        self
    }

    fn unpack(&self) -> Vec<Arc<Outcome>> {
        let unpack = |ring: &Ring| ring.unpack().into_iter().map(Arc::new);
        let mut outcomes: Vec<Arc<Outcome>> = unpack(&self.ring).collect();
        let detailed = self.detailed.iter().flat_map(|ring| unpack(ring));
        for better in detailed.chain(self.whole.iter().map(Arc::clone)) {
            let start = micros_since_1970(better.started);
            let mut newest_first = outcomes.iter_mut().rev();
            if let Some(packed) = newest_first.find(|one| micros_since_1970(one.started) == start) {
                *packed = better;
            }
        }
        outcomes
    }
}

impl Deref for Outcomes {
    type Target = [Arc<Outcome>];

    fn deref(&self) -> &Self::Target {
        self.unpacked.get_or_init(|| self.unpack())
    }
}

impl<'a> IntoIterator for &'a Outcomes {
    type Item = &'a Arc<Outcome>;
    type IntoIter = slice::Iter<'a, Arc<Outcome>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

// === impl Packed ===

impl Packed {
    /// With the first outcome; failures with their details, where they are wanted.
    pub(super) fn of(outcome: &Arc<Outcome>, room: Room, details: bool, shapes: &Shapes) -> Self {
        let mut packed = Self {
            ring: Arc::default(),
            whole: Vec::new(),
        };
        packed.push(outcome, room, details, shapes);
        packed
    }

    /// Adds an outcome; the oldest leave when there is no more room.
    pub(super) fn push(
        &mut self,
        outcome: &Arc<Outcome>,
        room: Room,
        details: bool,
        shapes: &Shapes,
    ) {
        Arc::make_mut(&mut self.ring).push(outcome, room.most, details, shapes);
        let too_many = (self.whole.len() + 1).saturating_sub(room.whole.max(1));
        self.whole.drain(..too_many);
        self.whole.reserve_exact(1);
        self.whole.push(Arc::clone(outcome));
    }

    pub(super) fn latest(&self) -> Option<&Arc<Outcome>> {
        self.whole.last()
    }

    /// As of now; what comes later does not change it.
    pub(super) fn outcomes(&self) -> Outcomes {
        Outcomes {
            ring: Arc::clone(&self.ring),
            detailed: None,
            whole: self.whole.clone(),
            unpacked: OnceLock::new(),
        }
    }
}
