//! How long, how fast, with which faults, and which program.

use std::collections::hash_map::RandomState;
use std::env;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::str::FromStr;
use std::time::Duration;

/// What the environment can set.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) length: Duration,
    /// Checks, and so probes a second.
    pub(super) rate: usize,
    /// Decides which faults come when.
    pub(super) seed: u64,
    pub(super) program: String,
}

impl Settings {
    pub(super) fn of_environment() -> Self {
        let any_seed = RandomState::new().build_hasher().finish();
        let length: u64 = set_to("SOAK_SECONDS").unwrap_or(120);
        let rate = set_to("SOAK_RATE").unwrap_or(40);
        assert!(length >= 60, "SOAK_SECONDS is too short to see anything");
        assert!(
            rate >= 20,
            "SOAK_RATE must be 20 to have every kind of check"
        );
        Self {
            length: Duration::from_secs(length),
            rate,
            seed: set_to("SOAK_SEED").unwrap_or(any_seed),
            program: set_to("SOAK_PROGRAM")
                .unwrap_or_else(|| env!("CARGO_BIN_EXE_reachd").to_owned()),
        }
    }

    /// How long nothing is judged: memory is still taken for the first time.
    pub(super) fn warm_up(&self) -> Duration {
        self.length / 6
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rate) = (self.length.as_secs(), self.rate);
        let (seed, program) = (self.seed, &self.program);
        write!(
            f,
            "SOAK_SECONDS={seconds} SOAK_RATE={rate} SOAK_SEED={seed} SOAK_PROGRAM={program}"
        )
    }
}

fn set_to<T: FromStr>(name: &str) -> Option<T> {
    let value = env::var(name).ok()?;
    let Ok(value) = value.parse() else {
        panic!("{name} is {value:?}");
    };
    Some(value)
}

/// Numbers that look random and are always the same for a seed (`SplitMix64`).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of these.
    pub(super) fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        let count = u64::try_from(from.len()).unwrap();
        from[usize::try_from(self.next() % count).unwrap()]
    }

    /// A time from the one to the other.
    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let steps = 1000;
        let step = u32::try_from(self.next() % (steps + 1)).unwrap();
        let more = most.saturating_sub(least);
        least + more * step / u32::try_from(steps).unwrap()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
