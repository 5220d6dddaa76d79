//! `reachd check`: every check once, with the daemon's own engine; a report, and the verdict as exit code.

mod round;

use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::process::ExitCode;

use self::round::Round;
use super::Fault;
use super::arguments::{CheckArguments, ReportFormat};
use super::output::print;
use super::setup::Setup;
use crate::catalog::NotProbed;
use crate::plan::Check;
use crate::report::{Report, Verdict};
use crate::scheduler::Job;

pub(super) fn run(file: Option<&Path>, arguments: &CheckArguments) -> Result<ExitCode, Fault> {
    let setup = Setup::load(file)?;
    for notice in &setup.notices {
        tracing::warn!("{notice}");
    }
    let chosen = chosen(&setup, arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::Internal(format!("no runtime can be started: {error}")))?;
    let round = runtime.block_on(Round::of(chosen, setup.plan.concurrency));
    let Answer { report, verdict } = answer(&round, setup.plan.not_probed, arguments.format)?;
    print(&report)?;
    verdict.map(|verdict| ExitCode::from(verdict.exit_code()))
}

/// What a round comes to. A fault of reachd in one check takes the verdict, and leaves the others their report.
#[derive(Debug)]
struct Answer {
    report: String,
    verdict: Result<Verdict, Fault>,
}

fn answer(
    round: &Round,
    mut not_probed: Vec<NotProbed>,
    format: ReportFormat,
) -> Result<Answer, Fault> {
    let fault = fault_in(round);
    if let (Some(fault), true) = (&fault, round.outcomes.is_empty()) {
        // A report on nothing would say that all is well.
        return Err(Fault::Internal(fault.clone()));
    }
    not_probed.extend(round.broken.iter().map(|(check, _)| NotProbed {
        service: check.endpoint.service.clone(),
        endpoint: check.endpoint.name.clone(),
        why: format!(
            "its probe over the route {} ended by a fault of reachd",
            check.route.name
        ),
    }));
    let report = Report::new(&round.outcomes, &not_probed, round.started, round.duration);
    let text = match format {
        ReportFormat::Text => report.text(stdout().is_terminal()).to_string(),
        ReportFormat::Json => report
            .json()
            .map_err(|error| Fault::Internal(format!("the report cannot be written: {error}")))?,
    };
    Ok(Answer {
        report: text,
        verdict: fault.map_or(Ok(report.verdict), |fault| Err(Fault::Internal(fault))),
    })
}

/// The checks whose probes broke, one a line.
fn fault_in(round: &Round) -> Option<String> {
    let broken = round.broken.iter().map(|(check, fault)| {
        let key = check.key();
        format!(
            "\n  {} {} over {}: {fault}",
            key.service, key.endpoint, key.route
        )
    });
    let broken: String = broken.collect();
    let fault = "probes ended by a fault of reachd, please report it:";
    (!broken.is_empty()).then(|| format!("{fault}{broken}"))
}

/// The checks that the flags ask for. Flags that ask for nothing are a mistake, not a success.
fn chosen(setup: &Setup, arguments: &CheckArguments) -> Result<Vec<Job>, Fault> {
    let CheckArguments {
        endpoints,
        routes,
        services,
        ..
    } = arguments;
    let asked = |names: &[String], name: &String| names.is_empty() || names.contains(name);
    let wanted = |check: &Check| {
        asked(endpoints, &check.endpoint.name)
            && asked(routes, &check.route.name)
            && asked(services, &check.endpoint.service)
    };
    let mut chosen = setup.jobs();
    chosen.retain(|job| wanted(&job.check));
    if chosen.is_empty() {
        let names = |name: fn(&Check) -> &str| {
            let mut names: Vec<&str> = setup.plan.checks.iter().map(|check| name(check)).collect();
            names.sort_unstable();
            names.dedup();
            names.join(", ")
        };
        return Err(Fault::Usage(format!(
            "no check of the plan fits --endpoint, --route and --service\n  services: {}\n  routes: {}\n  endpoints: {}",
            names(|check| &check.endpoint.service),
            names(|check| &check.route.name),
            names(|check| &check.endpoint.name),
        )));
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::outcome::Outcome;
    use crate::plan::fixture::{self, expired, success};

    fn job(name: &str, probe: fn() -> Arc<Outcome>) -> Job {
        Job {
            check: fixture::check("site", name, &format!("https://{name}.example/")),
            probe: Arc::new(move || Box::pin(async move { (*probe()).clone() })),
            hold: None,
        }
    }

    fn broken() -> Arc<Outcome> {
        panic!("a fault in a probe");
    }

    async fn answer_to(
        jobs: impl IntoIterator<Item = Job>,
        format: ReportFormat,
    ) -> Result<Answer, Fault> {
        let round = Round::of(jobs.into_iter().collect(), 2).await;
        answer(&round, Vec::new(), format)
    }

    #[tokio::test]
    async fn the_worst_finding_is_the_verdict() {
        let jobs = [job("well", || success(1)), job("expired", || expired(1))];
        let answer = answer_to(jobs, ReportFormat::Text).await.unwrap();
        assert_eq!(answer.verdict.unwrap(), Verdict::Critical);
    }

    #[tokio::test]
    async fn a_probe_that_panics_takes_the_verdict_and_not_the_report() {
        for format in [ReportFormat::Text, ReportFormat::Json] {
            let jobs = [
                job("broken", broken),
                job("expired", || expired(1)),
                job("well", || success(1)),
            ];
            let answer = answer_to(jobs, format).await.unwrap();
            for expected in ["well", "expired", "broken", "a fault of reachd"] {
                assert!(answer.report.contains(expected), "{}", answer.report);
            }
            let Err(Fault::Internal(fault)) = answer.verdict else {
                panic!("{:?}", answer.verdict);
            };
            assert!(fault.contains("site broken over direct: "), "{fault}");
            assert!(fault.contains("a fault in a probe"), "{fault}");
            assert!(!fault.contains("expired"), "{fault}");
        }
    }

    #[tokio::test]
    async fn where_nothing_was_found_nothing_is_reported() {
        let answer = answer_to([job("broken", broken)], ReportFormat::Text).await;
        assert!(matches!(answer, Err(Fault::Internal(_))), "{answer:?}");
    }
}
