//! All checks, a line each, below the name of their service: state, endpoint, route, time, and the time of each
//! phase in a column of its own.

use std::fmt;
use std::time::Duration;

use super::layout::{Colour, Paint, WIDTH, counted, cut};
use crate::outcome::Phase;
use crate::report::CheckResult;

/// The endpoint's name never gets less.
const ENDPOINT_LEAST: usize = 16;

/// A route's name never gets more.
const ROUTE_MOST: usize = 16;

/// The total time: as wide as its heading, and as a minute in milliseconds.
const TOTAL: usize = 5;

/// The widths of the columns, and the phases that any of the checks came to.
struct Columns {
    endpoint: usize,
    route: usize,
    phases: Vec<Phase>,
}

pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    paint: Paint,
    checks: &[CheckResult<'_>],
) -> fmt::Result {
    if checks.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}", paint.bold("All checks"))?;
    writeln!(
        f,
        "Times in milliseconds; ! marks the phase that failed, - one that did not run."
    )?;
    let columns = Columns::of(checks);
    for service in checks.chunk_by(|one, other| one.subject.service == other.subject.service) {
        let failing = service
            .iter()
            .filter(|check| !check.finding.success)
            .count();
        let tally = match failing {
            0 => "all succeed".to_owned(),
            _ => format!("{failing} failing"),
        };
        let name = cut(service[0].subject.service, WIDTH / 2);
        let title = format!("{name}: {}, {tally}", counted(service.len(), "check"));
        writeln!(f, "\n{}", paint.bold(&title))?;
        columns.heading(f)?;
        for check in service {
            columns.row(f, paint, check)?;
        }
    }
    Ok(())
}

// === impl Columns ===

impl Columns {
    fn of(checks: &[CheckResult<'_>]) -> Self {
        let phases: Vec<Phase> = Phase::OF_PROBE
            .into_iter()
            .filter(|phase| checks.iter().any(|check| time_of(check, *phase).is_some()))
            .collect();
        let route = widest(checks, |check| check.subject.route, "route").min(ROUTE_MOST);
        let others = "FAIL  ".len() + "  ".len() + route + "  ".len() + TOTAL;
        let phases_width: usize = phases.iter().map(|phase| 1 + width(*phase)).sum();
        let left = WIDTH
            .saturating_sub(others + phases_width)
            .max(ENDPOINT_LEAST);
        Self {
            endpoint: widest(checks, |check| check.subject.endpoint, "endpoint").min(left),
            route,
            phases,
        }
    }

    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (endpoint, route) = (self.endpoint, self.route);
        write!(
            f,
            "state {:<endpoint$}  {:<route$}  {:>TOTAL$}",
            "endpoint", "route", "total"
        )?;
        for phase in &self.phases {
            write!(f, " {:>1$}", phase.as_str(), width(*phase))?;
        }
        f.write_str("\n")
    }

    fn row(
        &self,
        f: &mut fmt::Formatter<'_>,
        paint: Paint,
        check: &CheckResult<'_>,
    ) -> fmt::Result {
        let state = if check.finding.success {
            paint.word("OK  ", Colour::Green)
        } else {
            paint.word("FAIL", Colour::Red)
        };
        write!(
            f,
            "{state}  {:<endpoint$}  {:<route$}  {:>TOTAL$}",
            cut(check.subject.endpoint, self.endpoint),
            cut(check.subject.route, self.route),
            milliseconds(check.finding.phases.total()),
            endpoint = self.endpoint,
            route = self.route,
        )?;
        let failed = check.finding.failure.as_ref().map(|failure| failure.phase);
        for phase in &self.phases {
            let mark = if failed == Some(*phase) { "!" } else { "" };
            let cell = match time_of(check, *phase) {
                Some(elapsed) => format!("{}{mark}", milliseconds(elapsed)),
                None => "-".to_owned(),
            };
            write!(f, " {cell:>0$}", width(*phase))?;
        }
        f.write_str("\n")
    }
}

/// The time of a phase, with whomever it was spoken.
fn time_of(check: &CheckResult<'_>, phase: Phase) -> Option<Duration> {
    let of_phase = check
        .finding
        .phases
        .iter()
        .filter(|timing| timing.step.phase == phase);
    of_phase
        .map(|timing| timing.elapsed)
        .reduce(|sum, elapsed| sum + elapsed)
}

/// As wide as the phase's name, and as ten seconds in milliseconds with a mark behind.
fn width(phase: Phase) -> usize {
    phase.as_str().len().max("10000!".len())
}

/// Three digits that tell: `0.42`, `4.2`, `42`, `4200`.
fn milliseconds(elapsed: Duration) -> String {
    let milliseconds = elapsed.as_secs_f64() * 1000.0;
    match milliseconds {
        ..0.9995 => format!("{milliseconds:.2}"),
        ..99.95 => format!("{milliseconds:.1}"),
        _ => format!("{milliseconds:.0}"),
    }
}

fn widest<'c, 'a: 'c>(
    checks: &'c [CheckResult<'a>],
    text: impl Fn(&'c CheckResult<'a>) -> &'a str,
    heading: &str,
) -> usize {
    let widths = checks.iter().map(|check| text(check).chars().count());
    widths.max().unwrap_or_default().max(heading.len())
}
