//! What outcomes do to the series.

use super::*;
use crate::outcome::{CauseKind, DnsReason, Peer, Phase, ProxyReason, TlsReason};
use crate::plan::fixture::{self, expired, failure, success};

#[test]
fn a_failure_is_there_for_as_long_as_it_lasts_and_its_counter_stays() {
    let check = gateway();
    let metrics = metrics_of(&fixture::plan([&check]));
    let watcher = metrics.watch(&check);
    let base = r#"service="site",endpoint="gateway",route="direct""#;

    watcher.observed(&expired(1));
    watcher.observed(&expired(2));
    watcher.observed(&failure(3, DnsReason::Timeout));
    assert_eq!(
        series(&metrics, "reachd_probe_failing{"),
        [format!(
            r#"reachd_probe_failing{{{base},critical="true",phase="dns",peer="endpoint",reason="timeout"}} 1"#
        )]
    );
    watcher.observed(&success(4));
    assert!(series(&metrics, "reachd_probe_failing").is_empty());
    assert_eq!(
        series(&metrics, "reachd_probe_failures_total{"),
        [
            format!(
                r#"reachd_probe_failures_total{{{base},phase="tls",peer="endpoint",reason="expired"}} 2"#
            ),
            format!(
                r#"reachd_probe_failures_total{{{base},phase="dns",peer="endpoint",reason="timeout"}} 1"#
            ),
        ]
    );
}

#[test]
fn failures_are_counted_by_phase_peer_and_reason() {
    let check = gateway();
    let metrics = metrics_of(&fixture::plan([&check]));
    let watcher = metrics.watch(&check);
    watcher.observed(&failure(1, TlsReason::Timeout));
    watcher.observed(&failure(2, DnsReason::Timeout));
    let mut of_proxy = (*failure(3, ProxyReason::Timeout)).clone();
    of_proxy
        .timings
        .add(Phase::Proxy.with_proxy(), Duration::ZERO);
    if let Err(failure) = &mut of_proxy.result {
        failure.peer = Peer::Proxy;
    }
    watcher.observed(&Arc::new(of_proxy));
    assert_eq!(series(&metrics, "reachd_probe_failures_total{").len(), 3);
}

#[test]
fn a_step_that_nobody_expected_appears_when_it_is_first_taken() {
    let target = fixture::check("", "", "http://a.example/");
    let check = fixture::check_of(
        "site",
        "a",
        target.endpoint.target.clone(),
        fixture::proxied("10.0.0.1"),
    );
    let check = Arc::new(check);
    let metrics = metrics_of(&fixture::plan([&check]));
    let tls = || series(&metrics, "reachd_phase_duration_seconds_count").len();
    assert_eq!(tls(), 3, "connect, request, response");
    metrics.watch(&check).observed(&success(1));
    assert_eq!(tls(), 5, "and dns and tls, after a redirect");
}

#[test]
fn the_status_of_a_service_is_that_of_its_worst_check() {
    let critical = gateway();
    let other = fixture::not_critical(&fixture::check("site", "news", "https://news.example/"));
    let metrics = metrics_of(&fixture::plan([&critical, &other]));
    let (critical, other) = (metrics.watch(&critical), metrics.watch(&other));
    let status = || {
        let lines = series(&metrics, "reachd_service_status{");
        lines
            .first()
            .map(|line| line.rsplit_once(' ').unwrap().1.to_owned())
    };

    assert_eq!(status(), None);
    other.observed(&success(1));
    assert_eq!(status(), None, "the critical one is not known yet");
    other.observed(&expired(2));
    assert_eq!(status().as_deref(), Some("1"));
    critical.observed(&expired(3));
    assert_eq!(status().as_deref(), Some("2"));
    other.observed(&success(4));
    assert_eq!(status().as_deref(), Some("2"));
    critical.observed(&success(5));
    assert_eq!(status().as_deref(), Some("0"));
    assert_eq!(
        series(&metrics, "reachd_service_status{"),
        [r#"reachd_service_status{service="site",route="direct"} 0"#]
    );
}

#[test]
fn own_health_counts_what_befalls_probes() {
    let check = gateway();
    let metrics = metrics_of(&fixture::plan([&check]));
    let watcher = metrics.watch(&check);
    watcher.started(Duration::from_millis(3));
    watcher.observed(&success(1));
    watcher.started(Duration::ZERO);
    watcher.abandoned(true);
    watcher.started(Duration::ZERO);
    watcher.abandoned(false);
    watcher.started(Duration::ZERO);
    watcher.skipped(3);
    watcher.hold_panicked();
    watcher.holds_skipped(2);
    metrics.reloaded(true, SystemTime::UNIX_EPOCH + Duration::from_secs(7));
    metrics.reloaded(false, SystemTime::UNIX_EPOCH + Duration::from_secs(9));

    let samples = samples(&scrape(&metrics));
    let expected = [
        ("reachd_checks", "1"),
        ("reachd_probes_in_flight", "1"),
        ("reachd_probes_skipped_total", "3"),
        ("reachd_holds_skipped_total", "2"),
        ("reachd_probe_panics_total", "2"),
        ("reachd_scheduler_lag_seconds_count", "4"),
        ("reachd_scheduler_lag_seconds_bucket{le=\"0.001\"}", "3"),
        ("reachd_config_last_reload_successful", "0"),
        ("reachd_config_last_reload_success_timestamp_seconds", "7"),
        (
            concat!(
                "reachd_build_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"}"
            ),
            "1",
        ),
    ];
    for (series, value) in expected {
        assert_eq!(
            samples.get(series).map(String::as_str),
            Some(value),
            "{series}"
        );
    }
}

#[test]
fn a_hold_has_series_of_its_own_and_touches_no_others() {
    let check = fixture::with_hold(&gateway());
    let metrics = metrics_of(&fixture::plan([&check]));
    let watcher = metrics.watch(&check);
    let base = r#"service="site",endpoint="gateway",route="direct""#;
    let of_holds = || series(&metrics, "reachd_hold_");
    let last_run = |at: u64| format!("reachd_hold_last_run_timestamp_seconds{{{base}}} {at}");
    assert!(of_holds().is_empty());
    let others = |text: String| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains("reachd_hold_"));
        lines.map(str::to_owned).collect()
    };
    let before = others(of_checks(&metrics));

    watcher.held(&fixture::cut(1));
    assert_eq!(
        of_holds(),
        [
            format!("reachd_hold_seconds{{{base}}} 4"),
            format!("reachd_hold_success{{{base}}} 0"),
            format!(
                r#"reachd_hold_failing{{{base},phase="hold",peer="proxy",reason="closed_early"}} 1"#
            ),
            last_run(1),
        ]
    );
    watcher.held(&fixture::held(2));
    let held = [
        format!("reachd_hold_seconds{{{base}}} 180"),
        format!("reachd_hold_success{{{base}}} 1"),
        last_run(2),
    ];
    assert_eq!(of_holds(), held);
    watcher.held(&fixture::never_held(3, DnsReason::Timeout));
    assert_eq!(
        of_holds(),
        [
            format!("reachd_hold_success{{{base}}} 0"),
            format!(
                r#"reachd_hold_failing{{{base},phase="dns",peer="endpoint",reason="timeout"}} 1"#
            ),
            last_run(3),
        ]
    );
    assert_eq!(others(of_checks(&metrics)), before);

    let changed = fixture::not_critical(&check);
    metrics.planned(&fixture::plan([&changed]));
    assert!(of_holds().is_empty());
    watcher.held(&fixture::held(4));
    assert!(of_holds().is_empty(), "of a former definition");
}

#[test]
fn the_series_of_a_hold_are_foreseen() {
    let with = fixture::with_hold(&gateway());
    let difference = series_of(&fixture::plan([&with])) - series_of(&fixture::plan([&gateway()]));
    assert_eq!(difference, 3);
}

#[test]
fn causes_are_shown_while_they_are_inferred() {
    let metrics = Metrics::new();
    let down = (CauseKind::ProxyDown, "corp", true);
    let degraded = (CauseKind::Degraded, "gateway", false);
    let shown = |metrics: &Metrics| {
        let text = scrape(metrics);
        let lines = text
            .lines()
            .filter(|line| line.starts_with("reachd_cause{"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(shown(&metrics), [""; 0]);
    metrics.causes([down, degraded].into_iter());
    assert_eq!(
        shown(&metrics),
        [
            "reachd_cause{cause=\"degraded\",critical=\"false\",subject=\"gateway\"} 1",
            "reachd_cause{cause=\"proxy_down\",critical=\"true\",subject=\"corp\"} 1",
        ]
    );
    metrics.causes([degraded].into_iter());
    assert_eq!(shown(&metrics).len(), 1);
    metrics.causes([].into_iter());
    assert_eq!(shown(&metrics), [""; 0]);
}

#[test]
fn a_check_is_explained_by_the_first_cause_that_is_told_of_it() {
    let metrics = Metrics::new();
    let key = gateway().key();
    let shown = |metrics: &Metrics| {
        let text = scrape(metrics);
        let lines = text.lines();
        let lines = lines.filter(|line| line.starts_with("reachd_cause_explains{"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let down = (CauseKind::ProxyDown, "corp", &key);
    let expiring = (CauseKind::CertificateExpiring, "gateway", &key);
    metrics.explained([down, expiring].into_iter());
    assert_eq!(
        shown(&metrics),
        [
            "reachd_cause_explains{cause=\"proxy_down\",endpoint=\"gateway\",route=\"direct\",service=\"site\",subject=\"corp\"} 1"
        ]
    );
    metrics.explained([].into_iter());
    assert_eq!(shown(&metrics), [""; 0]);
}
