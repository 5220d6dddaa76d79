//! Tokens of Negotiate made of Kerberos tickets (RFC 4559). GSSAPI blocks while it asks the KDC, and which keytab
//! or credential cache it uses is a matter of its process's environment: so a process of its own makes the tokens of
//! each identity, reachd itself with another command. It is started when it is first needed and ends with reachd.

mod helper;
mod process;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use self::helper::{Helper, Line, Question};
use self::process::Program;
use crate::platform;
use crate::route::KerberosIdentity;

/// The helpers of all identities. It outlives a reload, and with it the tickets that they have.
#[derive(Debug)]
pub(in crate::probe) struct Tickets {
    program: Option<Program>,
    helpers: Mutex<Helpers>,
}

#[derive(Debug, Default)]
struct Helpers {
    /// Whose tokens are made: anybody's, as long as nobody said.
    named: Option<HashSet<KerberosIdentity>>,
    running: HashMap<KerberosIdentity, Helper>,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NoToken {
    /// In the words of the library that asks the KDC.
    #[error("{0}")]
    Refused(String),
    #[error("no ticket in time: the KDC does not answer")]
    Silent,
    /// The turn did not come, for another probe's question took so long up to now.
    #[error(
        "no ticket in time: reachd's helper for Kerberos was still busy with other probes, and had waited {:.1} s for \
         the KDC's answer to one of them",
        .0.as_secs_f64()
    )]
    Busy(Duration),
    #[error("reachd's helper for Kerberos does not start, which is reachd's own fault: {0}")]
    NotStarted(String),
    #[error("reachd's helper for Kerberos failed, which is reachd's own fault: {0}")]
    Failed(String),
    #[error("the configuration no longer names this identity")]
    NotNamed,
}

impl Default for Tickets {
    /// Nothing is started yet.
    fn default() -> Self {
        Self::made_by(platform::this_program().ok().map(Program::new))
    }
}

impl Tickets {
    fn made_by(program: Option<Program>) -> Self {
        Self {
            program,
            helpers: Mutex::default(),
        }
    }

    /// From now on makes tokens for these only: the helpers of all others end at once, whoever still has a use for
    /// them.
    pub(in crate::probe) fn keep_only(&self, named: HashSet<KerberosIdentity>) {
        let mut helpers = self.helpers();
        helpers
            .running
            .retain(|identity, _| named.contains(identity));
        helpers.named = Some(named);
    }

    /// The first token for the service HTTP on a host, or why there is none. Who gives up waiting changes nothing for
    /// those who wait on.
    pub(super) async fn token(
        &self,
        identity: &KerberosIdentity,
        host: &str,
        deadline: Instant,
    ) -> Result<Vec<u8>, NoToken> {
        let Line { questions, turn } = self.line(identity)?;
        let is_asked = Arc::new(AtomicBool::new(false));
        let (answer, answered) = oneshot::channel();
        let question = Question {
            service: format!("HTTP@{host}"),
            is_asked: Arc::clone(&is_asked),
            answer,
        };
        let talk = async {
            questions.send(question).await.ok()?;
            answered.await.ok()
        };
        match timeout_at(deadline, talk).await {
            Ok(Some(answer)) => token_of(&answer?),
            Ok(None) => Err(NoToken::NotNamed),
            Err(_) if is_asked.load(Ordering::Relaxed) => Err(NoToken::Silent),
            Err(_) => Err(NoToken::Busy(turn.lasted())),
        }
    }

    /// Where the questions about an identity go.
    fn line(&self, identity: &KerberosIdentity) -> Result<Line, NoToken> {
        let Some(program) = &self.program else {
            let why = "it is not known where reachd's program is";
            return Err(NoToken::NotStarted(why.to_owned()));
        };
        let mut helpers = self.helpers();
        let Helpers { named, running } = &mut *helpers;
        if named
            .as_ref()
            .is_some_and(|named| !named.contains(identity))
        {
            return Err(NoToken::NotNamed);
        }
        let helper = running
            .entry(identity.clone())
            .or_insert_with(|| Helper::new(program.clone(), identity.clone()));
        Ok(helper.line())
    }

    fn helpers(&self) -> MutexGuard<'_, Helpers> {
        self.helpers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn token_of(answer: &str) -> Result<Vec<u8>, NoToken> {
    let senseless = |what: &str| NoToken::Failed(what.to_owned());
    match answer.split_once(' ') {
        Some(("token", token)) => STANDARD
            .decode(token)
            .map_err(|_| senseless("it answered no token")),
        Some(("error", why)) => Err(NoToken::Refused(why.to_owned())),
        _ => Err(senseless("it answered neither a token nor an error")),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
