//! Tokens of Negotiate made of Kerberos tickets (RFC 4559). GSSAPI blocks while it asks the KDC, and which keytab
//! or credential cache it uses is a matter of its process's environment: so a process of its own makes the tokens of
//! each identity, reachd itself with another command. It is started when it is first needed and ends with reachd.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::platform;
use crate::route::KerberosIdentity;

/// The longest answer that is read. A ticket of Active Directory with many groups takes some ten KiB.
const MOST_ANSWERED_BYTES: u64 = 256 * 1024;

/// Where the tickets of a keytab are kept: in the helper and nowhere else.
const OWN_CACHE: &str = "MEMORY:reachd";

const LATE: &str = "no ticket in time: the KDC does not answer, or other probes wait for it";

/// The helpers of all identities.
#[derive(Debug)]
pub(in crate::probe) struct Tickets {
    program: Option<PathBuf>,
    helpers: StdMutex<HashMap<KerberosIdentity, Arc<Mutex<Helper>>>>,
}

/// The process that makes the tokens of one identity, while it runs.
#[derive(Debug, Default)]
struct Helper(Option<Running>);

#[derive(Debug)]
struct Running {
    /// Killed when this is dropped.
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Tickets {
    /// Nothing is started yet.
    pub(in crate::probe) fn new() -> Self {
        Self::made_by(platform::this_program().ok())
    }

    fn made_by(program: Option<PathBuf>) -> Self {
        Self {
            program,
            helpers: StdMutex::default(),
        }
    }

    /// The first token for the service HTTP on a host, or why there is none.
    pub(super) async fn token(
        &self,
        identity: &KerberosIdentity,
        host: &str,
        deadline: Instant,
    ) -> Result<Vec<u8>, String> {
        let helper = self.helper(identity);
        let Ok(mut helper) = timeout_at(deadline, helper.lock()).await else {
            return Err(LATE.to_owned());
        };
        // What is taken out and not put back is killed: after a question without an answer, whatever came next
        // would be taken for the answer to another.
        let mut running = match helper.0.take().and_then(Running::if_alive) {
            Some(running) => running,
            None => self.start(identity)?,
        };
        let answer = timeout_at(deadline, running.ask(&format!("HTTP@{host}"))).await;
        let answer = answer.map_err(|_| LATE.to_owned())?;
        let answer = answer.map_err(|error| format!("the helper for Kerberos: {error}"))?;
        helper.0 = Some(running);
        match answer.split_once(' ') {
            Some(("token", token)) => STANDARD
                .decode(token)
                .map_err(|_| "the helper for Kerberos answered no token".to_owned()),
            Some(("error", why)) => Err(why.to_owned()),
            _ => Err("the helper for Kerberos answered neither a token nor an error".to_owned()),
        }
    }

    fn helper(&self, identity: &KerberosIdentity) -> Arc<Mutex<Helper>> {
        let mut helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(helpers.entry(identity.clone()).or_default())
    }

    fn start(&self, identity: &KerberosIdentity) -> Result<Running, String> {
        let cannot = |why: &str| format!("the helper for Kerberos does not start: {why}");
        let Some(program) = &self.program else {
            return Err(cannot("it is not known where reachd's program is"));
        };
        let mut command = Command::new(program);
        command.arg(platform::KERBEROS_COMMAND);
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
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot(&error.to_string()))?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(cannot("it has no pipes"));
        };
        Ok(Running {
            process,
            questions,
            answers: BufReader::new(answers),
        })
    }
}

impl Running {
    fn if_alive(mut self) -> Option<Self> {
        let is_alive = matches!(self.process.try_wait(), Ok(None));
        is_alive.then_some(self)
    }

    /// One line there, one line back.
    async fn ask(&mut self, service: &str) -> Result<String, String> {
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

#[cfg(test)]
#[cfg(unix)]
mod tests;
