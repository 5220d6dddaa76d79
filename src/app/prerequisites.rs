//! `reachd prerequisites`: what tenant attach needs, judged by one round of its checks.

use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use super::Fault;
use super::arguments::PrerequisitesArguments;
use super::catalog::AnswerFormat;
use super::check::fault_in;
use super::check::round::Round;
use super::output::print;
use super::planned;
use super::setup::{Setup, standings};
use crate::catalog::{
    self, ADMINISTRATION_SERVICE, Asked, Prerequisite, Release, Scope, TENANT_ATTACH,
};
use crate::config::{CatalogSelection, Config, Located, Location};
use crate::report::{Evidence, PrerequisitesReport};
use crate::scheduler::Job;

/// The features whose checks tell something about prerequisites.
const FEATURES: [&str; 2] = [TENANT_ATTACH, ADMINISTRATION_SERVICE];

/// The variable that names the server of the administration service.
const SMS_PROVIDER: &str = "sms_provider";

/// The variable that names a host, which is one of the cloud.
const GATEWAY_HOST: &str = "gateway_host";

pub(super) fn run(
    file: Option<&Path>,
    arguments: PrerequisitesArguments,
) -> Result<ExitCode, Fault> {
    let PrerequisitesArguments {
        scope: asked,
        format,
        hold,
        no_probe,
    } = arguments;
    let (mut config, notices) = planned::config(file)?;
    let asked = asked.asked(Vec::new());
    let command = command(file, &asked);
    let selection = selection(&config, &asked);
    let scope = Scope::of(&selection)?;
    let needed = catalog::prerequisites(&scope)?;
    adapt(&mut config, selection);
    let setup = Setup::adapted(config, notices)?;
    for notice in &*setup.notices {
        tracing::warn!("{notice}");
    }
    let (jobs, not_held) = jobs(&setup, hold);
    let round = if no_probe {
        Round::nothing()
    } else {
        round_of(jobs, &setup)?
    };
    let evidence = Evidence {
        probed: !no_probe,
        results: &round.outcomes,
        holds: &round.holds,
        not_held,
        not_probed: &setup.plan.not_probed,
        trust_store: &standings(&setup.trust_store),
        command: &command,
    };
    answer(&needed, &scope, evidence, &round, format)
}

fn answer(
    needed: &[Prerequisite],
    scope: &Scope,
    evidence: Evidence<'_>,
    round: &Round,
    format: AnswerFormat,
) -> Result<ExitCode, Fault> {
    let report = PrerequisitesReport::new(needed, scope, evidence, round.started, round.duration);
    let text = match format {
        AnswerFormat::Text => report.text(stdout().is_terminal()).to_string(),
        AnswerFormat::Markdown => report.markdown().to_string(),
        AnswerFormat::Json => report
            .json()
            .map_err(|error| Fault::Internal(format!("the report cannot be written: {error}")))?,
    };
    print(&text)?;
    match fault_in(round) {
        Some(fault) => Err(Fault::Internal(fault)),
        None => Ok(ExitCode::from(report.verdict.exit_code())),
    }
}

// === the configuration, adapted ===

/// What the configuration takes from the catalog, with the flags before it, and what prerequisites need besides. For
/// another cloud or release than the configuration's it is that and nothing else: overrides and further features
/// may mean nothing there.
fn selection(config: &Config, asked: &Asked) -> CatalogSelection {
    let configured = config.catalog.as_ref();
    let mut selection = asked.over(configured);
    let cloud_differs = configured.is_none_or(|own| own.cloud.value != selection.cloud.value);
    // The newest release is meant by its number, too.
    let release = |own: &CatalogSelection| match &own.configmgr_version {
        Some(own) => Release::try_from(own.value).ok(),
        None => Some(Release::NEWEST),
    };
    let release_differs = configured.is_none_or(|own| release(own) != release(&selection));
    if cloud_differs || release_differs {
        selection.features.clear();
        selection.overrides.clear();
    }
    if cloud_differs {
        selection.variables.remove(GATEWAY_HOST);
    }
    if selection
        .features
        .iter()
        .any(|feature| feature.value == "all")
    {
        return selection;
    }
    let has_provider = selection.variables.contains_key(SMS_PROVIDER);
    for feature in FEATURES {
        let is_there = selection.features.iter().any(|one| one.value == feature);
        if !is_there && (feature == TENANT_ATTACH || has_provider) {
            selection.features.push(Located {
                value: feature.to_owned(),
                at: Location::default(),
            });
        }
    }
    selection
}

/// Nothing else is probed.
fn adapt(config: &mut Config, selection: CatalogSelection) {
    config.catalog = Some(selection);
    config.endpoints.clear();
}

/// The command as it was given, but for what says whether to probe.
fn command(file: Option<&Path>, asked: &Asked) -> String {
    let mut words = vec!["reachd prerequisites".to_owned()];
    words.extend(file.map(|file| format!("--config.file {}", file.display())));
    words.extend(asked.cloud.as_ref().map(|cloud| format!("--cloud {cloud}")));
    let release = asked.configmgr_version;
    words.extend(release.map(|release| format!("--configmgr-version {release}")));
    words.join(" ")
}

// === the round ===

/// The checks of these features, without the holds that nobody asked for; and how many those are.
fn jobs(setup: &Setup, hold: bool) -> (Vec<Job>, usize) {
    let mut jobs = setup.jobs();
    jobs.retain(|job| FEATURES.contains(&job.check.endpoint.service.as_str()));
    if hold {
        return (jobs, 0);
    }
    let mut not_held = 0;
    for job in &mut jobs {
        not_held += usize::from(job.hold.take().is_some());
    }
    (jobs, not_held)
}

fn round_of(jobs: Vec<Job>, setup: &Setup) -> Result<Round, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::Internal(format!("no runtime can be started: {error}")))?;
    Ok(runtime.block_on(Round::of(jobs, setup.concurrency())))
}

impl Round {
    /// Nothing was asked for.
    fn nothing() -> Self {
        Self {
            started: SystemTime::now(),
            duration: Duration::ZERO,
            outcomes: Vec::new(),
            holds: Vec::new(),
            broken: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reachd.yml");
        std::fs::write(&file, text).unwrap();
        planned::config(Some(&file)).unwrap().0
    }

    fn asked(cloud: Option<&str>, version: Option<u16>) -> Asked {
        Asked {
            cloud: cloud.map(str::to_owned),
            configmgr_version: version,
            ..Asked::default()
        }
    }

    fn features(selection: &CatalogSelection) -> Vec<&str> {
        let features = selection.features.iter();
        features.map(|feature| feature.value.as_str()).collect()
    }

    #[test]
    fn the_configuration_is_kept_and_completed() {
        let cases: [(&str, &[&str]); 4] = [
            (
                "endpoints: [{name: a, url: 'https://a.example'}]",
                &["tenant-attach"],
            ),
            (
                "catalog: {features: [intune]}",
                &["intune", "tenant-attach"],
            ),
            (
                "catalog: {features: [tenant-attach], variables: {sms_provider: cm01.corp.example}}",
                &["tenant-attach", "administration-service"],
            ),
            ("catalog: {features: [all]}", &["all"]),
        ];
        for (text, expected) in cases {
            let selection = selection(&config(text), &asked(None, None));
            assert_eq!(features(&selection), expected, "{text}");
        }
        let text = "catalog: {features: [tenant-attach], configmgr_version: 2503, overrides: {aka.ms: {critical: false}}}";
        for same in [asked(None, None), asked(Some("public"), Some(2503))] {
            let selection = selection(&config(text), &same);
            assert_eq!(selection.overrides.len(), 1);
        }
    }

    #[test]
    fn the_newest_release_by_its_number_is_no_other_release() {
        let text = "catalog: {features: [tenant-attach], overrides: {aka.ms: {critical: false}}}";
        let newest: u16 = Release::NEWEST.to_string().parse().unwrap();
        let selection = selection(&config(text), &asked(None, Some(newest)));
        assert_eq!(selection.overrides.len(), 1);
    }

    #[test]
    fn another_cloud_takes_nothing_that_may_mean_nothing_there() {
        let text = "catalog: {features: [tenant-attach, intune], variables: {gateway_host: us.gateway.configmgr.manage.microsoft.com, \
                    sms_provider: cm01.corp.example}, overrides: {us.gateway.configmgr.manage.microsoft.com: {critical: true}}}";
        let selection = selection(&config(text), &asked(Some("us-government"), None));
        assert_eq!(features(&selection), FEATURES);
        assert!(selection.overrides.is_empty());
        let variables: Vec<&String> = selection.variables.keys().collect();
        assert_eq!(variables, ["sms_provider"]);
        let mut config = config(text);
        adapt(&mut config, selection);
        assert!(crate::plan::Plan::build(&config).is_ok());
    }

    #[test]
    fn the_command_is_told_as_it_was_given() {
        let asked = asked(Some("public"), Some(2503));
        assert_eq!(
            command(Some(Path::new("reachd.yml")), &asked),
            "reachd prerequisites --config.file reachd.yml --cloud public --configmgr-version 2503"
        );
    }
}
