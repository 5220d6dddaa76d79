//! What a probe writes down while it runs: the time of each step, failing or not, and what it saw.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::choice::Candidate;
use super::revocation::Chain;
use crate::outcome::{Failure, NotRun, Observed, PacSeen, Step, Timings, WhyNotRun};
use crate::plan::Check;
use crate::route::{Proxy, Via};

/// The notes of one probe.
#[derive(Debug)]
pub(super) struct Journal {
    /// When everything must be over.
    pub(super) deadline: Instant,
    /// After how much idle time TCP asks for the peer, on the connections that are opened.
    pub(super) keep_alive: Option<Duration>,
    /// Whether it is something that a probe needs on its way, and no probe itself.
    pub(super) is_errand: bool,
    /// How long each step took.
    pub(super) timings: Timings,
    /// What is wrong, but tolerated.
    pub(super) warnings: Vec<Failure>,
    /// What was seen.
    pub(super) observed: Observed,
    /// The chains by which servers were trusted, where it is looked at what their certificates name.
    pub(super) chains: Vec<Arc<Chain>>,
    /// What the route's script said last.
    pub(super) pac: Option<PacSeen>,
    /// How the first hop leaves, or left.
    left: Option<Candidate>,
    /// Whether it is a later hop that leaves now.
    redirected: bool,
}

impl Journal {
    pub(super) fn new(deadline: Instant) -> Self {
        Self {
            deadline,
            keep_alive: None,
            is_errand: false,
            timings: Timings::default(),
            warnings: Vec::new(),
            observed: Observed::default(),
            chains: Vec::new(),
            pac: None,
            left: None,
            redirected: false,
        }
    }

    /// The notes of an errand.
    pub(super) fn of_errand(deadline: Instant) -> Self {
        Self {
            is_errand: true,
            ..Self::new(deadline)
        }
    }

    /// Writes down that a step which began at `started` is over, whatever came of it.
    pub(super) fn took(&mut self, step: Step, started: Instant) {
        self.timings.add(step, started.elapsed());
    }

    /// Writes down by which way a hop leaves.
    pub(super) fn leaves_by(&mut self, candidate: &Candidate) {
        // Past the script nothing was chosen: what is there is another hop's.
        let asked = self
            .pac
            .as_mut()
            .filter(|_| *candidate != Candidate::Bypass);
        if let Some(pac) = asked {
            pac.chosen = Some(candidate.name());
        }
        if !self.redirected {
            self.left = Some(candidate.clone());
        }
    }

    /// What follows concerns another hop.
    pub(super) fn redirected(&mut self) {
        self.redirected = true;
    }

    /// How the first hop left; as planned, where it did not come to that.
    pub(super) fn via(&self, check: &Check) -> Via {
        match &self.left {
            Some(candidate) => candidate.exit().via(),
            None => check.via(),
        }
    }

    /// The proxy by which the first hop left, if it left by one.
    pub(super) fn proxy(&self) -> Option<Arc<Proxy>> {
        match &self.left {
            Some(Candidate::Proxy(proxy)) => Some(Arc::clone(proxy)),
            Some(Candidate::Direct | Candidate::Bypass) | None => None,
        }
    }

    /// The steps of such a probe that it did not take, each with its reason.
    pub(super) fn not_run(&self, check: &Check) -> Vec<NotRun> {
        let steps = match &self.left {
            Some(candidate) => check.steps_by(candidate.exit()),
            None => check.steps(),
        };
        let steps = steps.into_iter();
        let missing = steps.filter(|(step, _)| self.timings.of(*step).is_none());
        missing
            .map(|(step, never)| NotRun {
                step,
                why: never.unwrap_or(WhyNotRun::EarlierFailure),
            })
            .collect()
    }

    /// What was seen, with what the script said beside the proxy's own answer.
    pub(super) fn evidence(self) -> (Timings, Observed) {
        let mut observed = self.observed;
        if let Some(pac) = self.pac {
            observed.proxy.get_or_insert_default().pac = Some(pac);
        }
        (self.timings, observed)
    }
}
