//! A real server in the foreground: it ends with the value, and with this process whatever ends it.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::wait;

/// How long a server may take from its start until it answers.
const READY_WITHIN: Duration = Duration::from_secs(45);

/// A running server.
pub(crate) struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts it. The kernel kills it when the thread ends that starts it, so that nothing is left behind.
    pub(crate) fn start(name: &str, command: &[&str], logs: &Path) -> Self {
        Self::start_with(name, command, logs, |_| {})
    }

    /// Starts it with more than arguments, such as an environment.
    pub(crate) fn start_with(
        name: &str,
        command: &[&str],
        logs: &Path,
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).unwrap();
        let mut setpriv = Command::new("setpriv");
        setpriv
            .args(["--pdeathsig", "KILL", "--"])
            .args(command)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .process_group(0);
        prepare(&mut setpriv);
        let child = setpriv
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    /// Waits until it answers, by whatever measure.
    pub(crate) fn wait_until(&mut self, mut answers: impl FnMut() -> bool) {
        let ready = wait::within(READY_WITHIN, || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended with {status}:\n{}", self.name, self.log());
            }
            answers().then_some(())
        });
        if ready.is_none() {
            let log = self.log();
            panic!(
                "{} does not answer within {READY_WITHIN:?}:\n{log}",
                self.name
            );
        }
    }

    /// Waits until it accepts connections.
    pub(crate) fn wait_for(&mut self, address: impl Into<SocketAddr>) {
        let address = address.into();
        let patience = Duration::from_millis(200);
        self.wait_until(|| TcpStream::connect_timeout(&address, patience).is_ok());
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([&format!("-{signal}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success(), "kill -{signal} of {}", self.name);
    }

    /// Sends it and everything that it started a signal, such as `STOP`.
    pub(crate) fn signal_all(&self, signal: &str) {
        let group = format!("-{}", self.child.id());
        let status = Command::new("kill")
            .args([&format!("-{signal}"), "--", &group])
            .status()
            .unwrap();
        assert!(status.success(), "kill -{signal} of all of {}", self.name);
    }

    /// Whether it has ended by now.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub(crate) fn wait_for_end(&mut self, deadline: Duration) -> ExitStatus {
        let status = wait::within(deadline, || self.child.try_wait().unwrap());
        let Some(status) = status else {
            let log = self.log();
            panic!("{} did not end within {deadline:?}:\n{log}", self.name);
        };
        status
    }

    /// What it wrote so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to do. What it started goes with it, such as the workers
        // of nginx, which outlive their master.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
    }
}
