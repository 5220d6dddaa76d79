//! The protobuf format of many checks: what is written long after its length was.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::metrics::exposition::GATHERED;
use crate::plan::{HistogramMode, Plan};

/// So many that a family with one sample of each is longer than what is gathered, and one with several is longer than a
/// message may be.
const CHECKS: usize = 300;

/// What happens to the checks while they are told.
type Change = fn(&Metrics, &Plan);

fn many(url: &str) -> Plan {
    let checks: Vec<Arc<Check>> = (0..CHECKS)
        .map(|number| fixture::check("site", &format!("{number:0>1000}"), url))
        .collect();
    let mut plan = fixture::plan(&checks);
    plan.histograms.mode = HistogramMode::Service;
    plan
}

fn observe(metrics: &Metrics, checks: &[Arc<Check>], outcome: &Arc<Outcome>) {
    for check in checks {
        metrics.watch(check).observed(outcome);
    }
}

/// Half of the checks have run.
fn half(plan: &Plan) -> Metrics {
    let metrics = metrics_of(plan);
    observe(&metrics, &plan.checks[..CHECKS / 2], &success(100));
    metrics
}

/// The series of a scrape, without their values.
fn names<V>(samples: BTreeMap<String, V>) -> BTreeSet<String> {
    let names = samples.into_keys();
    names.filter(|name| !name.starts_with("process_")).collect()
}

fn as_text_now(metrics: &Metrics) -> BTreeSet<String> {
    names(samples(&scrape(metrics)))
}

/// A scrape during which something changes.
fn changed_after(pieces: usize, change: Change) -> Vec<MetricFamily> {
    let plan = many("https://gateway.example/");
    let metrics = half(&plan);
    let before = as_text_now(&metrics);
    let mut scrape = metrics.exposition(Format::Protobuf);
    let mut told: Vec<Bytes> = scrape.by_ref().take(pieces).collect();
    change(&metrics, &plan);
    told.extend(scrape);
    let after = as_text_now(&metrics);

    let messages = read(&told);
    let found = names(as_text(&messages));
    let lost: Vec<&String> = before.intersection(&after).collect();
    let lost = lost.into_iter().find(|series| !found.contains(*series));
    assert_eq!(lost, None, "after {pieces} pieces");
    let known = |series: &&String| before.contains(*series) || after.contains(*series);
    assert_eq!(found.iter().find(|series| !known(series)), None);
    messages
}

#[test]
fn a_family_longer_than_a_piece_is_told_as_a_short_one_is() {
    let plan = many("https://gateway.example/");
    let metrics = half(&plan);
    observe(&metrics, &plan.checks, &full_failure(160));
    let pieces: Vec<Bytes> = metrics.exposition(Format::Protobuf).collect();
    let messages = read(&pieces);
    let found = as_text(&messages);
    assert_eq!(names(found), as_text_now(&metrics));
    let mut long = 0;
    for (place, family) in messages.iter().enumerate() {
        let (name, length) = (family.name.as_deref(), family.encoded_len());
        assert!(family.nothing.is_empty(), "{name:?}");
        let next = messages.get(place + 1).map(|next| next.name.as_deref());
        assert!(
            next != Some(name) || length > MESSAGE,
            "{name:?} is cut off"
        );
        long += usize::from(length > GATHERED);
    }
    assert!(long > 10, "{long}");
    // A full piece is a full one.
    let short = pieces.iter().filter(|piece| piece.len() < PIECE);
    assert_eq!(short.count(), 1);
}

#[test]
fn series_may_come_and_go_after_their_length_was_told() {
    let changes: [(&str, Change); 4] = [
        ("appear", |metrics, plan| {
            observe(metrics, &plan.checks[CHECKS / 2..], &success(170));
        }),
        ("are others", |metrics, plan| {
            observe(metrics, &plan.checks, &full_failure(160));
        }),
        ("vanish", |metrics, _| {
            metrics.planned(&many("https://other.example/"));
        }),
        ("are longer by a byte or two", |metrics, plan| {
            let mut later = (*success(100)).clone();
            later.duration = Duration::from_nanos(999_999_999);
            observe(metrics, &plan.checks[..CHECKS / 2], &Arc::new(later));
        }),
    ];
    for (name, change) in changes {
        let mut filled = 0;
        for pieces in [6, 15] {
            let messages = changed_after(pieces, change);
            filled += messages.iter().filter(|it| !it.nothing.is_empty()).count();
        }
        assert!(filled > 0, "nothing changed where series {name}");
    }
}

#[test]
fn a_long_scrape_is_sound_while_probes_end() {
    let plan = many("https://gateway.example/");
    let metrics = half(&plan);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let outcomes = [success(100), full_failure(160), success(180)];
            for outcome in outcomes.iter().cycle() {
                for check in &plan.checks {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    metrics.watch(check).observed(outcome);
                }
            }
        });
        let of_all: Vec<Vec<Bytes>> = (0..3)
            .map(|_| metrics.exposition(Format::Protobuf).collect())
            .collect();
        is_over.store(true, Ordering::Relaxed);
        for pieces in of_all {
            let messages = read(&pieces);
            let found = names(as_text(&messages));
            let counters = found
                .iter()
                .filter(|series| series.starts_with("reachd_probes_total{"));
            assert_eq!(counters.count(), CHECKS * 2);
        }
    });
}
