//! One fault, one cause: real proxies, resolvers and servers that fail in every way that the diagnosis knows, alone and
//! in pairs (tests/causes/*.yml), and a proxy that is stopped and started while the daemon looks.

mod cases;
mod machine;
mod outages;
mod shown;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use self::cases::{Case, Expected, Step};
use self::machine::Running;
use self::shown::{in_list, in_metrics, on_page};
use crate::kit::{Exposition, Lab};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take: a baseline takes 20 probes.
const WITHIN: Duration = Duration::from_secs(90);

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(150);

/// For so many further probes of each check, the causes must stay as they are.
const STAY_FOR_PROBES: u32 = 2;

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    let mut trials: Vec<Trial> = cases::all()
        .into_iter()
        .map(|(name, written)| of_case(&name, written, lab))
        .collect();
    trials.extend([
        trial("diagnosis::a_proxy_stops", lab, outages::a_proxy_stops),
        trial("diagnosis::a_server_stops", lab, outages::a_server_stops),
    ]);
    trials
}

fn of_case(name: &str, written: Value, lab: &SharedLab) -> Trial {
    let lab = SharedLab::clone(lab);
    Trial::test(format!("diagnosis::{name}"), move || {
        let lab = lab.get().expect("the lab runs before its tests");
        let case = Case::of(&written, lab);
        run(&case, lab);
        Ok(())
    })
}

fn run(case: &Case, lab: &Lab) {
    let name = format!("cause-{}", case.name);
    let config = lab.write(&format!("{name}.json"), &case.configuration());
    let watched = Watched {
        shows: &case.shows,
        running: case.machine.start(lab, &name, &config),
        ever: written(case.expected_ever()),
        is_noisy: case.noisy,
    };
    watched.running.wait_until_ready();
    for step in &case.steps {
        match step {
            Step::Probes(count) => watched.wait_for_probes(*count),
            Step::Causes(causes) => watched.wait_for_causes(causes),
            Step::TurnOn(switch) => turn(lab, "enable", switch),
            Step::TurnOff(switch) => turn(lab, "disable", switch),
        }
    }
    watched.wait_for_causes(&case.causes);
    if !case.noisy {
        watched.must_stay(&case.causes);
    }
    if let Some(flags) = case.flags_of_check() {
        let report = case.machine.check(&config, "json", &flags).report();
        let found = in_list(&report["causes"]);
        let shows = &case.shows;
        assert_eq!(
            found,
            written(&case.causes),
            "{shows}\nreachd check: {report:#}"
        );
    }
}

fn written<'e>(causes: impl IntoIterator<Item = &'e Expected>) -> BTreeSet<String> {
    causes.into_iter().map(Expected::written).collect()
}

/// The daemon, and what it may show.
struct Watched<'c> {
    shows: &'c str,
    running: Running,
    ever: BTreeSet<String>,
    is_noisy: bool,
}

impl Watched<'_> {
    /// Waits until the metric, the API and the page show exactly these.
    fn wait_for_causes(&self, causes: &[Expected]) {
        let expected = written(causes);
        self.wait(&format!("exactly {expected:?}"), |watched| {
            watched.in_metrics() == expected
                && watched.in_api() == expected
                && watched.on_page() == expected
        });
    }

    fn wait_for_probes(&self, count: u32) {
        self.wait(&format!("{count} probes of each check"), |watched| {
            watched.fewest_probes() >= f64::from(count)
        });
    }

    fn must_stay(&self, causes: &[Expected]) {
        let probed = probes(&self.running.metrics());
        let most = probed.into_iter().fold(0.0, f64::max);
        let enough = most + f64::from(STAY_FOR_PROBES);
        let causes = written(causes);
        self.wait("the causes to stay", |watched| {
            assert_eq!(
                watched.in_metrics(),
                causes,
                "they do not stay\n{}",
                watched.log()
            );
            watched.fewest_probes() >= enough
        });
    }

    fn wait(&self, what: &str, satisfied: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !satisfied(self) {
            let shown = self.in_metrics();
            assert!(
                self.is_noisy || shown.is_subset(&self.ever),
                "{shown:?} where only {:?} may ever be\n{}",
                self.ever,
                self.log()
            );
            assert!(
                start.elapsed() < WITHIN,
                "{what}: not within {WITHIN:?}; metric {shown:?}, API {:?}, page {:?}\n{}",
                self.in_api(),
                self.on_page(),
                self.log()
            );
            thread::sleep(PAUSE);
        }
    }

    fn in_metrics(&self) -> BTreeSet<String> {
        in_metrics(&self.running.metrics())
    }

    fn in_api(&self) -> BTreeSet<String> {
        let causes = self.running.get("/api/v1/causes").expect("the API answers");
        in_list(&serde_json::from_str(&causes).unwrap())
    }

    fn on_page(&self) -> BTreeSet<String> {
        on_page(&self.running.get("/").expect("there is a page"))
    }

    fn fewest_probes(&self) -> f64 {
        let probed = probes(&self.running.metrics());
        probed.into_iter().fold(f64::INFINITY, f64::min)
    }

    /// What the case shows, and what reachd wrote.
    fn log(&self) -> String {
        format!("{}\n{}", self.shows, self.running.daemon.log())
    }
}

/// How often each check was probed.
fn probes(metrics: &Exposition) -> Vec<f64> {
    let results = metrics.matching("reachd_probes_total", &[("result", "success")]);
    let of_check = results.iter().map(|sample| {
        let label = |name: &'static str| (name, sample.labels[name].as_str());
        let labels = ["service", "endpoint", "route"].map(label);
        metrics.sum("reachd_probes_total", &labels)
    });
    of_check.collect()
}

/// Turns a switch of haproxy.
fn turn(lab: &Lab, how: &str, switch: &str) {
    let mut haproxy = UnixStream::connect(lab.path("haproxy.sock")).unwrap();
    writeln!(haproxy, "{how} server switches/{switch}").unwrap();
    let mut said = String::new();
    haproxy.read_to_string(&mut said).unwrap();
    assert_eq!(said.trim(), "", "{how} {switch}");
}
