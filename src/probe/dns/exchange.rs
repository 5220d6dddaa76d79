//! One question to a list of servers: the next one is asked when one does not answer, or will not.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, ProtocolConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequestOptions, DnsResponse, Query};
use hickory_resolver::proto::rr::Name;
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{ConnectionProvider, PoolContext, TlsConfig};
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use crate::endpoint::{ResolverSettings, ResolverTransport, TlsVersion};
use crate::outcome::DnsReason;
use crate::probe::ProberError;
use crate::probe::connect::fair_share;
use crate::probe::tls::Trust;

/// Longer than any probe: the probe's own deadline is the one that counts.
const NEVER: Duration = Duration::from_secs(3600);

/// Servers in the order in which they are asked.
pub(super) struct Servers {
    list: Vec<Server>,
    context: Arc<PoolContext>,
    provider: TokioRuntimeProvider,
}

/// One server, and the ways to speak to it: the second one when the first one's answer was truncated.
#[derive(Debug)]
struct Server {
    address: IpAddr,
    connections: Vec<ConnectionConfig>,
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Servers")
            .field("list", &self.list)
            .finish_non_exhaustive()
    }
}

impl Servers {
    /// The servers, and the search domains that come with the system's.
    pub(super) fn new(settings: &ResolverSettings) -> Result<(Self, Vec<Name>), ProberError> {
        let fault = |detail: String| ProberError::Resolver {
            name: settings.name().to_owned(),
            detail,
        };
        let (servers, search) = match settings {
            ResolverSettings::System => {
                let (config, _) = read_system_conf().map_err(|error| {
                    fault(format!(
                        "the system's resolver settings cannot be read: {error}"
                    ))
                })?;
                let servers = config.name_servers().iter().map(|server| Server {
                    address: server.ip,
                    connections: server.connections.clone(),
                });
                (servers.collect(), config.search().to_vec())
            }
            ResolverSettings::Servers {
                servers, transport, ..
            } => {
                let servers = servers
                    .iter()
                    .map(|address| Server::new(*address, transport));
                (servers.collect(), Vec::new())
            }
        };
        let mut tls = TlsConfig::new().map_err(|error| fault(error.to_string()))?;
        if let ResolverSettings::Servers {
            transport: ResolverTransport::Tls { .. } | ResolverTransport::Https { .. },
            ca_file,
            ..
        } = settings
        {
            let trust = Trust::new(ca_file.as_deref().map(Path::new), TlsVersion::Tls12)?;
            tls.config = trust.plain_config();
        }
        let servers = Self {
            list: servers,
            context: Arc::new(PoolContext::new(options(), tls)),
            provider: TokioRuntimeProvider::default(),
        };
        Ok((servers, search))
    }

    /// Asks one server after the other, each within a fair share of the time that is left, until one gives a
    /// final answer. What the most forthcoming one said is returned where none does.
    pub(super) async fn ask(&self, query: &Query, deadline: Instant) -> Answer {
        let mut best = Answer::trouble(
            DnsReason::NetworkError,
            "no DNS server is configured".to_owned(),
        );
        for (asked, server) in self.list.iter().enumerate() {
            let share = fair_share(deadline, self.list.len() - asked);
            let address = server.address;
            let answer = match timeout_at(share, self.exchange(server, query)).await {
                Ok(Ok(response)) => Answer::received(&response, address),
                Ok(Err(error)) => Answer::trouble(reason_of(&error), format!("{address}: {error}")),
                Err(_) => {
                    Answer::trouble(DnsReason::Timeout, format!("{address}: no answer in time"))
                }
            };
            if answer.is_final() {
                return answer;
            }
            best = best.or_more_telling(answer, asked == 0);
        }
        best
    }

    /// One question over a fresh connection; over TCP once more when the answer over UDP was truncated.
    async fn exchange(&self, server: &Server, query: &Query) -> Result<DnsResponse, NetError> {
        let mut answer = Err(NetError::NoConnections);
        for connection in &server.connections {
            let connecting =
                self.provider
                    .new_connection(server.address, connection, &self.context)?;
            let handle = connecting.await?;
            answer = handle
                .lookup(query.clone(), request_options())
                .first_answer()
                .await;
            if !matches!(&answer, Ok(response) if response.truncation) {
                break;
            }
        }
        answer
    }
}

impl Server {
    fn new(address: SocketAddr, transport: &ResolverTransport) -> Self {
        let mut connections = match transport {
            ResolverTransport::Udp => vec![ConnectionConfig::udp(), ConnectionConfig::tcp()],
            ResolverTransport::Tcp => vec![ConnectionConfig::tcp()],
            ResolverTransport::Tls { server_name } => {
                vec![ConnectionConfig::tls(Arc::from(server_name.as_str()))]
            }
            ResolverTransport::Https { server_name, path } => {
                vec![ConnectionConfig::new(ProtocolConfig::Https {
                    server_name: Arc::from(server_name.as_str()),
                    path: Arc::from(path.as_str()),
                })]
            }
        };
        for connection in &mut connections {
            connection.port = address.port();
        }
        Self {
            address: address.ip(),
            connections,
        }
    }
}

fn options() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = NEVER;
    options.os_port_selection = true;
    options
}

/// One datagram a question: a lost one is a failed probe, not a hidden retry.
fn request_options() -> DnsRequestOptions {
    let mut options = DnsRequestOptions::default();
    options.retry_interval = NEVER;
    options
}

fn reason_of(error: &NetError) -> DnsReason {
    match error {
        NetError::Timeout => DnsReason::Timeout,
        NetError::Proto(_) | NetError::Decode(_) | NetError::ParseInt(_) | NetError::Truncated => {
            DnsReason::BadAnswer
        }
        _ => DnsReason::NetworkError,
    }
}
