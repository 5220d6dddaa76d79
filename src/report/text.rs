//! The report for people: the verdict, the causes, which service works, every kind of failure that no cause explains once
//! with its explanation and the others in a line, all checks as a table, and what was not probed. Whatever came from the network is made harmless before a terminal sees it.

mod causes;
mod chains;
mod explained;
mod holds;
mod layout;
mod prerequisites;
mod services;
mod table;

use std::fmt;

pub(crate) use layout::harmless;
use layout::{Colour, Paint, counted, wrapped};
pub(super) use prerequisites::PrerequisitesText;

use super::{FailureGroup, Report, Verdict, of_trust_store};
use crate::explain::Explanation;
use crate::outcome::RootState;

/// How many different details of failures that are alike are told.
const DETAILS_SHOWN: usize = 3;

/// The report as text.
pub(super) struct Text<'r, 'a> {
    pub(super) report: &'r Report<'a>,
    pub(super) colour: bool,
}

impl fmt::Display for Text<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paint = Paint(self.colour);
        verdict(f, paint, self.report)?;
        causes::write(f, paint, self.report)?;
        services::write(f, paint, self.report)?;
        let explained = explained::Failures::of(self.report);
        for (index, group) in explained.others.iter().enumerate() {
            failure(f, paint, index + 1, group)?;
        }
        explained.write(f, paint)?;
        table::write(f, paint, &self.report.checks)?;
        warnings(f, paint, self.report)?;
        holds::write(f, paint, self.report)?;
        chains::write(f, paint, self.report)?;
        trust_store(f, paint, self.report)?;
        not_probed(f, paint, self.report)
    }
}

fn verdict(f: &mut fmt::Formatter<'_>, paint: Paint, report: &Report<'_>) -> fmt::Result {
    let (word, colour) = match report.verdict {
        Verdict::Ok => ("OK", Colour::Green),
        Verdict::Warning => ("WARNING", Colour::Yellow),
        Verdict::Critical => ("CRITICAL", Colour::Red),
    };
    writeln!(f, "{}: {}", paint.word(word, colour), headline(report))?;
    if let Some(held) = held(report) {
        writeln!(f, "{held}")?;
    }
    let message = format!(
        "This corresponds to status message {} of the service connection point: {}.",
        report.message_id,
        report.verdict.message(),
    );
    wrapped(f, "", &message)?;
    writeln!(
        f,
        "Started {}, took {:.1} s, reachd {}.",
        humantime::format_rfc3339_seconds(report.started),
        report.seconds,
        report.version,
    )
}

fn headline(report: &Report<'_>) -> String {
    let all = report.checks.len();
    let failing = report
        .checks
        .iter()
        .filter(|check| !check.finding.success)
        .count();
    let critical = report
        .checks
        .iter()
        .filter(|check| check.fails_critically())
        .count();
    match (all, failing, critical) {
        (0, ..) => "there is nothing to check.".to_owned(),
        (1, 0, _) => "the one required check succeeds.".to_owned(),
        (_, 0, _) => format!("all {all} required checks succeed."),
        _ => {
            let verb = if failing == 1 { "fails" } else { "fail" };
            let weight = match critical {
                0 if failing == 1 => "and it is not critical".to_owned(),
                0 => "none of them critical".to_owned(),
                1 if failing == 1 => "and it is critical".to_owned(),
                _ if critical == failing => "all of them critical".to_owned(),
                _ => format!("{critical} of them critical"),
            };
            format!(
                "{failing} of {} {verb}, {weight}.",
                counted(all, "required check")
            )
        }
    }
}

/// How the holds went, if there were any.
fn held(report: &Report<'_>) -> Option<String> {
    let checks = || report.checks.iter();
    let all = checks().filter(|check| check.hold.is_some()).count();
    let cut = checks().filter(|check| check.fails_to_hold()).count();
    match (all, cut) {
        (0, _) => None,
        (_, 0) => Some(format!(
            "{} held, as long as asked.",
            counted(all, "idle connection")
        )),
        _ => Some(format!(
            "{cut} of {} did not last.",
            counted(all, "idle connection")
        )),
    }
}

fn failure(
    f: &mut fmt::Formatter<'_>,
    paint: Paint,
    number: usize,
    group: &FailureGroup<'_, '_>,
) -> fmt::Result {
    let failure = group.failure;
    let title = format!(
        "{number}. {}/{} at the {}, over route {}: {}",
        failure.phase,
        failure.reason,
        failure.peer,
        harmless(group.route),
        counted(group.checks.len(), "check"),
    );
    writeln!(f, "\n{}", paint.bold(&title))?;

    let names = |checks: &mut dyn Iterator<Item = &super::CheckResult<'_>>| {
        let names: Vec<String> = checks
            .map(|check| format!("{} ({})", check.subject.endpoint, check.subject.service))
            .collect();
        names.join(", ")
    };
    field(f, "Critical", &[names(&mut group.critical())])?;
    field(f, "Not critical", &[names(&mut group.not_critical())])?;

    let details = group.details();
    let mut shown: Vec<String> = details
        .iter()
        .take(DETAILS_SHOWN)
        .map(|detail| (*detail).to_owned())
        .collect();
    if details.len() > DETAILS_SHOWN {
        shown.push(format!(
            "... and {} more like these",
            details.len() - DETAILS_SHOWN
        ));
    }
    field(f, "Detail", &shown)?;

    explanation(f, &failure.explanation)
}

fn explanation(f: &mut fmt::Formatter<'_>, explanation: &Explanation) -> fmt::Result {
    field(f, "Means", &[explanation.what.to_owned()])?;
    let likely: Vec<String> = explanation
        .likely
        .iter()
        .map(|cause| format!("- {cause}"))
        .collect();
    field(f, "Likely", &likely)?;
    let steps: Vec<String> = (1..)
        .zip(explanation.steps)
        .map(|(number, step)| format!("{number}. {step}"))
        .collect();
    field(f, "Do", &steps)?;
    field(f, "Owner", &[explanation.owner.to_owned()])
}

/// A label and its paragraphs, in a column of their own. Nothing at all where there is nothing to say.
fn field(f: &mut fmt::Formatter<'_>, label: &str, paragraphs: &[String]) -> fmt::Result {
    let mut label = label;
    for paragraph in paragraphs.iter().filter(|paragraph| !paragraph.is_empty()) {
        wrapped(f, &format!("   {label:<12}  "), paragraph)?;
        label = "";
    }
    Ok(())
}

/// What is wrong with checks that succeed.
fn warnings(f: &mut fmt::Formatter<'_>, paint: Paint, report: &Report<'_>) -> fmt::Result {
    let of_checks = report.checks.iter();
    let mut all = of_checks
        .flat_map(|check| {
            check
                .finding
                .warnings
                .iter()
                .map(move |warning| (check, warning))
        })
        .peekable();
    if all.peek().is_none() {
        return Ok(());
    }
    writeln!(f, "\n{}", paint.bold("Reachable, but"))?;
    for (check, warning) in all {
        let subject = &check.subject;
        let title = format!(
            "{} ({}) over route {}: {}/{} at the {}",
            subject.endpoint,
            subject.service,
            harmless(subject.route),
            warning.phase,
            warning.reason,
            warning.peer
        );
        wrapped(f, "  ", &title)?;
        wrapped(f, "      ", warning.detail)?;
    }
    writeln!(f)?;
    wrapped(
        f,
        "  ",
        "`reachd explain REASON` says what each means and what to do.",
    )
}

/// Apart from what is reachable: the roots without which it would not be trusted.
fn trust_store(f: &mut fmt::Formatter<'_>, paint: Paint, report: &Report<'_>) -> fmt::Result {
    let lines = of_trust_store(report.trust_store);
    let Some((first, more)) = lines.split_first() else {
        return Ok(());
    };
    let is_well = report
        .trust_store
        .iter()
        .all(|root| root.state == RootState::Present);
    writeln!(f)?;
    let title = if is_well {
        "Trust store"
    } else {
        "WARNING: trust store"
    };
    wrapped(f, "", &format!("{}: {first}", paint.bold(title)))?;
    more.iter().try_for_each(|line| wrapped(f, "  ", line))
}

fn not_probed(f: &mut fmt::Formatter<'_>, paint: Paint, report: &Report<'_>) -> fmt::Result {
    if report.not_probed.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}", paint.bold("Required, but not probed"))?;
    for entry in &report.not_probed {
        wrapped(f, "  ", &format!("{} ({})", entry.endpoint, entry.service))?;
        wrapped(f, "      ", entry.why)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
