//! What is known of one check when a diagnosis is made.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::outcome::{CauseKind, Failure, HoldOutcome, Outcome, Step};
use crate::plan::Check;

/// What is known of one check.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The check.
    pub check: Arc<Check>,
    /// What its latest probe found; `None` before the first.
    pub latest: Option<Arc<Outcome>>,
    /// How long it has been failing.
    pub failing: Option<Box<Failing>>,
    /// What its latest hold found, where it has one.
    pub hold: Option<Arc<HoldOutcome>>,
    /// The steps that take far longer than they used to, for several probes in a row.
    pub slow: Vec<SlowStep>,
    /// How often it changed between success and failure in its last probes.
    pub changes: usize,
    /// What already explained the failure of its latest probe in a former diagnosis: a fault that is over is not
    /// told as many smaller ones until each check has been probed again.
    pub explained_by: Option<CauseKind>,
    /// The same of the failure before the latest. Where the fault was over when the latest probe had just begun, it
    /// explains that one, too.
    pub explained_before: Option<CauseKind>,
}

/// Failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// When the first of them began.
    pub since: SystemTime,
    /// When the one before the latest began; `None` where the latest is the first: it may be a blip.
    pub confirmed_since: Option<SystemTime>,
    /// How long it may take until other checks have been heard that would fail of the same fault.
    pub patience: Duration,
    /// How long it may take beyond that until their failures are confirmed.
    pub confirmation: Duration,
}

/// A step that takes far longer than it used to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowStep {
    /// Which.
    pub step: Step,
    /// How long it took the last time.
    pub took: Duration,
    /// How long it usually takes.
    pub usually: Duration,
}

// === impl Finding ===

impl Finding {
    /// Before the first probe.
    #[must_use]
    pub fn unheard(check: &Arc<Check>) -> Self {
        Self {
            check: Arc::clone(check),
            latest: None,
            failing: None,
            hold: None,
            slow: Vec::new(),
            changes: 0,
            explained_by: None,
            explained_before: None,
        }
    }

    /// What a single probe says in a round that began then, where there will be no second: its failure counts as
    /// confirmed, and all probes of the round as made at once.
    #[must_use]
    pub fn of_round(check: &Arc<Check>, outcome: &Arc<Outcome>, began: SystemTime) -> Self {
        let failing = Failing {
            since: began,
            confirmed_since: Some(began),
            patience: Duration::ZERO,
            confirmation: Duration::ZERO,
        };
        Self {
            latest: Some(Arc::clone(outcome)),
            failing: outcome.result.is_err().then_some(Box::new(failing)),
            ..Self::unheard(check)
        }
    }

    /// Why it fails, where that is confirmed.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failing.as_ref()?.confirmed_since?;
        self.latest.as_ref()?.result.as_ref().err()
    }

    /// Why it fails, and since when that is confirmed.
    pub(super) fn confirmed_since(&self) -> Option<SystemTime> {
        self.failing.as_ref()?.confirmed_since
    }

    /// What its latest probe found, where that was a success.
    pub(super) fn success(&self) -> Option<&Outcome> {
        let outcome = self.latest.as_deref()?;
        outcome.result.is_ok().then_some(outcome)
    }

    /// What there is to see of it began then.
    pub(super) fn since(&self) -> Option<SystemTime> {
        let began = self.latest.as_ref().map(|outcome| outcome.started);
        self.failing.as_ref().map(|failing| failing.since).or(began)
    }

    /// By which it is ordered, and known.
    pub(super) fn names(&self) -> (&str, &str, &str) {
        let endpoint = &self.check.endpoint;
        (&endpoint.service, &endpoint.name, &self.check.route.name)
    }

    /// What is probed, however many services require it and over however many routes.
    pub(super) fn endpoint(&self) -> &str {
        &self.check.endpoint.name
    }

    /// The name of the way by which it leaves: of a proxy or script, or `direct`.
    pub(super) fn way(&self) -> &str {
        self.proxy().unwrap_or("direct")
    }

    /// The name of the proxy or script, where its latest probe did not go without; as planned before the first one.
    pub(super) fn proxy(&self) -> Option<&str> {
        use crate::route::Via;
        let latest = self.latest.as_ref();
        match latest.map_or_else(|| self.check.via(), |outcome| outcome.via) {
            Via::Direct | Via::Bypass => None,
            Via::Proxy | Via::Pac => Some(self.check.route.way.name()),
        }
    }
}
