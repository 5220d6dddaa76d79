//! Responders that run, and everything that they can say: reachd's verdict, in both modes, and what openssl's own client
//! says of the same responder.

use std::fmt::Write;

use libtest_mimic::Trial;
use serde_json::Value;

use super::responder::{Responder, Ways, busy_port, closed_port, says_responder, url};
use super::site::{Site, text};
use super::{HEAD, openssl};
use crate::kit::{Lab, command, run_to_end};
use crate::suite::{SharedLab, trial};

/// How long a fetch may take in these tests, also on a busy machine: a fifth of the time of a probe.
const FETCH: &str = "revocation: {mode: require, timeout: 4s, derived_interval: off}";

/// What a responder says of one certificate.
struct Word {
    name: &'static str,
    serial: u32,
    /// The state that both modes report.
    state: &'static str,
    /// `phase/reason` of the failure and what its detail says, where revocation is required. A failure of the phase
    /// `tls` is one in either mode.
    required: Option<(&'static str, &'static str)>,
    /// What `openssl ocsp` says.
    openssl: &'static str,
}

const WORDS: [Word; 10] = [
    Word {
        name: "good",
        serial: 0x7001,
        state: "good",
        required: None,
        openssl: ": good",
    },
    Word {
        name: "slow",
        serial: 0x7009,
        state: "good",
        required: None,
        openssl: ": good",
    },
    // It understands the form that reachd begins with; openssl's client knows POST alone.
    Word {
        name: "only-get",
        serial: 0x700a,
        state: "good",
        required: None,
        openssl: "403",
    },
    Word {
        name: "revoked",
        serial: 0x7002,
        state: "revoked",
        required: Some(("tls/revoked", "superseded, says OCSP")),
        openssl: ": revoked",
    },
    Word {
        name: "unknown",
        serial: 0x7003,
        state: "unknown",
        required: Some(("revocation/unknown", "does not know")),
        openssl: ": unknown",
    },
    Word {
        name: "last-month",
        serial: 0x7004,
        state: "stale",
        required: Some(("revocation/stale", "the next one was due")),
        openssl: "status expired",
    },
    Word {
        name: "stranger",
        serial: 0x7005,
        state: "invalid",
        required: Some(("revocation/bad_signature", "Responder stranger")),
        openssl: "Response Verify Failure",
    },
    Word {
        name: "busy",
        serial: 0x7006,
        state: "invalid",
        required: Some(("revocation/malformed", "tryLater")),
        openssl: "trylater",
    },
    Word {
        name: "down",
        serial: 0x7007,
        state: "unreachable",
        required: Some(("revocation/unreachable", "connect/refused")),
        openssl: "Connection refused",
    },
    Word {
        name: "stopped",
        serial: 0x7008,
        state: "unreachable",
        required: Some(("revocation/timeout", "over the route direct")),
        openssl: "Error querying OCSP responder",
    },
];

pub(super) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![trial("revocation::what_responders_say", lab, every_word)]
}

fn every_word(lab: &Lab) {
    let site = Site::start(lab, "words");
    let good = [0x7001, 0x7004, 0x7005, 0x7008, 0x7009, 0x700a];
    let index = site.index("words", &good, &[0x7002]);
    let healthy = Responder::start(&site, "healthy", &index, "delegate");
    let stranger = Responder::start(&site, "stranger", &index, "stranger");
    let last_month = Responder::start_last_month(&site, "last-month", &index);
    let stopped = Responder::start(&site, "stopped", &index, "delegate");
    let ways = Ways::to(&site, &healthy);
    let (down, _kept_closed) = closed_port(lab);
    let busy = busy_port(lab);
    stopped.stop();
    let port = |word: &Word| match word.name {
        "last-month" => last_month.port,
        "stranger" => stranger.port,
        "busy" => busy,
        "down" => down,
        "stopped" => stopped.port,
        "slow" => ways.slow,
        "only-get" => ways.only_get,
        _ => healthy.port,
    };
    let mut endpoints = String::new();
    for word in &WORDS {
        let (name, says) = (word.name, says_responder(port(word)));
        let host = site.issue(&format!("live-{name}"), word.serial, &says);
        for mode in ["require", "report"] {
            let endpoint = format!("name: {name}-{mode}, url: \"{host}?{mode}\"");
            writeln!(
                endpoints,
                "  - {{{endpoint}, revocation: {{mode: {mode}}}}}"
            )
            .unwrap();
        }
    }
    let head = HEAD
        .replace("timeout: 5s", "timeout: 20s")
        .replace("revocation: {mode: require, derived_interval: off}", FETCH);
    let config = lab.write("live-words.yml", &format!("{head}endpoints:\n{endpoints}"));
    let arguments = ["check", "--format", "json", "--config.file", text(&config)];
    let finished = run_to_end(command(&arguments));
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    let report = finished.report();
    let mut wrong = String::new();
    for word in &WORDS {
        for mode in ["require", "report"] {
            wrong.push_str(&difference(word, mode, &report));
        }
        let said = witness(lab, &site, word, port(word));
        if !said.contains(word.openssl) {
            writeln!(wrong, "openssl says of {}: {said}", word.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let waited = ["require", "report"].map(|mode| seconds(check_of(&report, "slow", mode)));
    let longest = waited[0].max(waited[1]);
    assert!(longest >= 0.4, "it waited {longest} s for the slow one");
}

/// In which way the check is not as expected; nothing where it is.
fn difference(word: &Word, mode: &str, report: &Value) -> String {
    let check = check_of(report, word.name, mode);
    let failure = &check["failure"];
    let part = |key: &str| failure[key].as_str().unwrap_or_default();
    let found = format!("{}/{}", part("phase"), part("reason"));
    let is_failure = |of: &str| mode == "require" || of.starts_with("tls/");
    let is_expected = match word.required {
        Some((reason, detail)) if is_failure(reason) => {
            found == reason && part("peer") == "endpoint" && part("detail").contains(detail)
        }
        _ => check["success"] == true,
    };
    let mut seen = check["observed"]["revocation"]
        .as_array()
        .into_iter()
        .flatten();
    let answer = seen.find(|seen| seen["certificate"] == "leaf" && seen["method"] == "ocsp");
    let state = answer.map_or("none", |answer| answer["state"].as_str().unwrap_or("none"));
    if is_expected && state == word.state {
        return String::new();
    }
    format!("{} ({mode}): {state}, {found}: {check:#}\n", word.name)
}

fn check_of<'a>(report: &'a Value, word: &str, mode: &str) -> &'a Value {
    let name = format!("{word}-{mode}");
    let mut checks = report["checks"].as_array().expect("checks").iter();
    let check = checks.find(|check| check["endpoint"] == *name);
    check.unwrap_or_else(|| panic!("{name} is not in {report:#}"))
}

/// How long the phase took.
fn seconds(check: &Value) -> f64 {
    let mut phases = check["phases"].as_array().expect("phases").iter();
    let phase = phases.find(|phase| phase["phase"] == "revocation");
    phase
        .and_then(|phase| phase["seconds"].as_f64())
        .expect("it ran")
}

/// What openssl's client says of the responder.
fn witness(lab: &Lab, site: &Site<'_>, word: &Word, port: u16) -> String {
    let leaf = site.leaf(&format!("live-{}", word.name));
    let address = lab.address("nginx-revocation");
    let url = url(port).replace("ocsp.rev.lab.test", &address.to_string());
    let ask = ["ocsp", "-url", &url, "-issuer", "inter.ca"];
    // The chain of who signed leads to the authority, which is enough here.
    let about = [
        "-cert",
        text(&leaf),
        "-CAfile",
        "inter.ca",
        "-partial_chain",
    ];
    // With a time-out, it tries a closed port again and again.
    let patience = match word.name {
        "stopped" => &["-timeout", "2"][..],
        _ => &[],
    };
    openssl(lab, &[&ask[..], &about, patience].concat())
}
