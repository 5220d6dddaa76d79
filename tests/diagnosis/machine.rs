//! The machine on which reachd runs in a case: this one, or one whose clock is wrong, or that has no way out.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::isolation::in_namespace;
use crate::kit::{Daemon, Exposition, Finished, Lab, Reachd, command, http, run_to_end, wait};

/// How long until every check has run once.
const READY_WITHIN: Duration = Duration::from_secs(60);

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Machine {
    /// By how much its clock is off, as libfaketime writes it: `+10m`.
    clock: Option<String>,
    network: Option<Network>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Network {
    /// Only itself.
    None,
}

/// reachd on its machine.
pub(super) struct Running {
    pub(super) daemon: Daemon,
    address: SocketAddr,
    network: Option<Network>,
}

impl Machine {
    pub(super) fn start(&self, lab: &Lab, name: &str, config: &Path) -> Running {
        if self.network.is_some() {
            return self.start_apart(lab, name, config);
        }
        let Reachd { daemon, address } = Reachd::start_in(lab, name, config, &[], |command| {
            self.set_clock(command);
        });
        Running {
            daemon,
            address,
            network: None,
        }
    }

    fn start_apart(&self, lab: &Lab, name: &str, config: &Path) -> Running {
        let address = lab.fresh_address();
        let script = format!(
            "ip link set lo up && exec {} run --config.file {} --web.listen-address {address}",
            env!("CARGO_BIN_EXE_reachd"),
            config.display()
        );
        let command = ["unshare", "--net", "sh", "-c", &script];
        let name = format!("reachd-{name}");
        let daemon = Daemon::start_with(&name, &command, lab.dir(), |command| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            command.env_clear().env("PATH", path);
        });
        Running {
            daemon,
            address,
            network: self.network,
        }
    }

    /// One round of `reachd check` on such a machine.
    pub(super) fn check(&self, config: &Path, format: &str, flags: &[&str]) -> Finished {
        let config = config.to_str().expect("a path in UTF-8");
        let own = ["check", "--config.file", config, "--format", format];
        let arguments = [&own[..], flags].concat();
        if self.network.is_some() {
            let script = format!("exec \"$REACHD\" {}", arguments.join(" "));
            return in_namespace("--net", &script, &[]);
        }
        let mut command = command(&arguments);
        self.set_clock(&mut command);
        run_to_end(command)
    }

    fn set_clock(&self, command: &mut Command) {
        if let Some(clock) = &self.clock {
            command
                .env("LD_PRELOAD", libfaketime())
                .env("FAKETIME", clock)
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
    }
}

impl Running {
    /// Waits until every check ran once.
    pub(super) fn wait_until_ready(&self) {
        let ready = wait::within(READY_WITHIN, || self.get("/-/ready"));
        assert!(ready.is_some(), "not ready:\n{}", self.daemon.log());
    }

    /// What is there, where it is.
    pub(super) fn get(&self, path: &str) -> Option<String> {
        if self.network.is_none() {
            let answer = http::get(self.address, path).ok()?;
            return (answer.status == 200).then_some(answer.body);
        }
        let namespace = format!("--net=/proc/{}/ns/net", self.daemon.id());
        let url = format!("http://{}{path}", self.address);
        let curl = ["curl", "--silent", "--fail", "--max-time", "5", &url];
        let mut inside = Command::new("nsenter");
        inside.arg(namespace).args(curl).stderr(Stdio::null());
        let output = inside.output().expect("nsenter starts");
        let body = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(body)
    }

    pub(super) fn metrics(&self) -> Exposition {
        let text = self.get("/metrics");
        Exposition::parse(&text.unwrap_or_else(|| panic!("no metrics:\n{}", self.daemon.log())))
    }
}

/// Where the package keeps it, which depends on the processor.
fn libfaketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap();
    let mut paths =
        folders.map(|folder| folder.unwrap().path().join("faketime/libfaketimeMT.so.1"));
    let found = paths.find(|path| path.exists());
    found.expect("libfaketime: tests/run installs the package faketime")
}
