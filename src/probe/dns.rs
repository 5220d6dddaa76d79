//! The phase `dns`: a name is asked for at the configured servers, over fresh sockets and without a cache, so
//! that each probe measures the resolver and not its memory. hickory speaks the protocol; which server is
//! asked when, and what a failure is called, is decided here.

mod aliases;
mod answer;
mod datagram;
mod dialogue;
mod exchange;
mod findings;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod search;
mod system;
mod trouble;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hickory_resolver::Hosts;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::RecordType as WireType;
use tokio::time::Instant;

use self::answer::{MOST_ANSWERS_SEEN, nothing_seen, without_dot};
use self::exchange::Servers;
use self::findings::in_family_order;
use self::search::{fully_qualified, seek};
use self::system::SystemNames;
use super::ProberError;
use crate::endpoint::{DnsExpectation, DnsQuestion, ResolverSettings};
use crate::outcome::{DnsReason, DnsSeen, Failure, Observed, Peer};
use crate::platform::{NameSearch, NameSettings, NameSources};

/// Whose word it is that a name of `localhost` has: nobody is asked (RFC 6761 §6.3).
const LOCALHOST: &str = "localhost (RFC 6761)";

/// Whose word it is where the hosts file has the name. No name of a configured resolver has a blank in it.
const HOSTS_FILE: &str = "hosts file";

/// Whether it is a name at all, and so can be asked for.
pub(super) fn is_name(host: &str) -> bool {
    fully_qualified(host).is_ok()
}

/// Whoever is asked for names: the operating system's servers with its hosts file, or servers of one's own.
#[derive(Debug)]
pub(super) struct Resolver {
    name: Arc<str>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    System(SystemNames),
    Own(Arc<Known>),
}

/// What a resolver goes by at one moment.
#[derive(Debug)]
struct Known {
    servers: Servers,
    search: NameSearch,
    hosts: Hosts,
}

// === impl Resolver ===

impl Resolver {
    /// Sets up the servers; nothing is sent yet. What is wrong with the system's settings is no error here: only
    /// a probe that needs them fails.
    pub(super) fn new(settings: &ResolverSettings) -> Result<Self, ProberError> {
        Self::with_sources(settings, NameSources::of_system)
    }

    fn with_sources(
        settings: &ResolverSettings,
        sources: impl FnOnce() -> NameSources,
    ) -> Result<Self, ProberError> {
        let servers = Servers::new(settings)?;
        let source = match settings {
            ResolverSettings::System => Source::System(SystemNames::new(sources(), servers)),
            ResolverSettings::Servers { .. } => Source::Own(Arc::new(Known::of_ones_own(servers))),
        };
        Ok(Self {
            name: settings.name().into(),
            source,
        })
    }

    /// What the configuration calls it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The addresses of a host in the order in which they are to be tried (RFC 8305 §4).
    pub(super) async fn addresses(
        &self,
        host: &str,
        peer: Peer,
        deadline: Instant,
        observed: &mut Observed,
    ) -> Result<Vec<IpAddr>, Failure> {
        let known = self.known(deadline).await;
        let addresses = match known.without_asking(host) {
            Some((whose, addresses)) => {
                observed.dns.push(DnsSeen {
                    peer,
                    name: host.to_owned(),
                    resolver: whose.into(),
                    answers: addresses.iter().map(ToString::to_string).collect(),
                    ..nothing_seen()
                });
                addresses
            }
            None => self.sought(host, peer, &known, deadline, observed).await?,
        };
        let addresses = in_family_order(addresses);
        if peer == Peer::Endpoint {
            observed
                .addresses
                .extend(addresses.iter().take(MOST_ANSWERS_SEEN));
        }
        Ok(addresses)
    }

    /// Asks a question for its own sake and judges the answer.
    pub(super) async fn ask(
        &self,
        question: &DnsQuestion,
        expectation: &DnsExpectation,
        deadline: Instant,
        observed: &mut Observed,
    ) -> Result<(), Failure> {
        let record = question.record.as_str();
        let describe = |detail: &str| self.describe(&question.name, record, detail);
        let name = fully_qualified(&question.name)
            .map_err(|detail| Failure::of_endpoint(DnsReason::BadAnswer, describe(&detail)))?;
        let wire_type = answer::wire_type(question.record);
        let query = Query::query(name, wire_type);
        let known = self.known(deadline).await;
        let answer = known.servers.ask(&query, deadline).await;
        observed.dns.push(DnsSeen {
            peer: Peer::Endpoint,
            name: question.name.clone(),
            resolver: Arc::clone(&self.name),
            ..answer.seen()
        });
        let verdict = answer.judge(wire_type, expectation);
        verdict.map_err(|(reason, detail)| Failure::of_endpoint(reason, describe(&detail)))
    }

    async fn sought(
        &self,
        host: &str,
        peer: Peer,
        known: &Known,
        deadline: Instant,
        observed: &mut Observed,
    ) -> Result<Vec<IpAddr>, Failure> {
        let failure = |reason, name: &str, detail: &str| {
            Failure::new(reason, peer, self.describe(name, "A/AAAA", detail))
        };
        let sought = seek(host, &known.search, &known.servers, deadline)
            .await
            .map_err(|detail| failure(DnsReason::BadAnswer, host, &detail))?;
        let name = without_dot(&sought.name);
        observed.dns.push(DnsSeen {
            peer,
            name: name.clone(),
            resolver: Arc::clone(&self.name),
            ..sought.findings.seen()
        });
        match sought.findings.reason() {
            None => Ok(sought.findings.addresses()),
            Some(reason) => Err(failure(reason, &name, &sought.detail())),
        }
    }

    async fn known(&self, deadline: Instant) -> Arc<Known> {
        match &self.source {
            Source::System(names) => names.known(deadline).await,
            Source::Own(known) => Arc::clone(known),
        }
    }

    fn describe(&self, name: &str, record: &str, detail: &str) -> String {
        format!(
            "{name} ({record}) asked of resolver {}: {detail}",
            self.name
        )
    }
}

// === impl Known ===

impl Known {
    /// Neither the hosts file nor search domains concern servers of one's own.
    fn of_ones_own(servers: Servers) -> Self {
        Self {
            servers,
            search: NameSearch::default(),
            hosts: Hosts::default(),
        }
    }

    fn of_system(settings: NameSettings, template: &Servers) -> Self {
        Self {
            servers: template.of_system(settings.servers),
            search: settings.search,
            hosts: settings.hosts,
        }
    }

    /// The addresses of a host that no server is asked for, and whose word they are.
    fn without_asking(&self, host: &str) -> Option<(&'static str, Vec<IpAddr>)> {
        let lower = host.trim_end_matches('.').to_ascii_lowercase();
        if lower == "localhost" || lower.ends_with(".localhost") {
            let addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Some((LOCALHOST, addresses));
        }
        let addresses = self.in_hosts_file(host);
        (!addresses.is_empty()).then_some((HOSTS_FILE, addresses))
    }

    fn in_hosts_file(&self, host: &str) -> Vec<IpAddr> {
        let Ok(name) = fully_qualified(host) else {
            return Vec::new();
        };
        let found = [WireType::A, WireType::AAAA]
            .into_iter()
            .filter_map(|family| {
                let query = Query::query(name.clone(), family);
                self.hosts.lookup_static_host(&query)
            });
        found
            .flat_map(|lookup| answer::addresses_of(lookup.answers()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
