//! What a row tells: samples, each with labels and a value. Here they part for the formats; the rows know of none.

use std::time::{Duration, SystemTime};

use super::exemplar::Exemplar;
use super::format::Format;
use super::histogram::Shape;
use super::labels::{Labels, escaped, shortened};
use super::native::Native;
use super::{protobuf, text};
use crate::outcome::Step;

/// What a family is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) help: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Takes the samples of one family.
pub(super) struct Samples<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) format: Format,
    pub(super) head: Head<'a>,
}

/// A sample whose labels are being written.
pub(super) struct Sample<'a> {
    out: &'a mut Vec<u8>,
    format: Format,
    kind: Kind,
    /// Where its message begins; of no matter in text.
    start: usize,
    has_labels: bool,
    exemplar: Option<Exemplar>,
}

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Integer(u64),
    Float(f64),
    Seconds(Duration),
    /// Seconds below zero: a time before the epoch.
    Negative(Duration),
}

/// A histogram while it is read.
pub(super) struct Reading<'a, B> {
    pub(super) shape: &'a Shape,
    /// Their own counts, not cumulative, the infinite one's last.
    pub(super) buckets: B,
    pub(super) sum: Value,
    pub(super) exemplar: Option<Exemplar>,
    pub(super) native: Option<&'a Native>,
}

// === impl Samples ===

impl Samples<'_> {
    /// Says which family follows.
    pub(super) fn head(&mut self) {
        match self.format {
            Format::Text | Format::OpenMetrics => text::head(self.out, self.format, &self.head),
            Format::Protobuf => protobuf::head(self.out, &self.head),
        }
    }

    /// Begins a sample.
    pub(super) fn sample(&mut self, labels: &Labels) -> Sample<'_> {
        let start = match self.format {
            Format::Text | Format::OpenMetrics => {
                text::begin(self.out, self.head.name, labels);
                self.out.len()
            }
            Format::Protobuf => protobuf::begin_metric(self.out, labels),
        };
        Sample {
            out: self.out,
            format: self.format,
            kind: self.head.kind,
            start,
            has_labels: !labels.is_empty(),
            exemplar: None,
        }
    }

    /// All samples of a histogram. Its count is the sum of the buckets just read, so that it always equals the
    /// infinite bucket, whatever is observed meanwhile.
    pub(super) fn histogram<B: Iterator<Item = u64>>(
        &mut self,
        labels: &Labels,
        step: Option<Step>,
        reading: Reading<'_, B>,
    ) {
        match self.format {
            Format::Text | Format::OpenMetrics => {
                text::histogram(self.out, self.format, self.head.name, labels, step, reading);
            }
            Format::Protobuf => protobuf::histogram(self.out, labels, step, reading),
        }
    }
}

// === impl Sample ===

impl Sample<'_> {
    /// A label with a value of a closed set: nothing in it needs escaping.
    pub(super) fn label(self, name: &str, value: &str) -> Self {
        match self.format {
            Format::Text | Format::OpenMetrics => text::label(self.out, name, value),
            Format::Protobuf => protobuf::label(self.out, name, value),
        }
        self
    }

    /// A label that says what was seen.
    pub(super) fn seen(self, name: &str, value: &str) -> Self {
        let value = shortened(value);
        match self.format {
            Format::Text | Format::OpenMetrics => text::label(self.out, name, &escaped(value)),
            Format::Protobuf => protobuf::label(self.out, name, value),
        }
        self
    }

    /// The labels `phase` and `peer`.
    pub(super) fn step(self, step: Step) -> Self {
        self.label("phase", step.phase.as_str())
            .label("peer", step.peer.as_str())
    }

    /// More labels rendered before.
    pub(super) fn labels(self, labels: &Labels) -> Self {
        match self.format {
            Format::Text | Format::OpenMetrics => text::more(self.out, labels),
            Format::Protobuf => protobuf::labels(self.out, labels),
        }
        self
    }

    /// An outcome that is an example of what is counted.
    pub(super) fn like(mut self, exemplar: Option<Exemplar>) -> Self {
        self.exemplar = exemplar;
        self
    }

    pub(super) fn integer(self, value: u64) {
        self.value(Value::Integer(value));
    }

    pub(super) fn float(self, value: f64) {
        self.value(Value::Float(value));
    }

    pub(super) fn seconds(self, value: Duration) {
        self.value(Value::Seconds(value));
    }

    /// Seconds since the epoch.
    pub(super) fn timestamp(self, value: SystemTime) {
        self.value(Value::timestamp(value));
    }

    fn value(self, value: Value) {
        match self.format {
            Format::Text => text::value(self.out, self.has_labels, value, None),
            Format::OpenMetrics => {
                text::value(self.out, self.has_labels, value, self.exemplar.as_ref());
            }
            Format::Protobuf => {
                protobuf::value(self.out, self.kind, value, self.exemplar.as_ref());
                protobuf::end(self.out, self.start);
            }
        }
    }
}

// === impl Value ===

impl Value {
    /// Seconds since the epoch.
    pub(super) fn timestamp(at: SystemTime) -> Self {
        match at.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Self::Seconds(since),
            Err(error) => Self::Negative(error.duration()),
        }
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the format has nothing better than a double"
            )]
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
            Self::Seconds(value) => value.as_secs_f64(),
            Self::Negative(value) => -value.as_secs_f64(),
        }
    }
}
