//! What a new plan does to the numbers.

use super::*;
use crate::plan::HistogramMode;
use crate::plan::fixture::{self, expired, success};

#[test]
fn a_new_plan_keeps_numbers_by_key() {
    let kept = fixture::check("site", "kept", "https://kept.example/");
    let changed = fixture::check("site", "changed", "https://before.example/");
    let gone = fixture::check("site", "gone", "https://gone.example/");
    let metrics = metrics_of(&fixture::plan([&changed, &gone, &kept]));
    let watchers = [&changed, &gone, &kept].map(|check| metrics.watch(check));
    for watcher in &watchers {
        watcher.observed(&expired(1));
    }

    let after = fixture::check("site", "changed", "https://after.example/");
    let kept_again = fixture::check("site", "kept", "https://kept.example/");
    metrics.planned(&fixture::plan([&after, &kept_again]));
    // Probes of the former plan that were under way.
    for watcher in &watchers {
        watcher.observed(&expired(2));
    }

    assert!(!scrape(&metrics).contains("endpoint=\"gone\""));
    let numbers = samples(&of_checks(&metrics));
    for endpoint in ["kept", "changed"] {
        let base = format!(r#"service="site",endpoint="{endpoint}",route="direct""#);
        let of = |series: String| numbers.get(&series).map(String::as_str);
        assert_eq!(
            of(format!(r#"reachd_probes_total{{{base},result="failure"}}"#)),
            Some("2")
        );
        assert_eq!(
            of(format!(r"reachd_probe_duration_seconds_count{{{base}}}")),
            Some("2")
        );
        let state = of(format!(r#"reachd_probe_success{{{base},critical="true"}}"#));
        let expected = (endpoint == "kept").then_some("0");
        assert_eq!(state, expected, "{endpoint}");
    }
    let info = series(&metrics, "reachd_endpoint_info{");
    assert!(
        info[0].contains(r#"url="https://after.example/""#),
        "{info:?}"
    );

    metrics.watch(&after).observed(&success(3));
    assert_eq!(
        series(&metrics, "reachd_probe_success{")[0],
        r#"reachd_probe_success{service="site",endpoint="changed",route="direct",critical="true"} 1"#
    );
}

#[test]
fn a_check_that_left_and_comes_back_starts_anew() {
    let check = gateway();
    let metrics = metrics_of(&fixture::plan([&check]));
    let watcher = metrics.watch(&check);
    watcher.observed(&expired(1));
    metrics.planned(&fixture::plan([]));
    assert!(of_checks(&metrics).is_empty());
    metrics.planned(&fixture::plan([&check]));
    watcher.observed(&expired(2));
    assert!(series(&metrics, "reachd_probe_failing").is_empty());
    assert!(series(&metrics, "reachd_probes_total{")[1].ends_with(" 0"));
}

#[test]
fn only_histograms_begin_anew_when_their_settings_change() {
    let check = gateway();
    let mut plan = fixture::plan([&check]);
    let metrics = metrics_of(&plan);
    let watcher = metrics.watch(&check);
    let count = || {
        let lines = series(&metrics, "reachd_probe_duration_seconds_count");
        lines.first().cloned()
    };

    watcher.observed(&success(1));
    plan.histograms.buckets.push(2.0);
    metrics.planned(&plan);
    assert!(count().unwrap().ends_with(" 0"));
    assert!(series(&metrics, "reachd_probes_total{")[0].ends_with(" 1"));
    assert!(!series(&metrics, "reachd_probe_success{").is_empty());

    // The loop of a check that did not change goes on, and so does its watcher.
    watcher.observed(&success(2));
    assert!(count().unwrap().ends_with(" 1"));

    plan.histograms.mode = HistogramMode::None;
    metrics.planned(&plan);
    watcher.observed(&success(3));
    assert_eq!(count(), None);
    assert!(series(&metrics, "reachd_probes_total{")[0].ends_with(" 3"));
}

#[test]
fn checks_of_a_service_may_share_their_histograms() {
    let first = gateway();
    let second = fixture::check("site", "updates", "http://updates.example/");
    let elsewhere = fixture::check("other", "gateway", "https://gateway.example/");
    let mut plan = fixture::plan([&elsewhere, &first, &second]);
    plan.histograms.mode = HistogramMode::Service;
    let metrics = metrics_of(&plan);
    for check in [&first, &second] {
        metrics.watch(check).observed(&success(1));
    }
    let expected = [
        r#"reachd_probe_duration_seconds_count{service="other",route="direct"} 0"#,
        r#"reachd_probe_duration_seconds_count{service="site",route="direct"} 2"#,
    ];
    assert_eq!(
        series(&metrics, "reachd_probe_duration_seconds_count"),
        expected
    );

    plan.checks.pop();
    metrics.planned(&plan);
    assert_eq!(
        series(&metrics, "reachd_probe_duration_seconds_count"),
        expected
    );
}
