//! What tenant attach needs, and how each of it stands: judged by what one run of the checks found, or left to a
//! person with the way to verify it.

mod judge;
mod markdown;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use self::judge::Judgement;
use super::{Verdict, rfc3339};
use crate::catalog::{self, Cloud, Means, Prerequisite, Reference, Release, Scope, Verification};
use crate::outcome::{HoldOutcome, Outcome, RootStanding};
use crate::plan::Check;

/// What is known when prerequisites are judged.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Whether anything was probed at all.
    pub probed: bool,
    /// What the probes found.
    pub results: &'a [(Arc<Check>, Arc<Outcome>)],
    /// What the holds found.
    pub holds: &'a [(Arc<Check>, Arc<HoldOutcome>)],
    /// How many idle connections were not held, for want of being asked for.
    pub not_held: usize,
    /// What is required but was not probed.
    pub not_probed: &'a [catalog::NotProbed],
    /// How the roots stand that the catalog requires.
    pub trust_store: &'a [RootStanding],
    /// The command that probes what was not probed, without the flags that this takes.
    pub command: &'a str,
}

/// Every prerequisite of tenant attach for a cloud and a release.
#[derive(Debug, Serialize)]
pub struct PrerequisitesReport<'a> {
    /// Of reachd.
    pub version: &'static str,
    /// When the first probe started.
    #[serde(serialize_with = "rfc3339")]
    pub started: SystemTime,
    /// How long all of it took.
    pub seconds: f64,
    /// The cloud.
    pub cloud: Cloud,
    /// The release.
    pub configmgr_version: Release,
    /// Whether anything was probed.
    pub probed: bool,
    /// The worst of what reachd verified.
    pub verdict: Verdict,
    /// All of them, in the order of the data file.
    pub prerequisites: Vec<PrerequisiteReport<'a>>,
}

/// One prerequisite, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrerequisiteReport<'a> {
    /// Its stable name.
    pub id: &'a str,
    /// The same for people.
    pub title: &'a str,
    /// Who verifies it.
    pub verified_by: VerifiedBy,
    /// How it stands.
    pub state: State,
    /// Whether tenant attach, or an action of it, stops without it.
    pub critical: bool,
    /// What it is needed for.
    pub why: &'a str,
    /// What was seen of it.
    pub seen: Vec<String>,
    /// What to do, in this order; nothing where it is met.
    pub what_to_do: Vec<String>,
    /// How a person verifies it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub verify: &'a [Verification],
    /// The clouds that need it.
    pub clouds: &'a [Cloud],
    /// The first release that needs it, where not all do.
    pub since: Option<Release>,
    /// The last release that needs it.
    pub until: Option<Release>,
    /// What the sources leave open.
    pub note: Option<&'a str>,
    /// On what it rests.
    pub sources: &'a [Reference],
}

/// Who verifies a prerequisite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifiedBy {
    /// reachd does.
    Reachd,
    /// Only a person can.
    Person,
}

/// How a prerequisite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody looked, or there was nothing to see.
    NotVerified,
    /// It is as it must be.
    Met,
    /// Something of it is not, without stopping what it is needed for.
    Warning,
    /// It is not as it must be.
    NotMet,
}

// === impl PrerequisitesReport ===

impl<'a> PrerequisitesReport<'a> {
    /// Judges prerequisites by what was found.
    #[must_use]
    pub fn new(
        prerequisites: &'a [Prerequisite],
        scope: &Scope,
        evidence: Evidence<'_>,
        started: SystemTime,
        duration: Duration,
    ) -> Self {
        let prerequisites: Vec<_> = prerequisites
            .iter()
            .map(|one| PrerequisiteReport::new(one, evidence))
            .collect();
        let verdicts = prerequisites.iter().map(PrerequisiteReport::verdict);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            started,
            seconds: duration.as_secs_f64(),
            cloud: scope.cloud,
            configmgr_version: scope.release,
            probed: evidence.probed,
            verdict: verdicts.max().unwrap_or(Verdict::Ok),
            prerequisites,
        }
    }

    /// The report for people at a terminal.
    #[must_use]
    pub fn text(&self, colour: bool) -> impl fmt::Display {
        super::text::PrerequisitesText {
            report: self,
            colour,
        }
    }

    /// The report for a ticket or a wiki, with boxes to tick for what a person verifies.
    #[must_use]
    pub fn markdown(&self) -> impl fmt::Display {
        markdown::Markdown { report: self }
    }

    /// The report for programs.
    ///
    /// # Errors
    /// None that the data could cause; the serialiser's own, passed on.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// Those of one kind.
    pub(super) fn verified_by(
        &self,
        who: VerifiedBy,
    ) -> impl Iterator<Item = &PrerequisiteReport<'a>> {
        self.prerequisites
            .iter()
            .filter(move |one| one.verified_by == who)
    }

    /// `tenant attach, cloud public, Configuration Manager 2603`.
    pub(super) fn subject(&self) -> String {
        let Self {
            cloud,
            configmgr_version,
            ..
        } = self;
        format!("tenant attach, cloud {cloud}, Configuration Manager {configmgr_version}")
    }

    /// What it comes to in a sentence.
    pub(super) fn headline(&self) -> String {
        let count = |state: State| {
            let own = self.verified_by(VerifiedBy::Reachd);
            own.filter(|one| one.state == state).count()
        };
        let all = self.verified_by(VerifiedBy::Reachd).count();
        let person = self.verified_by(VerifiedBy::Person).count();
        let critical = self
            .verified_by(VerifiedBy::Reachd)
            .filter(|one| one.state == State::NotMet && one.critical)
            .count();
        let (met, warned, not_met, open) = (
            count(State::Met),
            count(State::Warning),
            count(State::NotMet),
            count(State::NotVerified),
        );
        let mut parts = Vec::new();
        if not_met > 0 {
            parts.push(format!("{not_met} not met ({critical} critical)"));
        }
        if warned > 0 {
            parts.push(format!("{warned} with a warning"));
        }
        parts.push(format!("{met} met"));
        if open > 0 {
            parts.push(format!("{open} not verified"));
        }
        let parts = parts.join(", ");
        format!(
            "{parts}, of {all} prerequisites that reachd verifies; {person} more only a person can verify."
        )
    }

    /// The documents on which any of them rests, each once, by key.
    pub(super) fn sources(&self) -> Vec<&'a Reference> {
        let mut all: Vec<&Reference> = self
            .prerequisites
            .iter()
            .flat_map(|one| one.sources)
            .collect();
        all.sort();
        all.dedup();
        all
    }
}

// === impl PrerequisiteReport ===

impl<'a> PrerequisiteReport<'a> {
    fn new(one: &'a Prerequisite, evidence: Evidence<'_>) -> Self {
        let (verified_by, judgement, verify) = match &one.means {
            Means::Person(verify) => (
                VerifiedBy::Person,
                Judgement::not_verified(Vec::new(), Vec::new()),
                verify.as_slice(),
            ),
            Means::Reachd {
                subject,
                remedy,
                roots,
            } => {
                let judgement = judge::judge(*subject, remedy, roots, evidence);
                (VerifiedBy::Reachd, judgement, [].as_slice())
            }
        };
        Self {
            id: &one.id,
            title: &one.title,
            verified_by,
            state: judgement.state,
            critical: one.critical,
            why: &one.why,
            seen: judgement.seen,
            what_to_do: judgement.what_to_do,
            verify,
            clouds: &one.clouds,
            since: one.since,
            until: one.until,
            note: one.note.as_deref(),
            sources: &one.sources,
        }
    }

    fn verdict(&self) -> Verdict {
        match self.state {
            State::Met | State::NotVerified => Verdict::Ok,
            State::NotMet if self.critical => Verdict::Critical,
            State::NotMet | State::Warning => Verdict::Warning,
        }
    }

    /// For whom it is needed, where that is not everybody: `since 2207`, `until 2010; cloud public only`.
    pub(super) fn scope(&self) -> Option<String> {
        let releases = match (self.since, self.until) {
            (None, None) => None,
            (Some(since), None) => Some(format!("since {since}")),
            (None, Some(until)) => Some(format!("until {until}")),
            (Some(since), Some(until)) => Some(format!("from {since} until {until}")),
        };
        let cloud = match self.clouds {
            [cloud] => Some(format!("cloud {cloud} only")),
            _ => None,
        };
        let parts: Vec<String> = releases.into_iter().chain(cloud).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// The keys of its sources, each with its date.
    pub(super) fn cited(&self) -> String {
        let sources = self.sources.iter();
        let cited: Vec<String> = sources
            .map(|source| format!("{} ({})", source.key, source.date))
            .collect();
        cited.join(", ")
    }
}

// === impl State ===

impl State {
    /// The state in words that stand for themselves where there are no colours.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NotVerified => "NOT VERIFIED",
            Self::Met => "MET",
            Self::Warning => "WARNING",
            Self::NotMet => "NOT MET",
        }
    }
}
