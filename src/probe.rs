//! One probe of one check: the only place that knows the order of the phases. One attempt, no cache, no
//! resumption, no pool, no hidden retry; one deadline for all phases together. A failed probe is a value.

mod authentication;
mod connect;
mod dns;
mod http;
mod journal;
mod list;
mod proxy;
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

use self::authentication::Tickets;
use self::dns::Resolver;
use self::http::{Hop, HttpProbe, Line, Server, Verdict};
use self::journal::Journal;
use self::tls::Trust;
use crate::endpoint::{
    Authority, DnsQuestion, Expectation, ResolverSettings, Target, TlsSettings, TlsVersion,
};
use crate::outcome::{Failure, Outcome, Phase};
use crate::plan::{Check, Plan};
use crate::route::{Proxy, Via};

/// Prepares the checks of a plan: what is dear to make, trust stores and resolvers, is made once and shared.
#[derive(Debug)]
pub struct Prober {
    trusts: HashMap<TrustKey, Arc<Trust>>,
    resolvers: HashMap<ResolverSettings, Arc<Resolver>>,
    tickets: Arc<Tickets>,
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
    /// The tokens of Kerberos, for a proxy that wants them.
    tickets: Arc<Tickets>,
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

/// The settings towards the proxy; where it has none of its own, there is no TLS with it.
fn proxy_tls(check: &Check) -> &TlsSettings {
    let of_proxy = check.route.proxy().and_then(|proxy| proxy.tls());
    of_proxy.unwrap_or(&check.tls)
}

// === impl Prober ===

impl Prober {
    /// Reads the trust stores and sets up the resolvers that the plan's checks name.
    ///
    /// # Errors
    /// When a trust store cannot be read or a resolver cannot be set up.
    pub fn new(plan: &Plan) -> Result<Self, ProberError> {
        let mut prober = Self {
            trusts: HashMap::new(),
            resolvers: HashMap::new(),
            tickets: Arc::new(Tickets::new()),
        };
        for check in &plan.checks {
            prober.prepare_trust(trust_key(&check.tls))?;
            prober.prepare_trust(trust_key(proxy_tls(check)))?;
            prober.prepare_resolver(&check.resolver)?;
            prober.prepare_resolver(&check.proxy_resolver)?;
        }
        Ok(prober)
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

    /// A probe of one of the plan's checks; `None` for a check of another plan.
    #[must_use]
    pub fn probe_of(&self, check: &Arc<Check>) -> Option<Probe> {
        Some(Probe {
            check: Arc::clone(check),
            resolver: Arc::clone(self.resolvers.get(&check.resolver)?),
            proxy_resolver: Arc::clone(self.resolvers.get(&check.proxy_resolver)?),
            trust: Arc::clone(self.trusts.get(&trust_key(&check.tls))?),
            proxy_trust: Arc::clone(self.trusts.get(&trust_key(proxy_tls(check)))?),
            tickets: Arc::clone(&self.tickets),
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
        let not_run = journal.not_run(&self.check);
        Outcome {
            started,
            duration,
            via: self.check.via(),
            result,
            timings: journal.timings,
            not_run,
            observed: journal.observed,
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
        self.reach(authority, journal).await.map(drop)
    }

    async fn tls(&self, authority: &Authority, journal: &mut Journal) -> Result<(), Failure> {
        let stream = self.reach(authority, journal).await?;
        self.secure(stream, authority, &[], journal).await.map(drop)
    }

    /// Follows redirects, each hop routed anew, until an answer is judged.
    async fn http(&self, journal: &mut Journal) -> Result<(), Failure> {
        let Target::Http(url) = &self.check.endpoint.target else {
            return Ok(());
        };
        let mut http = HttpProbe::new(url.clone(), self.expectation());
        loop {
            let hop = http.hop()?;
            let verdict = self.hop(&mut http, &hop, journal).await?;
            match verdict {
                Verdict::Reachable => return Ok(()),
                Verdict::Redirect(status) => {
                    let via = self.route_of(&http.hop()?.authority).0;
                    http.record_redirect(status, via, &mut journal.observed);
                }
            }
        }
    }

    /// One request: plain HTTP is asked of an HTTP proxy in absolute form; everything else over a proxy goes
    /// through a tunnel.
    async fn hop(
        &self,
        http: &mut HttpProbe<'_>,
        hop: &Hop,
        journal: &mut Journal,
    ) -> Result<Verdict, Failure> {
        if hop.secure {
            let stream = self.reach(&hop.authority, journal).await?;
            let secured = self
                .secure(stream, &hop.authority, http::ALPN, journal)
                .await?;
            let line = Line::Server(Server {
                stream: secured.stream,
                http2: secured.http2,
                client_certificate_asked: secured.client_certificate_asked,
            });
            return http.exchange(line, journal).await;
        }
        let asked = self.route_of(&hop.authority).1;
        let Some(proxy) = asked.filter(|proxy| proxy.takes_requests()) else {
            let line = Line::Server(Server {
                stream: self.reach(&hop.authority, journal).await?,
                http2: false,
                client_certificate_asked: false,
            });
            return http.exchange(line, journal).await;
        };
        let to_proxy = self.reach_proxy(proxy, journal).await?;
        let line = Line::Proxy {
            probe: self,
            proxy,
            to_proxy,
        };
        http.exchange(line, journal).await
    }

    fn route_of(&self, authority: &Authority) -> (Via, Option<&Arc<Proxy>>) {
        self.check.route.to(&authority.host, authority.port)
    }

    fn expectation(&self) -> &Expectation {
        &self.check.endpoint.expectation
    }
}
