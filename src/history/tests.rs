//! What is kept, and for how long.

mod latencies;
mod outages;
mod packed;
mod stored;
mod uptime;

use super::*;
use crate::outcome::{Failure, Observed, Phase, Timings, TlsReason};
use crate::plan::fixture::{self, expired, failure, success};

fn starts(outcomes: &[Arc<Outcome>]) -> Vec<u64> {
    let since_epoch = |outcome: &Arc<Outcome>| {
        let elapsed = outcome.started.duration_since(SystemTime::UNIX_EPOCH);
        elapsed.unwrap().as_secs()
    };
    outcomes.iter().map(since_epoch).collect()
}

fn seconds(at: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(at)
}

#[test]
fn the_last_outcomes_and_failures_are_kept_and_no_more() {
    let check = fixture::check("site", "gateway", "https://gateway.example/");
    let history = History::default();
    history.planned(&fixture::plan([&check]));
    let watcher = history.watch(&check);
    for at in 0..30 {
        watcher.observed(&expired(at));
    }
    for at in 30..130 {
        watcher.observed(&success(at));
    }
    let known = history.of(&check.key()).unwrap();
    assert_eq!(starts(&known.recent), (70..130).collect::<Vec<_>>());
    assert_eq!(starts(&known.failures), (10..30).collect::<Vec<_>>());
    assert_eq!(starts(&[Arc::clone(known.latest().unwrap())]), [129]);
    assert_eq!(known.since, Some(seconds(30)));
}

/// Those of the outcomes that still have what was seen, by their start.
fn with_evidence(outcomes: &[Arc<Outcome>]) -> Vec<u64> {
    let whole = |outcome: &&Arc<Outcome>| outcome.observed != Observed::default();
    starts(
        &outcomes
            .iter()
            .filter(whole)
            .map(Arc::clone)
            .collect::<Vec<_>>(),
    )
}

/// An expired certificate, with what else was seen.
fn expired_with_evidence(at: u64) -> Arc<Outcome> {
    let mut outcome = (*expired(at)).clone();
    outcome.observed = success(at).observed.clone();
    Arc::new(outcome)
}

#[test]
fn what_was_seen_is_kept_of_the_latest_and_of_the_last_failures() {
    let check = fixture::check("site", "gateway", "https://gateway.example/");
    let history = History::default();
    history.planned(&fixture::plan([&check]));
    let watcher = history.watch(&check);
    let known = || history.of(&check.key()).unwrap();

    for at in 0..3 {
        watcher.observed(&success(at));
    }
    assert_eq!(with_evidence(&known().recent), [2]);

    for at in 3..33 {
        watcher.observed(&expired_with_evidence(at));
    }
    let last: Vec<u64> = (28..33).collect();
    assert_eq!(with_evidence(&known().recent), last);
    assert_eq!(with_evidence(&known().failures), last);

    for at in 33..40 {
        watcher.observed(&success(at));
    }
    let known = known();
    assert_eq!(with_evidence(&known.failures), last);
    assert_eq!(with_evidence(&known.recent), [last, vec![39]].concat());
    assert_eq!(known.recent[39].observed, success(39).observed);
    let without = |outcome: &Outcome| Outcome {
        observed: Observed::default(),
        ..outcome.clone()
    };
    assert_eq!(*known.recent[33], without(&success(33)), "the rest is kept");
    assert_eq!(*known.recent[13], without(&expired(13)), "the rest is kept");
    let (kept, former) = (&known.recent[12].result, &expired(12).result);
    let detail = |result: &Result<(), Failure>| result.clone().unwrap_err().detail;
    assert_eq!(
        (detail(kept), detail(former).is_empty()),
        (String::new(), false)
    );
    assert_eq!(
        *known.failures[0],
        without(&expired(13)),
        "the rest is kept"
    );
    assert_eq!((known.recent.len(), known.recent.failed()), (40, 30));
}

#[test]
fn since_is_the_start_of_the_present_state() {
    let check = fixture::check("site", "gateway", "https://gateway.example/");
    let history = History::default();
    history.planned(&fixture::plan([&check]));
    let watcher = history.watch(&check);
    let since = || history.of(&check.key()).unwrap().since;

    assert_eq!(since(), None);
    let steps = [
        (success(1), 1),
        (success(2), 1),
        (expired(3), 3),
        (expired(4), 3),
        (failure(5, TlsReason::Timeout), 5),
        (success(6), 6),
    ];
    for (outcome, expected) in steps {
        watcher.observed(&outcome);
        assert_eq!(since(), Some(seconds(expected)));
    }
}

#[test]
fn a_new_plan_keeps_what_did_not_change() {
    let kept = fixture::check("site", "kept", "https://kept.example/");
    let changed = fixture::check("site", "changed", "https://before.example/");
    let gone = fixture::check("site", "gone", "https://gone.example/");
    let history = History::default();
    history.planned(&fixture::plan([&changed, &gone, &kept]));
    let watchers = [&changed, &gone, &kept].map(|check| history.watch(check));
    for watcher in &watchers {
        watcher.observed(&success(1));
    }

    let same = fixture::check("site", "kept", "https://kept.example/");
    let after = fixture::check("site", "changed", "https://after.example/");
    history.planned(&fixture::plan([&after, &same]));
    for watcher in &watchers {
        watcher.observed(&success(2));
    }

    let known = history.snapshot();
    let names: Vec<&str> = known
        .iter()
        .map(|one| one.check.endpoint.name.as_str())
        .collect();
    assert_eq!(names, ["changed", "kept"]);
    assert!(known[0].recent.is_empty() && known[0].since.is_none());
    assert_eq!(known[0].check, after);
    assert_eq!(starts(&known[1].recent), [1, 2]);
    assert!(history.of(&gone.key()).is_none());
}

#[test]
fn ready_once_each_check_has_an_outcome() {
    let first = fixture::check("site", "first", "https://first.example/");
    let second = fixture::check("site", "second", "https://second.example/");
    let history = History::default();
    assert!(!history.is_ready(), "no plan yet");
    history.planned(&fixture::plan([&first, &second]));
    assert!(!history.is_ready());
    history.watch(&first).observed(&success(1));
    assert!(!history.is_ready());
    history.watch(&second).abandoned(false);
    assert!(!history.is_ready());
    history.watch(&second).observed(&expired(2));
    assert!(history.is_ready());
}

#[test]
fn nothing_to_wait_for_is_ready() {
    let history = History::default();
    history.planned(&fixture::plan([]));
    assert!(history.is_ready());
}

#[test]
fn ready_stays_ready_over_reloads_and_nobody_need_have_asked() {
    let first = fixture::check("site", "first", "https://first.example/");
    let changed = fixture::check("site", "first", "https://changed.example/");
    let added = fixture::check("site", "added", "https://added.example/");
    let history = History::default();
    history.planned(&fixture::plan([&first]));
    history.planned(&fixture::plan([&changed]));
    assert!(!history.is_ready(), "no plan has run as a whole");
    history.watch(&changed).observed(&success(1));
    history.planned(&fixture::plan([&added, &changed]));
    assert!(history.is_ready());
    history.planned(&fixture::plan([&added, &first]));
    assert!(history.is_ready());
}

#[test]
fn the_latest_hold_is_kept_and_readiness_does_not_wait_for_one() {
    let check = fixture::with_hold(&fixture::check("site", "a", "https://a.example/"));
    let history = History::default();
    history.planned(&fixture::plan([&check]));
    let latest = || history.of(&check.key()).unwrap().hold;
    assert_eq!(latest(), None);
    history.watch(&check).observed(&success(1));
    assert!(history.is_ready());
    let watcher = history.watch(&check);
    watcher.held(&fixture::held(1));
    watcher.held(&fixture::cut(2));
    assert_eq!(latest(), Some(fixture::cut(2)));
    assert_eq!(history.of(&check.key()).unwrap().recent.len(), 1);

    // What a hold of a former definition found is no news of the present one.
    let changed = fixture::not_critical(&check);
    history.planned(&fixture::plan([&changed]));
    assert_eq!(latest(), None);
    watcher.held(&fixture::held(3));
    assert_eq!(latest(), None);
}
