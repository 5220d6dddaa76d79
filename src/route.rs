//! A way out: direct, over a named proxy of one of several kinds that some hosts bypass, or as a script says for
//! each URL. Pure data.

mod bypass;
mod pac;
mod secret;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use bypass::{Bypass, BypassPattern, BypassPatternError};
pub use pac::{Pac, PacSource};
pub use secret::Secret;
use serde::Serialize;
use url::Host;

use crate::endpoint::{Authority, ResolverSettings, TlsSettings};

/// A way out, by the name that configuration, labels and reports use.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The label `route`.
    pub name: String,
    /// How.
    pub way: Way,
    /// Who is asked for names on this route, where it has an opinion of its own.
    pub resolver: Option<ResolverSettings>,
}

/// How a route leaves.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// From this machine straight to the endpoint.
    Direct,
    /// Over a proxy, but for the hosts that bypass it.
    Proxy(Arc<Proxy>),
    /// As a proxy script says for each URL, but for the hosts that bypass it.
    Pac(Arc<Pac>),
}

/// The way that a route has to one host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exit<'r> {
    /// Straight to the endpoint.
    Direct,
    /// Straight to the endpoint, for its host bypasses the proxy.
    Bypass,
    /// Over this proxy.
    Proxy(&'r Arc<Proxy>),
    /// Only the script can say, when it is asked.
    Pac(&'r Arc<Pac>),
}

/// A proxy and how it wants to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxy {
    /// The name in the configuration.
    pub name: String,
    /// What is spoken to it.
    pub kind: ProxyKind,
    /// Where it listens.
    pub authority: Authority,
    /// What it is told about who asks.
    pub credentials: Option<Credentials>,
    /// Sent with every CONNECT, and with every request in absolute form; SOCKS has no place for them.
    pub connect_headers: Vec<(String, Secret)>,
    /// Who is reached without it.
    pub bypass: Bypass,
    /// Who is asked for the proxy's own name, where that is not the route's or the global resolver.
    pub resolver: Option<ResolverSettings>,
}

/// The language of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyKind {
    /// `http://`: CONNECT and absolute form over TCP (RFC 9110 §9.3.6, RFC 9112 §3.2.2).
    Http,
    /// `https://`: the same over TLS.
    Https {
        /// Whom to trust, and the proxy's name where that is not the host of its URL.
        tls: TlsSettings,
    },
    /// SOCKS version 5 (RFC 1928).
    Socks5 {
        /// Who finds the endpoint's address.
        names: Names,
    },
}

/// Who resolves the names of endpoints behind a SOCKS proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `socks5://`: this machine does, and the proxy is told an address.
    ResolvedHere,
    /// `socks5h://`: the proxy is told the name.
    ResolvedByProxy,
}

/// Credentials for a proxy, or for an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub enum Credentials {
    /// RFC 7617; to a SOCKS proxy, RFC 1929.
    Basic {
        /// Shown in reports.
        username: String,
        /// Never shown.
        password: Secret,
    },
    /// RFC 7616.
    Digest {
        /// Shown in reports.
        username: String,
        /// Never shown.
        password: Secret,
    },
    /// NTLM, version 2 (MS-NLMP); inside Negotiate where only that is offered.
    Ntlm {
        /// Shown in reports.
        username: String,
        /// The domain of the account; where there is none, the peer's own.
        domain: Option<String>,
        /// Never shown.
        password: Secret,
    },
    /// Kerberos inside Negotiate (RFC 4559).
    Negotiate(KerberosIdentity),
}

/// Whose Kerberos tickets are used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KerberosIdentity {
    /// Those of the credential cache that is the default where reachd runs.
    DefaultCache,
    /// Those of this credential cache.
    Cache(PathBuf),
    /// Those that the key of a principal gets.
    Keytab {
        /// Such as `svc-reachd@CORP.EXAMPLE`.
        principal: String,
        /// The file with its key.
        keytab: PathBuf,
    },
}

/// How one probe, or one hop of it, really left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The route is direct.
    Direct,
    /// Over the route's proxy.
    Proxy,
    /// The route has a proxy, but this host bypasses it.
    Bypass,
    /// A script says, and it was not asked yet or gave no answer.
    Pac,
}

// === impl Route ===

impl Route {
    /// The route named `direct`.
    #[must_use]
    pub fn direct() -> Self {
        Self {
            name: "direct".to_owned(),
            way: Way::Direct,
            resolver: None,
        }
    }

    /// The way to `host:port`.
    #[must_use]
    pub fn to<T: AsRef<str>>(&self, host: &Host<T>, port: u16) -> Exit<'_> {
        match &self.way {
            Way::Direct => Exit::Direct,
            Way::Proxy(proxy) if proxy.bypass.matches(host, port) => Exit::Bypass,
            Way::Proxy(proxy) => Exit::Proxy(proxy),
            Way::Pac(pac) if pac.bypass.matches(host, port) => Exit::Bypass,
            Way::Pac(pac) => Exit::Pac(pac),
        }
    }

    /// The proxy of the route, whether or not a host bypasses it; a script names many, and none in advance.
    #[must_use]
    pub fn proxy(&self) -> Option<&Arc<Proxy>> {
        match &self.way {
            Way::Direct | Way::Pac(_) => None,
            Way::Proxy(proxy) => Some(proxy),
        }
    }
}

// === impl Way ===

impl Way {
    /// The name of its proxy or script in the configuration; `direct` has no other.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Direct => "direct",
            Self::Proxy(proxy) => &proxy.name,
            Self::Pac(pac) => &pac.name,
        }
    }

    /// Whom to trust in a TLS session with its proxy, where there may be one.
    #[must_use]
    pub fn proxy_tls(&self) -> Option<&TlsSettings> {
        match self {
            Self::Direct => None,
            Self::Proxy(proxy) => proxy.tls(),
            Self::Pac(pac) => Some(&pac.tls),
        }
    }

    /// What its proxies are told about who asks.
    #[must_use]
    pub fn credentials(&self) -> Option<&Credentials> {
        match self {
            Self::Direct => None,
            Self::Proxy(proxy) => proxy.credentials.as_ref(),
            Self::Pac(pac) => pac.credentials.as_ref(),
        }
    }

    /// Who is asked for the names of its proxies, where it has an opinion of its own.
    #[must_use]
    pub fn proxy_resolver(&self) -> Option<&ResolverSettings> {
        match self {
            Self::Direct => None,
            Self::Proxy(proxy) => proxy.resolver.as_ref(),
            Self::Pac(pac) => pac.resolver.as_ref(),
        }
    }
}

// === impl Exit ===

impl Exit<'_> {
    /// What it is called.
    #[must_use]
    pub fn via(self) -> Via {
        match self {
            Self::Direct => Via::Direct,
            Self::Bypass => Via::Bypass,
            Self::Proxy(_) => Via::Proxy,
            Self::Pac(_) => Via::Pac,
        }
    }
}

// === impl Proxy ===

impl Proxy {
    /// Whether requests for plain HTTP are sent to the proxy itself, in absolute form; one that does not take
    /// them tunnels everything.
    #[must_use]
    pub fn takes_requests(&self) -> bool {
        match self.kind {
            ProxyKind::Http | ProxyKind::Https { .. } => true,
            ProxyKind::Socks5 { .. } => false,
        }
    }

    /// Whom to trust in the TLS session with the proxy, where there is one.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsSettings> {
        match &self.kind {
            ProxyKind::Https { tls } => Some(tls),
            ProxyKind::Http | ProxyKind::Socks5 { .. } => None,
        }
    }

    /// Who finds the endpoint's address.
    #[must_use]
    pub fn names(&self) -> Names {
        match self.kind {
            ProxyKind::Socks5 { names } => names,
            ProxyKind::Http | ProxyKind::Https { .. } => Names::ResolvedByProxy,
        }
    }
}

// === impl ProxyKind ===

impl ProxyKind {
    /// How a URL begins that names such a proxy.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https { .. } => "https",
            Self::Socks5 {
                names: Names::ResolvedHere,
            } => "socks5",
            Self::Socks5 {
                names: Names::ResolvedByProxy,
            } => "socks5h",
        }
    }
}

// === impl Credentials ===

impl Credentials {
    /// The scheme of HTTP that they are for, as it is usually written.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Basic { .. } => "Basic",
            Self::Digest { .. } => "Digest",
            Self::Ntlm { .. } => "NTLM",
            Self::Negotiate(_) => "Negotiate",
        }
    }

    /// Whose they are, for people.
    #[must_use]
    pub fn account(&self) -> String {
        match self {
            Self::Basic { username, .. } | Self::Digest { username, .. } => username.clone(),
            Self::Ntlm {
                username, domain, ..
            } => match domain {
                Some(domain) => format!("{domain}\\{username}"),
                None => username.clone(),
            },
            Self::Negotiate(identity) => identity.to_string(),
        }
    }

    /// Whether it is a connection that is logged in, and not a request: then it can be one of HTTP/1.1 only.
    #[must_use]
    pub fn are_for_a_connection(&self) -> bool {
        matches!(self, Self::Ntlm { .. } | Self::Negotiate(_))
    }
}

// === impl KerberosIdentity ===

impl fmt::Display for KerberosIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DefaultCache => f.write_str("whoever has the default credential cache"),
            Self::Cache(path) => write!(f, "whoever has the credential cache {}", path.display()),
            Self::Keytab { principal, .. } => f.write_str(principal),
        }
    }
}

// === impl Via ===

impl Via {
    /// The value of the label `via`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Proxy => "proxy",
            Self::Bypass => "bypass",
            Self::Pac => "pac",
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
