//! Revocation over time: lists are fetched once for all, outlive a restart, and openssl says the same of them.
//!
//! | file | what it shows |
//! |---|---|
//! | `responders.rs` | everything that a responder that runs can say |
//! | `beside.rs` | a responder that is dead, or says nothing, beside one that is fine |
//! | `routes.rs` | lists and answers over every kind of route |
//! | `keeping.rs` | reloads, restarts and a long list cost no fetch |
//! | `site.rs`, `responder.rs` | hosts, lists and responders that a test makes for itself |

mod beside;
mod keeping;
mod responder;
mod responders;
mod routes;
mod site;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;

use crate::kit::{Lab, Reachd, command, http, run_to_end};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(45);

/// Everything before the endpoints.
const HEAD: &str = "\
global: {resolver: lab, interval: 1s, timeout: 5s}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/revocation/root.pem\"}
revocation: {mode: require, derived_interval: off}
";

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    let own = vec![
        trial("revocation::one_fetch_for_all", lab, one_fetch),
        trial("revocation::told_at_once", lab, told_at_once),
        trial("revocation::kept_over_a_restart", lab, kept),
        trial("revocation::as_openssl_sees_it", lab, as_openssl),
        trial("revocation::openssl_understands", lab, understood),
    ];
    let rooms = [
        own,
        responders::trials(lab),
        beside::trials(lab),
        routes::trials(lab),
        keeping::trials(lab),
    ];
    rooms.into_iter().flatten().collect()
}

/// Many checks need one list, again and again; its server is asked once.
fn one_fetch(lab: &Lab) {
    let mut config = format!("{HEAD}endpoints:\n");
    for number in 0..20 {
        writeln!(
            config,
            "  - {{name: e{number}, url: \"https://crl-counted.rev.lab.test/?{number}\"}}"
        )
        .unwrap();
    }
    let config = lab.write("revocation-once.yml", &config);
    let reachd = Reachd::start(lab, "revocation-once", &config);
    reachd.wait_for_metrics("three good probes of each", SOON, |metrics| {
        (0..20).all(|number| {
            let name = format!("e{number}");
            let labels = [("endpoint", name.as_str()), ("result", "success")];
            metrics.value("reachd_probes_total", &labels) >= Some(3.0)
        })
    });
    assert_eq!(asked(lab, "GET crl.rev.lab.test/counted.crl"), 1);
}

/// Where a list does not come, only the first probe waits for it; the next ones tell at once why, as exactly as the fetch
/// itself found out.
fn told_at_once(lab: &Lab) {
    let config = format!(
        "{}endpoints: [{{name: slow, url: \"https://crl-slow.rev.lab.test/\"}}]\n",
        HEAD.replace(
            "mode: require",
            "mode: require, timeout: 2s, methods: [crl]"
        )
    );
    let config = lab.write("revocation-told.yml", &config);
    let reachd = Reachd::start(lab, "revocation-told", &config);
    let phase = [("phase", "revocation"), ("peer", "endpoint")];
    reachd.wait_for_metrics("a probe that waits for nothing", SOON, |metrics| {
        let probes = metrics.sum("reachd_probes_total", &[("result", "failure")]);
        let took = metrics.value("reachd_probe_last_phase_duration_seconds", &phase);
        probes >= 4.0 && took.is_some_and(|took| took < 0.5)
    });
    let checks = http::get(reachd.address, "/api/v1/checks").unwrap().body;
    let why = "CRL http://crl.rev.lab.test/slow.crl: over the route direct: response/timeout at the endpoint";
    assert!(checks.contains(why), "{checks}");
}

/// With a folder for its state, a restart needs no server; and what lies there is verified.
fn kept(lab: &Lab) {
    let endpoint = "endpoints: [{name: kept, url: \"https://crl-kept.rev.lab.test/\"}]\n";
    let without = lab.write("revocation-forgets.yml", &format!("{HEAD}{endpoint}"));
    let state = "state_dir: \"@dir@/state\"\n";
    let with = lab.write("revocation-keeps.yml", &format!("{HEAD}{state}{endpoint}"));
    assert_eq!(check(&with).0, 0);
    let served = lab.path("revocation/crl/kept.crl");
    fs::rename(&served, served.with_extension("gone")).unwrap();
    let (code, report) = check(&without);
    assert_eq!(code, 2, "{report}");
    assert!(report.contains("revocation/unreachable"), "{report}");
    let (code, report) = check(&with);
    assert_eq!(code, 0, "{report}");
    for entry in fs::read_dir(lab.path("state/revocation")).unwrap() {
        fs::write(entry.unwrap().path(), "garbage").unwrap();
    }
    let (code, report) = check(&with);
    assert_eq!(code, 2, "{report}");
}

/// The verdicts of `openssl verify` on the lists of the scenarios.
fn as_openssl(lab: &Lab) {
    let table = [
        ("crl-good", "good", "OK"),
        ("crl-revoked", "good", "certificate revoked"),
        ("crl-expired", "expired", "CRL has expired"),
        // By the identifier of its key, openssl does not even take it for the issuer's.
        (
            "crl-wrong-signer",
            "wrong-signer",
            "unable to get certificate CRL",
        ),
    ];
    for (leaf, list, verdict) in table {
        let said = openssl(
            lab,
            &[
                "verify",
                "-crl_check",
                "-CAfile",
                "root.pem",
                "-untrusted",
                "inter.ca",
                "-CRLfile",
                &format!("{list}.list"),
                &format!("{leaf}.leaf"),
            ],
        );
        assert!(said.contains(verdict), "{leaf}: {said}");
    }
}

/// A responder of openssl's understands the question that reachd asks.
fn understood(lab: &Lab) {
    let endpoint = "endpoints: [{name: asked, url: \"https://ocsp-by-issuer.rev.lab.test/\"}]\n";
    let config = lab.write("revocation-asks.yml", &format!("{HEAD}{endpoint}"));
    assert_eq!(check(&config).0, 0);
    let log = fs::read_to_string(lab.path("revocation/asked.log")).unwrap();
    let mut lines = log.lines();
    let question = lines.find_map(|line| line.split_once("ocsp-by-issuer/"));
    let question = question.expect("reachd asked").1.replace("%2B", "+");
    let question = question.replace("%2F", "/").replace("%3D", "=");
    let question = STANDARD.decode(question).unwrap();
    fs::write(lab.path("revocation/question.der"), question).unwrap();
    let said = openssl(
        lab,
        &[
            "ocsp",
            "-reqin",
            "question.der",
            "-index",
            "index.txt",
            "-CA",
            "inter.ca",
            "-rsigner",
            "delegate.pem",
            "-rkey",
            "delegate.key",
            "-noverify",
            "-text",
        ],
    );
    assert!(said.contains("Serial Number: 2009"), "{said}");
    assert!(said.contains("Cert Status: good"), "{said}");
}

/// How often something was asked for.
fn asked(lab: &Lab, line: &str) -> usize {
    let log = fs::read_to_string(lab.path("revocation/asked.log")).unwrap();
    log.lines().filter(|asked| *asked == line).count()
}

/// The exit code of `reachd check`, and what it says.
fn check(config: &Path) -> (i32, String) {
    let config = config.to_str().expect("a path in UTF-8");
    let finished = run_to_end(command(&["check", "--config.file", config]));
    let said = format!("{}{}", finished.stdout, finished.stderr);
    (finished.exit_code, said)
}

fn openssl(lab: &Lab, arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(lab.path("revocation"))
        .output()
        .unwrap();
    let [out, err] = [output.stdout, output.stderr];
    format!(
        "{}{}",
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(&err)
    )
}
