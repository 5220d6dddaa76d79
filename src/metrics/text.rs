//! The text formats: that of Prometheus, version 0.0.4, and `OpenMetrics`, which differs in the heads of families and in
//! exemplars.

use std::io::Write as _;
use std::time::Duration;

use super::exemplar::{self, Exemplar};
use super::format::Format;
use super::labels::Labels;
use super::sample::{Head, Kind, Reading, Value};
use crate::outcome::Step;

/// What stands below the last family of `OpenMetrics`.
pub(super) const END: &[u8] = b"# EOF\n";

/// The head of a family.
pub(super) fn head(out: &mut Vec<u8>, format: Format, head: &Head<'_>) {
    let Head { name, help, .. } = head;
    // Writing to a Vec cannot fail, here and below.
    if format == Format::OpenMetrics {
        let (name, kind) = in_open_metrics(head);
        let _ = writeln!(out, "# TYPE {name} {kind}");
        if let Some(unit) = unit_of(name).filter(|_| kind != "info") {
            let _ = writeln!(out, "# UNIT {name} {unit}");
        }
        let _ = writeln!(out, "# HELP {name} {help}");
        return;
    }
    let kind = kind_of(head.kind);
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

/// The name of the family, which is not that of its samples, and its type.
fn in_open_metrics<'a>(head: &Head<'a>) -> (&'a str, &'static str) {
    let kind = kind_of(head.kind);
    match head.kind {
        Kind::Counter => (head.name.strip_suffix("_total").unwrap_or(head.name), kind),
        Kind::Gauge => head
            .name
            .strip_suffix("_info")
            .map_or((head.name, kind), |name| (name, "info")),
        Kind::Histogram => (head.name, kind),
    }
}

fn kind_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

fn unit_of(family: &str) -> Option<&'static str> {
    let mut units = ["seconds", "bytes"].into_iter();
    units.find(|unit| {
        let stem = family.strip_suffix(unit);
        stem.is_some_and(|stem| stem.ends_with('_'))
    })
}

/// Begins a line: `name{labels`.
pub(super) fn begin(out: &mut Vec<u8>, name: &str, labels: &Labels) {
    out.extend_from_slice(name.as_bytes());
    if !labels.is_empty() {
        out.push(b'{');
        out.extend_from_slice(labels.as_str().as_bytes());
    }
}

/// A label behind others, its value escaped.
pub(super) fn label(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b',');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

/// More labels behind others.
pub(super) fn more(out: &mut Vec<u8>, labels: &Labels) {
    out.push(b',');
    out.extend_from_slice(labels.as_str().as_bytes());
}

/// Ends a line.
pub(super) fn value(
    out: &mut Vec<u8>,
    has_labels: bool,
    value: Value,
    exemplar: Option<&Exemplar>,
) {
    let before: &[u8] = if has_labels { b"} " } else { b" " };
    out.extend_from_slice(before);
    number(out, value);
    if let Some(exemplar) = exemplar {
        example(out, exemplar);
    }
    out.push(b'\n');
}

/// All lines of a histogram.
pub(super) fn histogram<B: Iterator<Item = u64>>(
    out: &mut Vec<u8>,
    format: Format,
    name: &str,
    labels: &Labels,
    step: Option<Step>,
    reading: Reading<'_, B>,
) {
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"_bucket{");
    with_step(out, labels, step);
    if !labels.is_empty() {
        out.push(b',');
    }
    let prefix = start..out.len();

    let exemplar = reading.exemplar.filter(|_| format == Format::OpenMetrics);
    let bucket_of_exemplar = exemplar.map(|exemplar| reading.shape.bucket_of(exemplar.value));
    let mut count = 0;
    for (index, (bucket, le)) in reading.buckets.zip(reading.shape.labels()).enumerate() {
        if index > 0 {
            out.extend_from_within(prefix.clone());
        }
        count += bucket;
        out.extend_from_slice(le.as_bytes());
        integer(out, count);
        if let Some(exemplar) = exemplar.filter(|_| bucket_of_exemplar == Some(index)) {
            example(out, &exemplar);
        }
        out.push(b'\n');
    }
    for (suffix, total) in [("_sum", reading.sum), ("_count", Value::Integer(count))] {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        if !labels.is_empty() {
            out.push(b'{');
            with_step(out, labels, step);
        }
        value(out, !labels.is_empty(), total, None);
    }
}

fn with_step(out: &mut Vec<u8>, labels: &Labels, step: Option<Step>) {
    out.extend_from_slice(labels.as_str().as_bytes());
    if let Some(step) = step {
        label(out, "phase", step.phase.as_str());
        label(out, "peer", step.peer.as_str());
    }
}

fn example(out: &mut Vec<u8>, exemplar: &Exemplar) {
    let _ = write!(out, " # {{{}=\"{}\"}} ", exemplar::LABEL, exemplar.id);
    number(out, exemplar.value);
    out.push(b' ');
    number(out, Value::timestamp(exemplar.at));
}

fn number(out: &mut Vec<u8>, value: Value) {
    match value {
        Value::Integer(value) => integer(out, value),
        Value::Float(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Seconds(value) => seconds(out, value),
        Value::Negative(value) => {
            out.push(b'-');
            seconds(out, value);
        }
    }
}

/// The bulk of an exposition, and so without the detour through `fmt`.
fn integer(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Exact to the nanosecond, and without `fmt`, too.
fn seconds(out: &mut Vec<u8>, value: Duration) {
    integer(out, value.as_secs());
    let mut nanos = value.subsec_nanos();
    if nanos > 0 {
        let mut fraction = *b".000000000";
        for digit in fraction[1..].iter_mut().rev() {
            *digit += (nanos % 10) as u8;
            nanos /= 10;
        }
        let zeros = fraction.iter().rev().take_while(|digit| **digit == b'0');
        out.extend_from_slice(&fraction[..fraction.len() - zeros.count()]);
    }
}

#[cfg(test)]
mod tests;
