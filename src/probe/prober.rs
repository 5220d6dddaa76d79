//! Prepares the checks of a plan. What is dear to make is made once and shared: trust stores, client certificates,
//! resolvers, proxy scripts. What is known of the world goes on over a reload.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tokio::sync::watch;

use super::authentication::Tickets;
use super::dns::Resolver;
use super::errand::Errand;
use super::fetch::Fetcher;
use super::intermediate::Diagnoses;
use super::pac::Decider;
use super::revocation::{Inquiry, Ledger, RevocationStore};
use super::tls::{Identity, Trust};
use super::{Means, Probe};
use crate::endpoint::{
    ClientFiles, ExpectedRoot, Pool, ResolverSettings, RevocationMode, Shared, TlsSettings,
    TlsVersion,
};
use crate::outcome::{Peer, RequiredRoot};
use crate::plan::{Check, CheckKey, Named, Plan};
use crate::route::{Credentials, KerberosIdentity, PacSource, Way};

/// What the operating system's trust store goes by.
const SYSTEM_STORE: &str = "system";

/// Prepares the checks of a plan: what is dear to make, trust stores and resolvers, is made once and shared.
#[derive(Debug)]
pub struct Prober {
    trusts: HashMap<TrustKey, Arc<Trust>>,
    identities: HashMap<ClientFiles, Arc<Identity>>,
    resolvers: HashMap<ResolverSettings, Arc<Resolver>>,
    deciders: HashMap<DeciderKey, Arc<Decider>>,
    tickets: Arc<Tickets>,
    /// Whose tickets the plan's proxies and endpoints are given.
    ticket_holders: HashSet<KerberosIdentity>,
    diagnoses: Arc<Diagnoses>,
    store: Arc<RevocationStore>,
    ledger: Arc<Ledger>,
    /// What many checks have alike.
    means: Mutex<Pool<Means>>,
}

/// Why a plan cannot be probed at all.
#[derive(Debug, Error)]
pub enum ProberError {
    /// No certificate could be had from the operating system's trust store.
    #[error(
        "the operating system's trust store gave no certificate: {0}; install ca-certificates, or set tls.ca_file"
    )]
    NoSystemRoots(String),
    /// A file of certificate authorities changed or went away after the configuration was read.
    #[error("{}: no certificate authorities could be read from it: {detail}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// The files of a client certificate changed or went away after the configuration was read.
    #[error("{0}")]
    ClientCertificate(String),
    /// A resolver's settings cannot be used.
    #[error("resolver {name}: {detail}")]
    Resolver {
        /// The name in the configuration.
        name: String,
        /// Why.
        detail: String,
    },
    /// The TLS library refused its settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// The part of the TLS settings on which a trust store depends.
type TrustKey = (Option<PathBuf>, TlsVersion, TlsVersion);

fn trust_key(tls: &TlsSettings) -> TrustKey {
    (tls.ca_file.clone(), tls.min_version, tls.max_version)
}

/// A script by its name in the configuration, with everything on which it depends: where these are equal after a
/// reload, what is known of it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DeciderKey {
    name: String,
    source: PacSource,
    trust: TrustKey,
    resolver: ResolverSettings,
}

fn decider_key(check: &Check) -> Option<DeciderKey> {
    let Way::Pac(pac) = &check.route.way else {
        return None;
    };
    Some(DeciderKey {
        name: pac.name.clone(),
        source: pac.source.clone(),
        trust: trust_key(proxy_tls(check)),
        resolver: ResolverSettings::clone(&check.proxy_resolver),
    })
}

/// The settings towards the proxy; where it has none of its own, there is no TLS with it.
fn proxy_tls(check: &Check) -> &TlsSettings {
    check.route.way.proxy_tls().unwrap_or(&check.tls)
}

// === impl Prober ===

impl Prober {
    /// Reads the trust stores and sets up the resolvers that the plan's checks name, and of those whose certificates are
    /// looked up, what that needs.
    ///
    /// # Errors
    /// When a trust store cannot be read or a resolver cannot be set up.
    pub fn new(plan: &Plan) -> Result<Self, ProberError> {
        Self::with_former(plan, None)
    }

    /// The same for the plan that comes after this one's: proxy scripts that did not change, their processes, and
    /// what is known of them go on, and so do the tickets of Kerberos.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn succeeding(&self, plan: &Plan) -> Result<Self, ProberError> {
        Self::with_former(plan, Some(self))
    }

    /// The same for the same configuration with some checks more or less: nothing is read or set up anew.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn extended(&self, plan: &Plan) -> Result<Self, ProberError> {
        let mut prober = Self {
            trusts: self.trusts.clone(),
            identities: self.identities.clone(),
            resolvers: self.resolvers.clone(),
            deciders: self.deciders.clone(),
            diagnoses: Arc::clone(&self.diagnoses),
            ..Self::bare(Some(self))
        };
        prober.prepare_all(plan, Some(self))?;
        Ok(prober)
    }

    fn with_former(plan: &Plan, former: Option<&Self>) -> Result<Self, ProberError> {
        let mut prober = Self::bare(former);
        prober.prepare_all(plan, former)?;
        Ok(prober)
    }

    /// With what goes on for ever, and nothing prepared.
    fn bare(former: Option<&Self>) -> Self {
        Self {
            trusts: HashMap::new(),
            identities: HashMap::new(),
            resolvers: HashMap::new(),
            deciders: HashMap::new(),
            tickets: former.map_or_else(Arc::default, |former| Arc::clone(&former.tickets)),
            ticket_holders: HashSet::new(),
            diagnoses: Arc::default(),
            store: former.map_or_else(Arc::default, |former| Arc::clone(&former.store)),
            ledger: former.map_or_else(Arc::default, |former| Arc::clone(&former.ledger)),
            means: Mutex::default(),
        }
    }

    fn prepare_all(&mut self, plan: &Plan, former: Option<&Self>) -> Result<(), ProberError> {
        for errand in &plan.errands {
            self.prepare(errand, former)?;
        }
        for check in &plan.checks {
            self.prepare(check, former)?;
            if check.revocation.mode != RevocationMode::Off {
                self.prepare(&check.carrier(), former)?;
            }
        }
        Ok(())
    }

    fn prepare(&mut self, check: &Check, former: Option<&Self>) -> Result<(), ProberError> {
        self.prepare_trust(trust_key(&check.tls))?;
        self.prepare_trust(trust_key(proxy_tls(check)))?;
        self.prepare_identity(check.tls.client.as_ref())?;
        self.prepare_identity(proxy_tls(check).client.as_ref())?;
        self.prepare_resolver(&check.resolver)?;
        self.prepare_resolver(&check.proxy_resolver)?;
        self.prepare_decider(check, former);
        let of_proxy = check.route.way.credentials();
        for credentials in of_proxy.into_iter().chain(check.credentials.as_deref()) {
            if let Credentials::Negotiate(identity) = credentials {
                self.ticket_holders.insert(identity.clone());
            }
        }
        Ok(())
    }

    fn prepare_trust(&mut self, key: TrustKey) -> Result<(), ProberError> {
        if let Entry::Vacant(vacant) = self.trusts.entry(key) {
            let (ca_file, min_version, max_version) = vacant.key();
            let trust = Trust::new(ca_file.as_deref(), *min_version..=*max_version)?;
            vacant.insert(Arc::new(trust));
        }
        Ok(())
    }

    fn prepare_identity(&mut self, files: Option<&ClientFiles>) -> Result<(), ProberError> {
        if let Some(files) = files
            && !self.identities.contains_key(files)
        {
            let identity = Identity::new(files)?;
            self.identities.insert(files.clone(), Arc::new(identity));
        }
        Ok(())
    }

    fn identity_of(&self, tls: &TlsSettings) -> Option<Arc<Identity>> {
        let identity = self.identities.get(tls.client.as_ref()?)?;
        Some(Arc::clone(identity))
    }

    fn prepare_resolver(&mut self, settings: &ResolverSettings) -> Result<(), ProberError> {
        if !self.resolvers.contains_key(settings) {
            let resolver = Resolver::new(settings)?;
            self.resolvers.insert(settings.clone(), Arc::new(resolver));
        }
        Ok(())
    }

    fn prepare_decider(&mut self, check: &Check, former: Option<&Self>) {
        let Some(key) = decider_key(check) else {
            return;
        };
        let resolver = self.resolvers.get(&*check.proxy_resolver);
        let trust = self.trusts.get(&trust_key(proxy_tls(check)));
        let Some((resolver, trust)) = resolver.zip(trust) else {
            return;
        };
        let former = former.and_then(|former| former.deciders.get(&key));
        let source = key.source.clone();
        self.deciders.entry(key).or_insert_with(|| {
            let fetcher = Fetcher {
                resolver: Arc::clone(resolver),
                trust: Arc::clone(trust),
                peer: Peer::Proxy,
            };
            Arc::new(match former {
                Some(former) => former.succeeded(fetcher),
                None => Decider::new(source, fetcher),
            })
        });
    }

    /// The plan is the one in force now: no tickets are got for anybody else.
    pub fn comes_into_force(&self, plan: &Plan) {
        self.tickets.keep_only(self.ticket_holders.clone());
        self.ledger.keep_only(plan);
    }

    /// The configuration was read anew: what could not be fetched before may be had now.
    pub fn reloaded(&self) {
        self.store.forget_failures();
    }

    /// The places where the authorities of the certificates publish that each check met of late.
    #[must_use]
    pub fn places(&self) -> HashMap<CheckKey, Arc<[Named]>> {
        self.ledger.places()
    }

    /// Tells when those may have become others; from this plan, and all that succeed it.
    #[must_use]
    pub fn changes_of_places(&self) -> watch::Receiver<()> {
        self.ledger.changes()
    }

    /// Keeps lists and answers about revocation below this folder too, so that a start needs none of them anew.
    ///
    /// # Errors
    /// In one line, why nothing can be kept there.
    pub fn keep_revocation_in(&self, folder: Option<&Path>) -> Result<(), String> {
        self.store.keep_in(folder)
    }

    /// The roots that the plan's catalog endpoints may need, as each trust store has them that their checks use.
    #[must_use]
    pub fn trust_store(&self, plan: &Plan) -> Vec<RequiredRoot> {
        let mut known: Vec<RequiredRoot> = Vec::new();
        let checks = plan.checks.iter();
        for check in checks.filter(|check| check.endpoint.cloud.is_some()) {
            let store = match &check.tls.ca_file {
                Some(file) => file.display().to_string(),
                None => SYSTEM_STORE.to_owned(),
            };
            let chain = check.endpoint.expectation.chain.as_ref();
            let needed = chain.map(|chain| chain.roots.iter()).into_iter().flatten();
            let is_new = |root: &&ExpectedRoot| {
                let mut known = known.iter();
                !known.any(|known| known.store == store && known.sha256 == root.sha256.as_str())
            };
            let new: Vec<&ExpectedRoot> = needed.filter(is_new).collect();
            let trust = self.trusts.get(&trust_key(&check.tls));
            if let Some(trust) = trust.filter(|_| !new.is_empty()) {
                known.extend(trust.required(&store, &new));
            }
        }
        known
    }

    /// A probe of one of the plan's checks; `None` for a check of another plan.
    #[must_use]
    pub fn probe_of(&self, check: &Arc<Check>) -> Option<Probe> {
        let mut probe = self.bare_probe_of(check)?;
        if check.revocation.mode != RevocationMode::Off {
            probe.revocation = Some(Inquiry {
                means: self.means_of(&check.carrier())?,
                page: self.ledger.page(check, &check.revocation.route.name),
            });
        }
        Some(probe)
    }

    /// What fetches over the route of one of the plan's errands; `None` for one of another plan.
    #[must_use]
    pub fn errand_of(&self, errand: &Arc<Check>) -> Option<Errand> {
        self.bare_probe_of(errand).map(Errand)
    }

    /// One that does not ask about revocation.
    fn bare_probe_of(&self, check: &Arc<Check>) -> Option<Probe> {
        Some(Probe {
            check: Arc::clone(check),
            means: self.means_of(check)?,
            revocation: None,
        })
    }

    fn means_of(&self, check: &Check) -> Option<Shared<Means>> {
        let means = Means {
            resolver: Arc::clone(self.resolvers.get(&*check.resolver)?),
            proxy_resolver: Arc::clone(self.resolvers.get(&*check.proxy_resolver)?),
            trust: Arc::clone(self.trusts.get(&trust_key(&check.tls))?),
            proxy_trust: Arc::clone(self.trusts.get(&trust_key(proxy_tls(check)))?),
            identity: self.identity_of(&check.tls),
            proxy_identity: check
                .route
                .way
                .proxy_tls()
                .and_then(|tls| self.identity_of(tls)),
            decider: decider_key(check)
                .and_then(|key| self.deciders.get(&key))
                .map(Arc::clone),
            tickets: Arc::clone(&self.tickets),
            diagnoses: Arc::clone(&self.diagnoses),
            store: Arc::clone(&self.store),
            ledger: Arc::clone(&self.ledger),
        };
        let mut known = self.means.lock().unwrap_or_else(PoisonError::into_inner);
        Some(known.keep(means))
    }
}

#[cfg(test)]
mod tests;
