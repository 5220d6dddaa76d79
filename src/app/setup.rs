//! From a configuration file to everything that is needed to probe: made aside and whole, so that a bad file
//! changes nothing.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;
use url::Url;

use super::Fault;
use crate::catalog;
use crate::config::{Config, DerivedEndpoints, Problems};
use crate::endpoint::Hold;
use crate::observer::Redirects;
use crate::outcome::{RequiredRoot, RootStanding};
use crate::plan::{Check, CheckKey, Plan};
use crate::platform;
use crate::probe::{Probe, Prober, ProberError};
use crate::scheduler::{Concurrency, HoldFunction, Job};

/// A configuration that is ready to run.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Config,
    /// What the configuration asks for.
    base: Plan,
    /// That, and what was found while it was probed.
    pub(super) plan: Plan,
    /// What the log should say of it.
    pub(super) notices: Vec<String>,
    /// The roots that the catalog requires, in each trust store that is asked for them.
    pub(super) trust_store: Vec<RequiredRoot>,
    prober: Arc<Prober>,
}

/// A plan with what was found, and what prepares its checks.
pub(super) struct Found {
    plan: Plan,
    prober: Arc<Prober>,
}

impl Setup {
    /// Reads the file, or takes the embedded default, and prepares everything that it asks for.
    pub(super) fn load(file: Option<&Path>) -> Result<Self, Fault> {
        Self::succeeding(None, file)
    }

    /// The same, in the place of another one.
    pub(super) fn succeeding(
        former: Option<(&Prober, &Redirects)>,
        file: Option<&Path>,
    ) -> Result<Self, Fault> {
        Self::of(former, plan(file)?)
    }

    /// What a configuration comes to that was adapted to a command.
    pub(super) fn adapted(config: Config, notices: Vec<String>) -> Result<Self, Fault> {
        let plan = Plan::build(&config)?;
        Self::of(None, (config, plan, notices))
    }

    fn of(
        former: Option<(&Prober, &Redirects)>,
        (config, base, notices): (Config, Plan, Vec<String>),
    ) -> Result<Self, Fault> {
        let plan = match former {
            Some((prober, redirects)) => with_findings(&base, &config, prober, redirects),
            None => base.clone(),
        };
        let former = former.map(|(prober, _)| prober);
        let prober = match former {
            Some(former) => former.succeeding(&plan)?,
            None => Prober::new(&plan)?,
        };
        prober
            .keep_revocation_in(config.state_dir.as_deref())
            .map_err(Fault::Usage)?;
        Ok(Self {
            config,
            notices,
            trust_store: prober.trust_store(&plan),
            base,
            plan,
            prober: Arc::new(prober),
        })
    }

    /// The same with what was found meanwhile; `None` where that changes nothing.
    pub(super) fn with_what_was_found(
        &self,
        redirects: &Redirects,
    ) -> Result<Option<Found>, Fault> {
        self.found(with_findings(
            &self.base,
            &self.config,
            &self.prober,
            redirects,
        ))
    }

    /// The same with the hosts to which redirects led; `None` where that changes nothing.
    pub(super) fn with_redirects(
        &self,
        seen: &HashMap<CheckKey, Vec<Url>>,
    ) -> Result<Option<Found>, Fault> {
        self.found(self.plan.with_redirects(seen))
    }

    fn found(&self, plan: Plan) -> Result<Option<Found>, Fault> {
        if plan == self.plan {
            return Ok(None);
        }
        let prober = Arc::new(self.prober.extended(&plan)?);
        Ok(Some(Found { plan, prober }))
    }

    /// From now on, what was found belongs to it.
    pub(super) fn take(&mut self, found: Found) {
        self.plan = found.plan;
        self.prober = found.prober;
    }

    /// It is the one in force now.
    pub(super) fn comes_into_force(&self) {
        self.prober.comes_into_force();
    }

    /// It takes another one's place.
    pub(super) fn reloaded(&self) {
        self.prober.reloaded();
    }

    /// What carries over to the next one.
    pub(super) fn prober(&self) -> Arc<Prober> {
        Arc::clone(&self.prober)
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

/// The plan with the hosts to which redirects led, and with the places that the certificates of both name.
fn with_findings(base: &Plan, config: &Config, prober: &Prober, redirects: &Redirects) -> Plan {
    let plan = base.with_redirects(&redirects.places());
    match config.revocation.derived {
        DerivedEndpoints::Every(interval) => plan.with_places(&prober.places(), interval),
        DerivedEndpoints::Off => plan,
    }
}

/// How roots stand now.
pub(super) fn standings(roots: &[RequiredRoot]) -> Vec<RootStanding> {
    let now = SystemTime::now();
    roots.iter().map(|root| root.standing(now)).collect()
}

/// The configuration and the plan that it comes to, without touching trust stores or resolvers.
pub(super) fn plan(file: Option<&Path>) -> Result<(Config, Plan, Vec<String>), Fault> {
    let (config, mut notices) = config(file)?;
    let plan = Plan::build(&config)?;
    notices.extend(config.catalog.iter().flat_map(catalog::notices));
    Ok((config, plan, notices))
}

/// The file, or the embedded default with what there is to say of it.
pub(super) fn config(file: Option<&Path>) -> Result<(Config, Vec<String>), Fault> {
    let environment = &platform::environment;
    match file {
        Some(file) => Ok((Config::load(file, environment)?, Vec::new())),
        None => Ok(Config::embedded_default(environment)?),
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
