//! The exposition as text: complete, cut soundly, consistent under load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::metrics::exposition::PIECE;
use crate::plan::HistogramMode;
use crate::plan::fixture::{self, expired, success};

#[test]
fn a_small_plan_in_full() {
    let one = gateway();
    let other = fixture::not_critical(&fixture::check_of(
        "site",
        "updates",
        fixture::check("", "", "http://updates.example/list?a=\"b\"")
            .endpoint
            .target
            .clone(),
        fixture::proxied("proxy.example"),
    ));
    let metrics = metrics_of(&fixture::plan([&one, &other]));
    let watcher = metrics.watch(&one);
    watcher.observed(&success(100));
    watcher.observed(&full_failure(160));

    let golden = include_str!("small_plan.prom");
    let text = of_checks(&metrics);
    for (line, expected) in text.lines().zip(golden.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(text, golden);
}

#[test]
fn before_the_first_outcome_there_are_only_zeros() {
    let metrics = metrics_of(&fixture::plan([&gateway()]));
    let samples = samples(&of_checks(&metrics));
    assert!(!samples.is_empty());
    for (series, value) in samples {
        let (name, _) = series.split_once('{').unwrap();
        let known = match name {
            "reachd_endpoint_info" => "1",
            "reachd_probe_interval_seconds" => "60",
            _ => "0",
        };
        assert_eq!(value, known, "{series}");
        assert!(
            known != "0" || name == "reachd_probes_total" || name.contains("_duration_seconds_"),
            "{series} claims to know something"
        );
    }
}

#[test]
fn pieces_are_bounded_and_end_with_a_line() {
    let checks: Vec<Arc<Check>> = (0..200)
        .map(|number| {
            let name = format!("endpoint-{number:03}");
            fixture::check("site", &name, "https://gateway.example/")
        })
        .collect();
    let mut plan = fixture::plan(&checks);
    // One row of phase durations alone is longer than a piece.
    plan.histograms.buckets = (1..=200).map(f64::from).collect();
    let metrics = metrics_of(&plan);

    let pieces: Vec<Bytes> = metrics.exposition(Format::Text).collect();
    assert!(pieces.len() > 100, "{}", pieces.len());
    for piece in &pieces {
        assert!(piece.len() <= PIECE && piece.ends_with(b"\n"));
    }
    let text = String::from_utf8(pieces.concat()).unwrap();
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    let once: BTreeSet<&str> = heads.iter().copied().collect();
    assert_eq!(heads.len(), once.len(), "a head is written twice");
    let series = samples(&text);
    let of_phases = series
        .keys()
        .filter(|series| series.starts_with("reachd_phase_duration_seconds_bucket{"));
    assert_eq!(of_phases.count(), 200 * 5 * 201);
}

#[test]
fn a_scrape_under_way_keeps_what_it_began_with() {
    let checks: Vec<Arc<Check>> = (0..500)
        .map(|number| fixture::check("site", &format!("e{number:03}"), "https://a.example/"))
        .collect();
    let metrics = metrics_of(&fixture::plan(&checks));
    let whole = of_checks(&metrics);
    let mut pieces = metrics.exposition(Format::Text);
    let first = pieces.next().unwrap();
    metrics.planned(&fixture::plan([]));
    let rest: Vec<Bytes> = pieces.collect();
    let text = [first, Bytes::from(rest.concat())].concat();
    assert!(String::from_utf8(text).unwrap().starts_with(&whole));
}

#[test]
fn a_scrape_is_consistent_while_probes_end() {
    const THREADS: usize = 4;
    const OUTCOMES: u64 = 2_000;
    let check = gateway();
    let mut plan = fixture::plan([&check]);
    plan.histograms.mode = HistogramMode::Service;
    let metrics = metrics_of(&plan);
    let done = AtomicBool::new(false);

    let count = |samples: &BTreeMap<String, String>, start: &str| -> u64 {
        let matching = samples
            .iter()
            .filter(|(series, _)| series.starts_with(start));
        matching
            .map(|(_, value)| value.parse::<u64>().unwrap())
            .sum()
    };
    thread::scope(|scope| {
        let probing: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let watcher = metrics.watch(&check);
                    for at in 0..OUTCOMES {
                        watcher.observed(&if at % 2 == 0 {
                            success(at)
                        } else {
                            expired(at)
                        });
                    }
                })
            })
            .collect();
        let scraping = scope.spawn(|| {
            let mut last = (0, 0);
            loop {
                let finished = done.load(Ordering::Acquire);
                let now = samples(&of_checks(&metrics));
                let histogram = "reachd_probe_duration_seconds";
                let counted = count(&now, &format!("{histogram}_count"));
                let infinite: u64 = now
                    .iter()
                    .filter(|(series, _)| series.starts_with(histogram) && series.contains("+Inf"))
                    .map(|(_, value)| value.parse::<u64>().unwrap())
                    .sum();
                assert_eq!(counted, infinite);
                let probes = count(&now, "reachd_probes_total{");
                assert!((probes, counted) >= last && counted >= last.1, "went back");
                last = (probes, counted);
                if finished {
                    break last;
                }
            }
        });
        for thread in probing {
            thread.join().unwrap();
        }
        done.store(true, Ordering::Release);
        let all = THREADS as u64 * OUTCOMES;
        assert_eq!(scraping.join().unwrap(), (all, all));
    });
}
