//! Records what the pictures of the dashboards are drawn from: sixteen minutes of a site with a slow proxy, a gateway that is down
//! for a while, and a proxy that dies. tests/grafana/draw runs it.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::site::{Pace, Site, prometheus};
use crate::kit::Lab;

const PACE: Pace = Pace {
    probe: "5s",
    hold: "30s",
    derived: "20s",
    scrape: "5s",
};

/// Something that happens to the site.
type Event = fn(&Site);

/// What happens, by seconds since the start.
const STORY: &[(u64, Event)] = &[
    (240, |site| site.lines.corp.delay(125)),
    (390, |site| site.lines.corp.delay(3)),
    (500, |site| site.lines.gateway.up(false)),
    (590, |site| site.lines.gateway.up(true)),
    (680, |site| site.lines.corp.patience(1_000)),
    (780, |site| site.lines.branch.up(false)),
];

const END: u64 = 960;

/// Leaves Prometheus' storage in target/grafana/tsdb, and when it begins and ends in target/grafana/recorded.json.
pub(super) fn record(lab: &Lab) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/grafana");
    let storage = folder.join("tsdb");
    let _ = fs::remove_dir_all(&storage);
    fs::create_dir_all(&storage).unwrap();
    let site = Site::start(lab, "recorded", &PACE);
    let targets = [("reachd.corp.example:9797", site.reachd.address)];
    let (mut prometheus, _) = prometheus(lab, &storage, PACE.scrape, &targets);
    let began = (Instant::now(), now());
    for (at, happens) in STORY {
        sleep_until(began.0, *at);
        happens(&site);
    }
    sleep_until(began.0, END);
    let times = format!("{{\"from\": {}, \"to\": {}}}\n", began.1, now());
    prometheus.signal("TERM");
    prometheus.wait_for_end(Duration::from_secs(60));
    fs::write(folder.join("recorded.json"), times).unwrap();
}

fn sleep_until(start: Instant, seconds: u64) {
    let due = start + Duration::from_secs(seconds);
    thread::sleep(due.saturating_duration_since(Instant::now()));
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs()
}
