//! A configuration that was read, with the plan that it comes to: without touching trust stores or resolvers.

use std::path::Path;

use super::Fault;
use crate::catalog;
use crate::config::{Config, Problems};
use crate::discovery::{Discovery, Findings};
use crate::plan::Plan;
use crate::platform;

/// A configuration and what follows from it alone.
pub(super) struct Planned {
    pub(super) config: Config,
    /// Where further endpoints come from.
    pub(super) discovery: Discovery,
    /// Up to which revision of that the plan goes.
    pub(super) revision: u64,
    pub(super) plan: Plan,
    /// What the log should say of it.
    pub(super) notices: Vec<String>,
}

impl Planned {
    /// Reads the configuration and the files of its sources of targets.
    pub(super) fn load(file: Option<&Path>) -> Result<Self, Fault> {
        Self::succeeding(None, file)
    }

    /// The same, in the place of another one, whose sources go on where they did not change.
    pub(super) fn succeeding(
        former: Option<&Discovery>,
        file: Option<&Path>,
    ) -> Result<Self, Fault> {
        let (config, notices) = config(file)?;
        Self::of(former, config, notices)
    }

    /// What a configuration comes to.
    pub(super) fn of(
        former: Option<&Discovery>,
        config: Config,
        mut notices: Vec<String>,
    ) -> Result<Self, Fault> {
        let written = Plan::build(&config)?;
        let discovery = Discovery::new(&config, &written, former);
        let revision = discovery.revision();
        let plan = match config.discovery {
            Some(_) => with_targets(&config, &discovery)?,
            None => written,
        };
        notices.extend(config.catalog.iter().flat_map(catalog::notices));
        Ok(Self {
            config,
            discovery,
            revision,
            plan,
            notices,
        })
    }
}

/// The plan of a configuration with what its sources of targets have found so far.
pub(super) fn with_targets(config: &Config, discovery: &Discovery) -> Result<Plan, Fault> {
    let Findings {
        endpoints,
        not_probed,
    } = discovery.found(config);
    let mut plan = Plan::with_found(config, &endpoints)?;
    plan.not_probed.extend(not_probed);
    Ok(plan)
}

/// The file, or the embedded default with what there is to say of it.
pub(super) fn config(file: Option<&Path>) -> Result<(Config, Vec<String>), Fault> {
    let environment = &platform::environment;
    match file {
        Some(file) => {
            let config = Config::load_with(file, environment, wrong_with_the_catalog)?;
            Ok((config, Vec::new()))
        }
        None => Ok(Config::embedded_default(environment)?),
    }
}

/// What the catalog has to say of a configuration that is wrong elsewhere.
fn wrong_with_the_catalog(config: &Config) -> Problems {
    let selection = config.catalog.as_ref();
    selection
        .and_then(|selection| catalog::select(selection).err())
        .unwrap_or_default()
}

impl From<Problems> for Fault {
    fn from(problems: Problems) -> Self {
        Self::Usage(format!("the configuration cannot be used:\n{problems}"))
    }
}
