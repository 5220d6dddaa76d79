//! What reachd is installed by, on real tools as far as they run here: docs/install.md says how far that is.

mod debian;
mod machine;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::kit::run_to_end_within;

pub(crate) fn trials() -> Vec<Trial> {
    [debian::trials()].into_iter().flatten().collect()
}

/// The project's folder.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// How long a linter may take beside other tests.
const TOOL_WITHIN: Duration = Duration::from_secs(120);

/// Runs a program in the project's folder, which must succeed; returns what it printed.
fn run_tool(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).current_dir(ROOT);
    let finished = run_to_end_within(TOOL_WITHIN, command, Stdio::null());
    assert_eq!(
        finished.exit_code,
        0,
        "{}: {finished:#?}",
        program.as_ref().display()
    );
    finished.stdout
}
