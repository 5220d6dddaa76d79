//! What a rule says: one fault, with those who speak for it and against it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::SystemTime;

use super::cause::{Cause, Evidence, MOST_EVIDENCE, Says};
use super::finding::Finding;
use crate::outcome::{CauseKind, Failure};
use crate::plan::CheckKey;

/// Of the evidence that is listed, so much at least is left to those who contradict, where there are that many.
const LEFT_TO_CONTRADICTION: usize = 10;

/// One fault, as a rule infers it.
#[derive(Debug)]
pub(super) struct Inference<'f> {
    pub(super) kind: CauseKind,
    pub(super) subject: String,
    pub(super) supports: Vec<Witness<'f>>,
    pub(super) contradicts: Vec<Witness<'f>>,
}

/// What a check says.
#[derive(Debug, Clone)]
pub(super) struct Witness<'f> {
    pub(super) finding: &'f Finding,
    pub(super) of: Aspect,
    pub(super) words: Words<'f>,
}

/// Of what about a check: who explains why it fails does not explain why it is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Aspect {
    Failure,
    Warning,
    Hold,
    Pace,
    Changes,
}

/// What it found, put into words only where it is shown.
#[derive(Debug, Clone)]
pub(super) enum Words<'f> {
    Fails(&'f Failure),
    Reachable,
    Other(String),
}

// === impl Inference ===

impl<'f> Inference<'f> {
    pub(super) fn new(kind: CauseKind, subject: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            supports: Vec::new(),
            contradicts: Vec::new(),
        }
    }

    /// When the last of those began who contradict.
    pub(super) fn last_contradiction(&self) -> Option<SystemTime> {
        let outcomes = self.contradicts.iter();
        let outcomes = outcomes.filter_map(|witness| witness.finding.latest.as_ref());
        outcomes.map(|outcome| outcome.started).max()
    }

    /// How many different ones say so, twice in a row and both times after the last contradiction.
    pub(super) fn agreeing<K: Ord>(&self, who: impl Fn(&'f Finding) -> K) -> usize {
        let contradiction = self.last_contradiction();
        let agreeing = self.supports.iter().filter(|witness| {
            let confirmed = witness.finding.confirmed_since();
            confirmed.is_some_and(|confirmed| contradiction < Some(confirmed))
        });
        let different: BTreeSet<K> = agreeing.map(|witness| who(witness.finding)).collect();
        different.len()
    }

    /// The same fault, inferred twice.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        (self.kind, &self.subject) == (other.kind, &other.subject)
    }

    /// For people and programs.
    pub(super) fn into_cause(mut self, now: SystemTime) -> Cause {
        let since = self.supports.iter();
        let since = since.filter_map(|witness| witness.finding.since()).min();
        let critical = self.supports.iter().any(Witness::is_critical);
        let failing = self.supports.iter();
        let failing = failing.filter(|witness| witness.of == Aspect::Failure);
        let mut explains: Vec<CheckKey> =
            failing.map(|witness| witness.finding.check.key()).collect();
        explains.sort();
        explains.dedup();
        sort(&mut self.supports);
        sort(&mut self.contradicts);
        let (supporting, contradicting) = (self.supports.len(), self.contradicts.len());
        let left = contradicting.min(LEFT_TO_CONTRADICTION);
        let listed = supporting.min(MOST_EVIDENCE - left);
        let supports = self.supports.iter().take(listed);
        let contradicts = self.contradicts.iter().take(MOST_EVIDENCE - listed);
        let evidence = supports.map(|witness| witness.evidence(Says::Supports));
        let against = contradicts.map(|witness| witness.evidence(Says::Contradicts));
        Cause {
            kind: self.kind,
            subject: self.subject,
            critical,
            since: since.unwrap_or(now).min(now),
            evidence: evidence.chain(against).collect(),
            explains,
            supporting,
            contradicting,
        }
    }
}

fn sort(witnesses: &mut Vec<Witness<'_>>) {
    witnesses.sort_by(|one, other| one.finding.names().cmp(&other.finding.names()));
    witnesses.dedup_by(|one, other| one.finding.names() == other.finding.names());
}

// === impl Witness ===

impl<'f> Witness<'f> {
    pub(super) fn failing(finding: &'f Finding, failure: &'f Failure) -> Self {
        Self {
            finding,
            of: Aspect::Failure,
            words: Words::Fails(failure),
        }
    }

    pub(super) fn saying(finding: &'f Finding, of: Aspect, words: impl Into<String>) -> Self {
        Self {
            finding,
            of,
            words: Words::Other(words.into()),
        }
    }

    /// As its latest probe ended, whatever that speaks for.
    pub(super) fn as_it_ended(finding: &'f Finding) -> Self {
        let result = finding.latest.as_ref().map(|outcome| &outcome.result);
        let words = match result {
            Some(Err(failure)) => Words::Fails(failure),
            _ => Words::Reachable,
        };
        Self {
            finding,
            of: Aspect::Failure,
            words,
        }
    }

    fn is_critical(&self) -> bool {
        self.of == Aspect::Failure && self.finding.check.endpoint.critical
    }

    fn evidence(&self, says: Says) -> Evidence {
        Evidence {
            check: self.finding.check.key(),
            says,
            words: self.words.to_string(),
        }
    }
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails(failure) => {
                write!(
                    f,
                    "{}, {}: {}",
                    failure.reason, failure.peer, failure.detail
                )
            }
            Self::Reachable => f.write_str("reachable"),
            Self::Other(words) => f.write_str(words),
        }
    }
}
