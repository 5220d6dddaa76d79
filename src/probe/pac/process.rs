//! One process that runs scripts, seen from the one that asks.

use std::env;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Question;
use super::desk::Names;
use super::script::Script;
use super::worker::{Order, PAC_COMMAND, Reply};

/// The longest reply that is read: an answer of 64 KiB, each byte of which JSON may write as six.
const MOST_REPLIED_BYTES: u64 = 512 << 10;

/// What a process needs to know of the environment: the time zone, after which scripts ask, and where Windows is.
const KEPT_VARIABLES: [&str; 2] = ["TZ", "SystemRoot"];

/// Killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    orders: ChildStdin,
    replies: BufReader<ChildStdout>,
    /// The script that it has.
    script: Option<Arc<Script>>,
}

impl Process {
    pub(super) fn start(program: Option<&Path>) -> Result<Self, String> {
        let cannot = |why: &str| format!("its process does not start: {why}");
        let program = program.ok_or_else(|| cannot("it is not known where reachd's program is"))?;
        // What stands in the environment, such as passwords, is no matter of a script's.
        let kept = KEPT_VARIABLES.iter();
        let kept = kept.filter_map(|name| Some((name, env::var_os(name)?)));
        let mut child = Command::new(program)
            .arg(PAC_COMMAND)
            .env_clear()
            .envs(kept)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot(&error.to_string()))?;
        let (Some(orders), Some(replies)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(cannot("it has no pipes"));
        };
        Ok(Self {
            child,
            orders,
            replies: BufReader::new(replies),
            script: None,
        })
    }

    pub(super) fn if_alive(mut self) -> Option<Self> {
        let is_alive = matches!(self.child.try_wait(), Ok(None));
        is_alive.then_some(self)
    }

    /// One line there, one line back.
    pub(super) async fn ask(
        &mut self,
        script: &Arc<Script>,
        question: &Question,
        names: &Names,
    ) -> Result<Reply, String> {
        let has_it = self
            .script
            .as_ref()
            .is_some_and(|had| Arc::ptr_eq(had, script));
        let order = Order {
            script: (!has_it).then(|| script.text.clone()),
            url: question.url.clone(),
            host: question.host.clone(),
            names: names.clone(),
        };
        let gone = |error: std::io::Error| format!("its process: {error}");
        let mut line = serde_json::to_vec(&order).map_err(|error| error.to_string())?;
        line.push(b'\n');
        self.orders.write_all(&line).await.map_err(gone)?;
        self.orders.flush().await.map_err(gone)?;
        self.script = Some(Arc::clone(script));
        let mut line = Vec::new();
        let mut replies = (&mut self.replies).take(MOST_REPLIED_BYTES);
        replies.read_until(b'\n', &mut line).await.map_err(gone)?;
        if line.is_empty() {
            return Err("its process ended".to_owned());
        }
        serde_json::from_slice(&line).map_err(|_| "its process replied nonsense".to_owned())
    }
}
