//! reachd as its users have it: the built program, its configuration, its output and its exit code.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::{Daemon, Exposition, Lab, http, wait};

/// How long any command may take that is not a daemon.
const COMMAND_WITHIN: Duration = Duration::from_secs(90);

/// How long until every check of a plan has run once.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The program with an environment that no machine's proxy settings or log level can change.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reachd"));
    command.args(arguments);
    clean(&mut command);
    command
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// -1 where a signal ended it.
    pub(crate) exit_code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end, which must come soon.
pub(crate) fn run_to_end(command: Command) -> Finished {
    run_to_end_with(command, Stdio::null())
}

/// The same with something to read on its standard input.
pub(crate) fn run_to_end_with(command: Command, stdin: impl Into<Stdio>) -> Finished {
    run_to_end_within(COMMAND_WITHIN, command, stdin)
}

/// The same for what may take longer, such as a browser.
pub(crate) fn run_to_end_within(
    deadline: Duration,
    mut command: Command,
    stdin: impl Into<Stdio>,
) -> Finished {
    let output = tempfile::tempdir().unwrap();
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| output.path().join(name));
    let mut child = command
        .stdin(stdin)
        .stdout(File::create(&stdout).unwrap())
        .stderr(File::create(&stderr).unwrap())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let status = wait::within(deadline, || child.try_wait().unwrap());
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let [stdout, stderr] = [stdout, stderr].map(|path| fs::read_to_string(path).unwrap());
    let Some(status) = status else {
        panic!("{command:?} did not end within {deadline:?}:\n{stdout}\n{stderr}");
    };
    Finished {
        exit_code: status.code().unwrap_or(-1),
        stdout,
        stderr,
    }
}

impl Finished {
    /// The report of `check --format json`.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("the report is not JSON ({error}): {self:?}"))
    }
}

/// The daemon. It is killed with the value.
pub(crate) struct Reachd {
    pub(crate) daemon: Daemon,
    pub(crate) address: SocketAddr,
}

impl Reachd {
    /// Starts it with a configuration; it accepts connections when this returns.
    pub(crate) fn start(lab: &Lab, name: &str, config: &Path) -> Self {
        Self::start_with(lab, name, config, &[])
    }

    /// Starts it with more flags.
    pub(crate) fn start_with(lab: &Lab, name: &str, config: &Path, flags: &[&str]) -> Self {
        Self::start_in(lab, name, config, flags, |_| {})
    }

    /// Starts it in an environment that is prepared.
    pub(crate) fn start_in(
        lab: &Lab,
        name: &str,
        config: &Path,
        flags: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        let program = env!("CARGO_BIN_EXE_reachd");
        Self::start_program(lab, name, program, config, flags, prepare)
    }

    /// Starts another build of it.
    pub(crate) fn start_program(
        lab: &Lab,
        name: &str,
        program: &str,
        config: &Path,
        flags: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        let address = lab.fresh_address();
        let listen = address.to_string();
        let config = config.to_str().expect("a path in UTF-8");
        let own = [program, "run", "--config.file", config];
        let listen = ["--web.listen-address", &listen];
        let command = [&own[..], &listen, flags].concat();
        let name = format!("reachd-{name}");
        let mut daemon = Daemon::start_with(&name, &command, lab.dir(), |command| {
            clean(command);
            with_kerberos(command, lab);
            prepare(command);
        });
        daemon.wait_for(address);
        Self { daemon, address }
    }

    /// Waits until every check ran once.
    pub(crate) fn wait_until_ready(&self) {
        let ready = wait::within(READY_WITHIN, || {
            let answer = http::get(self.address, "/-/ready").ok()?;
            (answer.status == 200).then_some(())
        });
        assert!(
            ready.is_some(),
            "reachd is not ready within {READY_WITHIN:?}:\n{}",
            self.daemon.log()
        );
    }

    /// What `/metrics` says now.
    pub(crate) fn metrics(&self) -> Exposition {
        Exposition::parse(&self.metrics_text())
    }

    /// The same as text.
    pub(crate) fn metrics_text(&self) -> String {
        let answer = http::get(self.address, "/metrics")
            .unwrap_or_else(|error| panic!("no metrics ({error}):\n{}", self.daemon.log()));
        assert_eq!(answer.status, 200, "/metrics");
        answer.body
    }

    /// Looks at the metrics until they satisfy.
    pub(crate) fn wait_for_metrics(
        &self,
        what: &str,
        deadline: Duration,
        satisfy: impl Fn(&Exposition) -> bool,
    ) -> Exposition {
        let found = wait::within(deadline, || {
            let metrics = self.metrics();
            satisfy(&metrics).then_some(metrics)
        });
        found.unwrap_or_else(|| {
            let (log, metrics) = (self.daemon.log(), self.metrics_text());
            panic!("{what}: not within {deadline:?}\n{log}\n{metrics}")
        })
    }
}

/// Lets a program know the realm of the lab, and have the tickets of its user.
pub(crate) fn with_kerberos(command: &mut Command, lab: &Lab) {
    command
        .env("KRB5_CONFIG", lab.path("krb5/krb5.conf"))
        .env("KRB5CCNAME", lab.path("krb5/good.cache"));
}

fn clean(command: &mut Command) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path);
}
