//! A proxy script (proxy auto-configuration, PAC): where it is kept, and how the proxies that it names want to be
//! asked.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::{Bypass, Credentials, Proxy, ProxyKind, Secret};
use crate::endpoint::{Authority, ResolverSettings, TlsSettings};

/// A script that names the proxy of each URL.
#[derive(Debug, Clone, PartialEq)]
pub struct Pac {
    /// The name in the configuration.
    pub name: String,
    /// Where the script is.
    pub source: PacSource,
    /// Whether the next proxy of an answer is tried where one cannot be reached.
    pub failover: bool,
    /// Whom to trust in the TLS session with a proxy, and with the server of the script.
    pub tls: TlsSettings,
    /// What each proxy is told about who asks.
    pub credentials: Option<Credentials>,
    /// Sent to each proxy with every CONNECT, and with every request in absolute form.
    pub connect_headers: Vec<(String, Secret)>,
    /// Who is reached without asking the script.
    pub bypass: Bypass,
    /// Who is asked for the names of the proxies and of the script's server, and what the script itself asks for.
    pub resolver: Option<ResolverSettings>,
}

/// Where a script is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PacSource {
    /// At an `http://` or `https://` URL, from which it is fetched directly.
    Url {
        /// Where.
        url: Url,
        /// How long it is kept before it is fetched anew.
        refresh: Duration,
    },
    /// In a file, which is read anew when it changes.
    File(PathBuf),
}

impl Pac {
    /// A proxy that the script names. Who bypasses it has been asked before.
    #[must_use]
    pub fn proxy(&self, kind: ProxyKind, authority: Authority) -> Proxy {
        Proxy {
            name: self.name.clone(),
            kind,
            authority,
            credentials: self.credentials.clone(),
            connect_headers: self.connect_headers.clone(),
            bypass: Bypass::default(),
            resolver: self.resolver.clone(),
        }
    }
}

impl fmt::Display for PacSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, .. } => url.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
