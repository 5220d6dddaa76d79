//! What uptime is: time, not a count of probes.

use super::*;
use crate::history::uptime::Timeline;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: u64 = 3_600;
/// A time that is not the start of anything, long after 1970.
const START: u64 = 1_000_000 * HOUR + 1_234;

/// A timeline of findings, each so many seconds after the start.
fn timeline(findings: impl IntoIterator<Item = (u64, bool)>) -> Timeline {
    let mut timeline = Timeline::default();
    for (at, succeeded) in findings {
        timeline.observe(seconds(START + at), succeeded, MINUTE);
    }
    timeline
}

/// Seconds that it succeeded, failed and nobody knows.
fn figures(uptime: &Uptime) -> [u64; 3] {
    let rounded = |duration: Duration| (duration + Duration::from_millis(500)).as_secs();
    [uptime.succeeded, uptime.failed, uptime.unknown].map(rounded)
}

fn of_window(timeline: &Timeline, window: Window, at: u64) -> [u64; 3] {
    let uptime = timeline.uptime(seconds(START + at));
    let found = uptime
        .iter()
        .find(|uptime| uptime.window == window)
        .unwrap();
    figures(found)
}

#[test]
fn a_finding_holds_until_the_next_one_starts_and_two_and_a_half_intervals_at_most() {
    type Case<'a> = (&'a str, &'a [(u64, bool)], u64, [u64; 3]);
    let cases: [Case<'_>; 8] = [
        ("nothing is known", &[], 0, [0, 0, 3_600]),
        ("it begins now", &[(0, true)], 0, [0, 0, 3_600]),
        ("it holds still", &[(0, true)], 100, [100, 0, 3_500]),
        ("it is too old", &[(0, true)], 1_000, [150, 0, 3_450]),
        (
            "the next one ends it",
            &[(0, true), (60, false)],
            90,
            [60, 30, 3_510],
        ),
        (
            "early, as after a failure",
            &[(0, false), (5, true)],
            65,
            [60, 5, 3_535],
        ),
        (
            "nobody watched",
            &[(0, true), (1_000, false)],
            1_010,
            [150, 10, 3_440],
        ),
        ("another day", &[(0, false)], 86_400, [0, 0, 3_600]),
    ];
    for (name, findings, at, expected) in cases {
        let timeline = timeline(findings.iter().copied());
        assert_eq!(of_window(&timeline, Window::Hour, at), expected, "{name}");
    }
}

#[test]
fn every_window_counts_what_lies_in_it() {
    // Forty days of success, but for the first hour of each day, in which it fails.
    let fails = |at: u64| at % (24 * HOUR) < HOUR;
    let findings = (0..40 * 24 * 60).map(|minute| (minute * 60, !fails(minute * 60)));
    let timeline = timeline(findings);
    let now = 40 * 24 * HOUR;
    let slots = [60, 300, HOUR, HOUR];
    let expected = [
        // The slot at a window's edge is shared out, as if it had been the same throughout.
        (Window::Hour, HOUR, 0),
        (Window::Day, 23 * HOUR, HOUR),
        (Window::Week, 7 * 23 * HOUR, 7 * HOUR),
        (Window::Month, 30 * 23 * HOUR, 30 * HOUR),
    ];
    for ((window, succeeded, failed), slot) in expected.into_iter().zip(slots) {
        let [up, down, unknown] = of_window(&timeline, window, now);
        assert!(
            up.abs_diff(succeeded) <= slot / 2,
            "{window:?}: {up} of {succeeded}"
        );
        assert!(
            down.abs_diff(failed) <= slot / 2,
            "{window:?}: {down} of {failed}"
        );
        assert!(unknown <= 2, "{window:?}: {unknown} unknown");
    }
    let day = timeline.uptime(seconds(START + now))[1].ratio.unwrap();
    assert!((day - 23.0 / 24.0).abs() < 1e-3, "{day}");
}

#[test]
fn nothing_is_lost_to_rounding_however_often_it_flaps() {
    // An interval of 7 s, failing every other time: half and half of a month.
    let mut timeline = Timeline::default();
    let interval = Duration::from_secs(7);
    let count = 30 * 24 * HOUR / 7;
    for number in 0..count {
        timeline.observe(seconds(START + number * 7), number % 2 == 0, interval);
    }
    for window in Window::ALL {
        let [up, down, unknown] = of_window(&timeline, window, count * 7);
        let half = window.duration().as_secs() / 2;
        assert!(
            up.abs_diff(half) <= half / 500,
            "{window:?}: {up} of {half}"
        );
        assert!(
            down.abs_diff(half) <= half / 500,
            "{window:?}: {down} of {half}"
        );
        assert!(unknown <= half / 500, "{window:?}: {unknown} unknown");
    }
}

#[test]
fn bars_add_up_to_the_window() {
    let timeline = timeline((0..200).map(|minute| (minute * 60, minute % 7 != 0)));
    let now = seconds(START + 200 * 60 + 30);
    for window in Window::ALL {
        for count in [1, 24, 60, 90, 1_000] {
            let bars = timeline.bars(window, count, now);
            assert_eq!(bars.len(), count);
            assert_eq!(bars[0].from, now - window.duration());
            assert_eq!(bars[count - 1].to, now);
            assert!(bars.windows(2).all(|pair| pair[0].to == pair[1].from));
            let uptime = timeline.uptime(now);
            let whole = uptime
                .iter()
                .find(|uptime| uptime.window == window)
                .unwrap();
            let sum = |part: fn(&Bar) -> Duration| bars.iter().map(part).sum::<Duration>();
            let slack = Duration::from_secs(3);
            assert!(sum(|bar| bar.failed).abs_diff(whole.failed) < slack);
            assert!(sum(|bar| bar.succeeded).abs_diff(whole.succeeded) < slack);
            for bar in bars {
                let length = bar.to.duration_since(bar.from).unwrap();
                assert_eq!(bar.succeeded + bar.failed + bar.unknown, length);
            }
        }
    }
}

#[test]
fn a_clock_that_is_set_does_no_harm() {
    // A second back, as by NTP: time is not counted twice.
    let timeline_of = timeline([(0, true), (60, true), (59, true), (119, true)]);
    assert_eq!(of_window(&timeline_of, Window::Hour, 119), [119, 0, 3_481]);
    // From the year 2084 to now: what lies ahead is forgotten, and it goes on.
    let far = 1_000_000 * HOUR;
    let timeline_of = timeline([(far, false), (far + 60, false), (0, true), (60, true)]);
    assert_eq!(of_window(&timeline_of, Window::Hour, 60), [60, 0, 3_540]);
    // Before 1970.
    let mut timeline = Timeline::default();
    timeline.observe(SystemTime::UNIX_EPOCH - MINUTE, true, MINUTE);
    timeline.observe(SystemTime::UNIX_EPOCH, true, Duration::MAX);
    timeline.observe(SystemTime::UNIX_EPOCH + MINUTE, true, MINUTE);
    assert_eq!(
        timeline.uptime(SystemTime::UNIX_EPOCH + MINUTE)[0].succeeded,
        MINUTE
    );
}

#[test]
fn any_findings_fit_into_the_window() {
    // Starts and gaps of every size, and what each rule promises of any of them.
    for seed in 1..200_u64 {
        let mut timeline = Timeline::default();
        let (mut at, mut state) = (START, seed);
        for _ in 0..300 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            at += (state >> 40) % 10_u64.pow(u32::try_from(state >> 33).unwrap() % 6);
            timeline.observe(seconds(at), state >> 63 == 0, MINUTE);
            for uptime in timeline.uptime(seconds(at + 30)) {
                let sum = uptime.succeeded + uptime.failed + uptime.unknown;
                assert_eq!(sum, uptime.window.duration(), "seed {seed}");
                let ratio = uptime.ratio.unwrap_or(0.5);
                assert!((0.0..=1.0).contains(&ratio), "seed {seed}: {ratio}");
            }
        }
        let [hour, day, ..] = timeline.uptime(seconds(at + 30));
        assert!(
            day.succeeded + Duration::from_secs(2) > hour.succeeded,
            "seed {seed}"
        );
    }
}
