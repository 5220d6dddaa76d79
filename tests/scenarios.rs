//! Tests as data: every `scenarios/*.yml` becomes one configuration of reachd, and every scenario in it one test.
//!
//! A scenario is probed twice. `reachd check --endpoint NAME`, alone (or with all others of a file that says `together`),
//! must give the verdict and the exit code; the daemon, which probes the whole file at once, must show the series. The daemon runs once a file.

mod data;
mod series;
mod verdict;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use self::data::ScenarioFile;
pub(crate) use self::data::merge;
use crate::kit::{
    Exposition, Finished, Lab, Reachd, SECRETS, command, run_to_end, with_kerberos, yaml,
};
use crate::suite::SharedLab;

/// One test for each scenario of each file.
pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    let files = files().into_iter();
    files.flat_map(|file| trials_of(file, lab)).collect()
}

/// The scenarios of all files whose names begin so, in one configuration; each file is a service.
pub(crate) fn together(prefix: &str, lab: &Lab) -> Value {
    let mut whole = json!({"endpoints": []});
    for file in files() {
        if file.name.starts_with(prefix) {
            let config = file.filled(lab).configuration();
            whole = joined(whole, serde_json::from_str(&config).unwrap());
        }
    }
    whole
}

/// What a file says of all its endpoints goes to each of them.
fn joined(mut whole: Value, mut file: Value) -> Value {
    let timeout = file["global"]["timeout"].take();
    let mode = file["revocation"]["mode"].take();
    for mut endpoint in file["endpoints"].as_array().cloned().unwrap_or_default() {
        if endpoint["timeout"].is_null() {
            endpoint["timeout"] = timeout.clone();
        }
        if !mode.is_null() {
            endpoint["revocation"] = json!({"mode": mode});
        }
        whole["endpoints"]
            .as_array_mut()
            .expect("a list")
            .push(endpoint);
    }
    for part in ["proxies", "resolvers"] {
        for (name, settings) in file[part].as_object().into_iter().flatten() {
            whole[part][name] = settings.clone();
        }
    }
    whole
}

/// What is found out once for all scenarios of a file.
struct Shared {
    /// As written; the lab fills the placeholders.
    written: ScenarioFile,
    prepared: OnceLock<(ScenarioFile, PathBuf)>,
    /// The `reachd check` of all of it, where it is one.
    report: OnceLock<Finished>,
    /// Or why there are none.
    metrics: OnceLock<Result<Exposition, String>>,
}

fn files() -> Vec<ScenarioFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let common = yaml::read(&folder.join("common.yml"));
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .filter(|path| !path.ends_with("common.yml"))
        .collect();
    paths.sort();
    let files = paths.iter().map(|path| ScenarioFile::read(path, &common));
    files.collect()
}

fn trials_of(written: ScenarioFile, lab: &SharedLab) -> Vec<Trial> {
    let shared = Arc::new(Shared {
        written,
        prepared: OnceLock::new(),
        report: OnceLock::new(),
        metrics: OnceLock::new(),
    });
    let file = &shared.written;
    let trial = |number: usize| {
        let (shared, lab) = (Arc::clone(&shared), Arc::clone(lab));
        let name = format!("{}::{}", file.name, file.scenarios[number].name);
        Trial::test(name, move || {
            shared.run(number, lab.get().expect("the lab runs before its tests"))
        })
    };
    (0..file.scenarios.len()).map(trial).collect()
}

impl Shared {
    fn run(&self, number: usize, lab: &Lab) -> Result<(), Failed> {
        let (file, config) = self.prepared.get_or_init(|| {
            let file = self.written.filled(lab);
            let config = lab.write(&format!("{}.json", file.name), &file.configuration());
            (file, config)
        });
        let scenario = &file.scenarios[number];
        let probed = file.probed_with(scenario);
        let alone;
        let finished = if probed.len() > 1 {
            self.report.get_or_init(|| check(lab, config, &[]))
        } else {
            alone = check(lab, config, &["--endpoint", &scenario.name]);
            &alone
        };
        let mut wrong = verdict::differences(scenario, probed, finished);
        match self.metrics.get_or_init(|| scrape(lab, &file.name, config)) {
            Ok(metrics) => wrong.extend(series::differences(&file.name, scenario, metrics)),
            Err(error) => wrong.push(format!("the daemon: {error}")),
        }
        for (_, secret) in SECRETS {
            if finished.stdout.contains(secret) || finished.stderr.contains(secret) {
                wrong.push("a password is shown".to_owned());
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let (shows, wrong) = (scenario.shows.trim(), wrong.join("\n  "));
        let report = if probed.len() > 1 {
            ""
        } else {
            &finished.stdout
        };
        Err(format!("{shows}\n  {wrong}\n{report}{}", finished.stderr).into())
    }
}

/// Probes everything, or what the flags ask for.
fn check(lab: &Lab, config: &Path, only: &[&str]) -> Finished {
    let config = config.to_str().expect("a path in UTF-8");
    let of_config = ["check", "--config.file", config, "--format", "json"];
    let mut command = command(&[&of_config[..], only].concat());
    with_kerberos(&mut command, lab);
    run_to_end(command)
}

/// Lets the daemon probe a whole file at once, and looks when every check ran.
fn scrape(lab: &Lab, name: &str, config: &Path) -> Result<Exposition, String> {
    let scrape = || {
        let reachd = Reachd::start(lab, name, config);
        reachd.wait_until_ready();
        reachd.metrics()
    };
    panic::catch_unwind(AssertUnwindSafe(scrape)).map_err(|_| "see its panic above".to_owned())
}
