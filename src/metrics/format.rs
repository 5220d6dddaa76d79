//! The formats of an exposition.

/// How an exposition is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The Prometheus text format, version 0.0.4.
    Text,
    /// `OpenMetrics`, version 1.0.0: text with units and exemplars.
    OpenMetrics,
    /// The Prometheus protobuf format: length-delimited messages; the only one with native histograms.
    Protobuf,
}

// === impl Format ===

impl Format {
    /// All of them, the one first that is sent to whoever does not ask for another.
    pub const ALL: [Self; 3] = [Self::Text, Self::OpenMetrics, Self::Protobuf];

    /// What an answer in it is labelled with.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    /// Whether it can carry examples of what is counted.
    pub(super) fn has_exemplars(self) -> bool {
        self != Self::Text
    }
}
