//! One question to a list of servers: the next one is asked when one does not answer, or will not.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Query};
use hickory_resolver::{ConnectionProvider, PoolContext, TlsConfig};
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::datagram;
use super::dialogue::{self, Secured};
use super::trouble;
use crate::endpoint::{ResolverSettings, ResolverTransport};
use crate::outcome::DnsReason;
use crate::probe::ProberError;
use crate::probe::connect::fair_share;
use crate::probe::tls::{ANY_VERSION, Trust};

/// Longer than any probe: the probe's own deadline is the one that counts. Only for the TLS handshake and the TCP
/// connection under DNS over HTTPS, hickory has a limit of 5 s that nobody can set; it is a timeout like ours.
const NEVER: Duration = Duration::from_secs(3600);

/// Servers in the order in which they are asked.
pub(super) struct Servers {
    list: Vec<Server>,
    /// What is wrong with the system's settings, where the list is empty.
    why_none: String,
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
    /// The servers of the settings; of the system none yet.
    pub(super) fn new(settings: &ResolverSettings) -> Result<Self, ProberError> {
        let fault = |error: NetError| ProberError::Resolver {
            name: settings.name().to_owned(),
            detail: error.to_string(),
        };
        let mut tls = TlsConfig::new().map_err(fault)?;
        let mut list = Vec::new();
        if let ResolverSettings::Servers {
            servers,
            transport,
            ca_file,
            ..
        } = settings
        {
            list.extend(servers.iter().map(|it| Server::new(*it, transport)));
            if is_encrypted(transport) {
                let trust = Trust::new(ca_file.as_deref(), ANY_VERSION)?;
                tls.config = trust.plain_config();
            }
        }
        Ok(Self {
            list,
            why_none: String::new(),
            context: Arc::new(PoolContext::new(options(), tls)),
            provider: TokioRuntimeProvider::default(),
        })
    }

    /// The same with the operating system's servers, or with what is wrong with its settings.
    pub(super) fn of_system(&self, servers: Result<Vec<NameServerConfig>, String>) -> Self {
        let (servers, why_none) = match servers {
            Ok(servers) => (servers, String::new()),
            Err(error) => (Vec::new(), error),
        };
        let list = servers.into_iter().map(|server| Server {
            address: server.ip,
            connections: server.connections,
        });
        Self {
            list: list.collect(),
            why_none,
            context: Arc::clone(&self.context),
            provider: self.provider.clone(),
        }
    }

    /// Asks one server after the other, each within a fair share of the time that is left, until one gives a
    /// final answer. What the most forthcoming one said is returned where none does.
    pub(super) async fn ask(&self, query: &Query, deadline: Instant) -> Answer {
        let mut best = Answer::trouble(
            DnsReason::NetworkError,
            format!(
                "the system's resolver settings cannot be used: {}",
                self.why_none
            ),
        );
        for (asked, server) in self.list.iter().enumerate() {
            let share = fair_share(deadline, self.list.len() - asked);
            let answer = match timeout_at(share, self.exchange(server, query)).await {
                Ok(answer) => answer,
                Err(_) => trouble::late(server.address),
            };
            if answer.is_final() {
                return answer;
            }
            best = best.or_more_telling(answer, asked == 0);
        }
        best
    }

    /// One question over a fresh connection; over TCP once more when the answer over UDP was truncated.
    async fn exchange(&self, server: &Server, query: &Query) -> Answer {
        let mut answer = Answer::trouble(DnsReason::NetworkError, server.address.to_string());
        for connection in &server.connections {
            match self.exchange_over(connection, server.address, query).await {
                Ok(response) => {
                    answer = Answer::received(query, &response, server.address);
                    if !response.truncation {
                        break;
                    }
                }
                Err(error) => return trouble::of(server.address, &connection.protocol, &error),
            }
        }
        answer
    }

    async fn exchange_over(
        &self,
        connection: &ConnectionConfig,
        server: IpAddr,
        query: &Query,
    ) -> Result<DnsResponse, NetError> {
        let request = || DnsRequest::from_query(query.clone(), request_options());
        let address = SocketAddr::new(server, connection.port);
        match &connection.protocol {
            ProtocolConfig::Udp => datagram::ask(address, &request()).await,
            ProtocolConfig::Tcp => dialogue::ask(address, None, &request()).await,
            ProtocolConfig::Tls { server_name } => {
                let secured = Secured {
                    config: &self.context.tls,
                    server_name,
                };
                dialogue::ask(address, Some(secured), &request()).await
            }
            ProtocolConfig::Https { .. } => {
                let connecting = self
                    .provider
                    .new_connection(server, connection, &self.context)?;
                let handle = connecting.await?;
                let answers = handle.lookup(query.clone(), request_options());
                answers.first_answer().await
            }
        }
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

fn is_encrypted(transport: &ResolverTransport) -> bool {
    match transport {
        ResolverTransport::Udp | ResolverTransport::Tcp => false,
        ResolverTransport::Tls { .. } | ResolverTransport::Https { .. } => true,
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
