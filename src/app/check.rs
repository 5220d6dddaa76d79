//! `reachd check`: every check once, with the daemon's own engine; a report, and the verdict as exit code.

use std::io::{IsTerminal, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Fault;
use super::arguments::{CheckArguments, ReportFormat};
use super::output::print;
use super::setup::Setup;
use crate::outcome::Outcome;
use crate::plan::Check;
use crate::probe::Probe;
use crate::report::Report;

type CheckOutcome = (Arc<Check>, Arc<Outcome>);

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
    let started = SystemTime::now();
    let (outcomes, duration) = runtime.block_on(probe_all(chosen, setup.plan.concurrency))?;
    let report = Report::new(&outcomes, &setup.plan.not_probed, started, duration);
    let text = match arguments.format {
        ReportFormat::Text => report.text(stdout().is_terminal()).to_string(),
        ReportFormat::Json => report
            .json()
            .map_err(|error| Fault::Internal(format!("the report cannot be written: {error}")))?,
    };
    print(&text)?;
    Ok(ExitCode::from(report.verdict.exit_code()))
}

/// The checks that the flags ask for. Flags that ask for nothing are a mistake, not a success.
fn chosen(setup: &Setup, arguments: &CheckArguments) -> Result<Vec<(Arc<Check>, Probe)>, Fault> {
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
    let probes = setup.probes().filter(|(check, _)| wanted(check));
    let chosen: Vec<_> = probes
        .map(|(check, probe)| (Arc::clone(check), probe))
        .collect();
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

async fn probe_all(
    probes: Vec<(Arc<Check>, Probe)>,
    concurrency: usize,
) -> Result<(Vec<CheckOutcome>, Duration), Fault> {
    let clock = Instant::now();
    let progress = progress(probes.len());
    let permits = Arc::new(Semaphore::new(concurrency));
    let mut running = JoinSet::new();
    for (check, probe) in probes {
        let permits = Arc::clone(&permits);
        running.spawn(async move {
            // The semaphore is never closed; if it were, running at once would still be right.
            let _permit = permits.acquire_owned().await.ok();
            (check, Arc::new(probe.run().await))
        });
    }
    let mut outcomes = Vec::with_capacity(running.len());
    while let Some(ended) = running.join_next().await {
        let outcome = ended.map_err(|fault| {
            Fault::Internal(format!("a probe ended without an outcome: {fault}"))
        })?;
        progress.inc(1);
        outcomes.push(outcome);
    }
    progress.finish_and_clear();
    outcomes.sort_by_cached_key(|(check, _)| check.key());
    Ok((outcomes, clock.elapsed()))
}

/// A bar on standard error, if somebody looks at it.
fn progress(checks: usize) -> ProgressBar {
    let target = if stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let progress = ProgressBar::with_draw_target(u64::try_from(checks).ok(), target);
    if let Ok(style) = ProgressStyle::with_template("probing {pos}/{len} {bar:40} {elapsed}") {
        progress.set_style(style);
    }
    progress
}
