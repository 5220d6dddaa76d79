//! The report as Markdown, for a ticket or a wiki.

use std::fmt;

use super::escape::{markdown, markdown_code};
use super::words::{counted, short};
use super::{CheckResult, FailureGroup, Report, Verdict, causes, of_trust_store};
use crate::diagnosis::{Cause, Says};
use crate::explain::Explanation;

/// How many checks are named with a cause or a kind of failure; the table has all.
const NAMES_SHOWN: usize = 24;

/// How many different details of failures that are alike are told.
const DETAILS_SHOWN: usize = 3;

/// The report as Markdown.
pub(super) struct Markdown<'r, 'a>(pub(super) &'r Report<'a>);

impl fmt::Display for Markdown<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        verdict(f, report)?;
        if !report.causes.is_empty() {
            writeln!(f, "\n## What is wrong")?;
        }
        for cause in &report.causes {
            of_cause(f, cause)?;
        }
        let explained = causes::Explained::by(&report.causes);
        let groups = FailureGroup::among(&report.checks);
        let is_told =
            |group: &&FailureGroup<'_, '_>| group.checks.iter().all(|check| explained.has(check));
        let groups: Vec<_> = groups.iter().filter(|group| !is_told(group)).collect();
        if !groups.is_empty() {
            let else_ = if report.causes.is_empty() {
                ""
            } else {
                " else"
            };
            writeln!(f, "\n## What{else_} fails")?;
        }
        for group in groups {
            of_group(f, group)?;
        }
        table(f, report)?;
        rest(f, report)
    }
}

fn verdict(f: &mut fmt::Formatter<'_>, report: &Report<'_>) -> fmt::Result {
    let failing = report.checks.iter();
    let failing = failing.filter(|check| !check.finding.success).count();
    let critical = report.checks.iter();
    let critical = critical.filter(|check| check.fails_critically()).count();
    let word = match report.verdict {
        Verdict::Ok => "OK",
        Verdict::Warning => "WARNING",
        Verdict::Critical => "CRITICAL",
    };
    writeln!(f, "# reachd: {word}\n")?;
    writeln!(
        f,
        "{failing} of {} failing, {critical} critical. Status message {} of the service connection point: {}.\n",
        counted(report.checks.len(), "check"),
        report.message_id,
        report.verdict.message(),
    )?;
    writeln!(
        f,
        "Started {}, took {:.1} s, reachd {}.",
        humantime::format_rfc3339_seconds(report.started),
        report.seconds,
        report.version,
    )
}

fn of_cause(f: &mut fmt::Formatter<'_>, cause: &Cause) -> fmt::Result {
    let weight = if cause.critical {
        "critical"
    } else {
        "not critical"
    };
    writeln!(
        f,
        "\n### {}\n\n{} ({weight}), told by {}.",
        markdown(&causes::headline(cause)),
        markdown_code(cause.kind.as_str()),
        counted(cause.supporting, "check"),
    )?;
    let evidence = cause.evidence.iter().take(NAMES_SHOWN);
    writeln!(f)?;
    for evidence in evidence {
        let check = &evidence.check;
        let limits = match evidence.says {
            Says::Supports => "",
            Says::Contradicts => " (limits it)",
        };
        writeln!(
            f,
            "- {} over {}{limits}: {}",
            markdown(&check.endpoint),
            markdown(&check.route),
            markdown(&evidence.words)
        )?;
    }
    explanation(f, &cause.explanation())
}

fn of_group(f: &mut fmt::Formatter<'_>, group: &FailureGroup<'_, '_>) -> fmt::Result {
    let failure = group.failure;
    writeln!(
        f,
        "\n### {} at the {} over {}: {}\n",
        markdown_code(&format!("{}/{}", failure.phase, failure.reason)),
        failure.peer,
        markdown(group.route),
        counted(group.checks.len(), "check"),
    )?;
    let critical_first = group.critical().chain(group.not_critical());
    let names: Vec<_> = critical_first
        .take(NAMES_SHOWN)
        .map(|check| markdown(check.subject.endpoint))
        .collect();
    write!(f, "{}", names.join(", "))?;
    match group.checks.len().saturating_sub(NAMES_SHOWN) {
        0 => writeln!(f, "\n")?,
        more => writeln!(f, " and {more} more\n")?,
    }
    for detail in group.details().into_iter().take(DETAILS_SHOWN) {
        writeln!(f, "> {}\n", markdown(detail))?;
    }
    explanation(f, &failure.explanation)
}

/// The texts of reachd's own are Markdown already: what stands between backticks is code.
fn explanation(f: &mut fmt::Formatter<'_>, explanation: &Explanation) -> fmt::Result {
    if !explanation.what.is_empty() {
        writeln!(f, "\n{}", explanation.what)?;
    }
    for (heading, lines) in [
        ("What to do", explanation.steps),
        ("Likely causes", explanation.likely),
    ] {
        if !lines.is_empty() {
            writeln!(f, "\n{heading}:\n")?;
        }
        for line in lines {
            writeln!(f, "- {}", line.replace('*', "\\*"))?;
        }
    }
    if !explanation.owner.is_empty() {
        writeln!(f, "\nWho can mend it: {}", explanation.owner)?;
    }
    Ok(())
}

fn table(f: &mut fmt::Formatter<'_>, report: &Report<'_>) -> fmt::Result {
    if report.checks.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n## Checks\n")?;
    writeln!(f, "| Service | Endpoint | Route | Found | Time |")?;
    writeln!(f, "|---|---|---|---|---:|")?;
    for check in &report.checks {
        let subject = &check.subject;
        writeln!(
            f,
            "| {} | {} | {} | {} | {} |",
            markdown(subject.service),
            markdown(subject.endpoint),
            markdown(subject.route),
            found(check),
            short(check.finding.phases.total()),
        )?;
    }
    Ok(())
}

fn found(check: &CheckResult<'_>) -> String {
    let mut found = match &check.finding.failure {
        None => "✓ reachable".to_owned(),
        Some(failure) => {
            let name = markdown_code(&format!("{}/{}", failure.phase, failure.reason));
            let weight = if check.subject.critical { "✕" } else { "!" };
            format!("{weight} {name} at the {}", failure.peer)
        }
    };
    if let Some(hold) = &check.hold {
        found.push_str("; idle connection ");
        found.push_str(&markdown(&hold.words()));
    }
    found
}

fn rest(f: &mut fmt::Formatter<'_>, report: &Report<'_>) -> fmt::Result {
    let roots = of_trust_store(report.trust_store);
    if !roots.is_empty() {
        writeln!(f, "\n## Trust store\n")?;
    }
    for line in roots {
        writeln!(f, "- {}", markdown(&line))?;
    }
    if !report.not_probed.is_empty() {
        writeln!(f, "\n## Required, but not probed\n")?;
    }
    for entry in &report.not_probed {
        let (endpoint, service) = (markdown(entry.endpoint), markdown(entry.service));
        writeln!(f, "- {endpoint} ({service}): {}", markdown(entry.why))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::report::sample;

    #[test]
    fn causes_come_first_and_what_they_explain_is_told_once() {
        let (results, not_probed) = (sample::results(), sample::not_probed());
        let report = sample::report(&results, &not_probed);
        let text = report.markdown().to_string();
        assert!(text.starts_with("# reachd: CRITICAL\n\n6 of 11 checks failing, 4 critical."));
        let places = [
            "### The resolver system gives wrong answers",
            "## What else fails",
            "### `tls/expired` at the endpoint over corp: 1 check",
            "| tenant-attach | graph.microsoft.com | direct | ✕ `dns/nxdomain` at the endpoint |",
            "- \\<cmg\\>.cloudapp.net (tenant-attach): ",
        ];
        let places = places.map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")));
        assert!(places.is_sorted(), "{text}");
        assert!(!text.contains("### `dns/nxdomain`"), "{text}");
    }
}
