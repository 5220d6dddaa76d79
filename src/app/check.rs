//! `reachd check`: every check once, with the daemon's own engine; a report, and the verdict as exit code.

pub(super) mod round;

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use self::round::Round;
use super::Fault;
use super::arguments::{CheckArguments, ReportFormat};
use super::output::print;
use super::setup::{Setup, standings};
use crate::catalog::NotProbed;
use crate::diagnosis::{Cause, Finding, diagnose};
use crate::endpoint::Origin;
use crate::outcome::{HoldOutcome, Outcome, RootStanding};
use crate::plan::{Check, CheckKey, Shard};
use crate::report::{Report, Verdict};
use crate::scheduler::Job;

pub(super) fn run(
    file: Option<&Path>,
    shard: Option<Shard>,
    arguments: &CheckArguments,
) -> Result<ExitCode, Fault> {
    let mut setup = Setup::load(file, shard)?;
    for notice in &*setup.notices {
        tracing::warn!("{notice}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::Internal(format!("no runtime can be started: {error}")))?;
    runtime.block_on(setup.ask_servers())?;
    let mut chosen = chosen(&setup, arguments)?;
    let not_held = without_holds(&mut chosen, arguments.hold)?;
    let mut round = runtime.block_on(Round::of(chosen, setup.concurrency()));
    let led_to = round.led_to();
    if let Some(found) = setup.with_redirects(led_to)? {
        setup.take(found);
        // With --endpoint, nobody asked for another one.
        let is_new = |job: &Job| job.check.endpoint.origin == Origin::Redirect;
        if arguments.endpoints.is_empty() {
            let found = setup.jobs().into_iter().filter(is_new).collect();
            round.add(runtime.block_on(Round::of(found, setup.concurrency())));
        }
    }
    // All that is wanted is there: a disk that hangs keeps nobody from reading it.
    runtime.shutdown_background();
    let aside = Aside {
        not_probed: setup.plan.not_probed.clone(),
        not_held,
        trust_store: standings(&setup.trust_store),
        in_full: arguments.verbose,
        broken_sources: setup.discovery.problems(),
    };
    let Answer { report, verdict } = answer(&round, aside, arguments.format)?;
    print(&report)?;
    verdict.map(|verdict| ExitCode::from(verdict.exit_code()))
}

/// What a round comes to. A fault of reachd in one check takes the verdict, and leaves the others their report.
#[derive(Debug)]
struct Answer {
    report: String,
    verdict: Result<Verdict, Fault>,
}

/// What the report says beside what the round found.
#[derive(Debug, Default)]
struct Aside {
    not_probed: Vec<NotProbed>,
    not_held: usize,
    trust_store: Vec<RootStanding>,
    in_full: bool,
    /// What is wrong with the sources of targets: what they would name was not probed.
    broken_sources: Vec<String>,
}

fn answer(round: &Round, aside: Aside, format: ReportFormat) -> Result<Answer, Fault> {
    let Aside {
        mut not_probed,
        not_held,
        trust_store,
        in_full,
        broken_sources,
    } = aside;
    let fault = fault_in(round);
    if let (Some(fault), true) = (&fault, round.outcomes.is_empty()) {
        // A report on nothing would say that all is well.
        return Err(Fault::Internal(fault.clone()));
    }
    let least = if broken_sources.is_empty() {
        Verdict::Ok
    } else {
        Verdict::Warning
    };
    not_probed.extend(broken_sources.into_iter().map(|why| NotProbed {
        service: "discovery".to_owned(),
        endpoint: "what a broken source of targets names".to_owned(),
        why,
    }));
    not_probed.extend(round.broken.iter().map(|(check, _)| NotProbed {
        service: check.endpoint.service.clone(),
        endpoint: check.endpoint.name.clone(),
        why: format!(
            "its probe over the route {} ended by a fault of reachd",
            check.route.name
        ),
    }));
    let report = Report::new(&round.outcomes, &not_probed, round.started, round.duration)
        .with_holds(&round.holds)
        .with_causes(causes_of(round, &trust_store))
        .without_holds(not_held)
        .with_trust_store(&trust_store)
        .at_least(least)
        .in_full(in_full);
    let text = match format {
        ReportFormat::Text => report.text(stdout().is_terminal()).to_string(),
        ReportFormat::Json => report.json().map_err(cannot_write)?,
        ReportFormat::Markdown => report.markdown().to_string(),
        ReportFormat::Junit => report.junit().to_string(),
        ReportFormat::Html => report.html().map_err(cannot_write)?,
    };
    Ok(Answer {
        report: text,
        verdict: fault.map_or(Ok(report.verdict), |fault| Err(Fault::Internal(fault))),
    })
}

fn cannot_write(error: impl Display) -> Fault {
    Fault::Internal(format!("the report cannot be written: {error}"))
}

/// What the round comes to. All of it was made at once, and there is no second round to confirm it.
fn causes_of(round: &Round, roots: &[RootStanding]) -> Vec<Cause> {
    let holds: HashMap<CheckKey, &Arc<HoldOutcome>> = round
        .holds
        .iter()
        .map(|(check, hold)| (check.key(), hold))
        .collect();
    let finding = |(check, outcome): &(Arc<Check>, Arc<Outcome>)| Finding {
        hold: holds.get(&check.key()).copied().map(Arc::clone),
        ..Finding::of_round(check, outcome, round.started)
    };
    let findings: Vec<Finding> = round.outcomes.iter().map(finding).collect();
    diagnose(&findings, roots, SystemTime::now())
}

/// The checks whose probes broke, one a line.
pub(super) fn fault_in(round: &Round) -> Option<String> {
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
    if setup.plan.checks.is_empty() {
        let mut fault = "the sources of targets name nothing that can be probed".to_owned();
        for problem in setup.discovery.problems() {
            fault.push_str("\n  ");
            fault.push_str(&problem);
        }
        return Err(Fault::Usage(fault));
    }
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

/// Takes the holds away that nobody asked for, and says how many they were. To ask for them where there are none is a
/// mistake, too.
fn without_holds(jobs: &mut [Job], asked: bool) -> Result<usize, Fault> {
    let holds = jobs.iter().filter(|job| job.hold.is_some()).count();
    match (asked, holds) {
        (true, 0) => Err(Fault::Usage(
            "no endpoint that is chosen has a `hold`, so that --hold asks for nothing".to_owned(),
        )),
        (true, _) => Ok(0),
        (false, _) => {
            for job in jobs {
                job.hold = None;
            }
            Ok(holds)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::plan::fixture::{self, cut, expired, held, success};
    use crate::scheduler::Concurrency;

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
        let concurrency = Concurrency {
            probes: 2,
            holds: 2,
        };
        let round = Round::of(jobs.into_iter().collect(), concurrency).await;
        answer(&round, Aside::default(), format)
    }

    #[tokio::test]
    async fn the_worst_finding_is_the_verdict() {
        let jobs = [job("well", || success(1)), job("expired", || expired(1))];
        let answer = answer_to(jobs, ReportFormat::Text).await.unwrap();
        assert_eq!(answer.verdict.unwrap(), Verdict::Critical);
    }

    type ProbeOf = fn() -> Arc<Outcome>;
    type HoldOf = fn() -> Arc<HoldOutcome>;

    fn held_job(name: &str, probe: ProbeOf, hold: HoldOf) -> Job {
        let job = job(name, probe);
        Job {
            check: fixture::with_hold(&job.check),
            hold: Some(Arc::new(move || Box::pin(async move { (*hold()).clone() }))),
            ..job
        }
    }

    #[tokio::test]
    async fn a_hold_that_fails_is_not_critical() {
        let cases: [(ProbeOf, HoldOf, Verdict, &str); 3] = [
            (
                || success(1),
                || held(1),
                Verdict::Ok,
                "held 180 s of 180 s",
            ),
            (
                || success(1),
                || cut(1),
                Verdict::Warning,
                "closed after 4.0 s of 180 s by the proxy: hold/closed_early",
            ),
            (|| expired(1), || cut(1), Verdict::Critical, "closed_early"),
        ];
        for (probe, hold, verdict, words) in cases {
            let jobs = [held_job("held", probe, hold)];
            let answer = answer_to(jobs, ReportFormat::Text).await.unwrap();
            assert_eq!(answer.verdict.unwrap(), verdict);
            assert!(answer.report.contains(words), "{}", answer.report);
        }
    }

    #[tokio::test]
    async fn the_report_has_what_the_hold_found() {
        let jobs = [
            held_job("held", || success(1), || cut(1)),
            job("not", || success(1)),
        ];
        let answer = answer_to(jobs, ReportFormat::Json).await.unwrap();
        let report: serde_json::Value = serde_json::from_str(&answer.report).unwrap();
        let hold = &report["checks"][0]["hold"];
        assert_eq!(
            (&hold["for_seconds"], &hold["seconds"], &hold["success"]),
            (&180.0.into(), &4.0.into(), &false.into())
        );
        assert_eq!(hold["failure"]["reason"], "closed_early");
        assert_eq!(hold["phases"][1]["phase"], "hold");
        assert!(report["checks"][1].get("hold").is_none());
    }

    #[test]
    fn holds_are_run_when_they_are_asked_for() {
        let jobs = || {
            [
                held_job("held", || success(1), || held(1)),
                job("not", || success(1)),
            ]
        };
        let mut asked = jobs();
        assert_eq!(without_holds(&mut asked, true).unwrap(), 0);
        assert!(asked[0].hold.is_some());
        let mut not_asked = jobs();
        assert_eq!(without_holds(&mut not_asked, false).unwrap(), 1);
        assert!(not_asked[0].hold.is_none());
        let for_nothing = without_holds(&mut jobs()[1..], true);
        assert!(matches!(for_nothing, Err(Fault::Usage(_))));
    }

    #[tokio::test]
    async fn a_probe_that_panics_takes_the_verdict_and_not_the_report() {
        for format in ReportFormat::value_variants().iter().copied() {
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
