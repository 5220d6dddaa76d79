//! The prerequisites for people at a terminal: what they come to, what reachd verified, then what a person must verify.

use std::fmt;

use super::field;
use super::layout::{Colour, Paint, wrapped, wrapped_behind};
use crate::report::Verdict;
use crate::report::prerequisites::{PrerequisiteReport, PrerequisitesReport, State, VerifiedBy};

/// As wide as the longest state.
const STATE: usize = "NOT VERIFIED".len();

/// The report as text.
pub(in crate::report) struct PrerequisitesText<'r, 'a> {
    pub(in crate::report) report: &'r PrerequisitesReport<'a>,
    pub(in crate::report) colour: bool,
}

impl fmt::Display for PrerequisitesText<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (paint, report) = (Paint(self.colour), self.report);
        head(f, paint, report)?;
        writeln!(f, "\n{}", paint.bold("What reachd verifies"))?;
        for one in report.verified_by(VerifiedBy::Reachd) {
            verified(f, paint, one)?;
        }
        writeln!(f, "\n{}", paint.bold("What only a person can verify"))?;
        for one in report.verified_by(VerifiedBy::Person) {
            for_person(f, one)?;
        }
        writeln!(f, "\n{}", paint.bold("Sources"))?;
        for source in report.sources() {
            let (key, title, date) = (&source.key, &source.title, &source.date);
            wrapped(f, "  ", &format!("{key}: {title}, {date}"))?;
            wrapped(f, "      ", &source.document)?;
        }
        Ok(())
    }
}

fn head(f: &mut fmt::Formatter<'_>, paint: Paint, report: &PrerequisitesReport<'_>) -> fmt::Result {
    let (word, colour) = match report.verdict {
        Verdict::Ok => ("OK", Colour::Green),
        Verdict::Warning => ("WARNING", Colour::Yellow),
        Verdict::Critical => ("CRITICAL", Colour::Red),
    };
    write!(f, "{}: ", paint.word(word, colour))?;
    wrapped_behind(f, word.len() + 2, "", &report.headline())?;
    wrapped(f, "", &format!("Prerequisites of {}.", report.subject()))?;
    writeln!(
        f,
        "Started {}, took {:.1} s, reachd {}.",
        humantime::format_rfc3339_seconds(report.started),
        report.seconds,
        report.version,
    )
}

fn verified(f: &mut fmt::Formatter<'_>, paint: Paint, one: &PrerequisiteReport<'_>) -> fmt::Result {
    let word = one.state.words();
    let colour = match one.state {
        State::Met => Colour::Green,
        State::NotMet => Colour::Red,
        State::Warning | State::NotVerified => Colour::Yellow,
    };
    let state = paint.word(word, colour);
    write!(f, "\n{state}{:1$}  ", "", STATE - word.len())?;
    wrapped_behind(f, STATE + 2, "", &title(one))?;
    field(f, "Seen", &one.seen)?;
    if one.state != State::Met {
        field(f, "Needed for", &[one.why.to_owned()])?;
    }
    let steps: Vec<String> = (1..)
        .zip(&one.what_to_do)
        .map(|(number, step)| format!("{number}. {step}"))
        .collect();
    field(f, "Do", &steps)?;
    rest(f, one)
}

/// Without a state, for nobody knows how it stands.
fn for_person(f: &mut fmt::Formatter<'_>, one: &PrerequisiteReport<'_>) -> fmt::Result {
    writeln!(f)?;
    wrapped(f, "[ ] ", &title(one))?;
    field(f, "Needed for", &[one.why.to_owned()])?;
    for way in one.verify {
        let permission = way.permission.as_ref();
        field(
            f,
            "Verify",
            &[
                format!("{}: {}", way.place.title(), way.how),
                permission.map_or_else(String::new, |least| format!("needs {least}")),
                format!("expected: {}", way.expect),
            ],
        )?;
    }
    rest(f, one)
}

/// `Title (id)`, `Title (id, not critical)`.
fn title(one: &PrerequisiteReport<'_>) -> String {
    let weight = if one.critical { "" } else { ", not critical" };
    format!("{} ({}{weight})", one.title, one.id)
}

fn rest(f: &mut fmt::Formatter<'_>, one: &PrerequisiteReport<'_>) -> fmt::Result {
    field(f, "Note", &[one.note.unwrap_or_default().to_owned()])?;
    field(f, "Needed", &[one.scope().unwrap_or_default()])?;
    field(f, "Sources", &[one.cited()])
}
