//! The protobuf format, read by a decoder that is not ours.

mod streaming;

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;

use super::*;
use crate::metrics::exposition::{MESSAGE, PIECE};
use crate::metrics::labels::Labels;
use crate::plan::OutcomeId;

/// The messages of io.prometheus.client, as far as they are used.
mod model {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct LabelPair {
        #[prost(string, optional, tag = "1")]
        pub(super) name: Option<String>,
        #[prost(string, optional, tag = "2")]
        pub(super) value: Option<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Timestamp {
        #[prost(int64, tag = "1")]
        pub(super) seconds: i64,
        #[prost(int32, tag = "2")]
        pub(super) nanos: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Exemplar {
        #[prost(message, repeated, tag = "1")]
        pub(super) label: Vec<LabelPair>,
        #[prost(double, optional, tag = "2")]
        pub(super) value: Option<f64>,
        #[prost(message, optional, tag = "3")]
        pub(super) timestamp: Option<Timestamp>,
    }

    /// A gauge or a counter.
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Number {
        #[prost(double, optional, tag = "1")]
        pub(super) value: Option<f64>,
        #[prost(message, optional, tag = "2")]
        pub(super) exemplar: Option<Exemplar>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Bucket {
        #[prost(uint64, optional, tag = "1")]
        pub(super) cumulative_count: Option<u64>,
        #[prost(double, optional, tag = "2")]
        pub(super) upper_bound: Option<f64>,
        #[prost(message, optional, tag = "3")]
        pub(super) exemplar: Option<Exemplar>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct BucketSpan {
        #[prost(sint32, optional, tag = "1")]
        pub(super) offset: Option<i32>,
        #[prost(uint32, optional, tag = "2")]
        pub(super) length: Option<u32>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Histogram {
        #[prost(uint64, optional, tag = "1")]
        pub(super) sample_count: Option<u64>,
        #[prost(double, optional, tag = "2")]
        pub(super) sample_sum: Option<f64>,
        #[prost(message, repeated, tag = "3")]
        pub(super) bucket: Vec<Bucket>,
        #[prost(sint32, optional, tag = "5")]
        pub(super) schema: Option<i32>,
        #[prost(double, optional, tag = "6")]
        pub(super) zero_threshold: Option<f64>,
        #[prost(uint64, optional, tag = "7")]
        pub(super) zero_count: Option<u64>,
        #[prost(message, repeated, tag = "12")]
        pub(super) positive_span: Vec<BucketSpan>,
        #[prost(sint64, repeated, tag = "13")]
        pub(super) positive_delta: Vec<i64>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Metric {
        #[prost(message, repeated, tag = "1")]
        pub(super) label: Vec<LabelPair>,
        #[prost(message, optional, tag = "2")]
        pub(super) gauge: Option<Number>,
        #[prost(message, optional, tag = "3")]
        pub(super) counter: Option<Number>,
        #[prost(message, optional, tag = "7")]
        pub(super) histogram: Option<Histogram>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct MetricFamily {
        #[prost(string, optional, tag = "1")]
        pub(super) name: Option<String>,
        #[prost(string, optional, tag = "2")]
        pub(super) help: Option<String>,
        #[prost(int32, optional, tag = "3")]
        pub(super) r#type: Option<i32>,
        #[prost(message, repeated, tag = "4")]
        pub(super) metric: Vec<Metric>,
        /// What readers skip.
        #[prost(bytes = "vec", repeated, tag = "15")]
        pub(super) nothing: Vec<Vec<u8>>,
    }
}

use model::{Histogram, Metric, MetricFamily};

/// What is read, in pieces no larger than they may be.
fn families(metrics: &Metrics) -> Vec<MetricFamily> {
    let pieces: Vec<Bytes> = metrics.exposition(Format::Protobuf).collect();
    let families = read(&pieces);
    assert!(families.iter().all(|family| family.nothing.is_empty()));
    families
}

fn read(pieces: &[Bytes]) -> Vec<MetricFamily> {
    assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
    let all = pieces.concat();
    let mut rest = all.as_slice();
    let mut families = Vec::new();
    while !rest.is_empty() {
        let before = rest.len();
        families.push(MetricFamily::decode_length_delimited(&mut rest).unwrap());
        let length = before - rest.len();
        assert!(length < MESSAGE + PIECE, "a message of {length} bytes");
    }
    families
}

/// The samples as the text format has them.
fn as_text(families: &[MetricFamily]) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    for family in families {
        let name = family.name.as_deref().unwrap();
        for metric in &family.metric {
            let mut add = |suffix: &str, le: Option<f64>, value: f64| {
                let mut labels: Vec<String> = metric.label.iter().map(text_of).collect();
                labels.extend(le.map(|le| match le {
                    f64::INFINITY => "le=\"+Inf\"".to_owned(),
                    bound => format!("le=\"{bound:?}\""),
                }));
                let labels = match labels.as_slice() {
                    [] => String::new(),
                    some => format!("{{{}}}", some.join(",")),
                };
                let series = format!("{name}{suffix}{labels}");
                assert_eq!(samples.insert(series, value), None, "twice");
            };
            match metric {
                Metric {
                    gauge: Some(number),
                    ..
                } => {
                    assert_eq!(family.r#type, Some(1), "{name}");
                    add("", None, number.value.unwrap());
                }
                Metric {
                    counter: Some(number),
                    ..
                } => {
                    assert_eq!(family.r#type, Some(0), "{name}");
                    add("", None, number.value.unwrap());
                }
                Metric {
                    histogram: Some(histogram),
                    ..
                } => {
                    assert_eq!(family.r#type, Some(4), "{name}");
                    for bucket in &histogram.bucket {
                        let count = bucket.cumulative_count.unwrap();
                        add("_bucket", bucket.upper_bound, precise(count));
                    }
                    add("_sum", None, histogram.sample_sum.unwrap());
                    add("_count", None, precise(histogram.sample_count.unwrap()));
                }
                other => panic!("{name} has no value: {other:?}"),
            }
        }
    }
    samples
}

fn text_of(label: &model::LabelPair) -> String {
    let value = label.value.as_deref().unwrap();
    let labels = Labels::default().with(label.name.as_deref().unwrap(), value);
    labels.as_str().to_owned()
}

fn precise(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn of_name<'f>(families: &'f [MetricFamily], name: &str) -> Vec<&'f Histogram> {
    let found = families
        .iter()
        .filter(|it| it.name.as_deref() == Some(name));
    let metrics = found.flat_map(|family| &family.metric);
    metrics.map(|it| it.histogram.as_ref().unwrap()).collect()
}

#[test]
fn samples_are_those_of_the_text_format() {
    let one = gateway();
    let hostile = "https://gateway.example/?a=\"b\\c\"";
    let two = fixture::check("site", "ü \"quoted\\\"\n,x=\"", hostile);
    let metrics = metrics_of(&fixture::plan([&one, &two]));
    let watcher = metrics.watch(&one);
    watcher.started(Duration::from_millis(3));
    watcher.observed(&success(100));
    watcher.observed(&full_failure(160));
    metrics.watch(&two).observed(&success(170));

    let families = families(&metrics);
    let stays = |series: &str| !series.starts_with("process_");
    let mut found = as_text(&families);
    found.retain(|series, _| stays(series));
    let expected: BTreeMap<String, f64> = samples(&scrape(&metrics))
        .into_iter()
        .filter(|(series, _)| stays(series))
        .map(|(series, value)| (series, value.parse().unwrap()))
        .collect();
    assert_eq!(found, expected);

    let helps = families.iter().map(|family| family.help.as_deref());
    assert!(
        helps
            .into_iter()
            .all(|help| help.is_some_and(|help| help.ends_with('.')))
    );
    let histograms = of_name(&families, "reachd_probe_duration_seconds");
    assert!(
        histograms
            .iter()
            .all(|it| it.schema.is_none() && it.positive_delta.is_empty())
    );
}

#[test]
fn exemplars_name_the_latest_outcome() {
    let check = gateway();
    let metrics = metrics_of(&fixture::plan([&check]));
    let latest = success(100);
    metrics.watch(&check).observed(&latest);
    let families = families(&metrics);
    let [histogram] = of_name(&families, "reachd_probe_duration_seconds")[..] else {
        panic!("one check has one");
    };
    let exemplars: Vec<_> = histogram.bucket.iter().map(|it| &it.exemplar).collect();
    let [None, Some(exemplar), None] = exemplars[..] else {
        panic!("{exemplars:?}");
    };
    let id = OutcomeId::new(check.key().digest(), latest.started).to_string();
    let [label] = &exemplar.label[..] else {
        panic!("{exemplar:?}");
    };
    assert_eq!(label.name.as_deref(), Some("trace_id"));
    assert_eq!(label.value.as_deref(), Some(id.as_str()));
    assert_eq!(exemplar.value, Some(0.05));
    let at = exemplar.timestamp.as_ref().unwrap();
    assert_eq!((at.seconds, at.nanos), (100, 50_000_000));
    let counters = families
        .iter()
        .filter(|it| it.name.as_deref() == Some("reachd_probes_total"));
    let counters = counters.flat_map(|it| &it.metric);
    let have: Vec<bool> = counters
        .map(|metric| metric.counter.as_ref().unwrap().exemplar.is_some())
        .collect();
    assert_eq!(have, [true, false]);
}

#[test]
fn native_histograms_stand_beside_the_buckets() {
    let check = gateway();
    let mut plan = fixture::plan([&check]);
    plan.histograms.native = true;
    let metrics = metrics_of(&plan);
    let watcher = metrics.watch(&check);
    let empty = families(&metrics);
    let [histogram] = of_name(&empty, "reachd_probe_duration_seconds")[..] else {
        panic!("one check has one");
    };
    assert!(
        histogram.zero_threshold.unwrap() > 0.0,
        "it is told from one without"
    );

    for at in 0..4 {
        watcher.observed(&success(at));
    }
    let mut slow = (*success(9)).clone();
    slow.duration = Duration::from_secs(2);
    watcher.observed(&Arc::new(slow));
    let families = families(&metrics);
    let [histogram] = of_name(&families, "reachd_probe_duration_seconds")[..] else {
        panic!("one check has one");
    };
    assert_eq!(histogram.schema, Some(3));
    assert_eq!(histogram.sample_count, Some(5));
    assert_eq!(histogram.zero_count, Some(0));
    // 0.05 lies below 2^(-34/8), and 2 is 2^(8/8).
    let spans = histogram.positive_span.iter();
    let spans: Vec<_> = spans
        .map(|it| (it.offset.unwrap(), it.length.unwrap()))
        .collect();
    assert_eq!(spans, [(-34, 1), (41, 1)]);
    assert_eq!(histogram.positive_delta, [4, -3]);
    assert_eq!(histogram.bucket.len(), 3);
    assert_eq!(of_name(&families, "reachd_phase_duration_seconds").len(), 5);
    assert_eq!(as_text(&families).len(), samples(&scrape(&metrics)).len());
    let text = of_checks(&metrics);
    plan.histograms.native = false;
    let without = metrics_of(&plan);
    without.watch(&check).observed(&success(1));
    assert_eq!(text.lines().count(), of_checks(&without).lines().count());
}

#[test]
fn a_long_family_goes_on_in_another_message() {
    let checks: Vec<Arc<Check>> = (0..400)
        .map(|number| {
            fixture::check(
                "site",
                &format!("endpoint-{number:03}"),
                "https://gateway.example/",
            )
        })
        .collect();
    let mut plan = fixture::plan(&checks);
    plan.histograms.buckets = (1..=60).map(f64::from).collect();
    let metrics = metrics_of(&plan);
    let families = families(&metrics);
    let names: Vec<&str> = families
        .iter()
        .map(|it| it.name.as_deref().unwrap())
        .collect();
    let once: BTreeSet<&str> = names.iter().copied().collect();
    let of_phases = names
        .iter()
        .filter(|name| **name == "reachd_phase_duration_seconds");
    assert_eq!(
        of_phases.count(),
        names.len() - once.len() + 1,
        "only that one is long: {names:?}"
    );
    assert!(names.len() > once.len());
    let stays = |series: &String| !series.starts_with("process_");
    let text = samples(&scrape(&metrics));
    let found = as_text(&families);
    assert_eq!(
        found.keys().filter(|it| stays(it)).collect::<Vec<_>>(),
        text.keys().filter(|it| stays(it)).collect::<Vec<_>>()
    );
}
