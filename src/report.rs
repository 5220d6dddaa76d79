//! What a run of all checks comes to: one verdict, and each check's finding with its explanation. The text and
//! JSON forms of `reachd check`, and the objects that the API and the page are made of.

pub(crate) mod bar;
pub(crate) mod cards;
pub(crate) mod causes;
mod escape;
mod group;
mod hold;
mod html;
mod junit;
mod markdown;
mod prerequisites;
#[cfg(test)]
pub(crate) mod sample;
mod service;
mod text;
mod trust;
pub(crate) mod words;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use askama::Template;
pub use group::FailureGroup;
pub use hold::{HoldFinding, HoldResult};
pub use prerequisites::{Evidence, PrerequisiteReport, PrerequisitesReport, State, VerifiedBy};
use serde::{Serialize, Serializer};
pub use service::{Failing, ServiceReport, Standing};
pub(crate) use text::harmless;
pub use trust::of_trust_store;

use crate::catalog;
use crate::diagnosis::Cause;
use crate::endpoint::Origin;
use crate::explain::{Explanation, explain};
use crate::outcome::{Failure, NotRun, Observed, Outcome, Peer, Phase, RootStanding, Timings};
use crate::plan::Check;
use crate::route::Via;

/// Every check once, and what follows from it.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// Of reachd.
    pub version: &'static str,
    /// When the first probe started.
    #[serde(serialize_with = "rfc3339")]
    pub started: SystemTime,
    /// How long all of it took.
    pub seconds: f64,
    /// The worst that any check found.
    pub verdict: Verdict,
    /// The service connection point's status message for this verdict.
    pub message_id: u16,
    /// Which service works over which route.
    pub services: Vec<ServiceReport<'a>>,
    /// What each check found.
    pub checks: Vec<CheckResult<'a>>,
    /// What is inferred from all findings together.
    pub causes: Vec<Cause>,
    /// What is required but was not probed.
    pub not_probed: Vec<NotProbed<'a>>,
    /// How the roots stand that the catalog requires, in the trust store of this machine.
    #[serde(skip_serializing_if = "is_empty")]
    pub trust_store: &'a [RootStanding],
    /// Whether the text shows the certificates, too.
    #[serde(skip)]
    pub in_full: bool,
    /// How many idle connections were not held, for want of being asked for.
    #[serde(skip)]
    pub not_held: usize,
}

/// What one check found.
#[derive(Debug, Serialize)]
pub struct CheckResult<'a> {
    /// The check.
    #[serde(flatten)]
    pub subject: Subject<'a>,
    /// What it found.
    #[serde(flatten)]
    pub finding: Finding<'a>,
    /// What its hold found, where it has one that was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldResult<'a>>,
}

/// What a check is about.
#[derive(Debug, Clone, Serialize)]
pub struct Subject<'a> {
    /// Who requires the endpoint.
    pub service: &'a str,
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The way out.
    pub route: &'a str,
    /// The endpoint as it is spoken to.
    pub url: String,
    /// Whether its service stops without it.
    pub critical: bool,
    /// Who named it.
    pub origin: Origin,
    /// Whether it follows from what another endpoint showed.
    #[serde(skip_serializing_if = "is_false")]
    pub derived: bool,
    /// The required wildcard for which it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<&'a str>,
}

/// What one probe found.
#[derive(Debug, Serialize)]
pub struct Finding<'a> {
    /// How it left.
    pub via: Via,
    /// The verdict.
    pub success: bool,
    /// Why it failed, if it did.
    pub failure: Option<FailureReport<'a>>,
    /// What is wrong without making the endpoint unreachable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<FailureReport<'a>>,
    /// How long each step took, the failing one included.
    pub phases: &'a Timings,
    /// The steps that did not run, each with its reason.
    pub not_run: &'a [NotRun],
    /// What was seen.
    pub observed: &'a Observed,
}

/// A failure with its explanation.
#[derive(Debug, Clone, Serialize)]
pub struct FailureReport<'a> {
    /// Where it happened.
    pub phase: Phase,
    /// Whom that phase spoke to.
    pub peer: Peer,
    /// The stable name of the reason.
    pub reason: &'static str,
    /// What was tried, on what, and what came back.
    pub detail: &'a str,
    /// What it means and what to do.
    pub explanation: Explanation,
}

/// What is required but not probed, and why.
#[derive(Debug, Clone, Serialize)]
pub struct NotProbed<'a> {
    /// Who requires it.
    pub service: &'a str,
    /// The endpoint as the catalog writes it.
    pub endpoint: &'a str,
    /// Why, and what would change that.
    pub why: &'a str,
}

/// What many checks come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that was probed is reachable.
    Ok,
    /// Something is not reachable, but nothing critical.
    Warning,
    /// Something critical is not reachable.
    Critical,
}

// === impl Report ===

impl<'a> Report<'a> {
    /// Judges the results of one run.
    #[must_use]
    pub fn new(
        results: &'a [(Arc<Check>, Arc<Outcome>)],
        not_probed: &'a [catalog::NotProbed],
        started: SystemTime,
        duration: Duration,
    ) -> Self {
        let checks: Vec<_> = results
            .iter()
            .map(|(check, outcome)| CheckResult::new(check, outcome))
            .collect();
        let verdict = Verdict::of(&checks);
        let standings = results.iter().map(|(check, outcome)| Standing {
            check,
            outcome: Some(outcome),
            hold: None,
        });
        Self {
            version: env!("CARGO_PKG_VERSION"),
            started,
            seconds: duration.as_secs_f64(),
            verdict,
            message_id: verdict.message_id(),
            services: ServiceReport::of(standings),
            checks,
            causes: Vec::new(),
            not_probed: not_probed.iter().map(NotProbed::from).collect(),
            trust_store: &[],
            in_full: false,
            not_held: 0,
        }
    }

    /// Raises the verdict, where something beside the findings is wrong.
    #[must_use]
    pub fn at_least(mut self, verdict: Verdict) -> Self {
        self.verdict = self.verdict.max(verdict);
        self.message_id = self.verdict.message_id();
        self
    }

    /// Adds what is inferred from the findings.
    #[must_use]
    pub fn with_causes(mut self, causes: Vec<Cause>) -> Self {
        self.causes = causes;
        self
    }

    /// Lets the text show the certificates of each check, too.
    #[must_use]
    pub fn in_full(mut self, in_full: bool) -> Self {
        self.in_full = in_full;
        self
    }

    /// The report for people, 100 columns wide; the words say everything that the colours do.
    #[must_use]
    pub fn text(&self, colour: bool) -> impl fmt::Display {
        text::Text {
            report: self,
            colour,
        }
    }

    /// The report for a ticket or a wiki.
    #[must_use]
    pub fn markdown(&self) -> impl fmt::Display {
        markdown::Markdown(self)
    }

    /// The report for CI servers: JUnit XML, a test case a check.
    #[must_use]
    pub fn junit(&self) -> impl fmt::Display {
        junit::Junit(self)
    }

    /// The report as one HTML file that asks for nothing else.
    ///
    /// # Errors
    /// None that the data could cause; the template's own, passed on.
    pub fn html(&self) -> Result<String, askama::Error> {
        html::Page::new(self).render()
    }

    /// The report for programs.
    ///
    /// # Errors
    /// None that the data could cause; the serialiser's own, passed on.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

// === impl CheckResult ===

impl<'a> CheckResult<'a> {
    /// What `outcome` says of `check`.
    #[must_use]
    pub fn new(check: &'a Check, outcome: &'a Outcome) -> Self {
        Self {
            subject: Subject::from(check),
            finding: Finding::from(outcome),
            hold: None,
        }
    }

    /// Whether a connection was held idle, and did not last.
    #[must_use]
    pub fn fails_to_hold(&self) -> bool {
        let hold = self.hold.as_ref();
        hold.is_some_and(|hold| !hold.finding.success)
    }

    /// Whether it failed, and its service stops because of that.
    #[must_use]
    pub fn fails_critically(&self) -> bool {
        self.subject.critical && !self.finding.success
    }
}

// === impl Verdict ===

impl Verdict {
    /// The worst of the results.
    #[must_use]
    pub fn of<'r, 'a: 'r>(results: impl IntoIterator<Item = &'r CheckResult<'a>>) -> Self {
        let verdict_on =
            |result: &CheckResult<'_>| match (result.finding.success, result.subject.critical) {
                (true, _) if result.fails_to_hold() => Self::Warning,
                (true, _) => Self::Ok,
                (false, false) => Self::Warning,
                (false, true) => Self::Critical,
            };
        results
            .into_iter()
            .map(verdict_on)
            .max()
            .unwrap_or(Self::Ok)
    }

    /// The exit code of `reachd check`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
        }
    }

    /// The status message by which the service connection point reports the same (component
    /// `SMS_SERVICE_CONNECTOR`).
    #[must_use]
    pub fn message_id(self) -> u16 {
        match self {
            Self::Ok => 11410,
            Self::Warning => 11411,
            Self::Critical => 11412,
        }
    }

    /// What that message says.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Ok => "every required endpoint is reachable",
            Self::Warning => "at least one endpoint is not reachable, but no critical one",
            Self::Critical => "at least one critical endpoint is not reachable",
        }
    }

    /// The stable name, as in the JSON report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

// === conversions ===

impl<'a> From<&'a Check> for Subject<'a> {
    fn from(check: &'a Check) -> Self {
        Self {
            service: &check.endpoint.service,
            endpoint: &check.endpoint.name,
            route: &check.route.name,
            url: check.endpoint.target.to_string(),
            critical: check.endpoint.critical,
            origin: check.endpoint.origin,
            derived: check.endpoint.origin.is_derived(),
            stands_in_for: check.endpoint.stands_in_for.as_deref(),
        }
    }
}

impl<'a> From<&'a Outcome> for Finding<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        Self {
            via: outcome.via,
            success: outcome.result.is_ok(),
            failure: outcome.result.as_ref().err().map(FailureReport::from),
            warnings: outcome.warnings.iter().map(FailureReport::from).collect(),
            phases: &outcome.timings,
            not_run: &outcome.not_run,
            observed: &outcome.observed,
        }
    }
}

impl<'a> From<&'a Failure> for FailureReport<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            phase: failure.phase(),
            peer: failure.peer,
            reason: failure.reason.as_str(),
            detail: &failure.detail,
            explanation: explain(failure.reason, failure.peer),
        }
    }
}

impl<'a> From<&'a catalog::NotProbed> for NotProbed<'a> {
    fn from(entry: &'a catalog::NotProbed) -> Self {
        Self {
            service: &entry.service,
            endpoint: &entry.endpoint,
            why: &entry.why,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

/// Serialises a time as RFC 3339 in UTC with whole seconds.
pub(crate) fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_seconds(*time))
}

#[cfg(test)]
mod tests;
