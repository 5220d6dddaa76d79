//! The configuration file as written, read into domain types once. Unknown keys are refused, and every error
//! is found at once, each with file, line, column, field and a hint.

mod problem;

use std::collections::BTreeMap;
use std::time::Duration;

pub use problem::{Position, Problem, Problems};

use crate::endpoint::{Endpoint, ResolverSettings, TlsSettings};
use crate::route::Route;

/// A whole configuration, validated but for what only the catalog can know.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Defaults for every check.
    pub global: Global,
    /// What is taken from the built-in catalog, if anything.
    pub catalog: Option<CatalogSelection>,
    /// Every route there is: `direct`, one for each proxy, and those defined under `routes`.
    pub routes: Vec<Route>,
    /// The names of the routes of an endpoint that names none.
    pub default_routes: Vec<String>,
    /// The user's own endpoints.
    pub endpoints: Vec<EndpointSettings>,
    /// How results are exposed.
    pub metrics: MetricsSettings,
}

/// Defaults for every check.
#[derive(Debug, Clone, PartialEq)]
pub struct Global {
    /// How often a check runs.
    pub interval: Duration,
    /// How long one probe may take.
    pub timeout: Duration,
    /// How many probes may be under way at once.
    pub concurrency: usize,
    /// How many threads probe: 1 is best up to some hundred probes a second.
    pub workers: usize,
    /// Who is asked for names.
    pub resolver: ResolverSettings,
    /// Whom to trust.
    pub tls: TlsSettings,
}

/// A user's endpoint with what it sets for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSettings {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What deviates from the defaults.
    pub overrides: Overrides,
    /// Who is asked for its name, if not the global resolver.
    pub resolver: Option<ResolverSettings>,
    /// Whom to trust: the global settings, with its own on top.
    pub tls: TlsSettings,
}

/// What an endpoint, of the user or of the catalog, may set for itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// Whether it is probed at all.
    pub enabled: Option<bool>,
    /// Whether its service stops without it.
    pub critical: Option<bool>,
    /// Its routes, by name.
    pub routes: Option<Vec<String>>,
    /// How often it is probed.
    pub interval: Option<Duration>,
    /// How long one probe may take.
    pub timeout: Option<Duration>,
}

/// What is taken from the catalog. The catalog checks the names; the positions are for its errors.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogSelection {
    /// `public`, `us-government` or `china`.
    pub cloud: Located<String>,
    /// Gates endpoints by release, such as 2503; the newest known where there is none.
    pub configmgr_version: Option<Located<u16>>,
    /// The features, such as `tenant-attach`.
    pub features: Vec<Located<String>>,
    /// Fill the `<name>` templates.
    pub variables: BTreeMap<String, Located<String>>,
    /// By endpoint name or host.
    pub overrides: BTreeMap<String, Located<Overrides>>,
}

/// A value and where it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The file as it was named, with line and column, and the path of keys: ready for a [`Problem`].
    pub at: Location,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The file as it was named on the command line.
    pub file: String,
    /// The place in it.
    pub position: Option<Position>,
    /// The path of keys, such as `catalog.features[0]`.
    pub field: String,
}

/// How results are exposed.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsSettings {
    /// Whose histograms there are.
    pub histograms: HistogramChoice,
    /// Upper bounds in seconds, ascending.
    pub buckets: Vec<f64>,
}

/// `metrics.histograms` as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistogramChoice {
    /// `check` up to 500 checks, `service` above.
    Auto,
    /// One set a check.
    Check,
    /// One set a service and route.
    Service,
    /// None.
    None,
}
