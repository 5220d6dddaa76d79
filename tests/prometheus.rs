//! The metrics as Prometheus sees them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::kit::{Lab, Prometheus, Reachd, run_to_end, wait};
use crate::suite::{SharedLab, trial};

/// One check of every kind of verdict, over a proxy and without.
const CONFIG: &str = r#"
global: {interval: 1s, timeout: 500ms, resolver: lab}
resolvers: {lab: {servers: ["@knot@:53"], transport: udp}}
tls: {ca_file: "@dir@/pki/root.pem"}
proxies:
  squid: {url: "http://squid.lab.test:3128"}
  down: {url: "http://nobody.lab.test:3128"}
routes: [direct, squid, down]
endpoints:
  - {name: web, service: good, url: "https://web.lab.test/", critical: true, hold: {for: 1s, interval: 3s}}
  - {name: h2, service: good, url: "https://h2.lab.test/", critical: false, expect: {chain: {roots: ["@root-sha256@"]}}}
  - {name: plain, service: good, url: "http://web.lab.test/"}
  - {name: expired, service: bad, url: "https://expired.lab.test/"}
  - {name: status, service: bad, url: "https://web.lab.test/status/511"}
  - {name: silent, service: bad, url: "http://silent.fault.lab.test/"}
  - {name: name, service: names, url: "dns:web.lab.test", record: A, routes: [direct]}
"#;

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("prometheus::promtool_finds_nothing", lab, promtool),
        trial("prometheus::sees_every_check", lab, sees_every_check),
        trial("prometheus::readme_has_answers", lab, readme_has_answers),
    ]
}

fn promtool(lab: &Lab) {
    let config = lab.write("promtool.yml", CONFIG);
    let reachd = Reachd::start(lab, "promtool", &config);
    reachd.wait_until_ready();
    let soon = Duration::from_secs(15);
    reachd.wait_for_metrics("holds, one of which fails", soon, |metrics| {
        metrics.matching("reachd_hold_success", &[]).len() == 3
            && !metrics.matching("reachd_hold_failing", &[]).is_empty()
    });
    let file = lab.path("promtool.metrics");
    fs::write(&file, reachd.metrics_text()).unwrap();
    let mut promtool = Command::new("sh");
    promtool
        .args(["-c", "promtool check metrics < \"$1\"", "sh"])
        .arg(file);
    let finished = run_to_end(promtool);
    let found = format!("{}{}", finished.stdout, finished.stderr);
    assert_eq!((finished.exit_code, found.as_str()), (0, ""));
}

fn sees_every_check(lab: &Lab) {
    let Scraped { reachd, prometheus } = scraped(lab, "scraped");

    let metrics = reachd.metrics();
    let expected: BTreeSet<String> = metrics
        .matching("reachd_probe_success", &[])
        .iter()
        .map(|sample| {
            let label = |name: &str| sample.labels[name].as_str();
            let key = key(label("service"), label("endpoint"), label("route"));
            format!("{key}: {}", sample.value)
        })
        .collect();
    assert_eq!(expected.len(), 6 * 3 + 1, "every check has its gauge");

    let mut seen = BTreeSet::new();
    let all = wait::within(Duration::from_secs(60), || {
        let results = prometheus.query("reachd_probe_success").ok()?;
        seen = results
            .iter()
            .map(|result| {
                let label = |name: &str| result["metric"][name].as_str().unwrap_or_default();
                let key = key(label("service"), label("endpoint"), label("route"));
                format!("{key}: {}", result["value"][1].as_str().unwrap_or_default())
            })
            .collect();
        (seen == expected).then_some(())
    });
    let log = prometheus.log();
    assert!(
        all.is_some(),
        "expected {expected:#?}, seen {seen:#?}\n{log}"
    );
}

/// Every query of the README is one that Prometheus understands, and has an answer.
fn readme_has_answers(lab: &Lab) {
    let Scraped { reachd, prometheus } = scraped(lab, "queried");
    reachd.wait_until_ready();
    let mut unanswered = readme_queries();
    assert!(unanswered.len() > 5, "{unanswered:#?}");
    let mut problems = BTreeSet::new();
    let all = wait::within(Duration::from_secs(30), || {
        problems.clear();
        unanswered.retain(|query| match prometheus.query(query) {
            Ok(results) => results.is_empty(),
            Err(problem) => {
                problems.insert(problem);
                true
            }
        });
        unanswered.is_empty().then_some(())
    });
    let log = prometheus.log();
    assert!(
        all.is_some(),
        "no answer to {unanswered:#?}\n{problems:#?}\n{log}"
    );
}

/// The queries of the README's table. Those that look for trouble ask without their threshold, for there may be none.
fn readme_queries() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(path).unwrap();
    let table = text
        .split("| question | query |")
        .nth(1)
        .expect("the table of queries");
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .skip(1);
    let query = |row: &str| {
        row.split('`')
            .nth(1)
            .map(|query| query.split(" < ").next().unwrap_or(query).to_owned())
    };
    rows.filter_map(query).collect()
}

/// A reachd that a Prometheus scrapes.
struct Scraped {
    reachd: Reachd,
    prometheus: Prometheus,
}

fn scraped(lab: &Lab, name: &str) -> Scraped {
    let config = lab.write(&format!("{name}.yml"), CONFIG);
    let reachd = Reachd::start(lab, name, &config);
    reachd.wait_until_ready();
    let prometheus = Prometheus::start(lab, name, &[reachd.address], &[]);
    Scraped { reachd, prometheus }
}

fn key(service: &str, endpoint: &str, route: &str) -> String {
    format!("{service} / {endpoint} / {route}")
}
