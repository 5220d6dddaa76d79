//! The phase `dns`: a name is asked for at the configured servers, over fresh sockets and without a cache, so
//! that each probe measures the resolver and not its memory. hickory speaks the protocol; which server is
//! asked when, and what a failure is called, is decided here.

mod answer;
mod exchange;
mod findings;
mod trouble;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hickory_resolver::Hosts;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType as WireType};
use tokio::time::Instant;

use self::exchange::Servers;
use self::findings::{Findings, in_family_order};
use super::ProberError;
use crate::endpoint::{DnsExpectation, DnsQuestion, ResolverSettings};
use crate::outcome::{DnsReason, DnsSeen, Failure, Observed, Peer};

/// A set of servers that are asked for names.
#[derive(Debug)]
pub(super) struct Resolver {
    name: String,
    servers: Servers,
    local: Option<Local>,
}

/// What the operating system knows of names besides its servers.
#[derive(Debug)]
struct Local {
    hosts: Arc<Hosts>,
    search: Vec<Name>,
}

impl Resolver {
    /// Sets up the servers; nothing is sent yet.
    pub(super) fn new(
        settings: &ResolverSettings,
        hosts: &Arc<Hosts>,
    ) -> Result<Self, ProberError> {
        let (servers, search) = Servers::new(settings)?;
        let is_system = matches!(settings, ResolverSettings::System);
        Ok(Self {
            name: settings.name().to_owned(),
            servers,
            local: is_system.then(|| Local {
                hosts: Arc::clone(hosts),
                search,
            }),
        })
    }

    /// The addresses of a host in the order in which they are to be tried (RFC 8305 §4).
    pub(super) async fn addresses(
        &self,
        host: &str,
        peer: Peer,
        deadline: Instant,
        observed: &mut Observed,
    ) -> Result<Vec<IpAddr>, Failure> {
        if let Some(addresses) = self.locally_known(host) {
            return Ok(in_family_order(addresses));
        }
        let mut last = Findings::none();
        for name in self.candidates(host, peer)? {
            last = Findings::of(&self.servers, &name, deadline).await;
            if last.reason() != Some(DnsReason::NxDomain) {
                break;
            }
        }
        observed.dns.push(DnsSeen {
            peer,
            name: host.to_owned(),
            resolver: self.name.clone(),
            ..last.seen()
        });
        match last.reason() {
            None => {
                let addresses = in_family_order(last.addresses());
                if peer == Peer::Endpoint {
                    observed.addresses.extend(&addresses);
                }
                Ok(addresses)
            }
            Some(reason) => Err(Failure::new(
                reason,
                peer,
                self.describe(host, "A/AAAA", &last.detail()),
            )),
        }
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
        let answer = self
            .servers
            .ask(&Query::query(name, wire_type), deadline)
            .await;
        observed.dns.push(DnsSeen {
            peer: Peer::Endpoint,
            name: question.name.clone(),
            resolver: self.name.clone(),
            ..answer.seen()
        });
        let verdict = answer.judge(wire_type, expectation);
        verdict.map_err(|(reason, detail)| Failure::of_endpoint(reason, describe(&detail)))
    }

    fn locally_known(&self, host: &str) -> Option<Vec<IpAddr>> {
        let lower = host.trim_end_matches('.').to_ascii_lowercase();
        if lower == "localhost" || lower.ends_with(".localhost") {
            // RFC 6761 §6.3: never asked of a server.
            return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let hosts = &self.local.as_ref()?.hosts;
        let name = fully_qualified(host).ok()?;
        let families = [WireType::A, WireType::AAAA].into_iter();
        let found = families
            .filter_map(|family| hosts.lookup_static_host(&Query::query(name.clone(), family)));
        let addresses: Vec<IpAddr> = found
            .flat_map(|lookup| answer::addresses_of(lookup.answers()))
            .collect();
        (!addresses.is_empty()).then_some(addresses)
    }

    /// The names to ask for: a host without a dot is looked for in the system's search domains first.
    fn candidates(&self, host: &str, peer: Peer) -> Result<Vec<Name>, Failure> {
        let name = fully_qualified(host).map_err(|detail| {
            Failure::new(
                DnsReason::BadAnswer,
                peer,
                self.describe(host, "A/AAAA", &detail),
            )
        })?;
        let search = self.local.iter().flat_map(|local| &local.search);
        let searched = search
            .filter(|_| !host.contains('.'))
            .filter_map(|domain| name.clone().append_domain(domain).ok());
        let mut candidates: Vec<Name> = searched.collect();
        candidates.push(name);
        Ok(candidates)
    }

    fn describe(&self, name: &str, record: &str, detail: &str) -> String {
        format!(
            "{name} ({record}) asked of resolver {}: {detail}",
            self.name
        )
    }
}

/// A label is taken as it is: whoever read the host did its IDNA, and to the DNS any octet is a letter (RFC 2181
/// §11). Windows hosts have names such as `cm_01`, which the rules for host names of RFC 1123 forbid.
fn fully_qualified(host: &str) -> Result<Name, String> {
    let labels = host.strip_suffix('.').unwrap_or(host).split('.');
    Name::from_labels(labels.map(str::as_bytes))
        .map_err(|error| format!("not a domain name: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_the_dns_can_hold_can_be_asked_for() {
        let table = [
            "cm_01.corp.example",
            "cm01_.corp.example",
            "_ldap._tcp.corp.example",
            "-cm01-.corp.example",
            "xn--bcher-kva.example",
            "cm01",
        ];
        for host in table {
            for written in [host.to_owned(), format!("{host}.")] {
                let name = fully_qualified(&written).unwrap();
                let labels: Vec<&[u8]> = host.split('.').map(str::as_bytes).collect();
                assert_eq!(name.iter().collect::<Vec<_>>(), labels, "{written}");
                assert!(name.is_fqdn());
            }
        }
        let long = format!("{}.example", "a".repeat(64));
        for host in ["", ".", "a..example", long.as_str()] {
            assert!(fully_qualified(host).is_err(), "{host}");
        }
    }
}
