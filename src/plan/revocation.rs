//! How a check finds out whether certificates were revoked, and what it probes to fetch the lists and answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::Check;
use crate::endpoint::{
    Endpoint, Expectation, Origin, ResolverSettings, RevocationMethod, RevocationMode, Shared,
    StatusRule, Target, TlsSettings,
};
use crate::route::Route;

/// A longer list is not read.
pub const MOST_LIST_BYTES: usize = 50 << 20;

/// More redirects are not followed on the way to a list.
const MOST_REDIRECTS: u8 = 5;

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
    pub resolver: Shared<ResolverSettings>,
    /// Who is asked for the name of the route's proxy.
    pub proxy_resolver: Shared<ResolverSettings>,
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
            resolver: ResolverSettings::System.into(),
            proxy_resolver: ResolverSettings::System.into(),
        }
    }
}

impl Check {
    /// What fetches lists and answers: small checks over the revocation route, each for a [URL](Self::for_url).
    #[must_use]
    pub fn carrier(&self) -> Self {
        let Revocation {
            timeout,
            route,
            resolver,
            proxy_resolver,
            ..
        } = &*self.revocation;
        Self {
            endpoint: Arc::clone(&self.endpoint),
            route: Arc::clone(route),
            interval: self.interval,
            timeout: *timeout,
            retry_interval: None,
            resolver: resolver.clone(),
            proxy_resolver: proxy_resolver.clone(),
            tls: self.tls_of_others(),
            credentials: None,
            revocation: Shared::from(Revocation {
                mode: RevocationMode::Off,
                methods: Vec::new(),
                ..Revocation::clone(&self.revocation)
            }),
        }
    }

    /// The name that is set is the endpoint's own, and so are the protocols; and to nobody else is it shown who connects.
    fn tls_of_others(&self) -> Arc<TlsSettings> {
        let TlsSettings {
            server_name,
            alpn,
            client,
            ..
        } = &*self.tls;
        if server_name.is_none() && alpn.is_none() && client.is_none() {
            return Arc::clone(&self.tls);
        }
        Arc::new(TlsSettings {
            server_name: None,
            alpn: None,
            client: None,
            ..TlsSettings::clone(&self.tls)
        })
    }

    /// The same check of another URL, at which a list or an answer of at most so many bytes is to be had.
    #[must_use]
    pub fn for_url(&self, url: &Url, most_bytes: usize) -> Self {
        Self {
            endpoint: Arc::new(Endpoint {
                name: url.host_str().unwrap_or_default().to_owned(),
                service: self.endpoint.service.clone(),
                target: Target::Http(url.clone()),
                critical: false,
                expectation: Expectation {
                    status: StatusRule::OneOf(vec![200]),
                    max_redirects: MOST_REDIRECTS,
                    max_body_bytes: most_bytes,
                    ..Expectation::default()
                }
                .into(),
                hold: None,
                cloud: None,
                stands_in_for: None,
                serves_revocation: true,
                origin: Origin::Certificate,
                publishes: None,
                labels: BTreeMap::default(),
            }),
            ..self.clone()
        }
    }
}
