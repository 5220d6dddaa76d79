//! The connections that were held idle, one a line, each kind of failure with its explanation once.

use std::collections::HashSet;
use std::fmt;

use super::layout::{Colour, Paint, counted, wrapped};
use super::{explanation, field};
use crate::outcome::{Peer, Phase};
use crate::report::{FailureReport, Report};

pub(super) fn write(f: &mut fmt::Formatter<'_>, paint: Paint, report: &Report<'_>) -> fmt::Result {
    let held = report.checks.iter();
    let held = held.filter_map(|check| Some((&check.subject, check.hold.as_ref()?)));
    // What the way there fails for is often what the probe failed for, and explained above.
    let probes = report.checks.iter();
    let failures = probes.filter_map(|check| check.finding.failure.as_ref());
    let mut explained: HashSet<_> = failures.map(kind).collect();
    for (number, (subject, hold)) in held.enumerate() {
        if number == 0 {
            writeln!(f, "\n{}", paint.bold("Connections held idle"))?;
        }
        let state = if hold.finding.success {
            paint.word("OK  ", Colour::Green)
        } else {
            paint.word("FAIL", Colour::Red)
        };
        write!(f, "{state}  ")?;
        let line = format!(
            "{} ({}) over {}: {}",
            subject.endpoint,
            subject.service,
            subject.route,
            hold.words()
        );
        wrapped(f, "", &line)?;
        if let Some(failure) = &hold.finding.failure {
            field(f, "Detail", &[failure.detail.to_owned()])?;
            if explained.insert(kind(failure)) {
                explanation(f, &failure.explanation)?;
            }
        }
    }
    if report.not_held > 0 {
        let note = format!(
            "Not held: {}. `--hold` holds them too, and takes as long.",
            counted(report.not_held, "idle connection")
        );
        writeln!(f)?;
        wrapped(f, "", &note)?;
    }
    Ok(())
}

/// What failures with the same explanation have in common.
fn kind(failure: &FailureReport<'_>) -> (Phase, Peer, &'static str) {
    (failure.phase, failure.peer, failure.reason)
}
