//! Files and stores of certificates while the daemon runs.

use std::fs;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::kit::{Lab, Reachd};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(45);

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("certificates::a_new_pair_is_read", lab, new_pair),
        trial("certificates::trust_store_series", lab, trust_store),
    ]
}

/// A client certificate that is replaced serves the next probes, without a reload; a broken file changes nothing.
fn new_pair(lab: &Lab) {
    let pair = lab.path("changing-client.pem");
    let holds = |name: &str| {
        let both = lab.dir().join(format!("pki/{name}.both"));
        fs::write(&pair, fs::read(both).unwrap()).unwrap();
    };
    holds("wrong-client");
    let file = pair.to_str().expect("a path in UTF-8");
    let config = format!(
        "{HEAD}endpoints:\n  - {{name: mutual, service: some, url: \"https://client-cert.lab.test/\", tls: \
         {{client_certificate: \"{file}\", client_key: \"{file}\"}}}}\n"
    );
    let reachd = Reachd::start(lab, "new-pair", &lab.write("new-pair.yml", &config));
    let becomes = |what: &str, success: f64| {
        reachd.wait_for_metrics(what, SOON, |metrics| {
            metrics.value("reachd_probe_success", &[("endpoint", "mutual")]) == Some(success)
        })
    };
    becomes("the refusal", 0.0);
    holds("client");
    let good = becomes("the success", 1.0);
    fs::write(&pair, "nothing").unwrap();
    let runs = [("endpoint", "mutual"), ("result", "success")];
    let before = good.sum("reachd_probes_total", &runs);
    reachd.wait_for_metrics("the old pair serving on", SOON, |metrics| {
        metrics.sum("reachd_probes_total", &runs) >= before + 3.0
    });
    becomes("the success with the old pair", 1.0);
    let log = reachd.daemon.log();
    assert_eq!(log.matches("the old one stays").count(), 1, "{log}");
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

/// What the trust store lacks is exposed and logged. Only what is local is probed.
fn trust_store(lab: &Lab) {
    let config = format!(
        "{HEAD}catalog: {{features: [tenant-attach]}}\nendpoints:\n  - {{name: web, service: some, url: \
         \"https://web.lab.test/\"}}\n"
    );
    let reachd = Reachd::start(
        lab,
        "trust-store",
        &lab.write("trust-store-daemon.yml", &config),
    );
    let metrics = reachd.metrics();
    let missing = metrics.matching("reachd_trust_store_root", &[("state", "missing")]);
    assert_eq!(missing.len(), 7, "{missing:?}");
    let log = reachd.daemon.log();
    assert!(
        log.contains("a root that required endpoints may need is missing"),
        "{log}"
    );
}

/// Everything before the endpoints.
const HEAD: &str = "\
global: {interval: 1s, timeout: 900ms, resolver: lab}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
";
