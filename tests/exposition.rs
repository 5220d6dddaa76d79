//! Every format of `/metrics`, as real clients ask for it and real parsers read it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::kit::{Exposition, Lab, Prometheus, Reachd, http, run_to_end};
use crate::suite::{SharedLab, trial};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// What succeeds and what fails, fast and slow.
const CONFIG: &str = r#"
global: {interval: 1s, timeout: 300ms, resolver: lab}
resolvers: {lab: {servers: ["@knot@:53"], transport: udp}}
tls: {ca_file: "@dir@/pki/root.pem"}
revocation: {mode: "off"}
proxies:
  squid: {url: "http://squid.lab.test:3128"}
routes: [direct, squid]
metrics: {native_histograms: true, buckets: [0.001, 0.01, 0.1, 0.25, 0.5, 1]}
endpoints:
  - {name: web, service: good, url: "https://web.lab.test/"}
  - {name: plain, service: good, url: "http://web.lab.test/"}
  - {name: expired, service: bad, url: "https://expired.lab.test/"}
  - {name: silent, service: bad, url: "http://silent.fault.lab.test/"}
"#;

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("exposition::curl_gets_every_format", lab, curl),
        trial("exposition::prometheus_stores_exemplars", lab, exemplars),
        trial("exposition::native_histograms_agree", lab, native),
        trial("exposition::prometheus_joins_long_families", lab, joined),
    ]
}

fn started(lab: &Lab, name: &str) -> Reachd {
    let config = lab.write(&format!("{name}.yml"), CONFIG);
    let reachd = Reachd::start(lab, name, &config);
    reachd.wait_until_ready();
    reachd
}

/// The type that an answer has, and where its body lies, packed on its way and unpacked by curl.
fn fetched(lab: &Lab, reachd: &Reachd, accept: &str, name: &str) -> String {
    let mut curl = Command::new("curl");
    let (head, body) = (lab.path(&format!("{name}.head")), lab.path(name));
    curl.args(["--silent", "--show-error", "--fail", "--compressed"])
        .args(["--header", &format!("Accept: {accept}")])
        .arg("--dump-header")
        .arg(&head)
        .arg("--output")
        .arg(body)
        .arg(format!("http://{}/metrics", reachd.address));
    let finished = run_to_end(curl);
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    let head = fs::read_to_string(head).unwrap().to_ascii_lowercase();
    assert!(head.contains("\r\ncontent-encoding: gzip\r\n"), "{head}");
    assert!(head.contains("\r\nvary: accept"), "{head}");
    let (_, kind) = head.split_once("\r\ncontent-type: ").unwrap();
    kind.split_once("\r\n").unwrap().0.to_owned()
}

fn curl(lab: &Lab) {
    let reachd = started(lab, "formats");
    let kinds = [
        (
            "*/*",
            "formats.text",
            "text/plain; version=0.0.4; charset=utf-8",
        ),
        (
            OPEN_METRICS,
            "formats.open",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        (
            &format!("{PROTOBUF}, */*; q=0.1"),
            "formats.protobuf",
            &PROTOBUF.to_ascii_lowercase(),
        ),
    ];
    for (accept, file, kind) in kinds {
        assert_eq!(fetched(lab, &reachd, accept, file), kind);
    }
    let protobuf = fs::read(lab.path("formats.protobuf")).unwrap();
    let name = b"\x0a\x14reachd_probe_success";
    assert_eq!(protobuf.get(2..2 + name.len()), Some(&name[..]));

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join("target/tools/python/bin/python"));
    python
        .arg("-B")
        .arg(root.join("tests/exposition/read.py"))
        .args([lab.path("formats.text"), lab.path("formats.open")]);
    let finished = run_to_end(python);
    assert_eq!(finished.exit_code, 0, "{finished:#?}");
    let ids: Vec<&str> = finished.stdout.lines().collect();
    assert!(ids.len() >= 8, "an exemplar of each check: {ids:?}");
    for id in ids {
        outcome(&reachd, id);
    }
}

/// The outcome that an exemplar names.
fn outcome(reachd: &Reachd, id: &str) -> Value {
    let answer = http::get(reachd.address, &format!("/api/v1/outcomes/{id}")).unwrap();
    assert_eq!(answer.status, 200, "{id}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn exemplars(lab: &Lab) {
    let reachd = started(lab, "exemplars");
    let flags = ["--enable-feature=exemplar-storage"];
    let prometheus = Prometheus::start(lab, "exemplars", &[reachd.address], &flags);
    let query = "reachd_probe_duration_seconds_bucket{endpoint=\"silent\",route=\"direct\"}";
    let id = prometheus.wait_for("an exemplar", || {
        let parameters = [("query", query), ("start", "0"), ("end", "9999999999")];
        let data = prometheus
            .ask("/api/v1/query_exemplars", &parameters)
            .ok()?;
        let exemplar = data[0]["exemplars"].as_array()?.last()?.clone();
        assert!(exemplar["value"].as_str()?.parse::<f64>().unwrap() >= 0.3);
        Some(exemplar["labels"]["trace_id"].as_str()?.to_owned())
    });
    let outcome = outcome(&reachd, &id);
    assert_eq!(outcome["check"], "bad/silent/direct");
    assert_eq!(outcome["failure"]["reason"], "timeout");
    // What this Prometheus asked for knows the types by their plain names.
    let data = prometheus.ask("/api/v1/metadata", &[]).unwrap();
    assert_eq!(data["reachd_probe_duration_seconds"][0]["unit"], "seconds");
}

/// A histogram as the buckets of the text have it: what is not above each bound, and the sum.
#[derive(Debug)]
struct Classic {
    buckets: Vec<(f64, f64)>,
    sum: f64,
}

/// The histograms of a family by their labels and count, which grows and so tells one moment from another.
fn classic(
    metrics: &Exposition,
    family: &str,
) -> HashMap<(BTreeMap<String, String>, u64), Classic> {
    let named = |suffix: &str| metrics.matching(&format!("{family}{suffix}"), &[]);
    let mut buckets: HashMap<BTreeMap<String, String>, Vec<(f64, f64)>> = HashMap::new();
    for bucket in named("_bucket") {
        let mut labels = bucket.labels.clone();
        let bound = labels.remove("le").unwrap().parse().unwrap();
        buckets
            .entry(labels)
            .or_default()
            .push((bound, bucket.value));
    }
    let sums = named("_sum").into_iter();
    sums.map(|sum| {
        let buckets = buckets.remove(&sum.labels).unwrap();
        let count = format!("{}", buckets.last().unwrap().1).parse().unwrap();
        let classic = Classic {
            buckets,
            sum: sum.value,
        };
        ((sum.labels.clone(), count), classic)
    })
    .collect()
}

fn native(lab: &Lab) {
    let reachd = started(lab, "native");
    let flags = ["--enable-feature=native-histograms,exemplar-storage"];
    let prometheus = Prometheus::start(lab, "native", &[reachd.address], &flags);
    for (family, series) in [
        ("reachd_probe_duration_seconds", 8),
        ("reachd_phase_duration_seconds", 20),
    ] {
        let mut seen = HashMap::new();
        let mut agreed = HashMap::new();
        prometheus.wait_for("the same observations here and there", || {
            seen.extend(classic(&reachd.metrics(), family));
            for result in prometheus.query(family).ok()? {
                let native = &result["histogram"][1];
                let mut labels: BTreeMap<String, String> =
                    serde_json::from_value(result["metric"].clone()).unwrap();
                labels.retain(|name, _| !["__name__", "job", "instance"].contains(&name.as_str()));
                let count = native["count"].as_str()?.parse().unwrap();
                let key = (labels, count);
                let classic = seen.get(&key).filter(|_| count > 0);
                if classic.is_some_and(|classic| agree(native, classic)) {
                    agreed.insert(key.0, count);
                }
            }
            (agreed.len() >= series).then_some(())
        });
    }
    // A probe that times out takes a little more than its 300 ms.
    let quantile = |range: &str| {
        format!(
            "histogram_quantile(0.5, {range}(reachd_probe_duration_seconds{{endpoint=\"silent\",route=\"direct\"}}))"
        )
    };
    let median = prometheus.value(&quantile("")).unwrap();
    assert!((0.27..2.0).contains(&median), "{median}");
    let query = quantile("rate").replace("})", "}[1m])");
    prometheus.wait_for(&query, || {
        prometheus
            .value(&query)
            .filter(|median| (0.27..2.0).contains(median))
    });
    let parameters = [
        ("query", "reachd_probe_duration_seconds"),
        ("start", "0"),
        ("end", "9999999999"),
    ];
    let stored = prometheus
        .ask("/api/v1/query_exemplars", &parameters)
        .unwrap();
    let id = &stored[0]["exemplars"][0]["labels"]["trace_id"];
    assert!(id.is_string(), "{stored}");
}

/// Whether the sums are equal, and what lies below each bound of the buckets lies between what the native one has below
/// and around it.
fn agree(native: &Value, classic: &Classic) -> bool {
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let buckets = native["buckets"].as_array().unwrap();
    let buckets: Vec<(f64, f64, f64)> = buckets
        .iter()
        .map(|it| (number(&it[1]), number(&it[2]), number(&it[3])))
        .collect();
    let mut bounds = classic.buckets.iter();
    let fit = bounds.all(|(bound, count)| {
        let below = |end: fn(&(f64, f64, f64)) -> f64| {
            let counted = buckets.iter().filter(|bucket| end(bucket) <= *bound);
            counted.map(|bucket| bucket.2).sum::<f64>()
        };
        let (least, most) = (below(|bucket| bucket.1), below(|bucket| bucket.0));
        least <= *count && *count <= most
    });
    fit && (number(&native["sum"]) - classic.sum).abs() < 1e-9
}

fn joined(lab: &Lab) {
    const CHECKS: usize = 2_600;
    let buckets: Vec<String> = (1..=30).map(|bound| bound.to_string()).collect();
    let mut config = format!(
        "global: {{interval: 1h}}\nmetrics: {{histograms: check, native_histograms: true, buckets: [{}]}}\nendpoints:\n",
        buckets.join(", ")
    );
    for number in 0..CHECKS {
        let name = format!("an-endpoint-of-many-{number:04}");
        writeln!(
            config,
            "- {{name: {name}, service: many, url: \"tcp://127.0.0.1:1\"}}"
        )
        .unwrap();
    }
    let config = lab.write("joined.yml", &config);
    let reachd = Reachd::start(lab, "joined", &config);
    let body = fetched_length(lab, &reachd);
    assert!(body > 3 << 20, "{body} bytes are too few");
    let flags = ["--enable-feature=native-histograms"];
    let prometheus = Prometheus::start_every("10s", lab, "joined", &[reachd.address], &flags);
    for family in [
        "reachd_probe_duration_seconds",
        "reachd_phase_duration_seconds",
        "reachd_endpoint_info",
    ] {
        let query = format!("count({family})");
        let all = f64::from(u16::try_from(CHECKS).unwrap());
        prometheus.wait_for(&query, || {
            let found = prometheus.value(&query)?;
            (found >= all).then_some(())
        });
    }
}

fn fetched_length(lab: &Lab, reachd: &Reachd) -> u64 {
    fetched(lab, reachd, PROTOBUF, "joined.protobuf");
    fs::metadata(lab.path("joined.protobuf")).unwrap().len()
}
