//! The prerequisites as Markdown for a ticket or a wiki: a table of what reachd verified, boxes to tick for the rest.

use std::fmt;

use super::{PrerequisiteReport, PrerequisitesReport, State, VerifiedBy};
use crate::catalog::Place;

pub(super) struct Markdown<'r, 'a> {
    pub(super) report: &'r PrerequisitesReport<'a>,
}

impl fmt::Display for Markdown<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let verdict = report.verdict.as_str().to_uppercase();
        writeln!(f, "# Prerequisites of {}\n", report.subject())?;
        writeln!(f, "**{verdict}**: {}\n", report.headline())?;
        writeln!(
            f,
            "Started {}, took {:.1} s, reachd {}.",
            humantime::format_rfc3339_seconds(report.started),
            report.seconds,
            report.version
        )?;
        writeln!(f, "\n## What reachd verifies\n")?;
        writeln!(f, "| State | Prerequisite | Seen | What to do | Sources |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for one in report.verified_by(VerifiedBy::Reachd) {
            row(f, one)?;
        }
        writeln!(f, "\n## What only a person can verify\n")?;
        for one in report.verified_by(VerifiedBy::Person) {
            to_tick(f, one)?;
        }
        writeln!(f, "\n## Sources\n")?;
        for source in report.sources() {
            let (key, title, date) = (&source.key, escaped(&source.title), &source.date);
            writeln!(f, "- `{key}`: {title}, {date} (`{}`)", source.document)?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, one: &PrerequisiteReport<'_>) -> fmt::Result {
    let state = match one.state {
        State::Met => "met",
        State::Warning => "**warning**",
        State::NotMet => "**NOT MET**",
        State::NotVerified => "not verified",
    };
    let weight = if one.critical { "" } else { ", not critical" };
    let lines = |lines: &[String], write: fn(&str) -> String| {
        let lines: Vec<String> = lines.iter().map(|line| write(line)).collect();
        lines.join("<br>")
    };
    writeln!(
        f,
        "| {state} | {} (`{}`{weight}) | {} | {} | {} |",
        escaped(one.title),
        one.id,
        lines(&one.seen, escaped),
        lines(&one.what_to_do, own),
        one.cited()
    )
}

fn to_tick(f: &mut fmt::Formatter<'_>, one: &PrerequisiteReport<'_>) -> fmt::Result {
    let weight = if one.critical { "" } else { ", not critical" };
    writeln!(f, "- [ ] **{}** (`{}`{weight})", escaped(one.title), one.id)?;
    writeln!(f, "  - {}", own(one.why))?;
    for way in one.verify {
        let how = match way.place {
            Place::Graph | Place::AdministrationService => format!("`{}`", way.how),
            _ => own(&way.how),
        };
        let permission = way
            .permission
            .as_ref()
            .map(|least| format!(" (needs {})", escaped(least)));
        writeln!(
            f,
            "  - {}: {how}{}; expected: {}",
            way.place.title(),
            permission.unwrap_or_default(),
            own(&way.expect)
        )?;
    }
    for (label, text) in [
        ("Note: ", one.note.map(str::to_owned)),
        ("Needed: ", one.scope()),
        ("Sources: ", Some(one.cited())),
    ] {
        if let Some(text) = text {
            writeln!(f, "  - {label}{}", own(&text))?;
        }
    }
    Ok(())
}

/// Text of reachd's own, which marks code as Markdown does.
fn own(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // A mark that nothing closes is no mark.
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let parts = parts.iter().enumerate().map(|(number, part)| {
        if number.is_multiple_of(2) {
            escaped(part)
        } else {
            format!("`{}`", part.replace('|', "\\|"))
        }
    });
    parts.collect()
}

/// Text that nobody takes for markup, whatever a network or a configuration put into it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '[' | ']' | '|' => escaped.extend(['\\', character]),
            '<' => escaped.push_str("&lt;"),
            _ if character.is_control() => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}
