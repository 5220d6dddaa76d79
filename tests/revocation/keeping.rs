//! What was fetched once is kept: over reloads, with a folder for the state over restarts, and for as many checks and
//! entries as there are.

use std::fmt::Write;
use std::path::Path;

use libtest_mimic::Trial;

use super::responder::{Responder, says_responder};
use super::site::Site;
use super::{HEAD, SOON};
use crate::kit::{Exposition, Lab, Reachd, http};
use crate::suite::{SharedLab, trial};

/// The host whose certificate is on a list, and the one of which a responder knows.
const LISTED: u32 = 0x7701;
const ANSWERED: u32 = 0x7702;

/// What the long list has.
const ENTRIES: u32 = 10_000;

pub(super) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("revocation::kept_over_reloads", lab, reloads),
        trial("revocation::a_restart_with_a_folder", lab, with_folder),
        trial(
            "revocation::a_restart_without_a_folder",
            lab,
            without_folder,
        ),
        trial("revocation::ten_thousand_entries", lab, ten_thousand),
    ]
}

/// A list and an answer, and who gives them.
struct Kept<'a> {
    site: Site<'a>,
    responder: Responder,
    endpoints: String,
}

impl<'a> Kept<'a> {
    fn start(lab: &'a Lab, name: &str) -> Self {
        let site = Site::start(lab, name);
        site.list("list.crl", []);
        let index = site.index("kept", &[ANSWERED], &[]);
        let responder = Responder::start(&site, "responder", &index, "delegate");
        let listed = site.issue("listed", LISTED, &site.says_list("kept", "list.crl"));
        let answered = site.issue("answered", ANSWERED, &says_responder(responder.port));
        let endpoints = format!(
            "endpoints:\n  - {{name: listed, url: \"{listed}\"}}\n  - {{name: answered, url: \"{answered}\"}}\n"
        );
        Self {
            site,
            responder,
            endpoints,
        }
    }

    /// How often the list was fetched.
    fn fetches(&self) -> usize {
        self.site.asked("kept").len()
    }
}

/// Reloads of both kinds keep what is known: the list is asked for once, and the responder is not missed.
fn reloads(lab: &Lab) {
    let kept = Kept::start(lab, "reloads");
    let with = |more: u32| {
        let mut config = format!("{HEAD}{}", kept.endpoints);
        for number in 0..more {
            let listed = kept.endpoints.lines().nth(1).expect("the first endpoint");
            let more = listed.replace("name: listed", &format!("name: more-{number}"));
            writeln!(config, "{more}").unwrap();
        }
        lab.write("revocation-reloads.yml", &config)
    };
    let flags = ["--web.enable-lifecycle"];
    let reachd = Reachd::start_with(lab, "revocation-reloads", &with(0), &flags);
    wait_for(&reachd, &[("listed", 2.0), ("answered", 2.0)]);
    let Kept {
        site, responder, ..
    } = &kept;
    responder.stop();

    with(1);
    reachd.daemon.signal("HUP");
    let after = wait_for(&reachd, &[("more-0", 1.0)]);
    let next = successes(&after, "answered") + 2.0;
    wait_for(&reachd, &[("more-0", 3.0), ("answered", next)]);

    with(2);
    let answer = http::post(reachd.address, "/-/reload").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let after = wait_for(&reachd, &[("more-1", 1.0)]);
    let next = successes(&after, "answered") + 2.0;
    let after = wait_for(&reachd, &[("more-1", 3.0), ("answered", next)]);

    assert_eq!(site.asked("kept").len(), 1, "{:?}", site.asked("kept"));
    let failures = after.sum("reachd_probes_total", &[("result", "failure")]);
    assert!(failures < 1.0, "{failures} failures");
}

/// With a folder, a restarted daemon asks nobody, not even for its first probe.
fn with_folder(lab: &Lab) {
    let kept = Kept::start(lab, "with-folder");
    let config = format!(
        "state_dir: \"@dir@/state-of-a-restart\"\n{HEAD}{}",
        kept.endpoints
    );
    let config = lab.write("revocation-with-folder.yml", &config);
    run_for_a_while(lab, "with-folder", &config);
    assert_eq!(kept.fetches(), 1);
    kept.responder.stop();
    let metrics = run_for_a_while(lab, "with-folder-again", &config);
    assert_eq!(kept.fetches(), 1);
    let failures = metrics.sum("reachd_probes_total", &[("result", "failure")]);
    assert!(failures < 1.0, "{failures} failures");
}

/// Without one, everything is fetched again.
fn without_folder(lab: &Lab) {
    let kept = Kept::start(lab, "without-folder");
    let config = format!("{HEAD}{}", kept.endpoints);
    let config = lab.write("revocation-without-folder.yml", &config);
    run_for_a_while(lab, "without-folder", &config);
    assert_eq!(kept.fetches(), 1);
    run_for_a_while(lab, "without-folder-again", &config);
    assert_eq!(kept.fetches(), 2);
}

/// A daemon from its start, over some good probes, to its end.
fn run_for_a_while(lab: &Lab, name: &str, config: &Path) -> Exposition {
    let mut reachd = Reachd::start(lab, &format!("revocation-{name}"), config);
    let metrics = wait_for(&reachd, &[("listed", 2.0), ("answered", 2.0)]);
    reachd.daemon.signal("TERM");
    let status = reachd.daemon.wait_for_end(SOON);
    assert_eq!(status.code(), Some(0), "{}", reachd.daemon.log());
    metrics
}

/// A long list is fetched once for many checks, tells them apart, and costs a probe next to nothing.
fn ten_thousand(lab: &Lab) {
    let site = Site::start(lab, "long-list");
    let first = 0x8000;
    site.list("long.crl", first..first + ENTRIES);
    let says = site.says_list("long", "long.crl");
    let good = site.issue("not-on-it", LISTED, &says);
    let revoked = site.issue("on-it", first + ENTRIES / 2, &says);
    let names: Vec<String> = (0..10).map(|number| format!("good-{number}")).collect();
    let mut config = format!("{HEAD}endpoints:\n  - {{name: on-it, url: \"{revoked}\"}}\n");
    for name in &names {
        writeln!(config, "  - {{name: {name}, url: \"{good}?{name}\"}}").unwrap();
    }
    let config = lab.write("revocation-long-list.yml", &config);
    let reachd = Reachd::start(lab, "revocation-long-list", &config);
    let wanted: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 3.0)).collect();
    wait_for(&reachd, &wanted);
    reachd.wait_for_metrics("the one that is on it", SOON, |metrics| {
        let why = [("endpoint", "on-it"), ("reason", "revoked")];
        metrics.value("reachd_probe_failing", &why) == Some(1.0)
    });
    reachd.wait_for_metrics("a phase that takes no time", SOON, |metrics| {
        names.iter().all(|name| {
            let phase = [("endpoint", name.as_str()), ("phase", "revocation")];
            let took = metrics.value("reachd_probe_last_phase_duration_seconds", &phase);
            took.is_some_and(|seconds| seconds < 0.01)
        })
    });
    let asked = site.asked("long");
    assert_eq!(asked.len(), 1, "{asked:?}");
}

/// Waits until each of the checks succeeded so often.
fn wait_for(reachd: &Reachd, wanted: &[(&str, f64)]) -> Exposition {
    reachd.wait_for_metrics(&format!("{wanted:?}"), SOON, |metrics| {
        let has = |(name, least): &(&str, f64)| successes(metrics, name) >= *least;
        wanted.iter().all(has)
    })
}

fn successes(metrics: &Exposition, endpoint: &str) -> f64 {
    let labels = [("endpoint", endpoint), ("result", "success")];
    metrics.value("reachd_probes_total", &labels).unwrap_or(0.0)
}
