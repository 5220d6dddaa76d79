//! The causes: what is at fault, on which evidence, what to do and who can do it. They come first, for most of what
//! follows are their consequences.

use std::fmt;

use super::layout::{Colour, Paint, counted, harmless};
use super::{explanation, field};
use crate::diagnosis::{Cause, Says};
use crate::report::Report;

/// Of each cause, so much of the evidence is shown.
const EVIDENCE_SHOWN: usize = 3;

pub(super) fn write(f: &mut fmt::Formatter<'_>, paint: Paint, report: &Report<'_>) -> fmt::Result {
    let mut causes = report.causes.iter();
    causes.try_for_each(|cause| one(f, paint, cause))
}

fn one(f: &mut fmt::Formatter<'_>, paint: Paint, cause: &Cause) -> fmt::Result {
    let (word, colour, weight) = if cause.critical {
        ("CAUSE", Colour::Red, "critical")
    } else {
        ("CAUSE", Colour::Yellow, "not critical")
    };
    let title = format!("{} {} ({weight})", cause.kind, harmless(&cause.subject));
    let title = paint.bold(&title);
    writeln!(f, "\n{}: {title}", paint.word(word, colour))?;
    field(f, "Evidence", &evidence(cause))?;
    explanation(f, &cause.explanation())
}

/// How many checks speak for it and against it, and what the first of them say.
fn evidence(cause: &Cause) -> Vec<String> {
    let verb = if cause.supporting == 1 { "says" } else { "say" };
    let mut count = format!("{} {verb} so", counted(cause.supporting, "check"));
    if cause.contradicting > 0 {
        let against = counted(cause.contradicting, "check");
        count = format!("{count}, {against} against it");
    }
    let supports = cause.evidence.iter();
    let supports = supports.filter(|evidence| evidence.says == Says::Supports);
    let shown = supports.take(EVIDENCE_SHOWN).map(|evidence| {
        let check = &evidence.check;
        format!(
            "- {} ({}) over route {}: {}",
            check.endpoint, check.service, check.route, evidence.words
        )
    });
    let mut lines = vec![count];
    lines.extend(shown);
    if cause.supporting > EVIDENCE_SHOWN {
        lines.push(format!("- and {} more", cause.supporting - EVIDENCE_SHOWN));
    }
    lines
}
