//! The report as `JUnit` XML, which CI servers read: a suite a service, a test case a check.

use std::fmt::{self, Write};

use super::escape::xml;
use super::{CheckResult, FailureReport, NotProbed, Report, causes};
use crate::explain::Explanation;

/// The report as `JUnit` XML.
pub(super) struct Junit<'r, 'a>(pub(super) &'r Report<'a>);

/// What one suite has.
struct Suite<'r, 'a> {
    service: &'r str,
    checks: Vec<&'r CheckResult<'a>>,
    not_probed: Vec<&'r NotProbed<'a>>,
}

impl fmt::Display for Junit<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let suites = suites(report);
        let tests: usize = suites.iter().map(Suite::tests).sum();
        let failures: usize = suites.iter().map(Suite::failures).sum();
        writeln!(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            f,
            "<testsuites name=\"reachd\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"{:.3}\">",
            report.seconds
        )?;
        for suite in &suites {
            suite.write(f, report)?;
        }
        writeln!(f, "</testsuites>")
    }
}

fn suites<'r, 'a>(report: &'r Report<'a>) -> Vec<Suite<'r, 'a>> {
    let of_checks = report.checks.iter().map(|check| check.subject.service);
    let of_others = report.not_probed.iter().map(|entry| entry.service);
    let mut services: Vec<&str> = of_checks.chain(of_others).collect();
    services.sort_unstable();
    services.dedup();
    let suite = |service| Suite {
        service,
        checks: (report.checks.iter())
            .filter(|check| check.subject.service == service)
            .collect(),
        not_probed: (report.not_probed.iter())
            .filter(|entry| entry.service == service)
            .collect(),
    };
    services.into_iter().map(suite).collect()
}

impl Suite<'_, '_> {
    fn tests(&self) -> usize {
        self.checks.len() + self.not_probed.len()
    }

    fn failures(&self) -> usize {
        let checks = self.checks.iter();
        checks
            .filter(|check| !check.finding.success || check.fails_to_hold())
            .count()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, report: &Report<'_>) -> fmt::Result {
        let checks = self.checks.iter();
        let seconds: f64 = checks
            .map(|check| check.finding.phases.total().as_secs_f64())
            .sum();
        let started = humantime::format_rfc3339_seconds(report.started).to_string();
        writeln!(
            f,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{seconds:.3}\" timestamp=\"{}\">",
            xml(self.service),
            self.tests(),
            self.failures(),
            self.not_probed.len(),
            started.trim_end_matches('Z'),
        )?;
        writeln!(f, "    <properties>")?;
        property(f, "reachd.version", report.version)?;
        property(f, "reachd.verdict", report.verdict.as_str())?;
        property(f, "reachd.message_id", &report.message_id.to_string())?;
        for cause in &report.causes {
            let words = format!("{} ({})", causes::headline(cause), cause.subject);
            property(f, &format!("reachd.cause.{}", cause.kind), &words)?;
        }
        writeln!(f, "    </properties>")?;
        for check in &self.checks {
            case(f, check)?;
        }
        for entry in &self.not_probed {
            writeln!(
                f,
                "    <testcase classname=\"{}\" name=\"{}\" time=\"0.000\"><skipped message=\"{}\"/></testcase>",
                xml(entry.service),
                xml(entry.endpoint),
                xml(entry.why)
            )?;
        }
        writeln!(f, "  </testsuite>")
    }
}

fn property(f: &mut fmt::Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    let (name, value) = (xml(name), xml(value));
    writeln!(f, "      <property name=\"{name}\" value=\"{value}\"/>")
}

fn case(f: &mut fmt::Formatter<'_>, check: &CheckResult<'_>) -> fmt::Result {
    let subject = &check.subject;
    write!(
        f,
        "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\"",
        xml(subject.service),
        xml(subject.route),
        xml(subject.endpoint),
        check.finding.phases.total().as_secs_f64(),
    )?;
    let of_hold = check.hold.as_ref();
    let of_hold = of_hold.and_then(|hold| hold.finding.failure.as_ref());
    // A test case has one failure: that of the hold only where the probe has none.
    let Some(failure) = check.finding.failure.as_ref().or(of_hold) else {
        return writeln!(f, "/>");
    };
    let FailureReport {
        phase,
        peer,
        reason,
        detail,
        explanation,
    } = failure;
    let weight = if subject.critical {
        "critical"
    } else {
        "not critical"
    };
    writeln!(f, ">")?;
    writeln!(
        f,
        "      <failure type=\"{phase}/{reason}\" message=\"{}\">{}</failure>",
        xml(&format!("{phase}/{reason} at the {peer}: {detail}")),
        xml(&told(
            &format!("{} over {}, {weight}\n{detail}", subject.url, subject.route),
            explanation
        ))
        .replace("&#10;", "\n"),
    )?;
    writeln!(f, "    </testcase>")
}

/// The failure with what it means and what to do.
fn told(begin: &str, explanation: &Explanation) -> String {
    let mut text = format!("{begin}\n\n{}\n", explanation.what);
    for (heading, lines) in [
        ("Likely causes", explanation.likely),
        ("What to do", explanation.steps),
    ] {
        if !lines.is_empty() {
            // Writing into a String cannot fail.
            let _ = write!(text, "\n{heading}:\n");
        }
        for line in lines {
            let _ = writeln!(text, "- {line}");
        }
    }
    let _ = write!(text, "\nWho can mend it: {}\n", explanation.owner);
    text
}

#[cfg(test)]
mod tests {
    use crate::report::sample;

    #[test]
    fn a_check_is_a_test_case() {
        let (results, not_probed) = (sample::results(), sample::not_probed());
        let report = sample::report(&results, &not_probed);
        let text = report.junit().to_string();
        assert_eq!(text.matches("<testcase ").count(), 12);
        assert_eq!(text.matches("<failure ").count(), 6);
        for expected in [
            "<testsuites name=\"reachd\" tests=\"12\" failures=\"6\" errors=\"0\" time=\"1.800\">",
            "<testcase classname=\"tenant-attach.direct\" name=\"graph.microsoft.com\"",
            "<failure type=\"dns/nxdomain\" message=\"dns/nxdomain at the endpoint: graph.microsoft.com: the resolver &quot;system&quot; answered NXDOMAIN\">",
            "name=\"&lt;cmg&gt;.cloudapp.net\" time=\"0.000\"><skipped message=\"the template",
            "name=\"reachd.cause.resolver_wrong\"",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
    }
}
