//! A script tried out by hand: what it answers for a URL, and what reachd makes of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::entries;
use super::keeper::Keeper;
use super::pool::{Evaluation, Pool};
use super::script::Script;
use super::{Question, bounded};
use crate::endpoint::{Authority, ResolverSettings, Target};
use crate::outcome::Peer;
use crate::probe::ProberError;
use crate::probe::dns::Resolver;
use crate::probe::fetch::Fetcher;
use crate::probe::tls::{ANY_VERSION, Trust};
use crate::route::PacSource;

/// How long a fetch, and then each answer, may take.
const TIME: Duration = Duration::from_secs(10);

/// So much of an answer is shown.
const MOST_CHARACTERS: usize = 4096;

/// A script that is tried out, with the system's resolver.
#[derive(Debug)]
pub struct PacTrial {
    script: Arc<Script>,
    pool: Pool,
    resolver: Arc<Resolver>,
}

/// Why there is nothing to try out.
#[derive(Debug, thiserror::Error)]
pub enum PacTrialError {
    /// The script cannot be had.
    #[error("{0}")]
    Unavailable(String),
    /// A trust store or a resolver cannot be set up.
    #[error(transparent)]
    Setup(#[from] ProberError),
}

/// What a script says of one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacAnswer {
    /// The URL and the host that it was asked for.
    pub asked: (String, String),
    /// Its answer as it stands, or why there is none.
    pub answer: Result<String, String>,
    /// What each entry of the answer means: a proxy's URL or `direct`; or why it means nothing.
    pub entries: Vec<Result<String, String>>,
    /// What it said by `alert`.
    pub alerts: Vec<String>,
}

impl PacTrial {
    /// Fetches or reads the script.
    ///
    /// # Errors
    /// It cannot be had.
    pub async fn load(source: &PacSource) -> Result<Self, PacTrialError> {
        let resolver = Arc::new(Resolver::new(&ResolverSettings::System)?);
        let fetcher = Fetcher {
            resolver: Arc::clone(&resolver),
            trust: Arc::new(Trust::new(None, ANY_VERSION)?),
            peer: Peer::Proxy,
        };
        let keeper = Keeper::new(source.clone(), fetcher);
        let script = keeper.script(Instant::now() + TIME).await;
        Ok(Self {
            script: script.map_err(PacTrialError::Unavailable)?,
            pool: Pool::new(),
            resolver,
        })
    }

    /// Asks it for an endpoint. Names go without a proxy, so a question for the DNS has no answer.
    pub async fn ask(&self, target: &Target) -> Option<PacAnswer> {
        let authority: Authority = target.authority()?;
        let question = match target {
            Target::Http(url) if url.scheme() == "http" => Question::of_plain_http(url, &authority),
            _ => Question::of_tunnel(&authority),
        };
        let deadline = Instant::now() + TIME;
        let asked = self
            .pool
            .evaluate(&self.script, &question, &self.resolver, deadline);
        let Evaluation { result, alerts } = asked.await;
        let entries = result.as_deref().map(entries).unwrap_or_default();
        Some(PacAnswer {
            asked: (question.url, question.host),
            answer: result
                .map(|answer| bounded(&answer, MOST_CHARACTERS))
                .map_err(|trouble| trouble.to_string()),
            entries: entries
                .into_iter()
                .map(|entry| {
                    entry
                        .map(|entry| entry.to_string())
                        .map_err(|error| error.to_string())
                })
                .collect(),
            alerts,
        })
    }
}
