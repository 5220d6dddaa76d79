//! The exposition as `OpenMetrics`, and its exemplars.

use super::*;
use crate::plan::OutcomeId;

fn open_metrics(metrics: &Metrics) -> String {
    let pieces: Vec<Bytes> = metrics.exposition(Format::OpenMetrics).collect();
    String::from_utf8(pieces.concat()).unwrap()
}

fn observed() -> (Metrics, OutcomeId) {
    let check = gateway();
    let metrics = metrics_of(&fixture::plan([&check]));
    let watcher = metrics.watch(&check);
    watcher.observed(&success(100));
    let latest = expired(160);
    watcher.observed(&latest);
    (
        metrics,
        OutcomeId::new(check.key().digest(), latest.started),
    )
}

#[test]
fn samples_are_those_of_the_text_format() {
    let (metrics, _) = observed();
    let text = open_metrics(&metrics);
    let without_exemplars: Vec<&str> = text
        .lines()
        .map(|line| line.split(" # {").next().unwrap())
        .filter(|line| !line.starts_with('#'))
        .collect();
    let stays = |line: &&str| !line.starts_with("process_");
    let plain = scrape(&metrics);
    let plain = plain.lines().filter(|line| !line.starts_with('#'));
    let expected: Vec<&str> = plain.filter(stays).collect();
    let found: Vec<&str> = without_exemplars.into_iter().filter(stays).collect();
    assert_eq!(found, expected);
    assert!(text.ends_with("\n# EOF\n"));
    assert_eq!(text.matches("# EOF").count(), 1);
}

#[test]
fn heads_tell_type_unit_and_help() {
    let (metrics, _) = observed();
    let text = open_metrics(&metrics);
    let heads = [
        "# TYPE reachd_probes counter\n# HELP reachd_probes Probes that",
        "# TYPE reachd_probe_duration_seconds histogram\n# UNIT reachd_probe_duration_seconds seconds\n# HELP reachd_probe_duration_seconds ",
        "# TYPE reachd_endpoint info\n# HELP reachd_endpoint ",
        "# TYPE reachd_build info\n",
    ];
    for head in heads {
        assert!(text.contains(head), "{head}\n{text}");
    }
}

#[test]
fn exemplars_name_the_latest_outcome() {
    let (metrics, id) = observed();
    let text = open_metrics(&metrics);
    let examples: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once(" # "))
        .collect();
    let base = r#"service="site",endpoint="gateway",route="direct""#;
    let duration = expired(160).duration.as_secs_f64();
    let at = 160.0 + duration;
    let expected = [
        (
            format!(r#"reachd_probes_total{{{base},result="failure"}} 1"#),
            format!(r#"{{trace_id="{id}"}} 1 {at}"#),
        ),
        (
            format!(
                r#"reachd_probe_failures_total{{{base},phase="tls",peer="endpoint",reason="expired"}} 1"#
            ),
            format!(r#"{{trace_id="{id}"}} 1 {at}"#),
        ),
        (
            format!(r#"reachd_probe_duration_seconds_bucket{{{base},le="+Inf"}} 2"#),
            format!(r#"{{trace_id="{id}"}} {duration} {at}"#),
        ),
    ];
    let expected: Vec<(&str, &str)> = expected
        .iter()
        .map(|(sample, example)| (sample.as_str(), example.as_str()))
        .collect();
    assert_eq!(examples, expected);
    // The standard's bound, names and values together.
    assert!("trace_id".len() + id.to_string().len() <= 128);
    assert!(!scrape(&metrics).contains(" # {"));
}
