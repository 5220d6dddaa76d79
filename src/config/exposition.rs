//! The section `metrics`: how results are exposed.

use super::reader::Value;
use super::scalars::word;
use super::{HistogramChoice, MetricsSettings};

const MAX_BUCKETS: usize = 30;

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
        fields.not_supported("native_histograms");
        let histograms = fields.optional("histograms", |value| word(value, &CHOICES));
        let buckets = fields.optional("buckets", buckets);
        let default = MetricsSettings::default();
        MetricsSettings {
            histograms: histograms.unwrap_or(default.histograms),
            buckets: buckets.unwrap_or(default.buckets),
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
    let seconds = value.text()?.parse().ok();
    seconds
        .filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0)
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
        }
    }
}
