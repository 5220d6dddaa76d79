//! One responder that is bad beside one that is not: what it costs the other checks, which is nothing.

use std::fmt::Write;

use libtest_mimic::Trial;

use super::responder::{Responder, closed_port, says_responder};
use super::site::Site;
use super::{HEAD, SOON};
use crate::kit::{Exposition, Lab, Reachd};
use crate::suite::{SharedLab, trial};

/// The checks whose responder is fine.
const FINE: [&str; 3] = ["fine-0", "fine-1", "fine-2"];

pub(super) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("revocation::a_dead_responder_alone", lab, dead_alone),
        trial("revocation::a_stopped_responder_alone", lab, stopped_alone),
        trial("revocation::many_that_wait_beside_one", lab, many_wait),
    ]
}

/// Nobody listens where one responder should be: its checks fail at once, and the others have their time.
fn dead_alone(lab: &Lab) {
    let site = Site::start(lab, "dead");
    let (down, _kept_closed) = closed_port(lab);
    let alone = Alone::start(&site, "dead", down);
    alone.assert_verdicts("unreachable");
}

/// One responder accepts and says nothing: its checks wait for it, each no longer than it may, and nobody else does.
/// When it goes on, so do they.
fn stopped_alone(lab: &Lab) {
    let site = Site::start(lab, "stopped");
    let index = site.index("stopped", &[0x7202, 0x7203], &[]);
    let stopped = Responder::start(&site, "stopped", &index, "delegate");
    stopped.stop();
    let alone = Alone::start(&site, "stopped", stopped.port);
    alone.assert_verdicts("timeout");
    stopped.go_on();
    alone
        .reachd
        .wait_for_metrics("both good again", SOON, |metrics| {
            ["bad-require", "bad-report"].iter().all(|name| {
                let state = [("endpoint", *name), ("method", "ocsp"), ("state", "good")];
                is_up(metrics, name)
                    && metrics.value("reachd_revocation_status", &state) == Some(1.0)
            })
        });
}

/// Forty checks wait for a responder that says nothing, all over the same route; the first probes of those whose
/// responder is fine are none the worse for it.
fn many_wait(lab: &Lab) {
    let site = Site::start(lab, "many");
    let known: Vec<u32> = (0x7301..0x7301 + 6).collect();
    let index = site.index("many", &known, &[]);
    let fine = Responder::start(&site, "fine", &index, "delegate");
    let stopped = Responder::start(&site, "stopped", &index, "delegate");
    stopped.stop();
    let head = HEAD.replace("mode: require", "mode: require, timeout: 3s");
    let mut config = format!("{head}endpoints:\n");
    for number in 0..40 {
        let name = format!("waits-{number}");
        let url = site.issue(&name, 0x7400 + number, &says_responder(stopped.port));
        writeln!(config, "  - {{name: {name}, url: \"{url}\"}}").unwrap();
    }
    // Checks begin in the order of their names: these come when all places are taken.
    let names: Vec<String> = (0..6).map(|number| format!("well-{number}")).collect();
    for (name, serial) in names.iter().zip(known) {
        let url = site.issue(name, serial, &says_responder(fine.port));
        writeln!(config, "  - {{name: {name}, url: \"{url}\"}}").unwrap();
    }
    let config = lab.write("responder-many.yml", &config);
    let reachd = Reachd::start(lab, "responder-many", &config);
    let metrics = reachd.wait_for_metrics("four probes of each", 2 * SOON, |metrics| {
        let enough = |name: &String| probes(metrics, name, "success") >= 4.0;
        names.iter().all(enough)
    });
    for name in &names {
        assert!(probes(&metrics, name, "failure") < 1.0, "{name} failed");
        assert!(long_ones(&metrics, name) < 1.0, "{name} had to wait");
    }
}

/// A daemon with three checks whose responder is fine, and one in each mode whose responder is not.
struct Alone {
    reachd: Reachd,
    _fine: Responder,
}

impl Alone {
    fn start(site: &Site<'_>, name: &str, bad: u16) -> Self {
        let index = site.index("fine", &[0x7201], &[]);
        let fine = Responder::start(site, "fine", &index, "delegate");
        let url = site.issue("fine", 0x7201, &says_responder(fine.port));
        let head = HEAD
            .replace("timeout: 5s", "timeout: 10s")
            .replace("mode: require", "mode: require, timeout: 3s");
        let mut config = format!("{head}endpoints:\n");
        for name in FINE {
            writeln!(config, "  - {{name: {name}, url: \"{url}?{name}\"}}").unwrap();
        }
        for (mode, serial) in [("require", 0x7202), ("report", 0x7203)] {
            let name = format!("bad-{mode}");
            let url = site.issue(&name, serial, &says_responder(bad));
            let endpoint = format!("name: {name}, url: \"{url}\"");
            writeln!(config, "  - {{{endpoint}, revocation: {{mode: {mode}}}}}").unwrap();
        }
        let config = site.lab().write(&format!("responder-{name}.yml"), &config);
        let reachd = Reachd::start(site.lab(), &format!("responder-{name}"), &config);
        Self {
            reachd,
            _fine: fine,
        }
    }

    /// The bad responder is seen, fails the check that requires it, and delays none of the others.
    fn assert_verdicts(&self, reason: &str) {
        let what = "four probes of each that is fine, two of the others";
        let metrics = self.reachd.wait_for_metrics(what, 2 * SOON, |metrics| {
            let enough = |name: &&str| probes(metrics, name, "success") >= 4.0;
            FINE.iter().all(enough)
                && probes(metrics, "bad-require", "failure") >= 2.0
                && probes(metrics, "bad-report", "success") >= 2.0
        });
        for name in FINE {
            assert!(probes(&metrics, name, "failure") < 1.0, "{name}");
            assert!(long_ones(&metrics, name) < 1.0, "{name} had to wait");
        }
        assert!(probes(&metrics, "bad-require", "success") < 1.0);
        assert!(probes(&metrics, "bad-report", "failure") < 1.0);
        let failing = [
            ("endpoint", "bad-require"),
            ("phase", "revocation"),
            ("reason", reason),
        ];
        assert_eq!(metrics.value("reachd_probe_failing", &failing), Some(1.0));
        for name in ["bad-require", "bad-report"] {
            let state = [
                ("endpoint", name),
                ("certificate", "leaf"),
                ("method", "ocsp"),
                ("state", "unreachable"),
            ];
            let value = metrics.value("reachd_revocation_status", &state);
            assert_eq!(value, Some(1.0), "{name}");
        }
    }
}

fn probes(metrics: &Exposition, endpoint: &str, result: &str) -> f64 {
    let labels = [("endpoint", endpoint), ("result", result)];
    metrics.value("reachd_probes_total", &labels).unwrap_or(0.0)
}

fn is_up(metrics: &Exposition, endpoint: &str) -> bool {
    metrics.value("reachd_probe_success", &[("endpoint", endpoint)]) == Some(1.0)
}

/// How many probes took nearly as long as what hangs, or longer.
fn long_ones(metrics: &Exposition, endpoint: &str) -> f64 {
    let all = metrics.value(
        "reachd_probe_duration_seconds_count",
        &[("endpoint", endpoint)],
    );
    let labels = [("endpoint", endpoint), ("le", "2.5")];
    let short = metrics.value("reachd_probe_duration_seconds_bucket", &labels);
    all.expect("it was probed") - short.expect("there is such a bucket")
}
