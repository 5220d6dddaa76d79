//! The processes in which the scripts of one route run: few, started when they are first needed, asleep as long as
//! nobody asks, killed where a script does not end. Names are looked up by the one that asks, while another script runs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::Question;
use super::desk::{MOST_NAMES, Names};
use super::look_ups::LookUps;
use super::process::Process;
use super::script::Script;
use super::trouble::Trouble;
use super::worker::Reply;
use crate::platform;
use crate::probe::dns::Resolver;

/// Processes of one route: one that hangs in a script does not hold up the others at once.
const PROCESSES: usize = 2;

/// A process that gives no reply for so long is killed. It stops a script by itself after 1 s to load it and 1 s for
/// the answer, where the engine lets it.
const LIMIT: Duration = Duration::from_secs(3);

/// The processes of one route. They end with it.
#[derive(Debug)]
pub(super) struct Pool {
    program: Option<PathBuf>,
    permits: Arc<Semaphore>,
    /// For URLs for which the script ran too long the last time, so that one process is left to the others.
    of_suspects: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Process>>>,
    look_ups: LookUps,
}

/// What came of a run.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) result: Result<String, Trouble>,
    /// What the script said by `alert`.
    pub(super) alerts: Vec<String>,
}

/// One run in one process. It goes on if nobody waits for it any longer: a script that does not end is to be known.
struct Turn {
    program: Option<PathBuf>,
    idle: Arc<Mutex<Vec<Process>>>,
    script: Arc<Script>,
    question: Question,
    names: Names,
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

impl Pool {
    pub(super) fn new() -> Self {
        Self::of(platform::this_program().ok())
    }

    fn of(program: Option<PathBuf>) -> Self {
        Self {
            program,
            permits: Arc::new(Semaphore::new(PROCESSES)),
            of_suspects: Arc::new(Semaphore::new(1)),
            idle: Arc::default(),
            look_ups: LookUps::default(),
        }
    }

    /// Asks the script. Waiting for a process counts to the time that there is. Where the script needs a name, it is
    /// run again from its beginning when the answer is there.
    pub(super) async fn evaluate(
        &self,
        script: &Arc<Script>,
        question: &Question,
        resolver: &Arc<Resolver>,
        deadline: Instant,
    ) -> Evaluation {
        let mut names = Names::new();
        loop {
            let evaluation = self.run(script, question, &names, deadline).await;
            let Err(Trouble::NameNeeded(name)) = evaluation.result else {
                return evaluation;
            };
            if names.len() >= MOST_NAMES || names.contains_key(&name) {
                let why = format!("it asks for {name} again");
                return Evaluation::failed(Trouble::Engine(why));
            }
            match self.look_ups.addresses(&name, resolver, deadline).await {
                Ok(addresses) => names.insert(name, addresses),
                Err(why) => {
                    return Evaluation::failed(Trouble::Unanswered {
                        name,
                        resolver: resolver.name().to_owned(),
                        why: why.to_owned(),
                    });
                }
            };
        }
    }

    async fn run(
        &self,
        script: &Arc<Script>,
        question: &Question,
        names: &Names,
        deadline: Instant,
    ) -> Evaluation {
        if let Some(left) = script.pause(&question.url) {
            return Evaluation::failed(Trouble::Paused(left));
        }
        let permits = timeout_at(deadline, self.permits(script, question)).await;
        let Ok(Some(permits)) = permits else {
            return Evaluation::failed(Trouble::Late);
        };
        // Where the script ran too long for another probe meanwhile, that is enough.
        if let Some(left) = script.pause(&question.url) {
            return Evaluation::failed(Trouble::Paused(left));
        }
        let turn = Turn {
            program: self.program.clone(),
            idle: Arc::clone(&self.idle),
            script: Arc::clone(script),
            question: question.clone(),
            names: names.clone(),
            _permits: permits,
        };
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            // Nobody may wait for it any longer.
            tell.send(turn.run().await).ok();
        });
        match timeout_at(deadline, told).await {
            Ok(Ok(evaluation)) => evaluation,
            Ok(Err(_)) => Evaluation::failed(Trouble::Engine("its run was broken off".to_owned())),
            Err(_) => Evaluation::failed(Trouble::Late),
        }
    }

    async fn permits(
        &self,
        script: &Script,
        question: &Question,
    ) -> Option<(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>)> {
        let of_suspects = if script.is_suspect(&question.url) {
            let permit = Arc::clone(&self.of_suspects).acquire_owned();
            Some(permit.await.ok()?)
        } else {
            None
        };
        let permit = Arc::clone(&self.permits).acquire_owned();
        Some((permit.await.ok()?, of_suspects))
    }
}

impl Turn {
    async fn run(self) -> Evaluation {
        let url = &self.question.url;
        let result = self.reply().await;
        match result {
            Err(Trouble::Overrun(_))
            | Ok(Reply {
                result: Err(Trouble::Overrun(_)),
                ..
            }) => self.script.overran(url),
            Ok(_) => self.script.ended(url),
            Err(_) => {}
        }
        match result {
            Ok(Reply { result, alerts }) => Evaluation { result, alerts },
            Err(why) => Evaluation::failed(why),
        }
    }

    /// A process that does not reply as it should is not used again, and so killed.
    async fn reply(&self) -> Result<Reply, Trouble> {
        let mut process = match self.take_idle() {
            Some(process) => process,
            None => Process::start(self.program.as_deref()).map_err(Trouble::Engine)?,
        };
        let asked = process.ask(&self.script, &self.question, &self.names);
        match timeout(LIMIT, asked).await {
            Ok(Ok(reply)) => {
                self.idle().push(process);
                Ok(reply)
            }
            Ok(Err(why)) => Err(Trouble::Engine(why)),
            Err(_) => Err(Trouble::Overrun(LIMIT)),
        }
    }

    fn take_idle(&self) -> Option<Process> {
        let process = self.idle().pop()?;
        process.if_alive()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Evaluation {
    fn failed(why: Trouble) -> Self {
        Self {
            result: Err(why),
            alerts: Vec::new(),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
