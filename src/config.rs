//! The configuration file as written, read into domain types once. Unknown keys are refused, and every error
//! is found at once, each with file, line, column, field and a hint.

mod chain;
mod client_files;
mod context;
mod credentials;
mod discovery;
mod document;
mod effective;
mod endpoints;
mod environment;
mod expectation;
mod exposition;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod hold;
mod names;
mod pac;
mod path;
mod problem;
mod proxies;
mod reader;
mod resolvers;
mod retry;
mod revocation;
mod root;
mod routes;
mod scalars;
mod secrets;
mod selection;
mod shown;
mod substitution;
mod suggestion;
mod target;
mod target_groups;
#[cfg(test)]
mod tests;
mod trust;
mod web;
mod winhttp;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use client_files::client_certificate;
use context::Context;
pub use credentials::login_fault;
pub use discovery::{
    DiscoverySettings, FileSource, HttpSource, M365Area, M365Instance, M365Source, ServerLogin,
    TargetDefaults,
};
pub use problem::{Position, Problem, Problems, did_you_mean};
use reader::Value;
pub use retry::Retry;
pub use shown::ShownConfig;
pub use suggestion::Suggestion;
pub use target_groups::{TargetGroup, target_groups};
pub use web::{ClientPolicy, RateLimit, WebConfig, WebReading, WebTls};
pub use winhttp::WinHttpError;

use crate::endpoint::{
    Endpoint, Fingerprint, Hold, Inspection, ResolverSettings, RevocationMethod, RevocationMode,
    Target, TlsSettings,
};
use crate::platform::proxies_of;
use crate::route::{Credentials, Route, Way};

/// Where `${NAME}` is looked up: [`crate::platform::environment`], or a table in a test.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A configuration is written by hand: what is larger is something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

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
    /// How the revocation of certificates is found out.
    pub revocation: RevocationSettings,
    /// The user's own endpoints.
    pub endpoints: Vec<EndpointSettings>,
    /// Where further endpoints come from.
    pub discovery: Option<DiscoverySettings>,
    /// How results are exposed.
    pub metrics: MetricsSettings,
    /// Where is kept what outlives the process: lists and answers about revocation.
    pub state_dir: Option<PathBuf>,
}

/// How the revocation of certificates is found out. Windows looks for it in the SYSTEM context, with a proxy of
/// its own, which is often not the service's.
#[derive(Debug, Clone, PartialEq)]
pub struct RevocationSettings {
    /// What comes of it.
    pub mode: RevocationMode,
    /// How, in this order.
    pub methods: Vec<RevocationMethod>,
    /// Over which route lists and answers are fetched.
    pub route: RevocationRoute,
    /// How long one fetch may take.
    pub timeout: Duration,
    /// Whether what an authority publishes is probed by itself.
    pub derived: DerivedEndpoints,
}

/// Whether what the authorities of certificates publish is probed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DerivedEndpoints {
    /// It is not.
    Off,
    /// So often.
    Every(Duration),
}

/// What an endpoint sets for itself of that.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RevocationOverrides {
    /// What comes of it.
    pub mode: Option<RevocationMode>,
    /// How, in this order.
    pub methods: Option<Vec<RevocationMethod>>,
    /// Over which route lists and answers are fetched.
    pub route: Option<RevocationRoute>,
}

/// Over which route lists and answers about revocation are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationRoute {
    /// That of the check.
    Same,
    /// The one of this name.
    Named(String),
}

/// Defaults for every check.
#[derive(Debug, Clone, PartialEq)]
pub struct Global {
    /// How often a check runs.
    pub interval: Duration,
    /// How long one probe may take.
    pub timeout: Duration,
    /// How long after a failure that follows a success a check is probed once more.
    pub retry_interval: Option<Duration>,
    /// How many probes may be under way at once.
    pub concurrency: usize,
    /// How many connections may be held idle at once, beside the probes.
    pub hold_concurrency: usize,
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
    /// When it is probed once more after it began to fail.
    pub retry: Option<Retry>,
    /// What it means that a proxy inspects its traffic; of the catalog's endpoints.
    pub inspection: Option<Inspection>,
    /// Whether an idle connection to it must live, and for how long.
    pub hold: Option<HoldChoice>,
    /// How the revocation of its certificates is found out.
    pub revocation: Option<RevocationOverrides>,
    /// With what it is logged in to.
    pub credentials: Option<Credentials>,
    /// Whom to trust, complete; of the catalog's endpoints.
    pub tls: Option<TlsSettings>,
    /// The certificates of which it must present one; of the catalog's endpoints.
    pub pins: Option<Vec<Fingerprint>>,
}

/// `hold` as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldChoice {
    /// No connection is held, whatever the catalog says.
    None,
    /// One is.
    For(Hold),
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
    /// Whether hosts of a required wildcard to which a redirect leads are probed, too.
    pub discover_redirects: bool,
}

/// A value and where it stands in the file. Two of them are equal if their values are: moving a line is no
/// change of the configuration.
#[derive(Debug, Clone)]
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
    /// Whether native histograms stand beside them.
    pub native_histograms: bool,
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

// === impl Config ===

impl Config {
    /// Reads a file. Relative paths in it count from its folder.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the file.
    pub fn load(path: &Path, environment: Environment<'_>) -> Result<Self, Problems> {
        Self::load_with(path, environment, |_| Problems::default())
    }

    /// Reads a file. Where something is wrong with it, `judge` is asked, too, for what else is: only other rooms know
    /// which names the catalog has, and all of it is to be told at once.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the file.
    pub fn load_with(
        path: &Path,
        environment: Environment<'_>,
        judge: impl FnOnce(&Self) -> Problems,
    ) -> Result<Self, Problems> {
        let file = path.display().to_string();
        let text = files::read_bounded(path, MAX_FILE_BYTES)
            .and_then(|content| {
                String::from_utf8(content).map_err(|_| format!("{file} is not UTF-8 text"))
            })
            .map_err(|message| Problems::one(&file, "", message))?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let base_dir = path.parent().unwrap_or(Path::new(""));
        Self::read(&text, &Context::new(&file, base_dir, environment), judge)
    }

    /// Reads a text. `file` is what problems call it; relative paths in it count from `base_dir`.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the text.
    pub fn parse(
        file: &str,
        text: &str,
        base_dir: &Path,
        environment: Environment<'_>,
    ) -> Result<Self, Problems> {
        let context = Context::new(file, base_dir, environment);
        Self::read(text, &context, |_| Problems::default())
    }

    /// What runs without a configuration file: the tenant-attach set of the public cloud, over the proxy that
    /// the environment names, or directly. Beside it come notices for the log, where the environment was
    /// taken in another sense than it may have been meant.
    ///
    /// # Errors
    /// The environment names a proxy that cannot be used.
    pub fn embedded_default(environment: Environment<'_>) -> Result<(Self, Vec<String>), Problems> {
        let text = include_str!("default.yml");
        let mut config = Self::parse("(built in)", text, Path::new(""), environment)?;
        let found = environment::proxy(&proxies_of(environment))?;
        if let Some(proxy) = found.proxy {
            config.default_routes = vec![proxy.name.clone()];
            config.routes.push(Route {
                name: proxy.name.clone(),
                way: Way::Proxy(Arc::new(proxy)),
                resolver: None,
            });
        }
        Ok((config, found.notices))
    }

    /// The configuration with its defaults filled in, in its own syntax, but for the secrets: `<secret>`
    /// stands in for each.
    #[must_use]
    pub fn effective_yaml(&self) -> String {
        effective::written(self).to_string()
    }

    fn read(
        text: &str,
        context: &Context<'_>,
        judge: impl FnOnce(&Self) -> Problems,
    ) -> Result<Self, Problems> {
        let document = document::parse(context.file, text)?;
        context.conclude(root::read(&Value::root(context, &document)), judge)
    }
}

/// What the URL of an endpoint asks to be probed.
///
/// # Errors
/// Why it asks for nothing, in one line that does not show the URL.
pub fn target_of(url: &str) -> Result<Target, String> {
    target::target(url).map_err(|error| error.to_string())
}

/// Whether a text is a name for a label and the command line, as those of services and routes.
#[must_use]
pub fn is_name(text: &str) -> bool {
    scalars::is_name(text)
}

/// The content of a file, or in one line why there is none: regular files alone, no larger than this.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    files::read_bounded(path, most)
}

/// The JSON Schema (2020-12) of the configuration, for editors.
#[must_use]
pub fn schema() -> &'static str {
    include_str!("config/schema.json")
}

// === impl Global ===

impl Default for Global {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            retry_interval: Some(Duration::from_secs(5)),
            concurrency: 256,
            hold_concurrency: 64,
            workers: 1,
            resolver: ResolverSettings::System,
            tls: TlsSettings::default(),
        }
    }
}

// === impl RevocationSettings ===

impl Default for RevocationSettings {
    fn default() -> Self {
        Self {
            mode: RevocationMode::Report,
            methods: RevocationMethod::ALL.to_vec(),
            route: RevocationRoute::Same,
            timeout: Duration::from_secs(10),
            derived: DerivedEndpoints::Every(Duration::from_secs(5 * 60)),
        }
    }
}

// === impl RevocationRoute ===

impl RevocationRoute {
    /// The name, where there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Same => None,
            Self::Named(name) => Some(name),
        }
    }
}

// === impl Located ===

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
