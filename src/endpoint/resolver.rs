//! Who is asked for a name.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A set of DNS servers and how they are spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResolverSettings {
    /// What the operating system is configured to ask, its hosts file included.
    System,
    /// Servers of one's own; the hosts file is not looked at.
    Servers {
        /// The name in the configuration, used in outcomes.
        name: String,
        /// Asked in this order.
        servers: Vec<SocketAddr>,
        /// How.
        transport: ResolverTransport,
        /// The certificate authorities for `tls` and `https`; the operating system's where there is none.
        ca_file: Option<PathBuf>,
    },
}

/// How a DNS server is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResolverTransport {
    /// RFC 1035 over UDP; over TCP when an answer was truncated.
    Udp,
    /// RFC 7766.
    Tcp,
    /// RFC 7858, with the name in the server's certificate.
    Tls {
        /// The name in the server's certificate.
        server_name: String,
    },
    /// RFC 8484, with the name in the server's certificate.
    Https {
        /// The name in the server's certificate.
        server_name: String,
        /// The path of the service, `/dns-query` by custom.
        path: String,
    },
}

impl ResolverSettings {
    /// The configured name, or `system`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::System => "system",
            Self::Servers { name, .. } => name,
        }
    }
}
