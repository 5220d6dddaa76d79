//! The section `metrics`: how results are exposed.

use super::reader::Value;
use super::scalars::{boolean, word};
use super::{HistogramChoice, MetricsSettings};

const MAX_BUCKETS: usize = 30;

/// In seconds: nothing that is measured takes longer than a day.
const LONGEST_BOUND: f64 = 86_400.0;

/// How the choices are written.
pub(super) const CHOICES: [(&str, HistogramChoice); 4] = [
    ("auto", HistogramChoice::Auto),
    ("check", HistogramChoice::Check),
    ("service", HistogramChoice::Service),
    ("none", HistogramChoice::None),
];

/// From a resolver on the same host to the default timeout.
const DEFAULT_BUCKETS: [f64; 11] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Reads the section.
pub(super) fn read(value: &Value<'_>) -> Option<MetricsSettings> {
    value.fields(|fields| {
        let histograms = fields.optional("histograms", |value| word(value, &CHOICES));
        let buckets = fields.optional("buckets", buckets);
        let native_histograms = fields.optional("native_histograms", boolean);
        let default = MetricsSettings::default();
        MetricsSettings {
            histograms: histograms.unwrap_or(default.histograms),
            buckets: buckets.unwrap_or(default.buckets),
            native_histograms: native_histograms.unwrap_or(default.native_histograms),
        }
    })
}

fn buckets(value: &Value<'_>) -> Option<Vec<f64>> {
    let buckets = value.filled_list(bound)?;
    if buckets.len() > MAX_BUCKETS {
        return value.refuse(format!("more than {MAX_BUCKETS} buckets"));
    }
    if !buckets.is_sorted() {
        return value.refuse("the upper bounds must ascend");
    }
    Some(buckets)
}

fn bound(value: &Value<'_>) -> Option<f64> {
    let seconds: Option<f64> = value.text()?.parse().ok();
    if seconds.is_some_and(|seconds| seconds.is_finite() && seconds > LONGEST_BOUND) {
        return value.refuse(format!("{} is more than a day", value.shown()));
    }
    seconds
        .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
        .or_else(|| {
            value.refuse_with(
                format!("{} is not a positive number", value.shown()),
                "write seconds, such as 0.25".to_owned(),
            )
        })
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self {
            histograms: HistogramChoice::Auto,
            buckets: DEFAULT_BUCKETS.to_vec(),
            native_histograms: false,
        }
    }
}
