//! One probe of one check: the only place that knows the order of the phases. One attempt, no cache, no
//! resumption, no pool, no hidden retry; one deadline for all phases together. A failed probe is a value.

mod authentication;
mod choice;
mod connect;
mod dns;
mod fetch;
mod hold;
mod http;
mod intermediate;
mod journal;
mod list;
mod pac;
mod proxy;
mod revocation;
mod stream;
mod tls;
mod way;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use thiserror::Error;
use tokio::time::Instant;
use url::Url;

use self::authentication::Tickets;
use self::choice::Choice;
use self::dns::Resolver;
use self::fetch::Fetcher;
use self::http::{Hop, HttpProbe, Line, Post, Server, Verdict};
use self::intermediate::Diagnoses;
use self::journal::Journal;
use self::pac::{Decider, Question};
pub use self::pac::{PAC_COMMAND, PacAnswer, PacTrial, PacTrialError, run_pac_scripts};
use self::revocation::{Inquiry, RevocationStore};
use self::tls::{Demand, Identity, Trust};
use crate::endpoint::{
    Authority, ClientFiles, DnsQuestion, Expectation, ExpectedRoot, ResolverSettings,
    RevocationMode, Target, TlsSettings, TlsVersion,
};
use crate::outcome::{Failure, Outcome, Peer, Phase, RootStanding};
use crate::plan::{Check, Plan};
use crate::route::{Credentials, KerberosIdentity, PacSource, Proxy, Via, Way};

/// Prepares the checks of a plan: what is dear to make, trust stores and resolvers, is made once and shared.
#[derive(Debug)]
pub struct Prober {
    trusts: HashMap<TrustKey, Arc<Trust>>,
    identities: HashMap<ClientFiles, Arc<Identity>>,
    resolvers: HashMap<ResolverSettings, Arc<Resolver>>,
    deciders: HashMap<DeciderKey, Arc<Decider>>,
    tickets: Arc<Tickets>,
    /// Whose tickets the plan's proxies are given.
    ticket_holders: HashSet<KerberosIdentity>,
    diagnoses: Arc<Diagnoses>,
    store: Arc<RevocationStore>,
}

/// A check that is ready to be probed again and again.
#[derive(Debug, Clone)]
pub struct Probe {
    check: Arc<Check>,
    resolver: Arc<Resolver>,
    proxy_resolver: Arc<Resolver>,
    trust: Arc<Trust>,
    /// Whom to trust towards a proxy, if it is spoken to over TLS.
    proxy_trust: Arc<Trust>,
    /// As whom to appear to the endpoint, where it asks.
    identity: Option<Arc<Identity>>,
    /// As whom to appear to the proxy.
    proxy_identity: Option<Arc<Identity>>,
    /// The route's script, if it has one.
    decider: Option<Arc<Decider>>,
    /// The tokens of Kerberos, for a proxy that wants them.
    tickets: Arc<Tickets>,
    /// What was found out about broken chains of late.
    diagnoses: Arc<Diagnoses>,
    /// What finds out whether certificates were revoked, where that is wanted.
    revocation: Option<Inquiry>,
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
        resolver: check.proxy_resolver.clone(),
    })
}

/// The settings towards the proxy; where it has none of its own, there is no TLS with it.
fn proxy_tls(check: &Check) -> &TlsSettings {
    check.route.way.proxy_tls().unwrap_or(&check.tls)
}

// === impl Prober ===

impl Prober {
    /// Reads the trust stores and sets up the resolvers that the plan's checks name. Lists and answers about revocation
    /// are kept in `store`.
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

    fn with_former(plan: &Plan, former: Option<&Self>) -> Result<Self, ProberError> {
        let mut prober = Self {
            trusts: HashMap::new(),
            identities: HashMap::new(),
            resolvers: HashMap::new(),
            deciders: HashMap::new(),
            tickets: former.map_or_else(Arc::default, |former| Arc::clone(&former.tickets)),
            ticket_holders: HashSet::new(),
            diagnoses: Arc::default(),
            store: former.map_or_else(Arc::default, |former| Arc::clone(&former.store)),
        };
        for check in &plan.checks {
            prober.prepare(check, former)?;
            if check.revocation.mode != RevocationMode::Off {
                prober.prepare(&check.carrier(), former)?;
            }
        }
        Ok(prober)
    }

    fn prepare(&mut self, check: &Check, former: Option<&Self>) -> Result<(), ProberError> {
        self.prepare_trust(trust_key(&check.tls))?;
        self.prepare_trust(trust_key(proxy_tls(check)))?;
        self.prepare_identity(check.tls.client.as_ref())?;
        self.prepare_identity(proxy_tls(check).client.as_ref())?;
        self.prepare_resolver(&check.resolver)?;
        self.prepare_resolver(&check.proxy_resolver)?;
        self.prepare_decider(check, former);
        if let Some(Credentials::Negotiate(identity)) = check.route.way.credentials() {
            self.ticket_holders.insert(identity.clone());
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
        let resolver = self.resolvers.get(&check.proxy_resolver);
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
    pub fn comes_into_force(&self) {
        self.tickets.keep_only(self.ticket_holders.clone());
    }

    /// Keeps lists and answers about revocation below this folder too, so that a start needs none of them anew.
    ///
    /// # Errors
    /// In one line, why nothing can be kept there.
    pub fn keep_revocation_in(&self, folder: Option<&Path>) -> Result<(), String> {
        self.store.keep_in(folder)
    }

    /// How the roots stand that the plan's catalog endpoints may need, in the store that their checks use.
    #[must_use]
    pub fn trust_store(&self, plan: &Plan) -> Vec<RootStanding> {
        let mut standings: Vec<RootStanding> = Vec::new();
        for check in plan
            .checks
            .iter()
            .filter(|check| check.endpoint.cloud.is_some())
        {
            let chain = check.endpoint.expectation.chain.as_ref();
            let needed = chain.map(|chain| chain.roots.iter()).into_iter().flatten();
            let is_new = |root: &&ExpectedRoot| {
                let mut known = standings.iter();
                !known.any(|known| known.sha256 == root.sha256.as_str())
            };
            let new: Vec<&ExpectedRoot> = needed.filter(is_new).collect();
            let trust = self.trusts.get(&trust_key(&check.tls));
            if let Some(trust) = trust.filter(|_| !new.is_empty()) {
                standings.extend(trust.standings(&new, SystemTime::now()));
            }
        }
        standings
    }

    /// A probe of one of the plan's checks; `None` for a check of another plan.
    #[must_use]
    pub fn probe_of(&self, check: &Arc<Check>) -> Option<Probe> {
        let mut probe = self.bare_probe_of(check)?;
        if check.revocation.mode != RevocationMode::Off {
            let carrier = self.bare_probe_of(&Arc::new(check.carrier()))?;
            probe.revocation = Some(Inquiry {
                carrier: Arc::new(carrier),
                store: Arc::clone(&self.store),
            });
        }
        Some(probe)
    }

    /// One that does not ask about revocation.
    fn bare_probe_of(&self, check: &Arc<Check>) -> Option<Probe> {
        Some(Probe {
            check: Arc::clone(check),
            resolver: Arc::clone(self.resolvers.get(&check.resolver)?),
            proxy_resolver: Arc::clone(self.resolvers.get(&check.proxy_resolver)?),
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
            revocation: None,
        })
    }
}

// === impl Probe ===

impl Probe {
    /// Probes once, within the check's timeout.
    pub async fn run(&self) -> Outcome {
        let started = SystemTime::now();
        let clock = Instant::now();
        let mut journal = Journal::new(clock + self.check.timeout);
        let result = match &self.check.endpoint.target {
            Target::Http(_) => self.http(&mut journal).await,
            Target::Tls(authority) => self.tls(authority, &mut journal).await,
            Target::Tcp(authority) => self.tcp(authority, &mut journal).await,
            Target::Dns(question) => self.dns(question, &mut journal).await,
        };
        let duration = clock.elapsed();
        let (via, not_run) = (journal.via(&self.check), journal.not_run(&self.check));
        let warnings = std::mem::take(&mut journal.warnings);
        let (timings, observed) = journal.evidence();
        Outcome {
            started,
            duration,
            via,
            result,
            timings,
            not_run,
            warnings,
            observed,
        }
    }

    async fn dns(&self, question: &DnsQuestion, journal: &mut Journal) -> Result<(), Failure> {
        let expectation = &self.check.endpoint.expectation.dns;
        let started = Instant::now();
        let answer = self
            .resolver
            .ask(
                question,
                expectation,
                journal.deadline,
                &mut journal.observed,
            )
            .await;
        journal.took(Phase::Dns.with_endpoint(), started);
        answer
    }

    async fn tcp(&self, authority: &Authority, journal: &mut Journal) -> Result<(), Failure> {
        let mut choice = self.tunnelled(authority, journal).await?;
        self.reach(&mut choice, authority, journal).await.map(drop)
    }

    async fn tls(&self, authority: &Authority, journal: &mut Journal) -> Result<(), Failure> {
        let mut choice = self.tunnelled(authority, journal).await?;
        let stream = self.reach(&mut choice, authority, journal).await?;
        let secured = self.secure(stream, authority, &[], journal).await?;
        self.look_for_revocation(&secured.presented, journal).await
    }

    async fn tunnelled(
        &self,
        authority: &Authority,
        journal: &mut Journal,
    ) -> Result<Choice, Failure> {
        let question = || Question::of_tunnel(authority);
        self.choose(authority, question, journal).await
    }

    async fn http(&self, journal: &mut Journal) -> Result<(), Failure> {
        let Target::Http(url) = &self.check.endpoint.target else {
            return Ok(());
        };
        let mut http = HttpProbe::new(url.clone(), self.expectation());
        self.follow(&mut http, journal).await
    }

    /// The body of what is at a URL, over this probe's route.
    async fn fetch(
        &self,
        url: &Url,
        post: Option<Post>,
        most_bytes: usize,
    ) -> Result<Vec<u8>, Failure> {
        let check = Arc::new(self.check.for_url(url, most_bytes));
        let probe = Self {
            check,
            ..self.clone()
        };
        let mut journal = Journal::of_errand(Instant::now() + probe.check.timeout);
        let mut http = HttpProbe::fetching(url.clone(), probe.expectation(), post);
        probe.follow(&mut http, &mut journal).await?;
        Ok(http.into_body())
    }

    /// Follows redirects, each hop routed anew, until an answer is judged.
    async fn follow(&self, http: &mut HttpProbe<'_>, journal: &mut Journal) -> Result<(), Failure> {
        let mut redirect = None;
        loop {
            let hop = http.hop()?;
            let choice = self.choose(&hop.authority, || http.question(&hop), journal);
            let chosen = choice.await;
            if let Some(status) = redirect {
                let via = chosen.as_ref().map_or(Via::Pac, Choice::via);
                http.record_redirect(status, via, &mut journal.observed);
            }
            let mut choice = chosen?;
            let verdict = self.hop(http, &hop, &mut choice, journal).await;
            if redirect.is_some() {
                http.amend_redirect(choice.via(), &mut journal.observed);
            }
            match verdict? {
                Verdict::Reachable => return Ok(()),
                Verdict::Redirect(status) => redirect = Some(status),
            }
            journal.redirected();
        }
    }

    /// One request: plain HTTP is asked of an HTTP proxy in absolute form; everything else over a proxy goes
    /// through a tunnel.
    async fn hop(
        &self,
        http: &mut HttpProbe<'_>,
        hop: &Hop,
        choice: &mut Choice,
        journal: &mut Journal,
    ) -> Result<Verdict, Failure> {
        if hop.secure {
            let stream = self.reach(choice, &hop.authority, journal).await?;
            let secured = self
                .secure(stream, &hop.authority, http::ALPN, journal)
                .await?;
            self.look_for_revocation(&secured.presented, journal)
                .await?;
            let line = Line::Server(Server {
                stream: secured.stream,
                http2: secured.http2,
                demand: secured.demand,
            });
            return http.exchange(line, journal.deadline, journal).await;
        }
        loop {
            let proxy = choice.attempt(journal);
            let line = self.plain_line(proxy.as_ref(), hop, journal).await;
            let share = journal.deadline;
            let asks_proxy = matches!(line, Ok(Line::Proxy { .. }));
            let verdict = match line {
                Ok(line) => {
                    choice.reached(journal);
                    let begins_by = if asks_proxy { share } else { journal.deadline };
                    http.exchange(line, begins_by, journal).await
                }
                Err(failure) => Err(failure),
            };
            let verdict = if asks_proxy {
                choice.conclude_asked(verdict, journal)
            } else {
                choice.conclude(verdict, journal)
            };
            if let Some(verdict) = verdict {
                return verdict;
            }
        }
    }

    async fn plain_line<'p>(
        &'p self,
        proxy: Option<&'p Arc<Proxy>>,
        hop: &Hop,
        journal: &mut Journal,
    ) -> Result<Line<'p>, Failure> {
        let Some(asked) = proxy.filter(|proxy| proxy.takes_requests()) else {
            return Ok(Line::Server(Server {
                stream: self.reach_over(proxy, &hop.authority, journal).await?,
                http2: false,
                demand: Demand::None,
            }));
        };
        let to_proxy = self.reach_proxy(asked, journal).await?;
        Ok(Line::Proxy {
            probe: self,
            proxy: asked,
            to_proxy,
        })
    }

    fn expectation(&self) -> &Expectation {
        &self.check.endpoint.expectation
    }
}
