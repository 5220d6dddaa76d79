//! The whole file: its sections, read in the order in which they refer to each other.

use super::endpoints::{self, Surroundings};
use super::files::state_dir;
use super::names::Names;
use super::reader::{Fields, Value};
use super::scalars::{INTERVALS, TIMEOUTS, duration, integer};
use super::{
    Config, Global, Retry, discovery, exposition, proxies, resolvers, retry, revocation, routes,
    selection, trust,
};
use crate::endpoint::{ResolverSettings, TlsSettings};

/// Reads the configuration. What it returns counts only if no problem was noted.
pub(super) fn read(root: &Value<'_>) -> Option<Config> {
    root.fields(|fields| {
        let tls = fields.optional("tls", trust::global).unwrap_or_default();
        let mut resolvers = resolvers::built_in();
        if let Some(value) = fields.get("resolvers") {
            resolvers::read(&value, &mut resolvers);
        }
        let mut proxies = Names::new("proxy");
        if let Some(value) = fields.get("proxies") {
            let around = proxies::Surroundings {
                resolvers: &resolvers,
                tls: &tls,
            };
            proxies::read(&value, &around, &mut proxies);
        }
        let routes = routes::read(fields.get("routes").as_ref(), proxies, &resolvers);
        let around = Surroundings {
            resolvers: &resolvers,
            routes: &routes.all,
            tls: &tls,
        };
        let discovery = fields.optional("discovery", |value| {
            discovery::read(value, &routes.all, &tls)
        });
        let endpoints = fields.get("endpoints");
        let endpoints = endpoints.map(|value| endpoints::read(&value, &around));
        Config {
            catalog: fields.optional("catalog", |value| selection::read(value, &routes.all, &tls)),
            endpoints: endpoints.unwrap_or_default(),
            discovery,
            metrics: fields
                .optional("metrics", exposition::read)
                .unwrap_or_default(),
            global: fields
                .optional("global", |value| global(value, &resolvers))
                .unwrap_or_default()
                .trusting(tls),
            revocation: fields
                .optional("revocation", |value| revocation::read(value, &routes.all))
                .unwrap_or_default(),
            state_dir: fields.optional("state_dir", state_dir),
            routes: routes.all.into_values().collect(),
            default_routes: routes.default,
        }
    })
}

fn global(value: &Value<'_>, resolvers: &Names<ResolverSettings>) -> Option<Global> {
    value.fields(|fields: &mut Fields<'_>| {
        let default = Global::default();
        let interval = fields.optional("interval", |value| duration(value, &INTERVALS));
        let timeout = fields.optional("timeout", |value| duration(value, &TIMEOUTS));
        let retry = fields.optional("retry_interval", retry::read);
        let concurrency = fields.optional("concurrency", |value| integer(value, &(1..=10_000)));
        let hold_concurrency =
            fields.optional("hold_concurrency", |value| integer(value, &(1..=10_000)));
        let workers = fields.optional("workers", |value| integer(value, &(1..=64)));
        let resolver = fields.optional("resolver", |value| resolvers.find(value).cloned());
        Global {
            interval: interval.unwrap_or(default.interval),
            timeout: timeout.unwrap_or(default.timeout),
            retry_interval: retry.map_or(default.retry_interval, Retry::after),
            concurrency: concurrency.unwrap_or(default.concurrency),
            hold_concurrency: hold_concurrency.unwrap_or(default.hold_concurrency),
            workers: workers.unwrap_or(default.workers),
            resolver: resolver.unwrap_or(default.resolver),
            tls: default.tls,
        }
    })
}

impl Global {
    fn trusting(self, tls: TlsSettings) -> Self {
        Self { tls, ..self }
    }
}
