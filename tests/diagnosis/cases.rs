//! A file of cases as it is written: tests/causes/common.yml says what is in it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::machine::Machine;
use crate::kit::Lab;
use crate::kit::yaml::read;
use crate::scenarios::merge;

/// One configuration, and what the diagnosis must say of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// For whoever reads the file, or sees the case fail.
    pub(super) shows: String,
    config: Value,
    #[serde(default)]
    pub(super) machine: Machine,
    /// What happens before the end.
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    /// In the end exactly these.
    pub(super) causes: Vec<Expected>,
    /// What else may be shown on the way.
    #[serde(default)]
    meanwhile: Vec<Expected>,
    #[serde(default)]
    check: Check,
    #[serde(default)]
    pub(super) noisy: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    cause: String,
    subject: String,
    #[serde(default = "yes")]
    critical: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Every check was probed so often.
    Probes(u32),
    /// Exactly these are shown.
    Causes(Vec<Expected>),
    /// A switch of haproxy.
    TurnOn(String),
    TurnOff(String),
}

/// Whether one round of `reachd check` knows it, too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Check {
    Knows(bool),
    /// With more flags.
    With(Vec<String>),
}

/// The cases of every file, as written: only the lab fills the placeholders.
pub(super) fn all() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/causes");
    let common = read(&folder.join("common.yml"));
    let entries = fs::read_dir(&folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.ends_with("common.yml"));
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let file = path.file_stem().and_then(|stem| stem.to_str());
        let file = file.expect("a file name in UTF-8");
        let mut cases = read(&path);
        for case in cases["cases"].as_array_mut().expect("cases") {
            let mut config = common.clone();
            merge(&mut config, case["config"].take());
            case["config"] = config;
            // So that a mistake in a file is told at once, and by its name.
            let name = format!("{file}.yml {}", case["name"]);
            let parsed: Result<Case, _> = serde_json::from_value(case.clone());
            let parsed = parsed.unwrap_or_else(|error| panic!("{name}: {error}"));
            all.push((format!("{file}::{}", parsed.name), case.take()));
        }
    }
    all
}

impl Case {
    /// With its placeholders filled.
    pub(super) fn of(written: &Value, lab: &Lab) -> Self {
        serde_json::from_str(&lab.fill(&written.to_string())).expect("it was read before")
    }

    /// The configuration. JSON is YAML, too.
    pub(super) fn configuration(&self) -> String {
        serde_json::to_string_pretty(&self.config).unwrap()
    }

    /// The flags of `reachd check`, where one round of it knows the causes.
    pub(super) fn flags_of_check(&self) -> Option<Vec<&str>> {
        match &self.check {
            Check::Knows(knows) => knows.then(Vec::new),
            Check::With(flags) => Some(flags.iter().map(String::as_str).collect()),
        }
    }

    /// Everything that may ever be shown.
    pub(super) fn expected_ever(&self) -> impl Iterator<Item = &Expected> {
        let of_steps = self.steps.iter().filter_map(|step| match step {
            Step::Causes(causes) => Some(causes),
            _ => None,
        });
        let ever = of_steps.flatten().chain(&self.causes);
        ever.chain(&self.meanwhile)
    }
}

impl Expected {
    /// As in `shown.rs`.
    pub(super) fn written(&self) -> String {
        format!("{} {} {}", self.cause, self.subject, self.critical)
    }
}

impl Default for Check {
    fn default() -> Self {
        Self::Knows(true)
    }
}

fn yes() -> bool {
    true
}
