//! From a configuration file to everything that is needed to probe: made aside and whole, so that a bad file
//! changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Fault;
use crate::config::{Config, DerivedEndpoints, Problems};
use crate::discovery::{Discovery, Findings};
use crate::endpoint::Hold;
use crate::outcome::RootStanding;
use crate::plan::{Check, Plan};
use crate::platform;
use crate::probe::{Probe, Prober, ProberError};
use crate::scheduler::{Concurrency, HoldFunction, Job};

/// How long the servers of targets may take where they are asked once.
const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration that is ready to run.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Config,
    /// Where further endpoints come from.
    pub(super) discovery: Arc<Discovery>,
    /// Up to which revision of that the plan goes.
    revision: u64,
    /// What the configuration asks for, and its sources of targets.
    base: Plan,
    /// That, and what was found while it was probed.
    pub(super) plan: Plan,
    /// What the log should say of it.
    pub(super) notices: Vec<String>,
    /// How the roots stand that the catalog requires.
    pub(super) trust_store: Vec<RootStanding>,
    prober: Arc<Prober>,
}

/// What carries over from one configuration to the next.
pub(super) struct Heritage {
    prober: Arc<Prober>,
    discovery: Arc<Discovery>,
}

/// A plan with what was found, and what prepares its checks.
pub(super) struct Found {
    revision: u64,
    base: Plan,
    plan: Plan,
    prober: Arc<Prober>,
}

/// A configuration that was read, with the plan that it comes to.
pub(super) struct Planned {
    pub(super) config: Config,
    pub(super) discovery: Discovery,
    revision: u64,
    pub(super) plan: Plan,
    pub(super) notices: Vec<String>,
}

impl Setup {
    /// Reads the file, or takes the embedded default, and prepares everything that it asks for.
    pub(super) fn load(file: Option<&Path>) -> Result<Self, Fault> {
        Self::succeeding(None, file)
    }

    /// The same, in the place of another one.
    pub(super) fn succeeding(
        former: Option<&Heritage>,
        file: Option<&Path>,
    ) -> Result<Self, Fault> {
        let sources = former.map(|former| &*former.discovery);
        let former = former.map(|former| &*former.prober);
        let Planned {
            config,
            discovery,
            revision,
            plan: base,
            notices,
        } = Planned::succeeding(sources, file)?;
        let plan = match former {
            Some(former) => with_places(&base, &config, former),
            None => base.clone(),
        };
        let prober = match former {
            Some(former) => former.succeeding(&plan)?,
            None => Prober::new(&plan)?,
        };
        prober
            .keep_revocation_in(config.state_dir.as_deref())
            .map_err(Fault::Usage)?;
        Ok(Self {
            config,
            discovery: Arc::new(discovery),
            revision,
            notices,
            trust_store: prober.trust_store(&plan),
            base,
            plan,
            prober: Arc::new(prober),
        })
    }

    /// The same with what was found meanwhile; `None` where that changes nothing.
    pub(super) fn with_what_was_found(&self) -> Result<Option<Found>, Fault> {
        let revision = self.discovery.revision();
        let base = if revision == self.revision {
            self.base.clone()
        } else {
            with_targets(&self.config, &self.discovery)?
        };
        let plan = with_places(&base, &self.config, &self.prober);
        if plan == self.plan {
            return Ok(None);
        }
        let prober = Arc::new(self.prober.extended(&plan)?);
        Ok(Some(Found {
            revision,
            base,
            plan,
            prober,
        }))
    }

    /// From now on, what was found belongs to it.
    pub(super) fn take(&mut self, found: Found) {
        let Found {
            revision,
            base,
            plan,
            prober,
        } = found;
        self.revision = revision;
        self.base = base;
        self.plan = plan;
        self.prober = prober;
    }

    /// Asks the servers of targets once, and takes what they name.
    pub(super) async fn ask_servers(&mut self) -> Result<(), Fault> {
        self.discovery.ask_once(&self.prober, PATIENCE).await;
        if let Some(found) = self.with_what_was_found()? {
            self.take(found);
        }
        Ok(())
    }

    /// It is the one in force now.
    pub(super) fn comes_into_force(&self) {
        self.prober.comes_into_force();
        self.discovery.begin(&self.prober);
    }

    /// What carries over to the next one.
    pub(super) fn heritage(&self) -> Heritage {
        Heritage {
            prober: Arc::clone(&self.prober),
            discovery: Arc::clone(&self.discovery),
        }
    }

    /// Tells when something may have been found; of this setup and all that succeed it.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.prober.changes_of_places()
    }

    /// How much may be under way at once.
    pub(super) fn concurrency(&self) -> Concurrency {
        Concurrency {
            probes: self.plan.concurrency,
            holds: self.plan.hold_concurrency,
        }
    }

    /// Each check with the probe that runs it.
    pub(super) fn jobs(&self) -> Vec<Job> {
        let job = |check: &Arc<Check>| {
            let probe = Arc::new(self.prober.probe_of(check)?);
            Some(Job {
                check: Arc::clone(check),
                hold: check.endpoint.hold.map(|hold| holding(&probe, hold)),
                probe: Arc::new(move || {
                    let probe = Arc::clone(&probe);
                    Box::pin(async move { probe.run().await })
                }),
            })
        };
        self.plan.checks.iter().filter_map(job).collect()
    }
}

fn holding(probe: &Arc<Probe>, hold: Hold) -> HoldFunction {
    let probe = Arc::clone(probe);
    Arc::new(move || {
        let probe = Arc::clone(&probe);
        Box::pin(async move { probe.hold(&hold).await })
    })
}

fn with_places(base: &Plan, config: &Config, prober: &Prober) -> Plan {
    match config.revocation.derived {
        DerivedEndpoints::Every(interval) => base.with_places(&prober.places(), interval),
        DerivedEndpoints::Off => base.clone(),
    }
}

/// The configuration with what its sources of targets have found so far.
fn with_targets(config: &Config, discovery: &Discovery) -> Result<Plan, Fault> {
    let Findings {
        endpoints,
        not_probed,
    } = discovery.found(config);
    let mut plan = Plan::with_found(config, &endpoints)?;
    plan.not_probed.extend(not_probed);
    Ok(plan)
}

impl Planned {
    /// Reads the configuration and the files of its sources of targets, without touching trust stores or resolvers.
    pub(super) fn load(file: Option<&Path>) -> Result<Self, Fault> {
        Self::succeeding(None, file)
    }

    fn succeeding(former: Option<&Discovery>, file: Option<&Path>) -> Result<Self, Fault> {
        let environment = &platform::environment;
        let (config, notices) = match file {
            Some(file) => (Config::load(file, environment)?, Vec::new()),
            None => Config::embedded_default(environment)?,
        };
        let written = Plan::build(&config)?;
        let discovery = Discovery::new(&config, &written, former);
        let revision = discovery.revision();
        let plan = with_targets(&config, &discovery)?;
        Ok(Self {
            config,
            discovery,
            revision,
            plan,
            notices,
        })
    }
}

impl From<Problems> for Fault {
    fn from(problems: Problems) -> Self {
        Self::Usage(format!("the configuration cannot be used:\n{problems}"))
    }
}

impl From<ProberError> for Fault {
    fn from(error: ProberError) -> Self {
        match error {
            ProberError::CaFile { .. }
            | ProberError::ClientCertificate(_)
            | ProberError::Resolver { .. } => Self::Usage(error.to_string()),
            ProberError::NoSystemRoots(_) | ProberError::Tls(_) => {
                Self::Internal(error.to_string())
            }
        }
    }
}
