//! From the configuration and the catalog to the checks that are to run.

mod access;

use std::collections::HashSet;
use std::sync::Arc;

use super::errand::errands;
use super::holds::longest;
use super::{Check, HistogramMode, Histograms, Plan, Revocation};
use crate::catalog::{self, NotProbed, Selected};
use crate::config::{
    Config, DiscoverySettings, EndpointSettings, HistogramChoice, HoldChoice, Location, Overrides,
    Problem, Problems, Retry, RevocationRoute,
};
use crate::endpoint::{
    Endpoint, Expectation, Pool, ResolverSettings, RevocationMode, Shared, Target, TlsSettings,
};
use crate::route::{Route, Way};

/// Above so many checks, `histograms: auto` keeps one set for a service and route.
const MOST_CHECKS_WITH_OWN_HISTOGRAMS: usize = 500;

impl Plan {
    /// Makes the plan of a configuration.
    ///
    /// # Errors
    /// What only the catalog and the whole plan can know: unknown features, endpoints named twice, routes that
    /// an endpoint cannot take, nothing to probe at all. All of it at once.
    pub fn build(config: &Config) -> Result<Self, Problems> {
        Self::with_found(config, &[])
    }

    /// The same with what the sources of targets found. What of that cannot be probed is told as not probed, and stops
    /// nothing.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn with_found(config: &Config, found: &[EndpointSettings]) -> Result<Self, Problems> {
        let mut builder = Builder::new(config);
        builder.add_catalog();
        builder.add_endpoints();
        builder.is_found = true;
        for settings in found {
            builder.add(settings);
        }
        builder.finish()
    }
}

struct Builder<'a> {
    config: &'a Config,
    routes: Vec<Arc<Route>>,
    named: HashSet<(String, String)>,
    checks: Vec<Arc<Check>>,
    not_probed: Vec<NotProbed>,
    wildcards: Vec<Endpoint>,
    problems: Vec<Problem>,
    /// What is added now was found, so that no problem of it is one of the configuration.
    is_found: bool,
    alike: Alike,
}

/// What many checks have alike.
#[derive(Default)]
struct Alike {
    expectations: Pool<Expectation>,
    resolvers: Pool<ResolverSettings>,
    revocations: Pool<Revocation>,
    tls: Pool<Arc<TlsSettings>>,
}

impl<'a> Builder<'a> {
    fn new(config: &'a Config) -> Self {
        Self {
            config,
            routes: config.routes.iter().cloned().map(Arc::new).collect(),
            named: HashSet::new(),
            checks: Vec::new(),
            not_probed: Vec::new(),
            wildcards: Vec::new(),
            problems: Vec::new(),
            is_found: false,
            alike: Alike::default(),
        }
    }

    fn add_catalog(&mut self) {
        let Some(selection) = &self.config.catalog else {
            return;
        };
        match catalog::select(selection) {
            Ok(Selected {
                endpoints,
                not_probed,
                wildcards,
            }) => {
                self.not_probed.extend(not_probed);
                self.wildcards = wildcards;
                for (endpoint, overrides) in endpoints {
                    let own_tls = overrides.tls.as_ref();
                    let tls = own_tls.unwrap_or(&self.config.global.tls).clone();
                    self.add(&EndpointSettings {
                        endpoint,
                        overrides,
                        resolver: None,
                        tls,
                    });
                }
            }
            Err(Problems(problems)) => self.problems.extend(problems),
        }
    }

    fn add_endpoints(&mut self) {
        for settings in &self.config.endpoints {
            self.add(settings);
        }
    }

    /// Adds one endpoint over each of its routes.
    fn add(&mut self, settings: &EndpointSettings) {
        let EndpointSettings {
            endpoint,
            overrides,
            ..
        } = settings;
        if !self
            .named
            .insert((endpoint.service.clone(), endpoint.name.clone()))
        {
            self.problem(endpoint, "is there twice in its service: names must differ");
            return;
        }
        if overrides.enabled == Some(false) {
            self.not_probed(endpoint, "disabled by the configuration".to_owned());
            return;
        }
        let mut endpoint = endpoint.clone();
        endpoint.critical = overrides.critical.unwrap_or(endpoint.critical);
        if let (Some(chain), Some(inspection)) =
            (&mut endpoint.expectation.chain, overrides.inspection)
        {
            chain.inspection = inspection;
        }
        endpoint.hold = match overrides.hold {
            None => endpoint.hold,
            Some(HoldChoice::None) => None,
            Some(HoldChoice::For(hold)) => Some(Box::new(hold)),
        };
        if let Some(pins) = &overrides.pins {
            endpoint.expectation.pins.clone_from(pins);
        }
        self.check_hold(&endpoint, overrides);
        self.check_access(settings);
        endpoint.expectation = self.alike.expectations.keep(endpoint.expectation);
        let endpoint = Arc::new(endpoint);
        let tls = Arc::clone(&self.alike.tls.keep(Arc::new(settings.tls.clone())));
        for name in self.routes_of(&endpoint, overrides) {
            let Some(route) = self
                .routes
                .iter()
                .find(|route| route.name == *name)
                .cloned()
            else {
                self.problem(
                    &endpoint,
                    &format!("names the route `{name}`, which does not exist"),
                );
                continue;
            };
            if matches!(
                (&endpoint.target, &route.way),
                (Target::Dns(_), Way::Proxy(_) | Way::Pac(_))
            ) {
                self.no_dns_over_proxy(&endpoint, &route, overrides);
                continue;
            }
            let check = self.check(settings, &endpoint, &route, &tls);
            self.checks.push(Arc::new(check));
        }
    }

    /// Its own routes, where it names any. What Windows fetches to verify certificates leaves by the way of the
    /// SYSTEM context.
    fn routes_of<'o>(&self, endpoint: &Endpoint, overrides: &'o Overrides) -> &'o [String]
    where
        'a: 'o,
    {
        match (&overrides.routes, &self.config.revocation.route) {
            (Some(own), _) => own,
            (None, RevocationRoute::Named(route)) if endpoint.serves_revocation => {
                std::slice::from_ref(route)
            }
            (None, _) => &self.config.default_routes,
        }
    }

    fn check(
        &mut self,
        settings: &EndpointSettings,
        endpoint: &Arc<Endpoint>,
        route: &Arc<Route>,
        tls: &Arc<TlsSettings>,
    ) -> Check {
        let global = &self.config.global;
        let (resolver, proxy_resolver) = self.resolvers(settings, route);
        let own_retry = settings.overrides.retry;
        Check {
            endpoint: Arc::clone(endpoint),
            route: Arc::clone(route),
            interval: settings.overrides.interval.unwrap_or(global.interval),
            timeout: settings.overrides.timeout.unwrap_or(global.timeout),
            retry_interval: own_retry.map_or(global.retry_interval, Retry::after),
            resolver,
            proxy_resolver,
            tls: Arc::clone(tls),
            credentials: settings.overrides.credentials.clone().map(Arc::new),
            revocation: self.revocation(settings, endpoint, route),
        }
    }

    /// Who is asked for the names of endpoints, and of the route's proxy.
    fn resolvers(
        &mut self,
        settings: &EndpointSettings,
        route: &Route,
    ) -> (Shared<ResolverSettings>, Shared<ResolverSettings>) {
        let alike = &mut self.alike.resolvers;
        let global = &self.config.global.resolver;
        let of_route = route.resolver.as_ref();
        let of_proxy = route.way.proxy_resolver();
        let of_endpoint = settings.resolver.as_ref();
        (
            alike.keep(of_endpoint.or(of_route).unwrap_or(global).clone()),
            alike.keep(of_proxy.or(of_route).unwrap_or(global).clone()),
        )
    }

    /// What the endpoint sets for itself, on top of the global section. The catalog asks for more than that, but it
    /// does not look where the configuration says that nobody does.
    fn revocation(
        &mut self,
        settings: &EndpointSettings,
        endpoint: &Endpoint,
        route: &Arc<Route>,
    ) -> Shared<Revocation> {
        let global = &self.config.revocation;
        let own = settings.overrides.revocation.clone().unwrap_or_default();
        let of_catalog = endpoint.expectation.revocation;
        let of_catalog = of_catalog.filter(|_| global.mode != RevocationMode::Off);
        let named = own.route.as_ref().unwrap_or(&global.route).name();
        let mut routes = self.routes.iter();
        let other = named.and_then(|name| routes.find(|route| route.name == name));
        let route = Arc::clone(other.unwrap_or(route));
        let (resolver, proxy_resolver) = self.resolvers(settings, &route);
        self.alike.revocations.keep(Revocation {
            mode: own.mode.or(of_catalog).unwrap_or(global.mode),
            methods: own.methods.unwrap_or_else(|| global.methods.clone()),
            timeout: global.timeout,
            route,
            resolver,
            proxy_resolver,
        })
    }

    /// What a hold needs beyond its own numbers: time until the next one, and a connection that is the endpoint's own.
    fn check_hold(&mut self, endpoint: &Endpoint, overrides: &Overrides) {
        let Some(hold) = &endpoint.hold else {
            return;
        };
        let timeout = overrides.timeout.unwrap_or(self.config.global.timeout);
        let longest = longest(endpoint, timeout);
        if let Some(longest) = longest.filter(|longest| hold.interval <= *longest) {
            let text = humantime::format_duration;
            let what = format!(
                "is held for up to {} (its {}, and its timeout of {} to open the connection and, over https, to use it \
                 at its end), which is no shorter than the interval of its hold, {}",
                text(longest),
                text(hold.duration),
                text(timeout),
                text(hold.interval)
            );
            self.problem(endpoint, &what);
        }
        let is_plain = matches!(&endpoint.target, Target::Http(url) if url.scheme() == "http");
        if is_plain || matches!(endpoint.target, Target::Dns(_)) {
            let what = "has a hold, which means something only for https://, tls:// and tcp://";
            self.problem(endpoint, what);
        }
    }

    /// A proxy carries no questions to the DNS. Asked for by name, such a route is a mistake; as one of the
    /// defaults it is left out, and that is said.
    fn no_dns_over_proxy(&mut self, endpoint: &Endpoint, route: &Route, overrides: &Overrides) {
        let why = format!(
            "cannot be asked for over the route `{}`: a proxy carries no DNS questions",
            route.name
        );
        if overrides.routes.is_some() {
            self.problem(endpoint, &why);
        } else {
            self.not_probed(endpoint, why);
        }
    }

    fn finish(mut self) -> Result<Plan, Problems> {
        let sources = self.config.discovery.as_ref();
        let may_be_empty = sources.is_some_and(DiscoverySettings::names_any);
        if self.checks.is_empty() && self.problems.is_empty() && !may_be_empty {
            self.problems.push(Problem {
                at: Location::default(),
                message: "there is nothing to probe: neither `catalog.features` nor `endpoints` names an endpoint \
                          that can be probed, and there is no `discovery`"
                    .to_owned(),
                hint: Some("`reachd catalog list` shows the features".to_owned()),
            });
        }
        if !self.problems.is_empty() {
            return Err(Problems(self.problems));
        }
        self.checks.sort_by_cached_key(|check| check.key());
        let catalog = self.config.catalog.as_ref();
        Ok(Plan {
            histograms: Histograms {
                mode: histogram_mode(self.config.metrics.histograms, self.checks.len()),
                buckets: self.config.metrics.buckets.clone(),
                native: self.config.metrics.native_histograms,
            },
            checks: self.checks,
            errands: errands(self.config),
            not_probed: self.not_probed,
            wildcards: self.wildcards,
            discover_redirects: catalog.is_some_and(|catalog| catalog.discover_redirects),
            concurrency: self.config.global.concurrency,
            hold_concurrency: self.config.global.hold_concurrency,
        })
    }

    fn problem(&mut self, endpoint: &Endpoint, what: &str) {
        if self.is_found {
            self.not_probed(endpoint, format!("it {what}"));
            return;
        }
        self.problems.push(Problem {
            at: Location::default(),
            message: format!(
                "the endpoint `{}` of the service `{}` {what}",
                endpoint.name, endpoint.service
            ),
            hint: None,
        });
    }

    fn not_probed(&mut self, endpoint: &Endpoint, why: String) {
        self.not_probed.push(NotProbed {
            service: endpoint.service.clone(),
            endpoint: endpoint.name.clone(),
            why,
        });
    }
}

fn histogram_mode(choice: HistogramChoice, checks: usize) -> HistogramMode {
    match choice {
        HistogramChoice::Auto if checks > MOST_CHECKS_WITH_OWN_HISTOGRAMS => HistogramMode::Service,
        HistogramChoice::Auto | HistogramChoice::Check => HistogramMode::Check,
        HistogramChoice::Service => HistogramMode::Service,
        HistogramChoice::None => HistogramMode::None,
    }
}

#[cfg(test)]
mod tests;
