//! What a diagnosis comes to: causes with their evidence.

use std::time::SystemTime;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::explain::{Explanation, explain_cause};
use crate::outcome::CauseKind;
use crate::plan::CheckKey;

/// The subject of causes that lie with the machine on which reachd runs.
pub const MACHINE: &str = "machine";

/// More evidence is counted, but not listed.
pub const MOST_EVIDENCE: usize = 50;

/// One fault, inferred from the outcomes of many checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// What it is.
    pub kind: CauseKind,
    /// What it is about: a configured name, a name of the catalog, or [`MACHINE`].
    pub subject: String,
    /// Whether a critical check fails because of it.
    pub critical: bool,
    /// Since when the earliest of its evidence has been there.
    pub since: SystemTime,
    /// Which checks say so and which contradict, the former first, each ordered by key; the first of them.
    pub evidence: Vec<Evidence>,
    /// The checks whose failures it explains, all of them, in the order of their keys.
    pub explains: Vec<CheckKey>,
    /// How many checks say so, listed or not.
    pub supporting: usize,
    /// How many contradict.
    pub contradicting: usize,
}

/// What one check says about a cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Who says so.
    #[serde(flatten)]
    pub check: CheckKey,
    /// Whether for or against it.
    #[serde(rename = "supports")]
    pub says: Says,
    /// What it found, for people.
    pub words: String,
}

/// Whether a check speaks for a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    /// It does.
    Supports,
    /// It speaks against it, or limits it.
    Contradicts,
}

// === impl Cause ===

impl Cause {
    /// What it means, what likely causes it, what to do and who owns it.
    #[must_use]
    pub fn explanation(&self) -> Explanation {
        explain_cause(self.kind)
    }
}

/// The object of the report and the API.
impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            kind,
            subject,
            critical,
            since,
            evidence,
            supporting,
            contradicting,
            explains: _,
        } = self;
        let since = humantime::format_rfc3339_seconds(*since).to_string();
        let mut object = serializer.serialize_struct("Cause", 8)?;
        object.serialize_field("cause", kind)?;
        object.serialize_field("subject", subject)?;
        object.serialize_field("critical", critical)?;
        object.serialize_field("since", &since)?;
        object.serialize_field("supporting", supporting)?;
        object.serialize_field("contradicting", contradicting)?;
        object.serialize_field("evidence", evidence)?;
        object.serialize_field("explanation", &self.explanation())?;
        object.end()
    }
}

// === impl Says ===

impl Serialize for Says {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self == Self::Supports)
    }
}
