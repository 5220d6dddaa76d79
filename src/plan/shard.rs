//! One of several reachd that share the checks of one configuration. Each knows by itself which are its own: nobody
//! hands them out, and one more takes about its share from all the others and moves nothing else.

use std::fmt;
use std::num::NonZeroU16;

use thiserror::Error;

use super::{CheckKey, Plan};

/// More reachd than this share nothing.
pub const MOST_SHARDS: u16 = 1024;

/// Which of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u16,
    count: NonZeroU16,
}

/// Why there is no such shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoShard {
    /// Nobody would run the checks.
    #[error("the count of shards is 0: there is at least 1")]
    Zero,
    /// More than anybody needs.
    #[error("the count of shards is {0}: there are at most {MOST_SHARDS}")]
    TooMany(u64),
    /// The first has the index 0.
    #[error("the index of the shard is {index}, and the count {count}: indexes go from 0 to {}", .count - 1)]
    Beyond {
        /// The index asked for.
        index: u64,
        /// Of so many.
        count: u16,
    },
}

// === impl Shard ===

impl Shard {
    /// The shard of this index, counted from 0.
    ///
    /// # Errors
    /// There is none, or no index of that kind.
    pub fn new(index: u64, count: u64) -> Result<Self, NoShard> {
        let bounded = u16::try_from(count).ok();
        let bounded = bounded.filter(|bounded| *bounded <= MOST_SHARDS);
        let bounded = bounded.ok_or(NoShard::TooMany(count))?;
        let count = NonZeroU16::new(bounded).ok_or(NoShard::Zero)?;
        let beyond = NoShard::Beyond {
            index,
            count: bounded,
        };
        match u16::try_from(index) {
            Ok(index) if index < bounded => Ok(Self { index, count }),
            _ => Err(beyond),
        }
    }

    /// From 0 on.
    #[must_use]
    pub fn index(self) -> u16 {
        self.index
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u16 {
        self.count.get()
    }

    /// Whether this one runs the check, and none of the others: the one whose weight is the highest for it (rendezvous
    /// hashing).
    #[must_use]
    pub fn runs(self, key: &CheckKey) -> bool {
        let digest = key.digest();
        let owner = (0..self.count()).max_by_key(|index| weight(digest, *index));
        owner == Some(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index, self.count)
    }
}

impl Plan {
    /// What a shard runs of it: the checks that anybody can know of, where they are its own; and of those that are
    /// found while others are probed, what its own led to, for nobody else may have seen it.
    #[must_use]
    pub fn of_shard(mut self, shard: Shard) -> Self {
        self.checks.retain(|check| {
            let origin = check.endpoint.origin;
            origin.is_found() || shard.runs(&check.key())
        });
        self
    }
}

/// Between a check and a shard: `SplitMix64`, with the check's digest as its seed, at the shard's turn.
fn weight(digest: u64, index: u16) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let turn = u64::from(index) + 1;
    let mut mixed = digest.wrapping_add(STEP.wrapping_mul(turn));
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests;
