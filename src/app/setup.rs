//! From a configuration file to everything that is needed to probe: made aside and whole, so that a bad file
//! changes nothing.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use url::Url;

use super::Fault;
use super::planned::{Planned, with_targets};
use crate::config::{Config, DerivedEndpoints, ShownConfig};
use crate::discovery::Discovery;
use crate::endpoint::Hold;
use crate::observer::Redirects;
use crate::outcome::{RequiredRoot, RootStanding};
use crate::plan::{Check, CheckKey, Named, Plan, Shard};
use crate::platform::make_private_folder;
use crate::probe::{Probe, Prober, ProberError};
use crate::scheduler::{Concurrency, HoldFunction, Job};

/// How long the servers of targets may take where they are asked once.
const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration that is ready to run.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// Without the endpoints, where no source of targets can make a further plan of them: they are in the plan.
    pub(super) config: Arc<Config>,
    /// The configuration as it is shown.
    pub(super) shown: ShownConfig,
    /// Where further endpoints come from.
    pub(super) discovery: Arc<Discovery>,
    /// Which of several reachd this is.
    pub(super) shard: Option<Shard>,
    /// What the configuration asks for, and its sources of targets; of all shards.
    base: Arc<Plan>,
    /// What this reachd runs of that, and what was found while it was probed.
    pub(super) plan: Arc<Plan>,
    /// What the plan was made of.
    clues: Arc<Clues>,
    /// What the log should say of it.
    pub(super) notices: Arc<[String]>,
    /// The roots that the catalog requires.
    pub(super) trust_store: Vec<RequiredRoot>,
    prober: Arc<Prober>,
}

/// What carries over from one configuration to the next.
pub(super) struct Heritage {
    base: Arc<Plan>,
    prober: Arc<Prober>,
    discovery: Arc<Discovery>,
    shard: Option<Shard>,
    redirects: Arc<Redirects>,
}

/// What leads to endpoints that the configuration does not name.
#[derive(Debug, Default, PartialEq)]
struct Clues {
    /// Up to which revision of the sources of targets it goes.
    revision: u64,
    /// Where redirects lead.
    redirects: HashMap<CheckKey, Vec<Url>>,
    /// What certificates name.
    places: HashMap<CheckKey, Arc<[Named]>>,
}

/// A plan with what was found, and what prepares its checks.
pub(super) struct Found {
    clues: Arc<Clues>,
    base: Arc<Plan>,
    plan: Arc<Plan>,
    prober: Arc<Prober>,
}

impl Setup {
    /// Reads the file, or takes the embedded default, and prepares everything that it asks for.
    pub(super) fn load(file: Option<&Path>, shard: Option<Shard>) -> Result<Self, Fault> {
        Self::of(None, shard, Planned::load(file)?)
    }

    /// The same, in the place of another one.
    pub(super) fn succeeding(former: &Heritage, file: Option<&Path>) -> Result<Self, Fault> {
        let planned = Planned::succeeding(Some(&former.discovery), file)?;
        Self::of(Some(former), former.shard, planned)
    }

    /// What a configuration comes to that was adapted to a command.
    pub(super) fn adapted(config: Config, notices: Vec<String>) -> Result<Self, Fault> {
        Self::of(None, None, Planned::of(None, config, notices)?)
    }

    fn of(
        former: Option<&Heritage>,
        shard: Option<Shard>,
        planned: Planned,
    ) -> Result<Self, Fault> {
        let Planned {
            mut config,
            discovery,
            revision,
            plan: base,
            notices,
        } = planned;
        let shown = ShownConfig::new(&config.effective_yaml());
        if config.discovery.is_none() {
            config.endpoints = Vec::new();
        }
        let base = match former {
            Some(former) => base.reusing(&former.base),
            None => base,
        };
        let clues = match former {
            Some(former) => Clues::of(revision, &config, &former.prober, &former.redirects),
            None => Clues {
                revision,
                ..Clues::default()
            },
        };
        let plan = clues.followed(&base, &config, shard);
        let prober = match former {
            Some(former) => former.prober.succeeding(&plan)?,
            None => Prober::new(&plan)?,
        };
        if let Some(folder) = &config.state_dir {
            // Why it cannot be made is told by whoever writes to it first.
            make_private_folder(folder).ok();
        }
        prober
            .keep_revocation_in(config.state_dir.as_deref())
            .map_err(Fault::Usage)?;
        Ok(Self {
            config: Arc::new(config),
            shown,
            discovery: Arc::new(discovery),
            notices: notices.into(),
            trust_store: prober.trust_store(&plan),
            shard,
            base: Arc::new(base),
            plan: Arc::new(plan),
            clues: Arc::new(clues),
            prober: Arc::new(prober),
        })
    }

    /// The same with what was found meanwhile; `None` where that changes nothing.
    pub(super) fn with_what_was_found(
        &self,
        redirects: &Redirects,
    ) -> Result<Option<Found>, Fault> {
        let revision = self.discovery.revision();
        self.following(Clues::of(revision, &self.config, &self.prober, redirects))
    }

    /// The same with the hosts to which redirects led; `None` where that changes nothing.
    pub(super) fn with_redirects(
        &self,
        redirects: HashMap<CheckKey, Vec<Url>>,
    ) -> Result<Option<Found>, Fault> {
        self.following(Clues {
            revision: self.discovery.revision(),
            redirects,
            places: HashMap::new(),
        })
    }

    fn following(&self, clues: Clues) -> Result<Option<Found>, Fault> {
        if clues == *self.clues {
            return Ok(None);
        }
        let base = if clues.revision == self.clues.revision {
            Arc::clone(&self.base)
        } else {
            let plan = with_targets(&self.config, &self.discovery)?;
            Arc::new(plan.reusing(&self.base))
        };
        let plan = clues.followed(&base, &self.config, self.shard);
        let plan = plan.reusing(&self.plan);
        let prober = Arc::new(self.prober.extended(&plan)?);
        Ok(Some(Found {
            clues: Arc::new(clues),
            base,
            plan: Arc::new(plan),
            prober,
        }))
    }

    /// From now on, what was found belongs to it.
    pub(super) fn take(&mut self, found: Found) {
        let Found {
            clues,
            base,
            plan,
            prober,
        } = found;
        self.clues = clues;
        self.base = base;
        self.plan = plan;
        self.prober = prober;
    }

    /// Asks the servers of targets once, and takes what they name.
    pub(super) async fn ask_servers(&mut self) -> Result<(), Fault> {
        self.discovery.ask_once(&self.prober, PATIENCE).await;
        if let Some(found) = self.with_what_was_found(&Redirects::default())? {
            self.take(found);
        }
        Ok(())
    }

    /// It is the one in force now.
    pub(super) fn comes_into_force(&self) {
        self.prober.comes_into_force(&self.plan);
        self.discovery.begin(&self.prober);
    }

    /// It takes another one's place.
    pub(super) fn reloaded(&self) {
        self.prober.reloaded();
    }

    /// What carries over to the next one.
    pub(super) fn heritage(&self, redirects: &Arc<Redirects>) -> Heritage {
        Heritage {
            base: Arc::clone(&self.base),
            prober: Arc::clone(&self.prober),
            discovery: Arc::clone(&self.discovery),
            shard: self.shard,
            redirects: Arc::clone(redirects),
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
                hold: check
                    .endpoint
                    .hold
                    .as_deref()
                    .map(|hold| holding(&probe, *hold)),
                probe: Arc::new(move || {
                    let probe = Arc::clone(&probe);
                    Box::pin(async move { probe.run().await.trimmed() })
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

impl Clues {
    fn of(revision: u64, config: &Config, prober: &Prober, redirects: &Redirects) -> Self {
        Self {
            revision,
            redirects: redirects.places(),
            places: match config.revocation.derived {
                DerivedEndpoints::Every(_) => prober.places(),
                DerivedEndpoints::Off => HashMap::new(),
            },
        }
    }

    /// The plan with the hosts to which redirects led, and with the places that the certificates of both name; of that
    /// what the shard runs. It comes last, so that nothing counts as found that another shard probes anyway.
    fn followed(&self, base: &Plan, config: &Config, shard: Option<Shard>) -> Plan {
        let plan = base.with_redirects(&self.redirects);
        let plan = match config.revocation.derived {
            DerivedEndpoints::Every(interval) => plan.with_places(&self.places, interval),
            DerivedEndpoints::Off => plan,
        };
        match shard {
            Some(shard) => plan.of_shard(shard),
            None => plan,
        }
    }
}

/// How roots stand now.
pub(super) fn standings(roots: &[RequiredRoot]) -> Vec<RootStanding> {
    let now = SystemTime::now();
    roots.iter().map(|root| root.standing(now)).collect()
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
