//! What reachd is installed by, on real tools as far as they run here: docs/install.md says how far that is.

mod chart;
mod debian;
mod documents;
mod images;
mod machine;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use regex::Regex;

use crate::kit::run_to_end_within;

pub(crate) fn trials() -> Vec<Trial> {
    let rooms = [
        debian::trials(),
        documents::trials(),
        images::trials(),
        chart::trials(),
    ];
    rooms.into_iter().flatten().collect()
}

/// A test that needs no lab.
fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// The project's folder.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// How long a linter may take beside other tests.
const TOOL_WITHIN: Duration = Duration::from_secs(120);

/// A file of the project.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A program that tests/run installs with pip.
fn python_tool(name: &str) -> PathBuf {
    Path::new(ROOT).join("target/tools/python/bin").join(name)
}

/// Runs a program in the project's folder, which must succeed; returns what it printed.
fn run_tool(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let program = program.as_ref();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(ROOT);
    let finished = run_to_end_within(TOOL_WITHIN, command, Stdio::null());
    let name = program.display();
    assert_eq!(finished.exit_code, 0, "{name}: {finished:#?}");
    finished.stdout
}

/// The daemon has every flag of its own that the text uses: those with a dot in their names.
fn assert_flags_exist(text: &str) {
    let flag = Regex::new(r"--[a-z]+\.[a-z-]+\w").expect("a pattern");
    let help = run_tool(env!("CARGO_BIN_EXE_reachd"), &["run", "--help"]);
    let known: Vec<&str> = flag.find_iter(&help).map(|found| found.as_str()).collect();
    for used in flag.find_iter(text) {
        let used = used.as_str();
        assert!(known.contains(&used), "there is no flag {used}: {known:?}");
    }
}
