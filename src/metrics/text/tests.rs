use std::time::SystemTime;

use super::*;
use crate::metrics::sample::{Sample, Samples};

const NOTHING: Head<'_> = Head {
    name: "f",
    kind: Kind::Gauge,
    help: "Some help.",
};

fn line(write: impl FnOnce(Sample<'_>)) -> String {
    let mut out = Vec::new();
    let mut samples = Samples::written(&mut out, Format::Text, NOTHING);
    write(samples.sample(&Labels::default().with("a", "b")));
    String::from_utf8(out).unwrap()
}

#[test]
fn label_values_are_escaped() {
    assert_eq!(
        line(|line| line.seen("subject", "CN=\"x\\y\"\n").integer(1)),
        "f{a=\"b\",subject=\"CN=\\\"x\\\\y\\\"\\n\"} 1\n"
    );
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

#[test]
fn families_are_named_as_each_format_wants_it() {
    let cases = [
        ("a_total", Kind::Counter, "# TYPE a counter\n# HELP a H.\n"),
        (
            "a_seconds_total",
            Kind::Counter,
            "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds H.\n",
        ),
        (
            "a_bytes",
            Kind::Gauge,
            "# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n# HELP a_bytes H.\n",
        ),
        ("a_info", Kind::Gauge, "# TYPE a info\n# HELP a H.\n"),
        (
            "seconds",
            Kind::Gauge,
            "# TYPE seconds gauge\n# HELP seconds H.\n",
        ),
    ];
    for (name, kind, expected) in cases {
        let of = Head {
            name,
            kind,
            help: "H.",
        };
        let written = |format| {
            let mut out = Vec::new();
            head(&mut out, format, &of);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(Format::OpenMetrics), expected);
        let kind = kind_of(kind);
        let plain = format!("# HELP {name} H.\n# TYPE {name} {kind}\n");
        assert_eq!(written(Format::Text), plain);
    }
}
