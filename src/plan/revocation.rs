//! How a check finds out whether certificates were revoked, and what it probes to fetch the lists and answers.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::Check;
use crate::endpoint::{
    Endpoint, Expectation, ResolverSettings, RevocationMethod, RevocationMode, StatusRule, Target,
    TlsSettings,
};
use crate::route::Route;

/// A longer list is not read.
pub const MOST_LIST_BYTES: usize = 50 << 20;

/// How a check finds out whether certificates were revoked.
#[derive(Debug, Clone, PartialEq)]
pub struct Revocation {
    /// What comes of it.
    pub mode: RevocationMode,
    /// How, in this order.
    pub methods: Vec<RevocationMethod>,
    /// How long one fetch may take.
    pub timeout: Duration,
    /// The way out of the fetches.
    pub route: Arc<Route>,
    /// Who is asked for the names of the authority's hosts.
    pub resolver: ResolverSettings,
    /// Who is asked for the name of the route's proxy.
    pub proxy_resolver: ResolverSettings,
}

impl Revocation {
    /// Nobody looks.
    #[must_use]
    pub fn off(route: Arc<Route>) -> Self {
        Self {
            mode: RevocationMode::Off,
            methods: Vec::new(),
            timeout: Duration::from_secs(10),
            route,
            resolver: ResolverSettings::System,
            proxy_resolver: ResolverSettings::System,
        }
    }
}

impl Check {
    /// What fetches a list or an answer: a small check of its own, over the revocation route.
    #[must_use]
    pub fn fetching(&self, url: &Url) -> Self {
        let own = &self.revocation;
        Self {
            endpoint: Arc::new(Endpoint {
                name: url.host_str().unwrap_or_default().to_owned(),
                service: "revocation".to_owned(),
                target: Target::Http(url.clone()),
                critical: false,
                expectation: Expectation {
                    status: StatusRule::OneOf(vec![200]),
                    max_redirects: 5,
                    max_body_bytes: MOST_LIST_BYTES,
                    ..Expectation::default()
                },
                hold: None,
                cloud: None,
                stands_in_for: None,
                serves_revocation: true,
            }),
            route: Arc::clone(&own.route),
            interval: self.interval,
            timeout: own.timeout,
            resolver: own.resolver.clone(),
            proxy_resolver: own.proxy_resolver.clone(),
            // The name that is set is the endpoint's own.
            tls: Arc::new(TlsSettings {
                server_name: None,
                ..(*self.tls).clone()
            }),
            revocation: Revocation::off(Arc::clone(&own.route)),
        }
    }
}
