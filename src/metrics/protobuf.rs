//! The protobuf format: `io.prometheus.client.MetricFamily`, each message behind its length, written or only measured.

use std::io::Write as _;

use super::exemplar::{self, Exemplar};
use super::labels::Labels;
use super::native::{Native, Sparse, ZERO_THRESHOLD};
use super::sample::{Head, Kind, Reading, Value};
use super::wire::{
    Wire, begin, double, end, pair, pair_of, signed, text, unsigned, varint, zigzag,
};
use crate::outcome::Step;

/// The numbers of the fields, by message.
mod field {
    pub(super) mod family {
        pub(in super::super) const NAME: u8 = 1;
        pub(in super::super) const HELP: u8 = 2;
        pub(in super::super) const TYPE: u8 = 3;
        pub(in super::super) const METRIC: u8 = 4;
    }
    pub(super) mod metric {
        pub(in super::super) const LABEL: u8 = 1;
        pub(in super::super) const GAUGE: u8 = 2;
        pub(in super::super) const COUNTER: u8 = 3;
        pub(in super::super) const HISTOGRAM: u8 = 7;
    }
    /// Of gauges and counters.
    pub(super) mod number {
        pub(in super::super) const VALUE: u8 = 1;
        pub(in super::super) const EXEMPLAR: u8 = 2;
    }
    pub(super) mod exemplar {
        pub(in super::super) const LABEL: u8 = 1;
        pub(in super::super) const VALUE: u8 = 2;
        pub(in super::super) const TIMESTAMP: u8 = 3;
    }
    pub(super) mod timestamp {
        pub(in super::super) const SECONDS: u8 = 1;
        pub(in super::super) const NANOS: u8 = 2;
    }
    pub(super) mod histogram {
        pub(in super::super) const SAMPLE_COUNT: u8 = 1;
        pub(in super::super) const SAMPLE_SUM: u8 = 2;
        pub(in super::super) const BUCKET: u8 = 3;
        pub(in super::super) const SCHEMA: u8 = 5;
        pub(in super::super) const ZERO_THRESHOLD: u8 = 6;
        pub(in super::super) const ZERO_COUNT: u8 = 7;
        pub(in super::super) const POSITIVE_SPAN: u8 = 12;
        pub(in super::super) const POSITIVE_DELTA: u8 = 13;
    }
    pub(super) mod bucket {
        pub(in super::super) const CUMULATIVE_COUNT: u8 = 1;
        pub(in super::super) const UPPER_BOUND: u8 = 2;
        pub(in super::super) const EXEMPLAR: u8 = 3;
    }
    pub(super) mod span {
        pub(in super::super) const OFFSET: u8 = 1;
        pub(in super::super) const LENGTH: u8 = 2;
    }
}

/// The digits of an outcome's id.
const ID: usize = 32;

// === the messages ===

/// Begins the message of a family. Its length is put before it once it is known.
pub(super) fn head(out: &mut impl Wire, head: &Head<'_>) {
    let kind = match head.kind {
        Kind::Counter => 0,
        Kind::Gauge => 1,
        Kind::Histogram => 4,
    };
    text(out, field::family::NAME, head.name.as_bytes());
    text(out, field::family::HELP, head.help.as_bytes());
    unsigned(out, field::family::TYPE, kind);
}

/// Begins a metric, which [`end_metric`] ends.
pub(super) fn begin_metric(out: &mut impl Wire, of_metric: &Labels) -> usize {
    let start = begin(out, field::family::METRIC);
    labels(out, of_metric);
    start
}

pub(super) fn labels(out: &mut impl Wire, labels: &Labels) {
    for pair in labels.pairs() {
        match pair.plain() {
            Some(text) => {
                pair_of(
                    out,
                    field::metric::LABEL,
                    text.as_bytes(),
                    pair.name().len(),
                );
            }
            None => label(out, pair.name(), &pair.value()),
        }
    }
}

pub(super) fn label(out: &mut impl Wire, name: &str, value: &str) {
    pair(out, field::metric::LABEL, name.as_bytes(), value.as_bytes());
}

/// Ends the metric that began there with its value.
pub(super) fn end_metric(
    out: &mut impl Wire,
    metric: usize,
    kind: Kind,
    value: Value,
    exemplar: Option<&Exemplar>,
) {
    let number = match kind {
        Kind::Counter => field::metric::COUNTER,
        Kind::Gauge | Kind::Histogram => field::metric::GAUGE,
    };
    let start = begin(out, number);
    double(out, field::number::VALUE, value.as_f64());
    if let Some(exemplar) = exemplar.filter(|_| kind == Kind::Counter) {
        example(out, field::number::EXEMPLAR, exemplar);
    }
    end(out, start);
    end(out, metric);
}

/// A histogram with its buckets, and with the native one where there is one.
pub(super) fn histogram<B: Iterator<Item = u64>>(
    out: &mut impl Wire,
    of_metric: &Labels,
    step: Option<Step>,
    reading: Reading<'_, B>,
) {
    let metric = begin_metric(out, of_metric);
    if let Some(step) = step {
        label(out, "phase", step.phase.as_str());
        label(out, "peer", step.peer.as_str());
    }
    let start = begin(out, field::metric::HISTOGRAM);
    // The native one first: what is observed meanwhile is in the buckets then, and left out of them.
    let native = reading.native.map(Native::read);
    let all = native.as_ref().map(Sparse::count);
    let bucket_of_exemplar = reading
        .exemplar
        .map(|exemplar| reading.shape.bucket_of(exemplar.value));
    let mut count = 0;
    for (index, (bucket, bound)) in reading.buckets.zip(reading.shape.bounds()).enumerate() {
        count = all.map_or(count + bucket, |all| all.min(count + bucket));
        let start = begin(out, field::histogram::BUCKET);
        unsigned(out, field::bucket::CUMULATIVE_COUNT, count);
        double(out, field::bucket::UPPER_BOUND, bound);
        if let Some(exemplar) = reading
            .exemplar
            .filter(|_| bucket_of_exemplar == Some(index))
        {
            example(out, field::bucket::EXEMPLAR, &exemplar);
        }
        end(out, start);
    }
    unsigned(out, field::histogram::SAMPLE_COUNT, all.unwrap_or(count));
    double(out, field::histogram::SAMPLE_SUM, reading.sum.as_f64());
    if let Some(native) = native {
        sparse(out, &native);
    }
    end(out, start);
    end(out, metric);
}

fn sparse(out: &mut impl Wire, native: &Sparse) {
    signed(out, field::histogram::SCHEMA, native.schema().into());
    double(out, field::histogram::ZERO_THRESHOLD, ZERO_THRESHOLD);
    unsigned(out, field::histogram::ZERO_COUNT, native.zeros());
    for (offset, length) in native.spans() {
        let start = begin(out, field::histogram::POSITIVE_SPAN);
        signed(out, field::span::OFFSET, offset.into());
        unsigned(out, field::span::LENGTH, length);
        end(out, start);
    }
    let start = begin(out, field::histogram::POSITIVE_DELTA);
    for delta in native.deltas() {
        varint(out, zigzag(delta));
    }
    end(out, start);
}

fn example(out: &mut impl Wire, number: u8, exemplar: &Exemplar) {
    let start = begin(out, number);
    let mut id = [0; ID];
    // There is room for all of it.
    let _ = write!(id.as_mut_slice(), "{}", exemplar.id);
    pair(out, field::exemplar::LABEL, exemplar::LABEL.as_bytes(), &id);
    double(out, field::exemplar::VALUE, exemplar.value.as_f64());
    // Before the epoch there was no outcome.
    if let Value::Seconds(since) = Value::timestamp(exemplar.at) {
        let start = begin(out, field::exemplar::TIMESTAMP);
        unsigned(out, field::timestamp::SECONDS, since.as_secs());
        unsigned(out, field::timestamp::NANOS, since.subsec_nanos().into());
        end(out, start);
    }
    end(out, start);
}
