//! Failures that a cause explains: a line for those that are alike, which refers to the cause above; in the full report
//! they are told like all others.

use std::fmt;

use super::layout::{Paint, counted, harmless, wrapped};
use crate::diagnosis::Cause;
use crate::report::causes::Explained;
use crate::report::{CheckResult, FailureGroup, Report};

/// What fails, apart by whether a cause says why.
pub(super) struct Failures<'r, 'a> {
    /// Told in full.
    pub(super) others: Vec<FailureGroup<'r, 'a>>,
    /// By cause, in the order of the causes.
    explained: Vec<(&'r Cause, Vec<FailureGroup<'r, 'a>>)>,
}

impl<'r, 'a> Failures<'r, 'a> {
    pub(super) fn of(report: &'r Report<'a>) -> Self {
        let causes: &[Cause] = if report.in_full { &[] } else { &report.causes };
        let known = Explained::by(causes);
        let of_cause = |cause: Option<&Cause>| {
            let checks = report.checks.iter();
            let is_of = |check: &&CheckResult<'_>| {
                known.cause_of(check).map(std::ptr::from_ref) == cause.map(std::ptr::from_ref)
            };
            FailureGroup::among(checks.filter(is_of))
        };
        let explained = causes.iter().map(|cause| (cause, of_cause(Some(cause))));
        Self {
            others: of_cause(None),
            explained: explained.filter(|(_, groups)| !groups.is_empty()).collect(),
        }
    }

    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        if self.explained.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n{}",
            paint.bold("Failures that the causes above explain")
        )?;
        for (cause, groups) in &self.explained {
            for group in groups {
                let failure = group.failure;
                let line = format!(
                    "{}/{} at the {}, over route {}: {}, because of {} {}",
                    failure.phase,
                    failure.reason,
                    failure.peer,
                    harmless(group.route),
                    counted(group.checks.len(), "check"),
                    cause.kind,
                    harmless(&cause.subject),
                );
                wrapped(f, "- ", &line)?;
            }
        }
        writeln!(f, "`--verbose` tells them in full.")
    }
}
