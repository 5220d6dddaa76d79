//! The text format, version 0.0.4: lines, labels, escaping and numbers.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use super::histogram::{Bounds, Histogram};
use crate::outcome::Step;

/// The most characters of a label value that says what was seen rather than what was configured.
const LONGEST_SEEN: usize = 256;

/// Writes the lines of one family.
pub(super) struct Lines<'a> {
    pub(super) out: &'a mut String,
    pub(super) family: &'static str,
}

/// A line whose labels are being written.
pub(super) struct Line<'a> {
    out: &'a mut String,
}

/// Labels without the braces around them, rendered once for many lines.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(super) struct Labels(String);

// === impl Lines ===

impl Lines<'_> {
    /// Begins a line: `family{labels`.
    pub(super) fn line(&mut self, labels: &Labels) -> Line<'_> {
        self.out.push_str(self.family);
        self.out.push('{');
        self.out.push_str(&labels.0);
        Line { out: self.out }
    }

    /// All lines of a histogram. Its count is the sum of the buckets just read, so that it always equals the
    /// infinite bucket, whatever is observed meanwhile.
    pub(super) fn histogram(
        &mut self,
        labels: &Labels,
        step: Option<Step>,
        histogram: &Histogram,
        bounds: &Bounds,
    ) {
        let start = self.out.len();
        self.histogram_line("_bucket{", labels, step);
        self.out.push(',');
        let prefix = start..self.out.len();

        let mut count = 0;
        for (index, (bucket, le)) in histogram.buckets().zip(bounds.labels()).enumerate() {
            if index > 0 {
                self.out.extend_from_within(prefix.clone());
            }
            count += bucket;
            self.out.push_str(le);
            integer(self.out, count);
        }
        self.histogram_line("_sum{", labels, step);
        self.out.push_str("} ");
        seconds(self.out, histogram.sum());
        self.histogram_line("_count{", labels, step);
        self.out.push_str("} ");
        integer(self.out, count);
    }

    fn histogram_line(&mut self, suffix: &str, labels: &Labels, step: Option<Step>) {
        self.out.push_str(self.family);
        self.out.push_str(suffix);
        self.out.push_str(&labels.0);
        if let Some(step) = step {
            Line { out: self.out }.step(step);
        }
    }
}

// === impl Line ===

impl<'a> Line<'a> {
    /// A label with a value of a closed set: nothing in it needs escaping.
    pub(super) fn label(self, name: &str, value: &str) -> Self {
        self.out.push(',');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.out.push_str(value);
        self.out.push('"');
        self
    }

    /// A label that says what was seen.
    pub(super) fn seen(self, name: &str, value: &str) -> Self {
        self.label(name, &escaped(shortened(value)))
    }

    /// The labels `phase` and `peer`.
    pub(super) fn step(self, step: Step) -> Self {
        self.label("phase", step.phase.as_str())
            .label("peer", step.peer.as_str())
    }

    /// More labels rendered before.
    pub(super) fn labels(self, labels: &Labels) -> Self {
        self.out.push(',');
        self.out.push_str(&labels.0);
        self
    }

    pub(super) fn integer(self, value: u64) {
        integer(self.value(), value);
    }

    pub(super) fn float(self, value: f64) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.value(), "{value}");
    }

    pub(super) fn seconds(self, value: Duration) {
        seconds(self.value(), value);
    }

    /// Seconds since the epoch.
    pub(super) fn timestamp(self, value: SystemTime) {
        let out = self.value();
        match value.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => seconds(out, since),
            Err(error) => {
                out.push('-');
                seconds(out, error.duration());
            }
        }
    }

    fn value(self) -> &'a mut String {
        self.out.push_str("} ");
        self.out
    }
}

// === impl Labels ===

impl Labels {
    /// Adds a label with a configured value, which identifies and so is never cut.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        self.0.push_str(&escaped(value));
        self.0.push('"');
        self
    }

    /// Adds a label that describes and so may be cut.
    pub(super) fn with_seen(self, name: &str, value: &str) -> Self {
        self.with(name, shortened(value))
    }
}

/// The head of a family.
pub(super) fn header(out: &mut String, family: &str, kind: &str, help: &str) {
    // Writing to a String cannot fail.
    let _ = write!(out, "# HELP {family} {help}\n# TYPE {family} {kind}\n");
}

fn escaped(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(value);
    }
    let mut escaped = String::with_capacity(value.len() + 8);
    for character in value.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

fn shortened(value: &str) -> &str {
    match value.char_indices().nth(LONGEST_SEEN) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}

/// Ends a line with an integer: the bulk of an exposition, and so without the detour through `fmt`.
fn integer(out: &mut String, mut value: u64) {
    let mut digits = ['0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = char::from(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend(&digits[first..]);
    out.push('\n');
}

/// Ends a line with seconds, exact to the nanosecond.
fn seconds(out: &mut String, value: Duration) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{}", value.as_secs());
    if value.subsec_nanos() > 0 {
        let _ = write!(out, ".{:09}", value.subsec_nanos());
        out.truncate(out.trim_end_matches('0').len());
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(write: impl FnOnce(Line<'_>)) -> String {
        let mut out = String::new();
        let mut lines = Lines {
            out: &mut out,
            family: "f",
        };
        write(lines.line(&Labels::default().with("a", "b")));
        out
    }

    #[test]
    fn label_values_are_escaped() {
        let labels = Labels::default()
            .with("plain", "grün")
            .with("odd", "back\\slash \"quoted\"\nnext");
        assert_eq!(
            labels.0,
            r#"plain="grün",odd="back\\slash \"quoted\"\nnext""#
        );
        assert_eq!(
            line(|line| line.seen("subject", "CN=\"x\\y\"\n").integer(1)),
            "f{a=\"b\",subject=\"CN=\\\"x\\\\y\\\"\\n\"} 1\n"
        );
    }

    #[test]
    fn what_was_seen_is_cut_between_characters_and_before_escaping() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ü".repeat(300)), "ü".repeat(256));
        let labels = Labels::default().with_seen("url", &"\"".repeat(300));
        assert_eq!(labels.0, format!("url=\"{}\"", "\\\"".repeat(256)));
    }

    #[test]
    fn seconds_are_exact() {
        let cases = [
            (Duration::ZERO, "0"),
            (Duration::from_nanos(1), "0.000000001"),
            (Duration::from_micros(1_100), "0.0011"),
            (Duration::from_millis(1_500), "1.5"),
            (Duration::from_secs(100), "100"),
            (Duration::from_secs(253_402_300_799), "253402300799"),
        ];
        for (duration, expected) in cases {
            assert_eq!(
                line(|line| line.seconds(duration)),
                format!("f{{a=\"b\"}} {expected}\n")
            );
        }
    }

    #[test]
    fn timestamps_may_lie_before_the_epoch() {
        let at = SystemTime::UNIX_EPOCH - Duration::from_millis(2_500);
        assert_eq!(line(|line| line.timestamp(at)), "f{a=\"b\"} -2.5\n");
    }

    #[test]
    fn integers_of_any_size() {
        for value in [0, 9, 10, 255, 256, u64::MAX] {
            assert_eq!(
                line(|line| line.integer(value)),
                format!("f{{a=\"b\"}} {value}\n")
            );
        }
    }
}
