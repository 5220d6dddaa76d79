//! One probe of one check: the only place that knows the order of the phases. One attempt, no cache, no
//! resumption, no pool, no hidden retry; one deadline for all phases together. A failed probe is a value.

mod authentication;
mod choice;
mod connect;
mod dns;
mod errand;
mod fetch;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod hold;
mod http;
mod intermediate;
mod journal;
mod list;
mod pac;
mod prober;
mod proxy;
mod revocation;
mod stream;
mod tls;
mod way;

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;
use url::Url;

use self::authentication::Tickets;
use self::choice::Choice;
use self::dns::Resolver;
pub use self::errand::{Errand, Fetched};
use self::http::{Hop, HttpProbe, Line, Post, Server, Verdict};
use self::intermediate::Diagnoses;
use self::journal::Journal;
use self::pac::{Decider, Question};
pub use self::pac::{PAC_COMMAND, PacAnswer, PacTrial, PacTrialError, run_pac_scripts};
pub use self::prober::{Prober, ProberError};
use self::revocation::{Inquiry, Ledger, RevocationStore};
use self::tls::{Demand, Identity, Trust};
use crate::endpoint::{Authority, DnsQuestion, Expectation, Shared, Target};
use crate::outcome::{Failure, Outcome, Phase};
use crate::plan::Check;
use crate::route::{Proxy, Via};

/// A check that is ready to be probed again and again.
#[derive(Debug, Clone)]
pub struct Probe {
    check: Arc<Check>,
    means: Shared<Means>,
    /// What finds out whether certificates were revoked, where that is wanted.
    revocation: Option<Inquiry>,
}

/// With what a check is probed: many checks have it alike.
#[derive(Debug, Clone)]
struct Means {
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
    /// The tokens of Kerberos, for a proxy or an endpoint that wants them.
    tickets: Arc<Tickets>,
    /// What was found out about broken chains of late.
    diagnoses: Arc<Diagnoses>,
    /// What is known of revocation.
    store: Arc<RevocationStore>,
    /// What the certificates of all checks name.
    ledger: Arc<Ledger>,
}

impl Probe {
    /// Probes once, within the check's timeout.
    pub async fn run(&self) -> Outcome {
        let _turn = self.turn_to_read().await;
        let started = SystemTime::now();
        let clock = Instant::now();
        let mut journal = Journal::new(clock + self.check.timeout);
        let result = match &self.check.endpoint.target {
            Target::Http(url) => self.http(url, &mut journal).await,
            Target::Tls(authority) => self.tls(authority, &mut journal).await,
            Target::Tcp(authority) => self.tcp(authority, &mut journal).await,
            Target::Dns(question) => self.dns(question, &mut journal).await,
        };
        let duration = clock.elapsed();
        if let Some(inquiry) = &self.revocation {
            inquiry.page.write(&journal.chains, result.is_ok());
        }
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
            .means
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

    async fn http(&self, url: &Url, journal: &mut Journal) -> Result<(), Failure> {
        if let Some(publication) = self.check.endpoint.publishes {
            return self.look_at_publication(publication, url, journal).await;
        }
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
    async fn follow<'p>(
        &'p self,
        http: &mut HttpProbe<'p>,
        journal: &mut Journal,
    ) -> Result<(), Failure> {
        let mut redirect = None;
        loop {
            let hop = http.hop()?;
            http.logs_in(|| self.login_at(&hop, journal));
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
                Verdict::Redirect(status) => {
                    redirect = Some(status);
                    journal.redirected();
                }
                Verdict::LoginGoesOn => redirect = None,
            }
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
                .secure(stream, &hop.authority, http.alpn(), journal)
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

impl PartialEq for Means {
    /// Whether they are the very same.
    fn eq(&self, other: &Self) -> bool {
        fn same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
            one.map(Arc::as_ptr) == other.map(Arc::as_ptr)
        }
        Arc::ptr_eq(&self.resolver, &other.resolver)
            && Arc::ptr_eq(&self.proxy_resolver, &other.proxy_resolver)
            && Arc::ptr_eq(&self.trust, &other.trust)
            && Arc::ptr_eq(&self.proxy_trust, &other.proxy_trust)
            && same(self.identity.as_ref(), other.identity.as_ref())
            && same(self.proxy_identity.as_ref(), other.proxy_identity.as_ref())
            && same(self.decider.as_ref(), other.decider.as_ref())
            && Arc::ptr_eq(&self.tickets, &other.tickets)
            && Arc::ptr_eq(&self.diagnoses, &other.diagnoses)
            && Arc::ptr_eq(&self.store, &other.store)
            && Arc::ptr_eq(&self.ledger, &other.ledger)
    }
}

#[cfg(test)]
mod tests;
