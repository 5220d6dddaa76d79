//! The scheduler under paused time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use tokio::time::{Instant, sleep_until};
use url::Url;

use super::dispatcher::time_to_begin;
use super::*;
use crate::endpoint::{Endpoint, Expectation, Hold, Origin, ResolverSettings, Target, TlsSettings};
use crate::observer::{Observer, Watcher};
use crate::outcome::{DnsReason, Failure, Observed, Timings};
use crate::plan::{Plan, Revocation};
use crate::route::{Route, Via};

const SECOND: Duration = Duration::from_secs(1);

/// Writes down what happens, with the second at which it does.
#[derive(Clone)]
struct Notebook {
    opened: Instant,
    notes: Arc<Mutex<Vec<(u64, String)>>>,
}

impl Notebook {
    fn new() -> Self {
        Self {
            opened: Instant::now(),
            notes: Arc::default(),
        }
    }

    fn note(&self, text: String) {
        self.notes
            .lock()
            .unwrap()
            .push((self.opened.elapsed().as_secs(), text));
    }

    fn of(&self, start: &str) -> Vec<u64> {
        let notes = self.notes.lock().unwrap();
        notes
            .iter()
            .filter(|(_, text)| text.starts_with(start))
            .map(|(second, _)| *second)
            .collect()
    }

    fn observers(&self) -> Observers {
        Observers(vec![Arc::new(self.clone())])
    }
}

impl Observer for Notebook {
    fn planned(&self, _: &Plan) {}

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        Box::new(Page {
            notebook: self.clone(),
            name: check.endpoint.name.clone(),
        })
    }
}

struct Page {
    notebook: Notebook,
    name: String,
}

impl Watcher for Page {
    fn started(&self, _: Duration) {
        self.notebook.note(format!("{} started", self.name));
    }

    fn observed(&self, _: &Arc<Outcome>) {
        self.notebook.note(format!("{} observed", self.name));
    }

    fn abandoned(&self, panicked: bool) {
        self.notebook
            .note(format!("{} abandoned {panicked}", self.name));
    }

    fn held(&self, outcome: &Arc<HoldOutcome>) {
        let held = outcome.held.unwrap_or_default();
        self.notebook
            .note(format!("{} held {}", self.name, held.as_secs()));
    }

    fn skipped(&self, turns: u64) {
        self.notebook.note(format!("{} skipped {turns}", self.name));
    }

    fn hold_panicked(&self) {
        self.notebook.note(format!("{} hold panicked", self.name));
    }

    fn holds_skipped(&self, turns: u64) {
        self.notebook
            .note(format!("{} holds skipped {turns}", self.name));
    }
}

fn check(name: &str, interval: Duration) -> Arc<Check> {
    Arc::new(Check {
        endpoint: Arc::new(Endpoint {
            name: name.to_owned(),
            service: "test".to_owned(),
            target: Target::Http(Url::parse("http://name.test/").unwrap()),
            critical: true,
            expectation: Expectation::default().into(),
            hold: None,
            cloud: None,
            stands_in_for: None,
            serves_revocation: false,
            origin: Origin::Configuration,
            publishes: None,
            labels: BTreeMap::default(),
        }),
        route: Arc::new(Route::direct()),
        interval,
        timeout: SECOND,
        retry_interval: None,
        resolver: ResolverSettings::System.into(),
        proxy_resolver: ResolverSettings::System.into(),
        tls: Arc::new(TlsSettings::default()),
        credentials: None,
        revocation: Revocation::off(Arc::new(Route::direct())).into(),
    })
}

fn outcome() -> Outcome {
    Outcome {
        started: SystemTime::UNIX_EPOCH,
        duration: Duration::ZERO,
        via: Via::Direct,
        result: Ok(()),
        timings: Timings::default(),
        not_run: Vec::new(),
        warnings: Vec::new(),
        observed: Observed::default(),
    }
}

/// A job whose probe takes a while.
fn job(name: &str, interval: Duration, takes: Duration) -> Job {
    let probe = move || {
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            outcome()
        }) as Pin<Box<dyn Future<Output = Outcome> + Send>>
    };
    Job {
        check: check(name, interval),
        probe: Arc::new(probe),
        hold: None,
    }
}

fn at_once(probes: usize) -> Concurrency {
    Concurrency { probes, holds: 2 }
}

async fn advance_to(notebook: &Notebook, second: u32) {
    sleep_until(notebook.opened + second * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn first_runs_are_spread_and_the_rate_does_not_drift() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let jobs = ["a", "b", "c"].map(|name| job(name, 30 * SECOND, 3 * SECOND));
    scheduler.apply(jobs.to_vec(), at_once(10)).await;
    advance_to(&notebook, 89).await;
    assert_eq!(notebook.of("a started"), [0, 30, 60]);
    assert_eq!(notebook.of("b started"), [1, 31, 61]);
    assert_eq!(notebook.of("c started"), [2, 32, 62]);
    assert_eq!(notebook.of("a observed"), [3, 33, 63]);
}

#[test]
fn first_probes_begin_soon_but_not_all_at_once() {
    for (interval, count, expected) in [
        (60, 20, 20_000),
        (60, 1000, 57_000),
        (10, 1000, 9_500),
        (86_400, 1000, 60_000),
    ] {
        let spread = time_to_begin(interval * SECOND, count);
        assert_eq!(
            spread,
            Duration::from_millis(expected),
            "{count} checks every {interval} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_comes_during_a_probe_is_skipped_and_counted() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    scheduler
        .apply(vec![job("slow", 10 * SECOND, 25 * SECOND)], at_once(10))
        .await;
    advance_to(&notebook, 59).await;
    assert_eq!(notebook.of("slow started"), [0, 30]);
    assert_eq!(notebook.of("slow skipped 2"), [25, 55]);
}

/// A job whose probes end as told, and with a success when that is over.
fn failing_job(name: &str, interval: Duration, retry: Option<Duration>, ends: &[bool]) -> Job {
    let ends: Arc<Mutex<VecDeque<bool>>> = Arc::new(Mutex::new(ends.iter().copied().collect()));
    let probe = move || {
        let succeeds = ends.lock().unwrap().pop_front().unwrap_or(true);
        let mut outcome = outcome();
        if !succeeds {
            outcome.result = Err(Failure::of_endpoint(DnsReason::Timeout, "no answer"));
        }
        Box::pin(async move { outcome }) as Pin<Box<dyn Future<Output = Outcome> + Send>>
    };
    let check = Check {
        retry_interval: retry,
        ..(*check(name, interval)).clone()
    };
    Job {
        check: Arc::new(check),
        probe: Arc::new(probe),
        hold: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_begins_to_fail_is_probed_once_more_and_keeps_its_rhythm() {
    let after = Some(5 * SECOND);
    let cases: [(Option<Duration>, &[bool], &[u64]); 5] = [
        // An outage.
        (after, &[true, false, false, false], &[0, 30, 35, 60, 90]),
        // From the beginning.
        (after, &[false, false, false], &[0, 5, 30, 60, 90]),
        // Two blips.
        (after, &[false, true, false, true], &[0, 5, 30, 35, 60, 90]),
        (None, &[true, false, true, false], &[0, 30, 60, 90]),
        // The next turn comes sooner.
        (Some(40 * SECOND), &[true, false], &[0, 30, 60, 90]),
    ];
    for (retry, ends, expected) in cases {
        let notebook = Notebook::new();
        let scheduler = Scheduler::new(notebook.observers());
        let job = failing_job("a", 30 * SECOND, retry, ends);
        scheduler.apply(vec![job], at_once(10)).await;
        advance_to(&notebook, 91).await;
        assert_eq!(notebook.of("a started"), expected, "{ends:?}");
        assert_eq!(notebook.of("a skipped"), [0; 0]);
        assert!(scheduler.stop(SECOND).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_stopped_is_not_probed_once_more() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let job = failing_job("a", 30 * SECOND, Some(5 * SECOND), &[false; 9]);
    scheduler.apply(vec![job], at_once(10)).await;
    advance_to(&notebook, 2).await;
    scheduler.apply(Vec::new(), at_once(10)).await;
    advance_to(&notebook, 60).await;
    assert_eq!(notebook.of("a started"), [0]);
}

/// Counts the probes that run at once.
#[derive(Clone, Default)]
struct Crowd {
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Crowd {
    /// Jobs every ten seconds whose probes take five.
    fn jobs(&self, count: usize) -> Vec<Job> {
        let job = |number| {
            let crowd = self.clone();
            Job {
                check: check(&format!("check {number}"), 10 * SECOND),
                probe: Arc::new(move || Box::pin(crowd.clone().probe())),
                hold: None,
            }
        };
        (0..count).map(job).collect()
    }

    async fn probe(self) -> Outcome {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(5 * SECOND).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        outcome()
    }

    /// The most probes that ran at once since the last call.
    fn most(&self) -> usize {
        let running = self.running.load(Ordering::SeqCst);
        self.most.swap(running, Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_probes_run_at_once_than_the_limit() {
    let (notebook, crowd) = (Notebook::new(), Crowd::default());
    let scheduler = Scheduler::new(notebook.observers());
    scheduler.apply(crowd.jobs(20), at_once(3)).await;
    advance_to(&notebook, 100).await;
    assert_eq!(crowd.most(), 3);
    assert!(!notebook.of("check 19 observed").is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_over_quick_reloads() {
    let (notebook, crowd) = (Notebook::new(), Crowd::default());
    let scheduler = Scheduler::new(notebook.observers());
    for second in 0..20 {
        scheduler.apply(crowd.jobs(20), at_once(3)).await;
        advance_to(&notebook, second).await;
    }
    assert_eq!(crowd.most(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_reload_changes_the_limit() {
    let (notebook, crowd) = (Notebook::new(), Crowd::default());
    let scheduler = Scheduler::new(notebook.observers());
    // A limit, and a while later the most that run at once under it. What runs already may finish.
    let steps = [(3, 20), (6, 40), (2, 60), (1, 80), (4, 100)];
    for (limit, until) in steps {
        scheduler.apply(crowd.jobs(20), at_once(limit)).await;
        advance_to(&notebook, until - 14).await;
        crowd.most();
        advance_to(&notebook, until).await;
        assert_eq!(crowd.most(), limit, "at {until} s");
    }
    // Down and up again before any probe has finished: nothing is lost, and nothing won.
    for limit in [1, 4, 2, 5] {
        scheduler.apply(crowd.jobs(20), at_once(limit)).await;
    }
    advance_to(&notebook, 106).await;
    crowd.most();
    advance_to(&notebook, 130).await;
    assert_eq!(crowd.most(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_contained_and_told() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let probe: ProbeFunction = Arc::new(|| Box::pin(async { panic!("a fault in a probe") }));
    scheduler
        .apply(
            vec![Job {
                check: check("broken", 10 * SECOND),
                probe,
                hold: None,
            }],
            at_once(10),
        )
        .await;
    advance_to(&notebook, 25).await;
    assert_eq!(notebook.of("broken abandoned true"), [0, 10, 20]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_in_an_observer_is_contained() {
    struct Faulty;

    impl Observer for Faulty {
        fn planned(&self, _: &Plan) {}

        fn watch(&self, _: &Arc<Check>) -> Box<dyn Watcher> {
            Box::new(Self)
        }
    }

    impl Watcher for Faulty {
        fn started(&self, _: Duration) {}
        fn observed(&self, _: &Arc<Outcome>) {
            panic!("a fault in an observer");
        }
        fn abandoned(&self, _: bool) {}
        fn held(&self, _: &Arc<HoldOutcome>) {}
        fn skipped(&self, _: u64) {}
        fn hold_panicked(&self) {}
        fn holds_skipped(&self, _: u64) {}
    }

    let notebook = Notebook::new();
    let observers = vec![
        Arc::new(notebook.clone()) as Arc<dyn Observer>,
        Arc::new(Faulty),
    ];
    let scheduler = Scheduler::new(Observers(observers));
    let jobs = ["a", "b"].map(|name| job(name, 10 * SECOND, SECOND));
    scheduler.apply(jobs.to_vec(), at_once(10)).await;
    advance_to(&notebook, 25).await;
    assert_eq!(notebook.of("a observed"), [1, 11, 21]);
    assert_eq!(notebook.of("b observed"), [2, 12, 22]);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_leaves_while_it_waits_for_room_is_not_probed() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let runs = job("runs", 100 * SECOND, 20 * SECOND);
    let waits = job("waits", 100 * SECOND, SECOND);
    let both = vec![runs.clone(), waits];
    scheduler.apply(both, at_once(1)).await;
    advance_to(&notebook, 10).await;
    scheduler.apply(vec![runs], at_once(1)).await;
    advance_to(&notebook, 130).await;
    assert_eq!(notebook.of("runs started"), [0, 100]);
    assert!(notebook.of("waits").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_check_that_leaves_while_it_is_probed_is_told_to_its_end() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let leaves = job("leaves", 10 * SECOND, 5 * SECOND);
    scheduler.apply(vec![leaves.clone()], at_once(1)).await;
    advance_to(&notebook, 2).await;
    scheduler.apply(Vec::new(), at_once(1)).await;
    // It comes back before its former probe is over.
    scheduler.apply(vec![leaves], at_once(1)).await;
    advance_to(&notebook, 16).await;
    assert_eq!(notebook.of("leaves observed"), [5, 10]);
    assert_eq!(notebook.of("leaves started"), [0, 5, 12]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_touches_only_what_changed() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let kept = job("kept", 10 * SECOND, Duration::ZERO);
    let gone = job("gone", 10 * SECOND, Duration::ZERO);
    scheduler.apply(vec![gone, kept.clone()], at_once(10)).await;
    advance_to(&notebook, 12).await;
    scheduler
        .apply(
            vec![kept, job("new", 10 * SECOND, Duration::ZERO)],
            at_once(10),
        )
        .await;
    advance_to(&notebook, 34).await;
    assert_eq!(notebook.of("gone started"), [0, 10]);
    assert_eq!(notebook.of("kept started"), [1, 11, 21, 31]);
    assert_eq!(notebook.of("new started"), [12, 22, 32]);
}

#[tokio::test(start_paused = true)]
async fn stopping_lets_probes_finish_within_the_grace() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let short = job("short", 100 * SECOND, 3 * SECOND);
    let mut long = job("long", 100 * SECOND, 60 * SECOND);
    long.check = check("long", 2 * SECOND);
    scheduler.apply(vec![short, long], at_once(10)).await;
    advance_to(&notebook, 2).await;
    let all_finished = scheduler.stop(4 * SECOND).await;
    assert!(!all_finished);
    assert_eq!(notebook.opened.elapsed().as_secs(), 6);
    assert_eq!(notebook.of("short observed"), [3]);
    assert_eq!(notebook.of("long abandoned false"), [6]);
}

// === holds ===

fn held_for(seconds: u32) -> HoldOutcome {
    HoldOutcome {
        started: SystemTime::UNIX_EPOCH,
        via: Via::Direct,
        held: Some(seconds * SECOND),
        result: Ok(()),
        timings: Timings::default(),
        observed: Observed::default(),
    }
}

/// A job whose connection is held every `interval` for so many seconds.
fn held_job(name: &str, interval: Duration, seconds: u32) -> Job {
    let job = job(name, 10 * SECOND, SECOND);
    let mut endpoint = (*job.check.endpoint).clone();
    endpoint.hold = Some(Box::new(Hold {
        duration: seconds * SECOND,
        interval,
        keep_alive: None,
    }));
    let check = Check {
        endpoint: Arc::new(endpoint),
        ..(*job.check).clone()
    };
    let hold: HoldFunction = Arc::new(move || {
        Box::pin(async move {
            tokio::time::sleep(seconds * SECOND).await;
            held_for(seconds)
        })
    });
    Job {
        check: Arc::new(check),
        hold: Some(hold),
        ..job
    }
}

#[tokio::test(start_paused = true)]
async fn holds_have_a_rhythm_of_their_own_and_delay_no_probe() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let jobs = ["a", "b"].map(|name| held_job(name, 100 * SECOND, 50));
    // A single probe at once: were a hold to take its place, none would run for 50 s.
    scheduler.apply(jobs.to_vec(), at_once(1)).await;
    advance_to(&notebook, 99).await;
    let every_ten: Vec<u64> = (0..10).map(|turn| turn * 10).collect();
    assert_eq!(notebook.of("a started"), every_ten);
    advance_to(&notebook, 299).await;
    // Spread over a minute, then at a fixed rate.
    assert_eq!(notebook.of("a held 50"), [50, 150, 250]);
    assert_eq!(notebook.of("b held 50"), [80, 180, 280]);
    assert!(notebook.of("a skipped").is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_more_are_held_at_once_than_the_limit() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let jobs = ["a", "b", "c"].map(|name| held_job(name, 1000 * SECOND, 300));
    scheduler.apply(jobs.to_vec(), at_once(10)).await;
    advance_to(&notebook, 900).await;
    assert_eq!(notebook.of("a held"), [300]);
    assert_eq!(notebook.of("b held"), [320]);
    assert_eq!(notebook.of("c held"), [600], "after the first of two");
}

#[tokio::test(start_paused = true)]
async fn turns_of_holds_that_find_no_room_are_counted() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let jobs = ["a", "b", "c"].map(|name| held_job(name, 100 * SECOND, 90));
    scheduler.apply(jobs.to_vec(), at_once(10)).await;
    advance_to(&notebook, 290).await;
    // The third waits from 40 to 90, and its turn at 140 passes while it is held.
    assert_eq!(notebook.of("c held"), [180]);
    assert_eq!(notebook.of("c holds skipped 1"), [180]);
    assert!(notebook.of("c skipped").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_a_hold_under_way_and_its_rhythm() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    scheduler
        .apply(
            vec![
                held_job("gone", 100 * SECOND, 50),
                held_job("kept", 100 * SECOND, 50),
            ],
            at_once(10),
        )
        .await;
    advance_to(&notebook, 40).await;
    scheduler
        .apply(vec![held_job("kept", 100 * SECOND, 50)], at_once(10))
        .await;
    advance_to(&notebook, 199).await;
    assert_eq!(notebook.of("kept held"), [80, 180]);
    assert!(notebook.of("gone held").is_empty());
    // A change of the hold is a change of the check.
    scheduler
        .apply(vec![held_job("kept", 100 * SECOND, 20)], at_once(10))
        .await;
    advance_to(&notebook, 225).await;
    assert_eq!(notebook.of("kept held 20"), [219]);
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_holds() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    scheduler
        .apply(vec![held_job("held", 1000 * SECOND, 500)], at_once(10))
        .await;
    advance_to(&notebook, 5).await;
    assert!(scheduler.stop(4 * SECOND).await);
    assert_eq!(notebook.opened.elapsed().as_secs(), 5);
    assert!(notebook.of("held held").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_panics_is_contained() {
    let notebook = Notebook::new();
    let scheduler = Scheduler::new(notebook.observers());
    let mut broken = held_job("broken", 100 * SECOND, 50);
    broken.hold = Some(Arc::new(|| Box::pin(async { panic!("a fault in a hold") })));
    let well = held_job("well", 100 * SECOND, 50);
    scheduler.apply(vec![broken, well], at_once(10)).await;
    advance_to(&notebook, 95).await;
    assert_eq!(notebook.of("well held"), [80]);
    assert_eq!(notebook.of("broken hold panicked"), [0]);
    assert_eq!(notebook.of("broken observed").len(), 10);
}
