//! A machine of its own under a real systemd, on which packages are installed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::kit::{Daemon, Finished, run_to_end_within, wait};

/// How long it may take to boot.
const BOOT_WITHIN: Duration = Duration::from_secs(60);

/// How long any command on it may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(120);

/// How long until a condition holds.
const CONDITION_WITHIN: Duration = Duration::from_secs(60);

/// A running machine. It is gone with the value.
pub(super) struct Machine {
    daemon: Daemon,
    /// Its first process, as it is called out here.
    init: String,
    _dir: TempDir,
}

impl Machine {
    /// Boots it; the files are in `/files`.
    pub(super) fn boot(files: &Path) -> Self {
        let dir = TempDir::new().unwrap();
        let top = dir.path().join("top");
        fs::create_dir(&top).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages/machine.sh");
        let [top, files] = [&top, files].map(|path| path.to_str().expect("a path in UTF-8"));
        let command = ["unshare", "--mount", "sh", script, top, files];
        let daemon = Daemon::start("machine", &command, dir.path());
        let init = wait::within(BOOT_WITHIN, || first_process(daemon.id()));
        let init = init.unwrap_or_else(|| panic!("no systemd starts:\n{}", daemon.log()));
        let machine = Self {
            daemon,
            init,
            _dir: dir,
        };
        machine.wait_until("systemctl is-active multi-user.target");
        machine
    }

    /// Runs a shell script on it.
    pub(super) fn run(&self, script: &str) -> Finished {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.init])
            .args(["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup"])
            .args(["--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
            .args(["sh", "-ec", script]);
        run_to_end_within(COMMAND_WITHIN, command, std::process::Stdio::null())
    }

    /// Runs one that must succeed, and returns what it prints.
    pub(super) fn must(&self, script: &str) -> String {
        let finished = self.run(script);
        assert_eq!(
            finished.exit_code,
            0,
            "{script}: {finished:#?}\n{}",
            self.journal()
        );
        finished.stdout.trim().to_owned()
    }

    /// Runs one until it succeeds.
    pub(super) fn wait_until(&self, script: &str) {
        let done = wait::within(CONDITION_WITHIN, || {
            (self.run(script).exit_code == 0).then_some(())
        });
        if done.is_none() {
            let last = self.run(script);
            panic!("never: {script}: {last:#?}\n{}", self.journal());
        }
    }

    fn journal(&self) -> String {
        self.run("journalctl --no-pager --lines 60").stdout
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With its first process the whole machine ends, and the script tidies up.
        let _ = Command::new("kill").args(["-KILL", &self.init]).status();
        self.daemon.wait_for_end(CONDITION_WITHIN);
    }
}

/// The grandchild of the script, once it is systemd.
fn first_process(script: u32) -> Option<String> {
    let unshare = child_of(&script.to_string())?;
    let first = child_of(&unshare)?;
    let name = fs::read_to_string(format!("/proc/{first}/comm")).ok()?;
    (name.trim() == "systemd").then_some(first)
}

fn child_of(process: &str) -> Option<String> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next().map(str::to_owned)
}
