//! What holds come to, for the report, the API and the page.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use super::{CheckResult, FailureReport, Report, Verdict, rfc3339};
use crate::outcome::{HoldOutcome, Observed, Phase, Timings};
use crate::plan::Check;
use crate::route::Via;

/// What the hold of one check found.
#[derive(Debug, Serialize)]
pub struct HoldResult<'a> {
    /// How long the connection must live.
    #[serde(rename = "for_seconds", serialize_with = "in_seconds")]
    pub wanted: Duration,
    /// How it fared.
    #[serde(flatten)]
    pub finding: HoldFinding<'a>,
}

/// How one idle connection fared.
#[derive(Debug, Serialize)]
pub struct HoldFinding<'a> {
    /// When it was opened.
    #[serde(serialize_with = "rfc3339")]
    pub started: SystemTime,
    /// How it left.
    pub via: Via,
    /// How long it lived; `None` where it did not come about.
    pub seconds: Option<f64>,
    /// The verdict.
    pub success: bool,
    /// Why it failed, if it did.
    pub failure: Option<FailureReport<'a>>,
    /// How long each step took, the hold with what was sent at its end.
    pub phases: &'a Timings,
    /// What was seen.
    pub observed: &'a Observed,
}

// === impl Report ===

impl<'a> Report<'a> {
    /// Adds what holds found. One that failed is a failure that is not critical, whatever its endpoint is: what the
    /// probe asked for was answered.
    #[must_use]
    pub fn with_holds(mut self, holds: &'a [(Arc<Check>, Arc<HoldOutcome>)]) -> Self {
        for (check, outcome) in holds {
            let is_of = |result: &&mut CheckResult<'_>| {
                let subject = &result.subject;
                let endpoint = &check.endpoint;
                (subject.service, subject.endpoint) == (&endpoint.service, &endpoint.name)
                    && subject.route == check.route.name
            };
            if let Some(result) = self.checks.iter_mut().find(is_of) {
                result.hold = HoldResult::new(check, outcome);
            }
            let mut services = self.services.iter_mut();
            let service = services.find(|service| {
                (service.service, service.route) == (&check.endpoint.service, &check.route.name)
            });
            if let (Some(service), Err(_)) = (service, &outcome.result) {
                service.not_held.push(&check.endpoint.name);
            }
        }
        self.verdict = Verdict::of(&self.checks);
        self.message_id = self.verdict.message_id();
        self
    }

    /// Says that so many holds were not run, for nobody asked for them.
    #[must_use]
    pub fn without_holds(mut self, not_held: usize) -> Self {
        self.not_held = not_held;
        self
    }
}

// === impl HoldResult ===

impl<'a> HoldResult<'a> {
    /// What `outcome` says of a check that has a hold.
    #[must_use]
    pub fn new(check: &Check, outcome: &'a HoldOutcome) -> Option<Self> {
        Some(Self {
            wanted: check.endpoint.hold.as_ref()?.duration,
            finding: HoldFinding::from(outcome),
        })
    }

    /// In one line: `held 180 s of 180 s`, `closed after 4.0 s of 180 s by the proxy: hold/closed_early`.
    #[must_use]
    pub fn words(&self) -> String {
        let wanted = seconds(self.wanted.as_secs_f64());
        let lived = seconds(self.finding.seconds.unwrap_or_default());
        let Some(failure) = &self.finding.failure else {
            return format!("held {lived} of {wanted}");
        };
        let FailureReport {
            phase,
            peer,
            reason,
            ..
        } = failure;
        let what = match (phase, *reason) {
            (Phase::Hold, "closed_early") => {
                format!("closed after {lived} of {wanted} by the {peer}")
            }
            (Phase::Hold, "reset") => format!("reset after {lived} of {wanted} by the {peer}"),
            (Phase::Hold, _) => format!("lost within {lived} of {wanted} on the way to the {peer}"),
            _ => format!("not opened, at the {peer}"),
        };
        format!("{what}: {phase}/{reason}")
    }
}

impl<'a> From<&'a HoldOutcome> for HoldFinding<'a> {
    fn from(outcome: &'a HoldOutcome) -> Self {
        Self {
            started: outcome.started,
            via: outcome.via,
            seconds: outcome.held.map(|held| held.as_secs_f64()),
            success: outcome.result.is_ok(),
            failure: outcome.result.as_ref().err().map(FailureReport::from),
            phases: &outcome.timings,
            observed: &outcome.observed,
        }
    }
}

/// `4.0 s`, `180 s`.
fn seconds(seconds: f64) -> String {
    if seconds < 99.95 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}

fn in_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
