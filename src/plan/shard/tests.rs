use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::endpoint::Origin;
use crate::plan::{Check, fixture};

fn key(number: usize) -> CheckKey {
    CheckKey {
        service: format!("service-{}", number % 7),
        endpoint: format!("endpoint-{number}"),
        route: ["direct", "corp"][number % 2].to_owned(),
    }
}

fn shards(count: u64) -> Vec<Shard> {
    (0..count)
        .map(|index| Shard::new(index, count).unwrap())
        .collect()
}

/// Which shard runs a check; exactly one does.
fn owner(key: &CheckKey, shards: &[Shard]) -> u16 {
    let mut owners = shards.iter().filter(|shard| shard.runs(key));
    let owner = owners
        .next()
        .unwrap_or_else(|| panic!("nobody runs {key:?}"));
    assert_eq!(owners.next(), None, "{key:?} is run twice");
    owner.index()
}

proptest! {
    #[test]
    fn each_check_is_run_exactly_once(
        service in ".{0,12}",
        endpoint in ".{0,40}",
        route in "[a-z]{1,8}",
        count in 1_u64..=40,
    ) {
        let key = CheckKey { service, endpoint, route };
        let owner = owner(&key, &shards(count));
        // One more shard takes it, or leaves it where it is.
        let next = self::owner(&key, &shards(count + 1));
        prop_assert!(next == owner || u64::from(next) == count);
    }
}

#[test]
fn a_fourth_shard_takes_about_a_quarter_from_all_three() {
    const CHECKS: usize = 6_000;
    let (three, four) = (shards(3), shards(4));
    let mut moved = HashMap::new();
    let mut sizes = HashMap::new();
    for number in 0..CHECKS {
        let key = key(number);
        let (before, after) = (owner(&key, &three), owner(&key, &four));
        *sizes.entry(before).or_insert(0) += 1;
        if before != after {
            assert_eq!(after, 3, "{key:?} moved between old shards");
            *moved.entry(before).or_insert(0) += 1;
        }
    }
    let near = |count: usize, expected: usize| count.abs_diff(expected) * 10 < expected;
    for index in 0..3 {
        assert!(near(sizes[&index], CHECKS / 3), "{sizes:?}");
    }
    assert!(near(moved.values().sum(), CHECKS / 4), "{moved:?}");
    assert!(
        moved
            .values()
            .all(|count| near(*count, CHECKS / 12) || count.abs_diff(CHECKS / 12) < 60),
        "{moved:?}"
    );
}

#[test]
fn who_runs_what_never_changes() {
    let owners: Vec<u16> = (0..12)
        .map(|number| owner(&key(number), &shards(5)))
        .collect();
    // From another implementation of what docs/sharding.md says.
    assert_eq!(owners, [1, 4, 0, 1, 1, 3, 3, 0, 2, 1, 0, 2]);
}

#[test]
fn there_are_no_odd_shards() {
    let cases = [
        (0, 0, "the count of shards is 0: there is at least 1"),
        (
            3,
            3,
            "the index of the shard is 3, and the count 3: indexes go from 0 to 2",
        ),
        (
            1 << 40,
            2,
            "the index of the shard is 1099511627776, and the count 2: indexes go from 0 to 1",
        ),
        (
            0,
            1025,
            "the count of shards is 1025: there are at most 1024",
        ),
        (
            0,
            1 << 40,
            "the count of shards is 1099511627776: there are at most 1024",
        ),
    ];
    for (index, count, words) in cases {
        assert_eq!(Shard::new(index, count).unwrap_err().to_string(), words);
    }
    assert_eq!(Shard::new(2, 3).unwrap().to_string(), "shard 2 of 3");
}

#[test]
fn what_was_found_stays_with_whom_it_was_found_by() {
    let checks: Vec<_> = (0..40)
        .map(|number| fixture::check("site", &format!("e{number}"), "https://a.example/"))
        .collect();
    let mut endpoint = (*fixture::check("site", "pki", "http://pki.example/").endpoint).clone();
    endpoint.origin = Origin::Certificate;
    let found = Arc::new(Check {
        endpoint: Arc::new(endpoint),
        ..Check::clone(&checks[0])
    });
    let plan = fixture::plan(checks.iter().chain([&found]));
    let of_shards: Vec<Plan> = shards(3)
        .into_iter()
        .map(|shard| plan.clone().of_shard(shard))
        .collect();
    let counts = of_shards.iter().map(|plan| plan.checks.len());
    assert_eq!(counts.sum::<usize>(), 40 + 3);
    assert!(of_shards.iter().all(|plan| plan.derived() == 1));
}
