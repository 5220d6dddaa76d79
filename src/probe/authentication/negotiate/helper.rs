//! Who makes the tokens of one identity: a task that owns the process and its pipes, and puts one question after the
//! other to it. Nobody who waits for an answer starts the process or ends it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::NoToken;
use super::process::{Process, Program};
use crate::route::KerberosIdentity;

/// So many questions wait in line; who asks when it is full waits for a place in it.
const MOST_WAITING: usize = 64;

/// The questions to one process. It is killed with the value.
#[derive(Debug)]
pub(super) struct Helper {
    line: Line,
    task: AbortHandle,
}

/// Where questions wait for their turn.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) questions: mpsc::Sender<Question>,
    pub(super) turn: Turn,
}

/// Since when somebody's turn lasts, if it is anybody's.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<Mutex<Option<Instant>>>);

/// What somebody wants to know.
#[derive(Debug)]
pub(super) struct Question {
    /// Such as `HTTP@proxy.corp.example`.
    pub(super) service: String,
    /// Becomes true when its turn comes.
    pub(super) is_asked: Arc<AtomicBool>,
    /// Whoever waits for it may leave.
    pub(super) answer: oneshot::Sender<Result<String, NoToken>>,
}

/// The process as long as it runs, and what it takes to start it.
struct Owner {
    program: Program,
    identity: KerberosIdentity,
    process: Option<Process>,
    turn: Turn,
}

impl Helper {
    /// The process is started with the first question.
    pub(super) fn new(program: Program, identity: KerberosIdentity) -> Self {
        let (questions, waiting) = mpsc::channel(MOST_WAITING);
        let turn = Turn::default();
        let owner = Owner {
            program,
            identity,
            process: None,
            turn: turn.clone(),
        };
        let task = tokio::spawn(owner.answer_all(waiting)).abort_handle();
        let line = Line { questions, turn };
        Self { line, task }
    }

    pub(super) fn line(&self) -> Line {
        self.line.clone()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Turn {
    /// How long up to now.
    pub(super) fn lasted(&self) -> Duration {
        self.since().map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn set(&self, since: Option<Instant>) {
        *self.since() = since;
    }

    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Owner {
    async fn answer_all(mut self, mut waiting: mpsc::Receiver<Question>) {
        while let Some(question) = waiting.recv().await {
            // There may be many such after a KDC was silent for some time.
            if question.answer.is_closed() {
                continue;
            }
            question.is_asked.store(true, Ordering::Relaxed);
            // An answer that comes too late for its question is good for the next: the ticket is there then.
            self.turn.set(Some(Instant::now()));
            let answer = self.answer(&question.service).await;
            self.turn.set(None);
            question.answer.send(answer).ok();
        }
    }

    /// What is taken out and not put back is killed: after a question without an answer, whatever came next would be
    /// taken for the answer to another.
    async fn answer(&mut self, service: &str) -> Result<String, NoToken> {
        let mut process = match self.process.take().and_then(Process::if_alive) {
            Some(process) => process,
            None => self
                .program
                .start(&self.identity)
                .map_err(NoToken::NotStarted)?,
        };
        let answer = timeout(self.program.patience, process.ask(service)).await;
        let answer = answer.map_err(|_| NoToken::Silent)?;
        let answer = answer.map_err(NoToken::Failed)?;
        self.process = Some(process);
        Ok(answer)
    }
}
