//! The way to a peer: its name resolved, a connection opened, the proxy asked for a tunnel, and TLS over any of
//! them. Every step is timed, and a failure has the peer that it concerns.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::Instant;
use url::Host;

use super::Probe;
use super::choice::Choice;
use super::connect::{connect, keep_alive};
use super::journal::Journal;
use super::proxy::{self, Tunnel, socks};
use super::stream::{BoxedStream, Paced};
use super::tls::interception::{Finding, judge};
use super::tls::{Demand, Secured, TlsPeer};
use crate::endpoint::{Authority, Expectation, Inspection};
use crate::outcome::{
    CertificateSeen, Failure, InterceptionSeen, Peer, Phase, Step, TlsReason, TlsSeen,
};
use crate::route::{Names, Proxy, ProxyKind};

/// A connection to a proxy, ready to be asked.
pub(super) struct ToProxy {
    pub(super) stream: BoxedStream,
    /// Whether the proxy asked for a client certificate in its TLS handshake.
    pub(super) demand: Demand,
}

impl Probe {
    /// A byte stream to the endpoint by the first way that serves.
    pub(super) async fn reach(
        &self,
        choice: &mut Choice,
        authority: &Authority,
        journal: &mut Journal,
    ) -> Result<BoxedStream, Failure> {
        loop {
            let proxy = choice.attempt(journal);
            let result = self.reach_over(proxy.as_ref(), authority, journal).await;
            if let Some(result) = choice.conclude(result, journal) {
                return result;
            }
        }
    }

    /// A byte stream to the endpoint: a TCP connection, or a tunnel through the proxy.
    pub(super) async fn reach_over(
        &self,
        proxy: Option<&Arc<Proxy>>,
        authority: &Authority,
        journal: &mut Journal,
    ) -> Result<BoxedStream, Failure> {
        let Some(proxy) = proxy else {
            return self.connect(authority, Peer::Endpoint, journal).await;
        };
        let to_proxy = self.reach_proxy(proxy, journal).await?;
        match proxy.kind {
            ProxyKind::Http | ProxyKind::Https { .. } => {
                let tunnel = Tunnel {
                    probe: self,
                    proxy,
                    target: authority,
                };
                tunnel.open(to_proxy, journal).await
            }
            ProxyKind::Socks5 { names } => {
                let addresses = self.addresses_for_socks(authority, names, journal).await?;
                let request = socks::Request {
                    proxy,
                    target: authority,
                    address: socks::preferred(&addresses),
                };
                let started = Instant::now();
                let result = request
                    .open(to_proxy.stream, journal.deadline, &mut journal.observed)
                    .await;
                journal.took(Phase::Proxy.with_proxy(), started);
                result
            }
        }
    }

    /// A connection to the proxy: TCP, or TLS over it.
    pub(super) async fn reach_proxy(
        &self,
        proxy: &Arc<Proxy>,
        journal: &mut Journal,
    ) -> Result<ToProxy, Failure> {
        let stream = self.connect(&proxy.authority, Peer::Proxy, journal).await?;
        let Some(tls) = proxy.tls() else {
            return Ok(ToProxy {
                stream,
                demand: Demand::None,
            });
        };
        let peer = TlsPeer {
            peer: Peer::Proxy,
            authority: &proxy.authority,
            server_name: tls.server_name.as_deref(),
            alpn: proxy::ALPN,
            asks_then: true,
            identity: self.means.proxy_identity.as_ref(),
            pins: &[],
        };
        let started = Instant::now();
        let result = self
            .means
            .proxy_trust
            .attempt(stream, peer, journal.deadline, &mut journal.observed)
            .await;
        let result = match result {
            Ok(secured) => Ok(secured),
            Err(refused) => {
                let diagnosis = self.diagnose(refused, Peer::Proxy, &proxy.authority, journal);
                Err(diagnosis.await.0)
            }
        };
        journal.took(Phase::Tls.with_proxy(), started);
        let secured = result?;
        Ok(ToProxy {
            stream: secured.stream,
            demand: secured.demand,
        })
    }

    /// The addresses to tell a SOCKS proxy, where it is not told the name. They are asked for when the proxy is
    /// known to be there, so that a dead proxy is seen first.
    async fn addresses_for_socks(
        &self,
        authority: &Authority,
        names: Names,
        journal: &mut Journal,
    ) -> Result<Vec<IpAddr>, Failure> {
        match names {
            Names::ResolvedByProxy => Ok(address_literal(&authority.host).into_iter().collect()),
            Names::ResolvedHere => self.addresses(authority, Peer::Endpoint, journal).await,
        }
    }

    /// Resolves the peer's name and connects to it.
    async fn connect(
        &self,
        authority: &Authority,
        peer: Peer,
        journal: &mut Journal,
    ) -> Result<BoxedStream, Failure> {
        let addresses = self.addresses(authority, peer, journal).await?;
        let started = Instant::now();
        let stream = connect(
            &addresses,
            authority.port,
            peer,
            journal.deadline,
            &mut journal.observed,
        )
        .await;
        journal.took(
            Step {
                phase: Phase::Connect,
                peer,
            },
            started,
        );
        let stream = stream?;
        if let Some(period) = journal.keep_alive {
            keep_alive(&stream, period);
        }
        Ok(Box::new(Paced::new(stream)))
    }

    /// The peer's addresses, as written or as resolved.
    async fn addresses(
        &self,
        authority: &Authority,
        peer: Peer,
        journal: &mut Journal,
    ) -> Result<Vec<IpAddr>, Failure> {
        let Host::Domain(name) = &authority.host else {
            return Ok(address_literal(&authority.host).into_iter().collect());
        };
        let resolver = match peer {
            Peer::Proxy => &self.means.proxy_resolver,
            Peer::Endpoint => &self.means.resolver,
        };
        let started = Instant::now();
        let addresses = resolver
            .addresses(name, peer, journal.deadline, &mut journal.observed)
            .await;
        journal.took(
            Step {
                phase: Phase::Dns,
                peer,
            },
            started,
        );
        addresses
    }

    /// A full TLS handshake with the endpoint, over whatever leads there.
    pub(super) async fn secure(
        &self,
        stream: BoxedStream,
        authority: &Authority,
        usual: &[&str],
        journal: &mut Journal,
    ) -> Result<Secured, Failure> {
        let alpn = self.alpn(usual);
        let is_own = self.is_own_host(authority);
        let pins = &self.expectation().pins;
        // A certificate is shown to the endpoint itself, and not to whom it redirects; and only its own is pinned.
        let identity = self.means.identity.as_ref();
        let peer = TlsPeer {
            peer: Peer::Endpoint,
            authority,
            server_name: self.server_name_for(authority),
            alpn: &alpn,
            asks_then: !usual.is_empty(),
            identity: identity.filter(|_| is_own),
            pins: if is_own { pins } else { &[] },
        };
        let started = Instant::now();
        let result = self
            .means
            .trust
            .attempt(stream, peer, journal.deadline, &mut journal.observed)
            .await;
        let (result, fetched) = match result {
            Ok(secured) => (Ok(secured), Arc::default()),
            Err(refused) => {
                let (failure, fetched) = self
                    .diagnose(refused, Peer::Endpoint, authority, journal)
                    .await;
                (Err(failure), fetched)
            }
        };
        journal.took(Phase::Tls.with_endpoint(), started);
        self.look_for_interception(result, &fetched, authority, journal)
    }

    /// What is known of the endpoint's certificate holds for its own host, and not for where a redirect leads.
    fn look_for_interception(
        &self,
        result: Result<Secured, Failure>,
        fetched: &[CertificateSeen],
        authority: &Authority,
        journal: &mut Journal,
    ) -> Result<Secured, Failure> {
        let Expectation { chain, pins, .. } = self.expectation();
        // Where the certificate itself is known, it does not matter who vouches for it.
        let says = pins.is_empty() && self.is_own_host(authority);
        let Some(expected) = chain.as_ref().filter(|_| says) else {
            return result;
        };
        let seen = journal.observed.tls.last();
        let finding = seen.and_then(|seen| {
            let whole = seen.certificates.iter().chain(fetched).cloned();
            let seen = TlsSeen {
                certificates: whole.collect(),
                ..seen.clone()
            };
            judge(expected, &seen, result.as_ref().err())
        });
        let (issuer, detail) = match finding {
            None => return result,
            Some(Finding::Expected) => {
                journal.observed.interception = Some(InterceptionSeen {
                    intercepted: false,
                    issuer: None,
                });
                return result;
            }
            Some(Finding::Intercepted { issuer, detail }) => (issuer, detail),
        };
        journal.observed.interception = Some(InterceptionSeen {
            intercepted: true,
            issuer: Some(issuer),
        });
        let failure =
            Failure::of_endpoint(TlsReason::Intercepted, format!("{authority}: {detail}"));
        match (result, expected.inspection) {
            (Ok(secured), Inspection::Tolerated) => {
                journal.warnings.push(failure);
                Ok(secured)
            }
            _ => Err(failure),
        }
    }

    /// What to offer by ALPN. The configuration chooses among what can be spoken; where nothing is spoken after
    /// the handshake, it may name anything.
    fn alpn<'a>(&'a self, usual: &[&'a str]) -> Vec<&'a [u8]> {
        let chosen = self.check.tls.alpn.as_deref().unwrap_or_default().iter();
        let chosen = chosen.map(String::as_str);
        let offered: Vec<&str> = chosen
            .filter(|name| usual.is_empty() || usual.contains(name))
            .collect();
        let offered = if offered.is_empty() {
            usual.to_vec()
        } else {
            offered
        };
        offered.into_iter().map(str::as_bytes).collect()
    }

    /// The configured server name is the endpoint's own: a redirect to another host has that host's.
    fn server_name_for(&self, authority: &Authority) -> Option<&str> {
        let own = self.check.tls.server_name.as_deref();
        own.filter(|_| self.is_own_host(authority))
    }

    fn is_own_host(&self, authority: &Authority) -> bool {
        authority.host.to_string() == self.check.endpoint.target.host()
    }
}

fn address_literal(host: &Host<String>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some((*address).into()),
        Host::Ipv6(address) => Some((*address).into()),
    }
}
