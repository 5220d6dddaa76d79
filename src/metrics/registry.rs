//! What a registry of the library has gathered, told in whichever format is asked for.

use prometheus::proto::{Bucket, Metric, MetricFamily, MetricType};

use super::format::Format;
use super::histogram::Shape;
use super::labels::Labels;
use super::sample::{Head, Kind, Reading, Samples, Value};
use super::wire::Wire as _;

/// Appends all families.
pub(super) fn write(families: &[MetricFamily], out: &mut Vec<u8>, format: Format) {
    for family in families {
        let start = out.len();
        let head = Head {
            name: family.name(),
            kind: kind_of(family),
            help: family.help(),
        };
        let mut samples = Samples::written(out, format, head);
        samples.head();
        for metric in family.get_metric() {
            tell(&mut samples, metric);
        }
        if format == Format::Protobuf {
            out.insert_length(start, 0, out.len() - start);
        }
    }
}

fn kind_of(family: &MetricFamily) -> Kind {
    match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::HISTOGRAM => Kind::Histogram,
        // The registry has no summary.
        MetricType::GAUGE | MetricType::SUMMARY | MetricType::UNTYPED => Kind::Gauge,
    }
}

fn tell(samples: &mut Samples<'_>, metric: &Metric) {
    let pairs = metric.get_label().iter();
    let labels = pairs.fold(Labels::default(), |labels, pair| {
        labels.with(pair.name(), pair.value())
    });
    match samples.head.kind {
        Kind::Counter => samples
            .sample(&labels)
            .float(metric.get_counter().get_value()),
        Kind::Gauge => samples
            .sample(&labels)
            .float(metric.get_gauge().get_value()),
        Kind::Histogram => histogram(samples, &labels, metric.get_histogram()),
    }
}

fn histogram(samples: &mut Samples<'_>, labels: &Labels, histogram: &prometheus::proto::Histogram) {
    let buckets = histogram.get_bucket();
    let bounds: Vec<f64> = buckets.iter().map(Bucket::upper_bound).collect();
    let cumulative = buckets.iter().map(Bucket::cumulative_count);
    let mut before = 0;
    let own = cumulative
        .chain([histogram.get_sample_count()])
        .map(|count| {
            let own = count.saturating_sub(before);
            before = count;
            own
        });
    let reading = Reading {
        shape: &Shape::new(&bounds, false),
        buckets: own,
        sum: Value::Float(histogram.get_sample_sum()),
        exemplar: None,
        native: None,
    };
    samples.histogram(labels, None, reading);
}
