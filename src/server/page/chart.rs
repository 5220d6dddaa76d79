//! Latency over time, drawn: columns from left to right, each as high as its time, in the colours of its phases. A
//! column is a probe, or the mean of those of some minutes or hours.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::history::{Latencies, LatencyPoint, Window};
use crate::outcome::{Outcome, Phase};
use crate::report::bar;
use crate::report::words::{self, counted, short};

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
    /// Where the time is marked, between both ends.
    pub(super) lines: Vec<usize>,
    /// What the top, the middle and the bottom of the scale stand for.
    pub(super) scale: [String; 3],
    /// The time, at equal distances.
    pub(super) ticks: Vec<String>,
    /// What is drawn, for those who cannot see it.
    pub(super) words: String,
}

/// One probe, or some.
pub(super) struct Column {
    pub(super) x: usize,
    pub(super) pieces: Vec<Piece>,
    /// How it is marked, if something failed.
    pub(super) mark: Option<&'static str>,
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

// === impl Chart ===

impl Chart {
    /// The last probes one by one. `None` before the first outcome.
    pub(super) fn of_probes(recent: &[Arc<Outcome>]) -> Option<Self> {
        let (first, last) = (recent.first()?, recent.last()?);
        let longest = recent.iter().map(|outcome| outcome.timings.total()).max();
        let top = round(longest.unwrap_or_default());
        let column =
            |(index, outcome): (usize, &Arc<Outcome>)| Column::of_probe(index * STEP, outcome, top);
        let clock = |outcome: &Outcome| cut(outcome.started, 11..19);
        let ticks = vec![clock(first), format!("{} UTC", clock(last))];
        Some(Self {
            width: recent.len().max(LEAST_COLUMNS) * STEP,
            columns: recent.iter().enumerate().map(column).collect(),
            words: format!("The last probes from {}", ticks.join(" to ")),
            ..Self::empty(top, ticks)
        })
    }

    /// The means of a window. `None` where nothing is known of it.
    pub(super) fn of_means(latencies: &Latencies) -> Option<Self> {
        let points = &latencies.points;
        let probes = points.iter().any(|point| point.probes > 0);
        let means = points.iter().filter_map(|point| point.latency.as_ref());
        let longest = means.map(|latency| latency.mean).max();
        let top = round(longest.unwrap_or_default());
        let slots = |from: SystemTime, to: SystemTime| {
            let span = to.duration_since(from).unwrap_or_default();
            let slots = span.as_millis() / latencies.slot.as_millis().max(1);
            usize::try_from(slots).unwrap_or_default()
        };
        let all = slots(latencies.from, latencies.to);
        let (parts, shown) = match latencies.window {
            Window::Hour => (3, 11..16),
            Window::Day => (4, 11..16),
            Window::Week | Window::Month => (7, 5..10),
        };
        let edge = |part: usize| part * all / parts;
        let tick = |part: usize| {
            let slots = u32::try_from(edge(part)).unwrap_or_default();
            let words = cut(latencies.from + latencies.slot * slots, shown.clone());
            if part == parts && latencies.window < Window::Week {
                format!("{words} UTC")
            } else {
                words
            }
        };
        let column = |point: &LatencyPoint| {
            Column::of_means(slots(latencies.from, point.from) * STEP, point, top)
        };
        probes.then(|| Self {
            width: all * STEP,
            columns: points.iter().map(column).collect(),
            lines: (1..parts).map(|part| edge(part) * STEP).collect(),
            words: format!(
                "Means of {} from {} to {}",
                words::long(latencies.slot),
                exact(latencies.from),
                exact(latencies.to)
            ),
            ..Self::empty(top, (0..=parts).map(tick).collect())
        })
    }

    fn empty(top: Duration, ticks: Vec<String>) -> Self {
        Self {
            width: 0,
            height: format!("{:.0}", HEIGHT + MARKS),
            column_width: WIDTH,
            marks: format!("{:.0}", HEIGHT + 2.0),
            columns: Vec::new(),
            lines: Vec::new(),
            scale: [scale(top), scale(top / 2), "0".to_owned()],
            ticks,
            words: String::new(),
        }
    }
}

// === impl Column ===

impl Column {
    fn of_probe(x: usize, outcome: &Outcome, top: Duration) -> Self {
        let timings = || outcome.timings.iter();
        let phases = timings().map(|it| format!("{} {}", words::step(it.step), short(it.elapsed)));
        let (said, mark) = match &outcome.result {
            Ok(()) => ("reachable".to_owned(), None),
            Err(failure) => (failure.reason.to_string(), Some("p-failed")),
        };
        Self {
            pieces: stack(timings().map(|it| (it.step.phase, it.elapsed)), top),
            mark,
            ..Self::told(
                x,
                exact(outcome.started),
                said,
                short(outcome.duration),
                phases,
            )
        }
    }

    fn of_means(x: usize, point: &LatencyPoint, top: Duration) -> Self {
        let times = point.latency.iter().flat_map(|latency| &latency.phases);
        let phases = times
            .clone()
            .map(|(phase, time)| format!("{phase} {}", short(*time)));
        let probes = counted(point.probes.into(), "probe");
        let (said, mark) = match point.failures {
            0 => (format!("{probes}, all reachable"), None),
            all if all == point.probes => (format!("{probes}, all failed"), Some("p-failed")),
            some => (format!("{probes}, {some} failed"), Some("u-part")),
        };
        let time = point.latency.as_ref().map_or("–".to_owned(), |latency| {
            format!("{}, at most {}", short(latency.mean), short(latency.max))
        });
        Self {
            pieces: stack(times.copied(), top),
            mark,
            ..Self::told(x, exact(point.from), said, time, phases)
        }
    }

    fn told(
        x: usize,
        at: String,
        said: String,
        time: String,
        phases: impl Iterator<Item = String>,
    ) -> Self {
        let phases = phases.collect::<Vec<_>>().join(", ");
        let detail = match phases.as_str() {
            "" => String::new(),
            phases => format!(" ({phases})"),
        };
        Self {
            x,
            pieces: Vec::new(),
            mark: None,
            title: format!("{at}: {said}, {time}{detail}"),
            at,
            said,
            time,
            phases,
        }
    }
}

/// One upon the other, from the bottom.
fn stack(times: impl Iterator<Item = (Phase, Duration)>, top: Duration) -> Vec<Piece> {
    let mut from = HEIGHT;
    let piece = |(phase, elapsed): (Phase, Duration)| {
        let share = elapsed.as_secs_f64() / top.as_secs_f64();
        let height = (share * HEIGHT).min(from);
        from -= height;
        Piece {
            class: bar::class(phase),
            y: format!("{from:.2}"),
            height: format!("{height:.2}"),
        }
    };
    times.map(piece).collect()
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

/// RFC 3339 in UTC.
fn exact(at: SystemTime) -> String {
    humantime::format_rfc3339_seconds(at).to_string()
}

/// A part of it.
fn cut(at: SystemTime, part: Range<usize>) -> String {
    exact(at).get(part).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Latency;
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

    fn stays_within(chart: &Chart) {
        for column in &chart.columns {
            assert!(column.x + chart.column_width <= chart.width, "{}", column.x);
            for piece in &column.pieces {
                let (y, height): (f64, f64) =
                    (piece.y.parse().unwrap(), piece.height.parse().unwrap());
                assert!(y >= 0.0 && y + height <= HEIGHT + 0.02, "{y} {height}");
            }
        }
    }

    #[test]
    fn columns_stay_within_the_drawing_and_the_latest_is_the_last() {
        let outcomes: Vec<_> = sample::results().into_iter().map(|(_, one)| one).collect();
        let chart = Chart::of_probes(&outcomes).unwrap();
        assert_eq!(chart.columns.last().unwrap().x, 100);
        assert_eq!(chart.ticks, ["18:00:00", "18:00:00 UTC"]);
        stays_within(&chart);
        assert!(Chart::of_probes(&[]).is_none());
    }

    /// Of two slots: one of two failures among thirty probes, and one in which all failed.
    fn latencies(window: Window, slot: u64, slots: u32) -> Latencies {
        let slot = Duration::from_secs(slot);
        let from = sample::started();
        let latency = Latency {
            mean: Duration::from_millis(42),
            max: Duration::from_secs(4),
            phases: vec![
                (Phase::Dns, Duration::from_millis(2)),
                (Phase::Tls, Duration::from_millis(40)),
            ],
        };
        let point = |number: u32, probes, failures, latency| LatencyPoint {
            from: from + slot * number,
            probes,
            failures,
            latency,
        };
        Latencies {
            window,
            from,
            to: from + slot * slots,
            slot,
            points: vec![
                point(1, 30, 2, Some(latency)),
                point(slots - 1, 15, 15, None),
            ],
        }
    }

    #[test]
    fn means_stand_where_their_time_is() {
        let cases = [
            (
                Window::Hour,
                120,
                30,
                vec!["18:00", "18:20", "18:40", "19:00 UTC"],
            ),
            (
                Window::Day,
                1_800,
                48,
                vec!["18:00", "00:00", "06:00", "12:00", "18:00 UTC"],
            ),
            (
                Window::Week,
                10_800,
                56,
                vec![
                    "11-22", "11-23", "11-24", "11-25", "11-26", "11-27", "11-28", "11-29",
                ],
            ),
        ];
        for (window, slot, slots, ticks) in cases {
            let latencies = latencies(window, slot, slots);
            let chart = Chart::of_means(&latencies).unwrap();
            stays_within(&chart);
            assert_eq!(chart.ticks, ticks);
            assert_eq!(chart.lines.len(), ticks.len() - 2);
            assert_eq!(chart.scale, ["50 ms", "25 ms", "0"]);
            let places: Vec<usize> = chart.columns.iter().map(|column| column.x).collect();
            assert_eq!(places, [10, chart.width - 10]);
            let said: Vec<_> = chart
                .columns
                .iter()
                .map(|it| (&*it.said, it.mark))
                .collect();
            assert_eq!(
                said,
                [
                    ("30 probes, 2 failed", Some("u-part")),
                    ("15 probes, all failed", Some("p-failed"))
                ]
            );
            assert_eq!(chart.columns[0].time, "42.0 ms, at most 4.00 s");
            assert_eq!(chart.columns[0].phases, "dns 2.0 ms, tls 40.0 ms");
        }
        let nothing = Latencies {
            points: Vec::new(),
            ..latencies(Window::Hour, 120, 30)
        };
        assert!(Chart::of_means(&nothing).is_none());
    }
}
