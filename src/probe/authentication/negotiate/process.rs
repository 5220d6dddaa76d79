//! The process that makes tokens, and the talk with it: a line there, a line back.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::platform;
use crate::route::KerberosIdentity;

/// The longest answer that is read. A ticket of Active Directory with many groups takes some ten KiB.
const MOST_ANSWERED_BYTES: u64 = 256 * 1024;

/// Where the tickets of a keytab are kept: in the process and nowhere else.
const OWN_CACHE: &str = "MEMORY:reachd";

/// Longer than the library asks a few KDCs in vain, again and again, before it says so.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is started.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    /// What stands before reachd's own arguments.
    pub(super) prefix: Option<OsString>,
    /// How long it may take over an answer before it is killed.
    pub(super) patience: Duration,
}

/// One that runs.
#[derive(Debug)]
pub(super) struct Process {
    /// Killed when this is dropped.
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Program {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            prefix: None,
            patience: PATIENCE,
        }
    }

    /// Starts the process for an identity.
    pub(super) fn start(&self, identity: &KerberosIdentity) -> Result<Process, String> {
        let mut command = Command::new(&self.path);
        command.args(&self.prefix).arg(platform::KERBEROS_COMMAND);
        match identity {
            KerberosIdentity::DefaultCache => {}
            KerberosIdentity::Cache(cache) => {
                command.env("KRB5CCNAME", cache);
            }
            KerberosIdentity::Keytab { principal, keytab } => {
                command
                    .env("KRB5CCNAME", OWN_CACHE)
                    .env("KRB5_CLIENT_KTNAME", keytab)
                    .args(["--principal", principal]);
            }
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("it has no pipes".to_owned());
        };
        Ok(Process {
            child,
            questions,
            answers: BufReader::new(answers),
        })
    }
}

impl Process {
    pub(super) fn if_alive(mut self) -> Option<Self> {
        let is_alive = matches!(self.child.try_wait(), Ok(None));
        is_alive.then_some(self)
    }

    /// One line there, one line back.
    pub(super) async fn ask(&mut self, service: &str) -> Result<String, String> {
        let gone = |error: std::io::Error| error.to_string();
        let question = format!("{service}\n");
        self.questions
            .write_all(question.as_bytes())
            .await
            .map_err(gone)?;
        self.questions.flush().await.map_err(gone)?;
        let mut line = Vec::new();
        let mut answers = (&mut self.answers).take(MOST_ANSWERED_BYTES);
        answers.read_until(b'\n', &mut line).await.map_err(gone)?;
        match line.strip_suffix(b"\n") {
            Some(line) => Ok(String::from_utf8_lossy(line).into_owned()),
            None if line.is_empty() => Err("it ended without an answer".to_owned()),
            None => Err("its answer has no end".to_owned()),
        }
    }
}
