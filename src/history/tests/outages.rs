//! When outages begin and end, what is told of them, and which are found.

use super::*;
use crate::outcome::{ConnectReason, Failure, FailureReason, Peer, ProxyReason, RequestReason};

struct Bed {
    history: History,
    check: Arc<Check>,
    watcher: Box<dyn Watcher>,
}

impl Bed {
    fn new() -> Self {
        let check = fixture::check("site", "gateway", "https://gateway.example/");
        let history = History::default();
        history.planned(&fixture::plan([&check]));
        let watcher = history.watch(&check);
        Self {
            history,
            check,
            watcher,
        }
    }

    fn succeeds(&self, at: u64) {
        self.watcher.observed(&success(at));
    }

    fn fails(&self, at: u64, reason: impl Into<FailureReason>, peer: Peer, detail: &str) {
        let mut outcome = (*failure(at, TlsReason::Expired)).clone();
        outcome.result = Err(Failure::new(reason, peer, detail));
        self.watcher.observed(&Arc::new(outcome));
    }

    fn all(&self) -> Vec<Outage> {
        self.history.outages(&OutageFilter::default(), usize::MAX)
    }

    /// Start, end and number of failures, latest first.
    fn times(&self) -> Vec<(u64, Option<u64>, u64)> {
        let since_1970 =
            |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let times = |outage: Outage| {
            (
                since_1970(outage.start),
                outage.end.map(since_1970),
                outage.failures,
            )
        };
        self.all().into_iter().map(times).collect()
    }
}

#[test]
fn from_the_first_failure_to_the_next_success() {
    let bed = Bed::new();
    bed.succeeds(0);
    assert_eq!(bed.times(), []);
    for at in [60, 120] {
        bed.fails(at, TlsReason::Expired, Peer::Endpoint, "");
    }
    assert_eq!(bed.times(), [(60, None, 2)]);
    bed.succeeds(180);
    bed.fails(240, TlsReason::Expired, Peer::Endpoint, "");
    bed.succeeds(245);
    assert_eq!(bed.times(), [(240, Some(245), 1), (60, Some(180), 2)]);
}

#[test]
fn where_nobody_watched_an_outage_ends_with_its_last_failure() {
    let bed = Bed::new();
    for at in [60, 120] {
        bed.fails(at, TlsReason::Expired, Peer::Endpoint, "");
    }
    // Two and a half intervals of a minute, and a second.
    bed.succeeds(120 + 151);
    assert_eq!(bed.times(), [(60, Some(120), 2)]);
}

#[test]
fn the_worst_is_what_came_earliest_on_the_way() {
    let bed = Bed::new();
    bed.fails(0, RequestReason::Timeout, Peer::Endpoint, "slow");
    bed.fails(60, ConnectReason::Refused, Peer::Proxy, "refused once");
    bed.fails(120, ConnectReason::Refused, Peer::Proxy, "refused again");
    bed.fails(180, ProxyReason::BadGateway, Peer::Proxy, "no way on");
    let outage = bed.all().remove(0);
    let expected = Failure::of_proxy(ConnectReason::Refused, "refused again");
    assert_eq!(
        (outage.worst, outage.last_detail.as_str()),
        (expected, "no way on")
    );
    assert_eq!(outage.failures, 4);
}

#[test]
fn long_details_are_cut_between_characters() {
    let bed = Bed::new();
    bed.fails(0, TlsReason::Expired, Peer::Endpoint, &"ä".repeat(1_000));
    let detail = bed.all().remove(0).last_detail;
    assert!(detail.len() <= 512 && detail.ends_with("ä…"), "{detail}");
}

#[test]
fn the_cause_is_the_last_word_on_an_outage_that_lasts() {
    let bed = Bed::new();
    let key = [bed.check.key()];
    bed.history.attribute(&key, "proxy_down", "nobody asked");
    bed.fails(0, ConnectReason::Refused, Peer::Proxy, "");
    bed.history.attribute(&key, "endpoint_down", "gateway");
    bed.history.attribute(&key, "proxy_down", "corp");
    bed.succeeds(60);
    bed.history.attribute(&key, "flapping", "too late");
    let cause = bed.all().remove(0).cause.unwrap();
    assert_eq!(
        (cause.cause.as_str(), cause.subject.as_str()),
        ("proxy_down", "corp")
    );
}

#[test]
fn a_check_that_leaves_leaves_its_outages() {
    let bed = Bed::new();
    bed.fails(0, TlsReason::Expired, Peer::Endpoint, "");
    bed.fails(60, TlsReason::Expired, Peer::Endpoint, "");
    bed.history.planned(&fixture::plan([]));
    assert_eq!(bed.times(), [(0, Some(60), 2)]);
    bed.fails(120, TlsReason::Expired, Peer::Endpoint, "too late");
    assert_eq!(bed.times(), [(0, Some(60), 2)]);
}

#[test]
fn a_changed_check_keeps_its_uptime_and_its_outage() {
    let bed = Bed::new();
    bed.fails(0, TlsReason::Expired, Peer::Endpoint, "");
    let changed = fixture::not_critical(&bed.check);
    bed.history.planned(&fixture::plan([&changed]));
    bed.fails(
        30,
        TlsReason::Expired,
        Peer::Endpoint,
        "of the former definition",
    );
    bed.history.watch(&changed).observed(&success(60));
    assert_eq!(bed.times(), [(0, Some(60), 1)]);
    let uptime = bed.history.uptime(&bed.check.key(), seconds(90)).unwrap();
    assert_eq!(uptime[0].failed, Duration::from_secs(60));
    assert_eq!(uptime[0].succeeded, Duration::from_secs(30));
}

#[test]
fn filters_find_what_is_asked_for() {
    let checks = ["a", "b"].map(|name| fixture::check(name, name, "https://a.example/"));
    let history = History::default();
    history.planned(&fixture::plan(&checks));
    let [first, second] = [0, 1].map(|number: usize| history.watch(&checks[number]));
    first.observed(&expired(0));
    first.observed(&success(60));
    second.observed(&expired(100));
    second.observed(&expired(160));
    let is = |filter: OutageFilter| {
        let outages = history.outages(&filter, 10);
        outages
            .iter()
            .map(|outage| outage.check.service.clone())
            .collect::<String>()
    };
    let all = OutageFilter::default;
    assert_eq!(is(all()), "ba");
    assert_eq!(
        is(OutageFilter {
            check: Some(checks[0].key()),
            ..all()
        }),
        "a"
    );
    assert_eq!(
        is(OutageFilter {
            service: Some("b".to_owned()),
            ..all()
        }),
        "b"
    );
    assert_eq!(
        is(OutageFilter {
            route: Some("corp".to_owned()),
            ..all()
        }),
        ""
    );
    assert_eq!(
        is(OutageFilter {
            ongoing: true,
            ..all()
        }),
        "b"
    );
    assert_eq!(
        is(OutageFilter {
            since: Some(seconds(61)),
            ..all()
        }),
        "b"
    );
    assert_eq!(
        is(OutageFilter {
            since: Some(seconds(60)),
            ..all()
        }),
        "ba"
    );
    assert_eq!(
        is(OutageFilter {
            least_failures: 2,
            ..all()
        }),
        "b"
    );
    assert_eq!(history.outages(&all(), 1).len(), 1);
}
