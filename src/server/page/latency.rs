//! How long a check took: its last probes one by one, or an hour, a day or a week in means.

use super::chart::Chart;
use crate::history::{CheckHistory, Latencies, Window};
use crate::report::words::counted;

/// What of the latency is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// The last probes.
    Probes,
    /// The means of a window.
    Over(Window),
}

/// The section of a check's page.
pub(super) struct LatencyShown {
    pub(super) choices: Vec<Choice>,
    pub(super) tally: String,
    /// What the columns are.
    pub(super) unit: &'static str,
    pub(super) chart: Option<Chart>,
}

/// A link to another span.
pub(super) struct Choice {
    pub(super) name: &'static str,
    pub(super) words: &'static str,
    pub(super) chosen: bool,
}

// === impl Span ===

impl Span {
    const ALL: [Self; 4] = [
        Self::Probes,
        Self::Over(Window::Hour),
        Self::Over(Window::Day),
        Self::Over(Window::Week),
    ];

    /// What a query asks for; the last probes where that is not understood.
    pub(super) fn asked(query: &[(String, String)]) -> Self {
        let asked = query.iter().find(|(key, _)| key == "span");
        let known = asked.and_then(|(_, name)| Self::ALL.iter().find(|span| span.name() == name));
        known.copied().unwrap_or(Self::Probes)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Probes => "probes",
            Self::Over(window) => window.as_str(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Probes => "last probes",
            Self::Over(window) => words_of(window),
        }
    }
}

/// A window as people say it.
pub(super) fn words_of(window: Window) -> &'static str {
    match window {
        Window::Hour => "1 hour",
        Window::Day => "24 hours",
        Window::Week => "7 days",
        Window::Month => "30 days",
    }
}

// === impl LatencyShown ===

impl LatencyShown {
    /// `None` before the first outcome.
    pub(super) fn of_probes(history: &CheckHistory) -> Option<Self> {
        let recent = &history.recent;
        let chart = Chart::of_probes(recent)?;
        let probes = counted(recent.len(), "probe");
        let tally = format!("{} of the last {probes} failed", recent.failed());
        Some(Self::new(
            Span::Probes,
            tally,
            "Each column is a probe",
            chart,
        ))
    }

    pub(super) fn of_means(latencies: &Latencies) -> Self {
        let sum = |count: fn(&crate::history::LatencyPoint) -> u16| -> usize {
            latencies
                .points
                .iter()
                .map(|it| usize::from(count(it)))
                .sum()
        };
        let (probes, failures) = (sum(|point| point.probes), sum(|point| point.failures));
        let tally = format!("{failures} of {} failed", counted(probes, "probe"));
        // Of thousands of checks, longer times are taken together.
        let unit = match latencies.slot.as_secs() / 60 {
            ..=2 => "Each column is the mean of two minutes",
            3..=4 => "Each column is the mean of four minutes",
            5..=8 => "Each column is the mean of eight minutes",
            9..=30 => "Each column is the mean of half an hour",
            31..=60 => "Each column is the mean of an hour",
            61..=120 => "Each column is the mean of two hours",
            121..=180 => "Each column is the mean of three hours",
            181..=360 => "Each column is the mean of six hours",
            _ => "Each column is the mean of twelve hours",
        };
        Self::new(
            Span::Over(latencies.window),
            tally,
            unit,
            Chart::of_means(latencies),
        )
    }

    fn new(
        shown: Span,
        tally: String,
        unit: &'static str,
        chart: impl Into<Option<Chart>>,
    ) -> Self {
        let choice = |span: Span| Choice {
            name: span.name(),
            words: span.words(),
            chosen: span == shown,
        };
        Self {
            choices: Span::ALL.into_iter().map(choice).collect(),
            tally,
            unit,
            chart: chart.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_shows_the_last_probes() {
        let asked = |value: &str| Span::asked(&[("span".to_owned(), value.to_owned())]);
        for span in Span::ALL {
            assert_eq!(asked(span.name()), span);
        }
        assert_eq!(asked("30d"), Span::Probes);
        assert_eq!(Span::asked(&[]), Span::Probes);
    }
}
