//! A way out: direct, or over a named proxy that some hosts bypass. Pure data.

mod bypass;
mod secret;

use std::fmt;
use std::sync::Arc;

pub use bypass::{Bypass, BypassPattern, BypassPatternError};
pub use secret::Secret;
use serde::Serialize;
use url::Host;

use crate::endpoint::{Authority, ResolverSettings};

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
}

/// An HTTP proxy and how it wants to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxy {
    /// The name in the configuration.
    pub name: String,
    /// Where it listens.
    pub authority: Authority,
    /// What it is told about who asks.
    pub credentials: Option<Credentials>,
    /// Sent with every CONNECT, and with every request in absolute form.
    pub connect_headers: Vec<(String, Secret)>,
    /// Who is reached without it.
    pub bypass: Bypass,
    /// Who is asked for the proxy's own name, where that is not the route's or the global resolver.
    pub resolver: Option<ResolverSettings>,
}

/// Credentials for a proxy.
#[derive(Debug, Clone, PartialEq)]
pub enum Credentials {
    /// RFC 7617.
    Basic {
        /// Shown in reports.
        username: String,
        /// Never shown.
        password: Secret,
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

    /// The proxy on the way to `host:port`, or why there is none.
    #[must_use]
    pub fn to<T: AsRef<str>>(&self, host: &Host<T>, port: u16) -> (Via, Option<&Arc<Proxy>>) {
        match &self.way {
            Way::Direct => (Via::Direct, None),
            Way::Proxy(proxy) if proxy.bypass.matches(host, port) => (Via::Bypass, None),
            Way::Proxy(proxy) => (Via::Proxy, Some(proxy)),
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
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
