//! The metrics as Prometheus sees them.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::kit::{Daemon, Lab, Reachd, http, run_to_end, wait};
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
  - {name: web, service: good, url: "https://web.lab.test/", critical: true}
  - {name: h2, service: good, url: "https://h2.lab.test/", critical: false}
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
    ]
}

fn promtool(lab: &Lab) {
    let config = lab.write("promtool.yml", CONFIG);
    let reachd = Reachd::start(lab, "promtool", &config);
    reachd.wait_until_ready();
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
    let config = lab.write("scraped.yml", CONFIG);
    let reachd = Reachd::start(lab, "scraped", &config);
    reachd.wait_until_ready();
    let template = include_str!("lab/prometheus.yml");
    let template = template.replace("@target@", &reachd.address.to_string());
    let prometheus_config = lab.write("prometheus.yml", &template);
    let address = (lab.address("prometheus"), 9090).into();
    let flags = [
        format!("--config.file={}", prometheus_config.display()),
        format!("--storage.tsdb.path={}", lab.path("tsdb").display()),
        format!("--web.listen-address={address}"),
    ];
    let flags = flags.each_ref().map(String::as_str);
    let command = [&["prometheus"][..], &flags].concat();
    let mut prometheus = Daemon::start("prometheus", &command, lab.dir());
    prometheus.wait_for(address);

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
    let all = wait::within(Duration::from_secs(20), || {
        let query = "/api/v1/query?query=reachd_probe_success";
        let answer = http::get(address, query).ok()?;
        let answer: Value = serde_json::from_str(&answer.body).ok()?;
        let results = answer["data"]["result"].as_array()?;
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

fn key(service: &str, endpoint: &str, route: &str) -> String {
    format!("{service} / {endpoint} / {route}")
}
