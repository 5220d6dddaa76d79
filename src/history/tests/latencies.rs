//! How long phases took, over hours and days.

use super::*;

/// A history in which a check took so many milliseconds at each time, or failed.
fn history_of(probes: &[(u64, Option<u64>)]) -> (History, CheckKey) {
    let check = fixture::check("site", "gateway", "https://gateway.example/");
    let history = History::default();
    history.planned(&fixture::plan([&check]));
    let watcher = history.watch(&check);
    for (at, took) in probes {
        watcher.observed(&match took {
            None => expired(*at),
            Some(took) => {
                let mut outcome = (*success(*at)).clone();
                outcome.timings = Timings::default();
                outcome.duration = Duration::from_millis(*took);
                let half = outcome.duration / 2;
                for step in [Phase::Tls.with_proxy(), Phase::Tls.with_endpoint()] {
                    outcome.timings.add(step, half);
                }
                Arc::new(outcome)
            }
        });
    }
    (history, check.key())
}

/// When a slot began, its probes and failures, and its mean and longest time in milliseconds.
type Told = (u64, u16, u16, Option<(u128, u128)>);

fn told(latencies: &Latencies) -> Vec<Told> {
    let points = latencies.points.iter().map(|point| {
        let from = point.from.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let latency = point.latency.as_ref();
        let latency = latency.map(|it| (it.mean.as_millis(), it.max.as_millis()));
        (from.as_secs(), point.probes, point.failures, latency)
    });
    points.collect()
}

#[test]
fn means_are_of_what_succeeded_and_failures_are_counted() {
    let (history, key) = history_of(&[
        (36_000, Some(20)),
        (36_060, Some(40)),
        (36_119, None),
        (36_120, None),
        (39_540, Some(60)),
    ]);
    let over = |window| history.latencies(&key, window, seconds(39_599));
    let hour = over(Window::Hour).unwrap();
    assert_eq!((hour.from, hour.to), (seconds(36_000), seconds(39_600)));
    assert_eq!(
        told(&hour),
        [
            (36_000, 3, 1, Some((30, 40))),
            (36_120, 1, 1, None),
            (39_480, 1, 0, Some((60, 60)))
        ]
    );
    let latency = hour.points[0].latency.as_ref().unwrap();
    assert_eq!(
        latency.phases,
        [(Phase::Tls, Duration::from_millis(30))],
        "with both peers together, to a thousandth"
    );
    let day = over(Window::Day).unwrap();
    assert_eq!(
        told(&day),
        [
            (36_000, 4, 2, Some((30, 40))),
            (37_800, 1, 0, Some((60, 60)))
        ]
    );
    assert_eq!(over(Window::Month), None);
}

#[test]
fn only_the_window_is_told_and_kept() {
    let minutes = (0..3 * 60).map(|minute| (minute * 60, Some(10)));
    let (history, key) = history_of(&minutes.collect::<Vec<_>>());
    let told_at = |now| told(&history.latencies(&key, Window::Hour, seconds(now)).unwrap());
    let hour = told_at(3 * 3_600 - 1);
    assert_eq!(hour.len(), 30);
    assert_eq!(hour[0], (2 * 3_600, 2, 0, Some((10, 10))));
    assert_eq!(told_at(3 * 3_600 + 1_800).len(), 14);
    assert_eq!(told_at(9 * 3_600), []);
}

#[test]
fn a_clock_that_was_set_back_is_believed() {
    let far = 400_000_000;
    let (history, key) = history_of(&[(far, Some(10)), (far + 200, Some(10)), (1_000, Some(20))]);
    for window in [Window::Hour, Window::Day, Window::Week] {
        let told = told(&history.latencies(&key, window, seconds(1_001)).unwrap());
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].3, Some((20, 20)));
        let ahead = history.latencies(&key, window, seconds(far)).unwrap();
        assert_eq!(ahead.points, []);
    }
}

#[test]
fn a_check_that_is_defined_anew_keeps_its_latencies() {
    let (history, key) = history_of(&[(0, Some(10))]);
    let changed = fixture::check("site", "gateway", "https://other.example/");
    history.planned(&fixture::plan([&changed]));
    history.watch(&changed).observed(&success(60));
    let hour = history.latencies(&key, Window::Hour, seconds(61)).unwrap();
    assert_eq!(told(&hour), [(0, 2, 0, Some((30, 50)))]);
}

#[test]
fn of_thousands_of_checks_slots_are_joined_and_none_is_lost() {
    let (history, key) = history_of(&[
        (36_000, Some(10)),
        (36_130, Some(30)),
        (36_490, None),
        (36_610, Some(20)),
    ]);
    let check = history.snapshot().remove(0).check;
    let many = (0..9_999).map(|number| {
        let name = format!("e{number}");
        fixture::check("site", &name, "https://gateway.example/")
    });
    let all: Vec<_> = many.chain([Arc::clone(&check)]).collect();
    history.planned(&fixture::plan(&all));
    let watcher = history.watch(&check);
    watcher.observed(&success(36_620));
    watcher.observed(&success(37_000));
    watcher.observed(&success(37_500));
    let hour = history
        .latencies(&key, Window::Hour, seconds(37_501))
        .unwrap();
    assert_eq!(hour.slot, Duration::from_secs(480));
    let of_slots: Vec<_> = hour
        .points
        .iter()
        .map(|it| (it.probes, it.failures))
        .collect();
    assert_eq!(of_slots, [(2, 0), (3, 1), (1, 0), (1, 0)]);
    let first = hour.points[0].latency.as_ref().unwrap();
    assert_eq!(first.mean, Duration::from_millis(20));
    assert_eq!(hour.points[0].from, seconds(36_000));
}
