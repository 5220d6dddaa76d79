//! Latency over time: the last probes as columns from left to right, each as high as it took, in the colours of its
//! phases.

use std::sync::Arc;
use std::time::Duration;

use crate::outcome::Outcome;
use crate::report::bar;
use crate::report::words::{self, short};

/// The height of the drawing.
const HEIGHT: f64 = 100.0;

/// From one column to the next.
const STEP: usize = 10;

/// Few columns do not become wider than those of so many.
const LEAST_COLUMNS: usize = 20;

/// How wide a column is.
const WIDTH: usize = 8;

/// The row below the columns that marks failures.
const MARKS: f64 = 6.0;

/// The drawing.
pub(super) struct Chart {
    /// The width of the drawing.
    pub(super) width: usize,
    pub(super) height: String,
    pub(super) column_width: usize,
    pub(super) marks: String,
    pub(super) columns: Vec<Column>,
    /// What the top, the middle and the bottom of the scale stand for.
    pub(super) scale: [String; 3],
    pub(super) from: String,
    pub(super) until: String,
}

/// One probe.
pub(super) struct Column {
    pub(super) x: usize,
    pub(super) pieces: Vec<Piece>,
    pub(super) failed: bool,
    pub(super) title: String,
    /// For the table: when, what, how long.
    pub(super) at: String,
    pub(super) said: String,
    pub(super) time: String,
    pub(super) phases: String,
}

pub(super) struct Piece {
    pub(super) class: &'static str,
    pub(super) y: String,
    pub(super) height: String,
}

impl Chart {
    /// `None` before the first outcome.
    pub(super) fn new(recent: &[Arc<Outcome>]) -> Option<Self> {
        let (first, last) = (recent.first()?, recent.last()?);
        let longest = recent.iter().map(|outcome| outcome.timings.total()).max();
        let top = round(longest.unwrap_or_default());
        let column =
            |(index, outcome): (usize, &Arc<Outcome>)| Column::new(index * STEP, outcome, top);
        Some(Self {
            width: recent.len().max(LEAST_COLUMNS) * STEP,
            height: format!("{:.0}", HEIGHT + MARKS),
            column_width: WIDTH,
            marks: format!("{:.0}", HEIGHT + 2.0),
            columns: recent.iter().enumerate().map(column).collect(),
            scale: [scale(top), scale(top / 2), "0".to_owned()],
            from: clock(first),
            until: clock(last),
        })
    }
}

impl Column {
    fn new(x: usize, outcome: &Outcome, top: Duration) -> Self {
        let mut from = HEIGHT;
        let piece = |timing: &crate::outcome::Timing| {
            let share = timing.elapsed.as_secs_f64() / top.as_secs_f64();
            let height = (share * HEIGHT).min(from);
            from -= height;
            Piece {
                class: bar::class(timing.step.phase),
                y: format!("{from:.2}"),
                height: format!("{height:.2}"),
            }
        };
        let pieces = outcome.timings.iter().map(piece).collect();
        let phases = outcome.timings.iter();
        let phases: Vec<_> = phases
            .map(|timing| format!("{} {}", words::step(timing.step), short(timing.elapsed)))
            .collect();
        let said = match &outcome.result {
            Ok(()) => "reachable".to_owned(),
            Err(failure) => failure.reason.to_string(),
        };
        let at = humantime::format_rfc3339_seconds(outcome.started).to_string();
        let time = short(outcome.duration);
        Self {
            x,
            pieces,
            failed: outcome.result.is_err(),
            title: format!("{at}: {said}, {time} ({})", phases.join(", ")),
            at,
            said,
            time,
            phases: phases.join(", "),
        }
    }
}

/// The next of 1, 2 and 5 times a power of ten, in milliseconds, so that the scale does not jump with every probe.
fn round(longest: Duration) -> Duration {
    let mut power = Duration::from_millis(1);
    loop {
        for factor in [1, 2, 5] {
            if longest <= power * factor {
                return power * factor;
            }
        }
        power *= 10;
    }
}

fn scale(value: Duration) -> String {
    let milliseconds = value.as_secs_f64() * 1000.0;
    if milliseconds < 1000.0 {
        format!("{milliseconds} ms")
    } else {
        format!("{} s", milliseconds / 1000.0)
    }
}

/// The time of day in UTC.
fn clock(outcome: &Outcome) -> String {
    let exact = humantime::format_rfc3339_seconds(outcome.started).to_string();
    exact.get(11..16).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_scale_is_a_round_number_above_all() {
        let cases = [(0, 1), (1, 1), (3, 5), (40, 50), (51, 100), (1001, 2000)];
        for (longest, expected) in cases {
            assert_eq!(
                round(Duration::from_millis(longest)),
                Duration::from_millis(expected)
            );
        }
        assert_eq!(scale(Duration::from_millis(2500)), "2.5 s");
        assert_eq!(scale(Duration::from_micros(500)), "0.5 ms");
    }

    #[test]
    fn columns_stay_within_the_drawing_and_the_latest_is_the_last() {
        let outcomes: Vec<_> = sample::results().into_iter().map(|(_, one)| one).collect();
        let chart = Chart::new(&outcomes).unwrap();
        assert_eq!(chart.columns.last().unwrap().x, 100);
        for column in &chart.columns {
            for piece in &column.pieces {
                let (y, height): (f64, f64) =
                    (piece.y.parse().unwrap(), piece.height.parse().unwrap());
                assert!(y >= 0.0 && y + height <= HEIGHT + 0.02, "{y} {height}");
            }
        }
        assert!(Chart::new(&[]).is_none());
    }
}
