//! What is fetched beside the checks, over their routes: lists of targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::{Check, Revocation};
use crate::config::{Config, HttpSource, M365Source};
use crate::endpoint::{Endpoint, Expectation, Origin, Target, TlsSettings};

/// A longer answer is not read.
pub const MOST_TARGETS_BYTES: usize = 16 << 20;

/// The service of all errands; none of them is ever shown.
const SERVICE: &str = "discovery";

/// The errands of a configuration.
pub(super) fn errands(config: &Config) -> Vec<Arc<Check>> {
    let Some(discovery) = &config.discovery else {
        return Vec::new();
    };
    let of_server = |source: &HttpSource| {
        let (name, route) = (&source.name, &source.route);
        let errand = Errand {
            config,
            name,
            route,
            origin: Origin::HttpSd,
        };
        errand.check(&source.url, &source.tls)
    };
    let of_service = |source: &M365Source| {
        let errand = Errand {
            config,
            name: source.instance.as_str(),
            route: &source.route,
            origin: Origin::Microsoft365,
        };
        errand.check(&source.url, &config.global.tls)
    };
    let servers = discovery.http_sd.iter().filter_map(of_server);
    let services = discovery.m365.iter().filter_map(of_service);
    servers.chain(services).map(Arc::new).collect()
}

struct Errand<'a> {
    config: &'a Config,
    name: &'a str,
    route: &'a str,
    origin: Origin,
}

impl Errand<'_> {
    /// `None` only for a route that does not exist, which the configuration has refused.
    fn check(&self, url: &Url, tls: &TlsSettings) -> Option<Check> {
        let global = &self.config.global;
        let mut routes = self.config.routes.iter();
        let route = routes.find(|route| route.name == self.route)?;
        let route = Arc::new(route.clone());
        let of_route = route.resolver.as_ref();
        let of_proxy = route.way.proxy_resolver();
        Some(Check {
            endpoint: Arc::new(Endpoint {
                name: self.name.to_owned(),
                service: SERVICE.to_owned(),
                target: Target::Http(url.clone()),
                critical: false,
                expectation: Expectation {
                    max_body_bytes: MOST_TARGETS_BYTES,
                    ..Expectation::default()
                }
                .into(),
                hold: None,
                cloud: None,
                stands_in_for: None,
                serves_revocation: false,
                origin: self.origin,
                publishes: None,
                labels: BTreeMap::default(),
            }),
            interval: global.interval,
            timeout: global.timeout,
            resolver: of_route.unwrap_or(&global.resolver).clone().into(),
            proxy_resolver: of_proxy
                .or(of_route)
                .unwrap_or(&global.resolver)
                .clone()
                .into(),
            tls: Arc::new(tls.clone()),
            credentials: None,
            retry_interval: None,
            revocation: Revocation::off(Arc::clone(&route)).into(),
            route,
        })
    }
}
