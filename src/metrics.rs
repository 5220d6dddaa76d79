//! The Prometheus exposition: each check owns its numbers, `/metrics` streams them family by family. The families are
//! described once; each of three formats writes their samples in its way.

mod exemplar;
mod exposition;
mod families;
mod format;
mod histogram;
mod labels;
mod native;
mod numbers;
mod own;
mod present;
mod protobuf;
mod published;
mod registry;
mod revocation;
mod rows;
mod sample;
mod sources;
mod text;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
pub use format::Format;
use tokio::runtime::Handle;

use self::exposition::Exposition;
use self::numbers::CheckNumbers;
use self::own::OwnHealth;
use self::published::Published;
use crate::discovery::Discovery;
use crate::observer::{Observer, Watcher};
use crate::outcome::{CauseKind, HoldOutcome, Outcome, Phase, RootStanding};
use crate::plan::{Check, CheckKey, Plan, Shard};

/// The gauges that an HTTPS check has from its first outcome on, beside one for each step: success, last run,
/// status, redirects, clock, TLS, interception, certificate, and its two ends of validity.
const RESULT_SERIES: usize = 10;

/// What the TLS session with the proxy adds to that: TLS, certificate, and its two ends of validity.
const PROXY_TLS_SERIES: usize = 4;

/// What a hold adds: how long it lived, whether that was long enough, and last run.
const HOLD_SERIES: usize = 3;

/// Everything that `/metrics` shows.
#[derive(Debug)]
pub struct Metrics {
    /// Whose numbers are shown. Swapped whole with the plan, so that a scrape under way keeps what it began with.
    published: Mutex<Arc<Published>>,
    own: Arc<OwnHealth>,
    /// Who names targets, with the configuration in force.
    sources: Mutex<Option<Arc<Discovery>>>,
}

/// About how many series a plan exposes once every check has an outcome: what there is from the plan on, and
/// of each check the gauges that state a result.
#[must_use]
pub fn series_of(plan: &Plan) -> usize {
    let metrics = Metrics::new();
    metrics.planned(plan);
    let is_series = |line: &&[u8]| line.first().is_some_and(|first| *first != b'#');
    let lines = |piece: Bytes| piece.split(|byte| *byte == b'\n').filter(is_series).count();
    let from_the_plan_on: usize = metrics.exposition(Format::Text).map(lines).sum();
    let results = plan.checks.iter().map(|check| {
        let to_proxy = check
            .expected_steps()
            .filter(|step| *step == Phase::Tls.with_proxy());
        let holds = usize::from(check.endpoint.hold.is_some());
        RESULT_SERIES
            + PROXY_TLS_SERIES * to_proxy.count()
            + HOLD_SERIES * holds
            + check.expected_steps().count()
    });
    from_the_plan_on + results.sum::<usize>()
}

struct MetricsWatcher {
    numbers: Arc<CheckNumbers>,
    definition: u64,
    own: Arc<OwnHealth>,
}

// === impl Metrics ===

impl Metrics {
    /// Without a check, and with reachd's own health at its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self {
            published: Mutex::default(),
            own: Arc::new(OwnHealth::new()),
            sources: Mutex::default(),
        }
    }

    /// The exposition in a format, in pieces of at most 64 KiB, made as they are asked for.
    pub fn exposition(&self, format: Format) -> impl Iterator<Item = Bytes> + Send + use<> {
        let sources = self.sources.lock();
        let sources = sources.unwrap_or_else(PoisonError::into_inner).clone();
        let statuses = sources.map(|sources| sources.statuses());
        let statuses = statuses.unwrap_or_default();
        Exposition::new(format, self.published(), statuses, Arc::clone(&self.own))
    }

    /// The sources of targets whose standing is shown from now on.
    pub fn sources(&self, sources: &Arc<Discovery>) {
        let mut shown = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Some(Arc::clone(sources));
    }

    /// The configuration was loaded, at the start or again, or could not be.
    pub fn reloaded(&self, success: bool, at: SystemTime) {
        self.own.reloaded(success, at);
    }

    /// How the roots stand that the catalog requires, with the configuration in force.
    pub fn trust_store(&self, roots: &[RootStanding]) {
        self.own.trust_store(roots);
    }

    /// What is inferred from the outcomes of all checks: kind, subject, and whether it is critical.
    pub fn causes<'c>(&self, causes: impl Iterator<Item = (CauseKind, &'c str, bool)>) {
        self.own.causes(causes);
    }

    /// Which check's failure is explained by which cause, the biggest cause first.
    pub fn explained<'c>(&self, checks: impl Iterator<Item = (CauseKind, &'c str, &'c CheckKey)>) {
        self.own.explained(checks);
    }

    /// Whether the history reaches the disk; not told without a folder for the state.
    pub fn history_store(&self, is_up: bool) {
        self.own.history_store(is_up);
    }

    /// Which of several reachd this is; not told where it is alone.
    pub fn shard(&self, shard: Shard) {
        self.own.shard(shard);
    }

    /// The tasks of a runtime are counted from now on, under this name.
    pub fn runtime(&self, name: &'static str, runtime: &Handle) {
        self.own.runtime(name, runtime);
    }

    /// The web server could not accept a client.
    pub fn web_accept_failed(&self) {
        self.own.web_accept_failed();
    }

    /// A task of the web server ended by a fault of reachd.
    pub fn web_panicked(&self) {
        self.own.web_panicked();
    }

    fn published(&self) -> Arc<Published> {
        let published = self.published.lock();
        Arc::clone(&published.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn planned(&self, plan: &Plan) {
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *published = Arc::new(published.succeeded_by(plan));
        self.own.planned(plan.checks.len());
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        let numbers = self.published().numbers_of(check);
        Box::new(MetricsWatcher {
            definition: numbers.definition(),
            numbers,
            own: Arc::clone(&self.own),
        })
    }
}

// === impl MetricsWatcher ===

impl Watcher for MetricsWatcher {
    fn started(&self, lag: Duration) {
        self.own.started(lag);
    }

    fn observed(&self, outcome: &Arc<Outcome>) {
        self.own.ended();
        self.numbers.observe(outcome, self.definition);
    }

    fn held(&self, outcome: &Arc<HoldOutcome>) {
        self.numbers.observe_hold(outcome, self.definition);
    }

    fn abandoned(&self, panicked: bool) {
        self.own.ended();
        if panicked {
            self.own.panicked();
        }
    }

    fn skipped(&self, turns: u64) {
        self.own.skipped(turns);
    }

    fn hold_panicked(&self) {
        self.own.panicked();
    }

    fn holds_skipped(&self, turns: u64) {
        self.own.holds_skipped(turns);
    }
}

#[cfg(test)]
mod tests;
