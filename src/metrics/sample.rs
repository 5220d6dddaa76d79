//! What a row tells: samples, each with labels and a value. Here they part for the formats; the rows know of none.

use std::time::{Duration, SystemTime};

use super::exemplar::Exemplar;
use super::format::Format;
use super::histogram::Shape;
use super::labels::{Labels, escaped, shortened};
use super::native::Native;
use super::wire::Length;
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
    out: Out<'a>,
    pub(super) head: Head<'a>,
}

/// Where samples go.
enum Out<'a> {
    Text(&'a mut Vec<u8>, Format),
    Protobuf(&'a mut Vec<u8>),
    /// Nowhere: how long they would be as protobuf is all that is asked for.
    Length(&'a mut Length),
}

/// A sample whose labels are being written.
pub(super) struct Sample<'a> {
    out: Out<'a>,
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

impl<'a> Samples<'a> {
    pub(super) fn written(out: &'a mut Vec<u8>, format: Format, head: Head<'a>) -> Self {
        let out = match format {
            Format::Text | Format::OpenMetrics => Out::Text(out, format),
            Format::Protobuf => Out::Protobuf(out),
        };
        Self { out, head }
    }

    /// Only measured, as protobuf.
    pub(super) fn measured(length: &'a mut Length, head: Head<'a>) -> Self {
        Self {
            out: Out::Length(length),
            head,
        }
    }

    /// Whether examples of what is counted are shown.
    pub(super) fn has_exemplars(&self) -> bool {
        match self.out {
            Out::Text(_, format) => format.has_exemplars(),
            Out::Protobuf(_) | Out::Length(_) => Format::Protobuf.has_exemplars(),
        }
    }

    /// Says which family follows.
    pub(super) fn head(&mut self) {
        match &mut self.out {
            Out::Text(out, format) => text::head(out, *format, &self.head),
            Out::Protobuf(out) => protobuf::head(*out, &self.head),
            Out::Length(out) => protobuf::head(*out, &self.head),
        }
    }

    /// Begins a sample.
    pub(super) fn sample(&mut self, labels: &Labels) -> Sample<'_> {
        let mut out = self.out.again();
        let start = match &mut out {
            Out::Text(out, _) => {
                text::begin(out, self.head.name, labels);
                out.len()
            }
            Out::Protobuf(out) => protobuf::begin_metric(*out, labels),
            Out::Length(out) => protobuf::begin_metric(*out, labels),
        };
        Sample {
            out,
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
        match &mut self.out {
            Out::Text(out, format) => {
                text::histogram(out, *format, self.head.name, labels, step, reading);
            }
            Out::Protobuf(out) => protobuf::histogram(*out, labels, step, reading),
            Out::Length(out) => protobuf::histogram(*out, labels, step, reading),
        }
    }
}

// === impl Out ===

impl Out<'_> {
    /// The same for a while.
    fn again(&mut self) -> Out<'_> {
        match self {
            Self::Text(out, format) => Out::Text(out, *format),
            Self::Protobuf(out) => Out::Protobuf(out),
            Self::Length(out) => Out::Length(out),
        }
    }
}

// === impl Sample ===

impl Sample<'_> {
    /// A label with a value of a closed set: nothing in it needs escaping.
    pub(super) fn label(mut self, name: &str, value: &str) -> Self {
        match &mut self.out {
            Out::Text(out, _) => text::label(out, name, value),
            Out::Protobuf(out) => protobuf::label(*out, name, value),
            Out::Length(out) => protobuf::label(*out, name, value),
        }
        self
    }

    /// A label that says what was seen.
    pub(super) fn seen(mut self, name: &str, value: &str) -> Self {
        let value = shortened(value);
        match &mut self.out {
            Out::Text(out, _) => text::label(out, name, &escaped(value)),
            Out::Protobuf(out) => protobuf::label(*out, name, value),
            Out::Length(out) => protobuf::label(*out, name, value),
        }
        self
    }

    /// The labels `phase` and `peer`.
    pub(super) fn step(self, step: Step) -> Self {
        self.label("phase", step.phase.as_str())
            .label("peer", step.peer.as_str())
    }

    /// More labels rendered before.
    pub(super) fn labels(mut self, labels: &Labels) -> Self {
        match &mut self.out {
            Out::Text(out, _) => text::more(out, labels),
            Out::Protobuf(out) => protobuf::labels(*out, labels),
            Out::Length(out) => protobuf::labels(*out, labels),
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
        let exemplar = self.exemplar.as_ref();
        match self.out {
            Out::Text(out, format) => {
                let exemplar = exemplar.filter(|_| format.has_exemplars());
                text::value(out, self.has_labels, value, exemplar);
            }
            Out::Protobuf(out) => {
                protobuf::end_metric(out, self.start, self.kind, value, exemplar);
            }
            Out::Length(out) => protobuf::end_metric(out, self.start, self.kind, value, exemplar),
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
