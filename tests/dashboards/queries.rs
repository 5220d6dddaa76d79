//! Every query of every dashboard has an answer of a real Prometheus that scrapes reachd in trouble: two that probe the
//! same, and one whose histograms are by service.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use super::model::{Dashboard, dashboards, interpolated};
use super::site::{Pace, SOON, Site, prometheus};
use crate::kit::{Lab, Reachd, http, wait};

const PACE: Pace = Pace {
    probe: "2s",
    hold: "13s",
    derived: "2s",
    scrape: "1s",
};

/// What a query is asked for beside everything: a choice of several, with what a regular expression must not take for its own.
const CHOICE: &[(&str, &[&str])] = &[
    ("service", &["tenant-attach", "updates"]),
    ("endpoint", &["gateway", "crl.rev.lab.test/good.crl"]),
    ("route", &["direct", "corp"]),
    ("instance", &["one"]),
];

/// One check, of a reachd whose histograms are by service.
const ONE: &[(&str, &[&str])] = &[
    ("service", &["warehouse"]),
    ("endpoint", &["scanners"]),
    ("route", &["corp"]),
];

/// Starts the site with everything wrong that a query looks for, and waits until every query has an answer.
pub(super) fn have_answers(lab: &Lab) {
    let site = Site::start(lab, "queried", &PACE);
    site.lines.corp.patience(1_000);
    let targets = "[{targets: [\"https://web.lab.test/\"], labels: {service: inventory}}]";
    fs::write(lab.path("dashboards-targets.yml"), targets).unwrap();
    let beside = include_str!("beside.yml").replace("@targets@", "dashboards-targets.yml");
    let beside = lab.write("dashboards-beside.yml", &beside);
    let beside = Reachd::start(lab, "dashboards-beside", &beside);
    let instances = [
        ("one", site.reachd.address),
        ("two", site.reachd.address),
        ("beside", beside.address),
    ];
    let storage = lab.path("dashboards-tsdb");
    let (prometheus, address) = prometheus(lab, &storage, PACE.scrape, &instances);
    site.reachd
        .wait_for_metrics("an idle connection that is cut", SOON, |metrics| {
            !metrics.matching("reachd_hold_failing", &[]).is_empty()
        });

    let dashboards = dashboards();
    let mut open = asked(&dashboards);
    assert!(open.len() > 100, "{}", open.len());
    let mut problems = BTreeSet::new();
    let answered = wait::within(SOON, || {
        problems.clear();
        open.retain(|asked| match asked.answer(address) {
            Ok(()) => false,
            Err(problem) => {
                problems.insert(format!("{}: {problem}\n    {}", asked.of, asked.path));
                true
            }
        });
        // A round takes a while by itself; the next scrape is a second away.
        std::thread::sleep(Duration::from_millis(200));
        open.is_empty().then_some(())
    });
    let problems: Vec<String> = problems.into_iter().collect();
    assert!(
        answered.is_some(),
        "without an answer:\n{}\n{}",
        problems.join("\n"),
        prometheus.log()
    );
}

/// One request to Prometheus.
struct Asked {
    of: String,
    path: String,
    /// Whether there must be an answer; a choice may have none.
    must_answer: bool,
}

/// Everything that the dashboards ask, for all and for choices.
fn asked(dashboards: &[Dashboard]) -> Vec<Asked> {
    let mut found = Vec::new();
    for dashboard in dashboards {
        for query in dashboard.queries() {
            for (chosen, must_answer) in [(&[][..], true), (CHOICE, false), (ONE, false)] {
                let expr = encoded(&interpolated(&query.expr, chosen));
                let path = if query.over_time {
                    format!("/api/v1/query_range?query={expr}&step=2&@last-minute@")
                } else {
                    format!("/api/v1/query?query={expr}")
                };
                // The percentiles of a check are those of its service, where it has none of its own.
                let percentiles =
                    chosen == ONE && query.expr.contains("reachd_probe_duration_seconds_bucket");
                found.push(Asked {
                    of: query.of.clone(),
                    path,
                    must_answer: must_answer || percentiles,
                });
            }
        }
        for (metric, label) in dashboard.label_values() {
            let metric = encoded(&interpolated(&metric, &[]));
            found.push(Asked {
                of: format!("{}: the variable {label}", dashboard.name),
                path: format!("/api/v1/label/{label}/values?match[]={metric}"),
                must_answer: true,
            });
        }
    }
    found
}

impl Asked {
    fn answer(&self, prometheus: SocketAddr) -> Result<(), String> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.unwrap().as_secs();
        let path = self
            .path
            .replace("@last-minute@", &format!("start={}&end={now}", now - 60));
        let answer = http::get(prometheus, &path).map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
        if value["status"] != "success" {
            return Err(value["error"].to_string());
        }
        let data = &value["data"];
        let results = data.as_array().or_else(|| data["result"].as_array());
        let results = results.ok_or("no result")?;
        if results.is_empty() && self.must_answer {
            return Err("nothing".to_owned());
        }
        if results
            .iter()
            .any(|result| result.to_string().contains("\"NaN\""))
        {
            return Err("not a number".to_owned());
        }
        Ok(())
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
