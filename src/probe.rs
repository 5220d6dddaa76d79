//! One probe of one check: the only place that knows the order of the phases. One attempt, no cache, no
//! resumption, no pool, no hidden retry; one deadline for all phases together. A failed probe is a value.

mod authentication;
mod choice;
mod connect;
mod dns;
mod fetch;
mod hold;
mod http;
mod journal;
mod list;
mod pac;
mod proxy;
mod revocation;
mod stream;
mod tls;
mod way;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
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
use self::journal::Journal;
use self::pac::{Decider, Question};
pub use self::pac::{PacAnswer, PacTrial, PacTrialError};
use self::revocation::Inquiry;
pub use self::revocation::RevocationStore;
use self::tls::Trust;
use crate::endpoint::{
    Authority, DnsQuestion, Expectation, ResolverSettings, RevocationMode, Target, TlsSettings,
    TlsVersion,
};
use crate::outcome::{Failure, Outcome, Peer, Phase};
use crate::plan::{Check, Plan};
use crate::route::{Proxy, Via, Way};

/// Prepares the checks of a plan: what is dear to make, trust stores and resolvers, is made once and shared.
#[derive(Debug)]
pub struct Prober {
    trusts: HashMap<TrustKey, Arc<Trust>>,
    resolvers: HashMap<ResolverSettings, Arc<Resolver>>,
    deciders: HashMap<DeciderKey, Arc<Decider>>,
    tickets: Arc<Tickets>,
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
    /// The route's script, if it has one.
    decider: Option<Arc<Decider>>,
    /// The tokens of Kerberos, for a proxy that wants them.
    tickets: Arc<Tickets>,
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
type TrustKey = (Option<PathBuf>, TlsVersion);

fn trust_key(tls: &TlsSettings) -> TrustKey {
    (tls.ca_file.clone(), tls.min_version)
}

/// A script by its name in the configuration, with the resolver by which its server is found.
type DeciderKey = (String, ResolverSettings);

fn decider_key(check: &Check) -> DeciderKey {
    let name = check.route.way.name().to_owned();
    (name, check.proxy_resolver.clone())
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
    pub fn new(plan: &Plan, store: &Arc<RevocationStore>) -> Result<Self, ProberError> {
        let mut prober = Self {
            trusts: HashMap::new(),
            resolvers: HashMap::new(),
            deciders: HashMap::new(),
            tickets: Arc::new(Tickets::new()),
            store: Arc::clone(store),
        };
        for check in &plan.checks {
            prober.prepare(check)?;
            if check.revocation.mode != RevocationMode::Off {
                prober.prepare(&check.carrier())?;
            }
        }
        Ok(prober)
    }

    fn prepare(&mut self, check: &Check) -> Result<(), ProberError> {
        self.prepare_trust(trust_key(&check.tls))?;
        self.prepare_trust(trust_key(proxy_tls(check)))?;
        self.prepare_resolver(&check.resolver)?;
        self.prepare_resolver(&check.proxy_resolver)?;
        self.prepare_decider(check);
        Ok(())
    }

    fn prepare_trust(&mut self, key: TrustKey) -> Result<(), ProberError> {
        if let Entry::Vacant(vacant) = self.trusts.entry(key) {
            let (ca_file, min_version) = vacant.key();
            let trust = Trust::new(ca_file.as_deref(), *min_version)?;
            vacant.insert(Arc::new(trust));
        }
        Ok(())
    }

    fn prepare_resolver(&mut self, settings: &ResolverSettings) -> Result<(), ProberError> {
        if !self.resolvers.contains_key(settings) {
            let resolver = Resolver::new(settings)?;
            self.resolvers.insert(settings.clone(), Arc::new(resolver));
        }
        Ok(())
    }

    fn prepare_decider(&mut self, check: &Check) {
        let Way::Pac(pac) = &check.route.way else {
            return;
        };
        let resolver = self.resolvers.get(&check.proxy_resolver);
        let trust = self.trusts.get(&trust_key(proxy_tls(check)));
        let Some((resolver, trust)) = resolver.zip(trust) else {
            return;
        };
        self.deciders.entry(decider_key(check)).or_insert_with(|| {
            let fetcher = Fetcher {
                resolver: Arc::clone(resolver),
                trust: Arc::clone(trust),
                peer: Peer::Proxy,
            };
            Arc::new(Decider::new(pac.source.clone(), fetcher))
        });
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
            decider: self.deciders.get(&decider_key(check)).map(Arc::clone),
            tickets: Arc::clone(&self.tickets),
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

    /// Follows redirects, each hop routed anew, until an answer is judged.
    async fn http(&self, journal: &mut Journal) -> Result<(), Failure> {
        let Target::Http(url) = &self.check.endpoint.target else {
            return Ok(());
        };
        let http = HttpProbe::new(url.clone(), self.expectation());
        self.follow(http, journal).await.map(drop)
    }

    /// The body of what is at a URL, over this probe's route.
    async fn fetch(&self, url: &Url, post: Option<Post>) -> Result<Vec<u8>, Failure> {
        let check = Arc::new(self.check.for_url(url));
        let probe = Self {
            check,
            ..self.clone()
        };
        let mut journal = Journal::new(Instant::now() + probe.check.timeout);
        let http = HttpProbe::fetching(url.clone(), probe.expectation(), post);
        let http = probe.follow(http, &mut journal).await?;
        Ok(http.into_body())
    }

    async fn follow<'a>(
        &self,
        mut http: HttpProbe<'a>,
        journal: &mut Journal,
    ) -> Result<HttpProbe<'a>, Failure> {
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
            let verdict = self.hop(&mut http, &hop, &mut choice, journal).await;
            if redirect.is_some() {
                http.amend_redirect(choice.via(), &mut journal.observed);
            }
            match verdict? {
                Verdict::Reachable => return Ok(http),
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
                client_certificate_asked: secured.client_certificate_asked,
            });
            return http.exchange(line, journal).await;
        }
        loop {
            let proxy = choice.attempt(journal);
            let line = self.plain_line(proxy.as_ref(), hop, journal).await;
            choice.reached(journal);
            let verdict = match line {
                Ok(line) => http.exchange(line, journal).await,
                Err(failure) => Err(failure),
            };
            if let Some(verdict) = choice.conclude(verdict, journal) {
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
                client_certificate_asked: false,
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
