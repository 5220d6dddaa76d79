//! Packed outcomes come back as they were, whatever they look like.

use super::*;
use crate::history::outcomes::{Packed, Room};
use crate::history::ring::Shapes;
use crate::outcome::{ConnectReason, Failure, NotRun, Phase, Timings, WhyNotRun};
use crate::route::Via;

/// The same numbers for every run, as evenly spread as it takes.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        // Knuth's multiplier (MMIX).
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }
}

fn room(most: usize) -> Room {
    Room { most, whole: 1 }
}

/// Any outcome, with a clock that now and then goes back.
fn any(dice: &mut Dice, at: u64) -> Arc<Outcome> {
    let mut timings = Timings::default();
    for phase in Phase::OF_PROBE {
        if dice.below(3) > 0 {
            let digits = u32::try_from(dice.below(9)).unwrap();
            let micros = dice.below(10_u64.pow(digits));
            timings.add(phase.with_endpoint(), Duration::from_micros(micros));
        }
    }
    let detail = format!("attempt {}", dice.below(4));
    let back = if dice.below(5) == 0 {
        dice.below(1_000)
    } else {
        0
    };
    Arc::new(Outcome {
        started: SystemTime::UNIX_EPOCH
            + Duration::from_secs(10_000 + at - back)
            + Duration::from_micros(dice.below(1_000_000)),
        duration: timings.total(),
        via: if dice.below(2) == 0 {
            Via::Direct
        } else {
            Via::Proxy
        },
        result: match dice.below(3) {
            0 => Err(Failure::of_proxy(ConnectReason::Refused, detail)),
            1 => Err(Failure::of_endpoint(TlsReason::Expired, detail)),
            _ => Ok(()),
        },
        timings,
        not_run: vec![NotRun {
            step: Phase::Tls.with_endpoint(),
            why: WhyNotRun::PlainHttp,
        }],
        warnings: Vec::new(),
        observed: Observed::default(),
    })
}

#[test]
fn the_last_come_back_whatever_they_look_like() {
    for seed in 0..50 {
        let mut dice = Dice(seed);
        let first = any(&mut dice, 0);
        let shapes = Shapes::default();
        let mut packed = Packed::of(&first, room(10), true, &shapes);
        let mut all = vec![first];
        for number in 1..100 {
            let outcome = any(&mut dice, number * 60);
            packed.push(&outcome, room(10), true, &shapes);
            all.push(outcome);
            let outcomes = packed.outcomes();
            let last = &all[all.len().saturating_sub(10)..];
            assert_eq!(&*outcomes, last, "seed {seed}, number {number}");
            let failed = last.iter().filter(|outcome| outcome.result.is_err());
            assert_eq!(outcomes.failed(), failed.count());
            assert_eq!(outcomes.latest(), last.last());
        }
    }
}

#[test]
fn what_was_handed_out_does_not_change() {
    let shapes = Shapes::default();
    let mut packed = Packed::of(&success(1), room(2), false, &shapes);
    let before = packed.outcomes();
    packed.push(&expired(2), room(2), false, &shapes);
    packed.push(&expired(3), room(2), false, &shapes);
    assert_eq!(starts(&before), [1]);
    assert_eq!(starts(&packed.outcomes()), [2, 3]);
    assert_eq!((before.failed(), packed.outcomes().failed()), (0, 2));
}

#[test]
fn room_is_bounded_in_bytes() {
    let shapes = Shapes::default();
    let mut packed = Packed::of(&success(0), room(usize::MAX), false, &shapes);
    for number in 0..10_000 {
        // Never a turn when it is expected.
        let at = number * number * 1_000;
        packed.push(&success(at), room(usize::MAX), false, &shapes);
    }
    let kept = packed.outcomes().len();
    assert!((100..1_000).contains(&kept), "{kept} are kept");
}
