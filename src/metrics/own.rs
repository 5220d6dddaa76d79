//! reachd's own health, and the causes with what they explain: few series while all is well, so that an ordinary registry
//! serves them best.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use prometheus::{
    Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, IntGaugeVec, Opts, Registry,
};
use tokio::runtime::{Handle, RuntimeMetrics};

use super::format::Format;
use super::present::Present;
use super::registry;
use super::rows::truth;
use crate::outcome::{CauseKind, RootStanding};
use crate::plan::{CheckKey, Shard};

/// Seconds a probe may start late: a millisecond is the timer's, a second is a scheduler in distress.
const LAG_BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// The registry and what is counted in it.
#[derive(Debug)]
pub(super) struct OwnHealth {
    registry: Registry,
    checks: IntGauge,
    in_flight: IntGauge,
    skipped: IntCounter,
    holds_skipped: IntCounter,
    panics: IntCounter,
    lag: Histogram,
    reload_successful: IntGauge,
    reloaded_at: Gauge,
    roots: IntGaugeVec,
    causes: Present<3>,
    explained: Present<5>,
    /// Without a label; a vector, because there is none without a store.
    history_store_up: IntGaugeVec,
    shard: IntGaugeVec,
    web_accept_errors: IntCounter,
    web_panics: IntCounter,
    tasks: IntGaugeVec,
    /// Whose tasks they are.
    runtimes: Mutex<Vec<(&'static str, RuntimeMetrics)>>,
}

// === impl OwnHealth ===

impl OwnHealth {
    #[expect(
        clippy::expect_used,
        reason = "names and labels are constants: a bad or double one fails every test of this room"
    )]
    pub(super) fn new() -> Self {
        Self::registered().expect("the own metrics are well-formed and unique")
    }

    fn registered() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let health = Self {
            checks: IntGauge::new("reachd_checks", "Checks of the plan in force.")?,
            in_flight: IntGauge::new("reachd_probes_in_flight", "Probes under way.")?,
            skipped: IntCounter::new(
                "reachd_probes_skipped_total",
                "Turns that passed while the probe before was still running or waiting.",
            )?,
            holds_skipped: IntCounter::new(
                "reachd_holds_skipped_total",
                "Turns that passed while the hold before was still running or waiting.",
            )?,
            panics: IntCounter::new(
                "reachd_probe_panics_total",
                "Probes and holds that a fault of reachd itself ended.",
            )?,
            lag: Histogram::with_opts(
                HistogramOpts::new(
                    "reachd_scheduler_lag_seconds",
                    "How much later than their turn probes started.",
                )
                .buckets(LAG_BUCKETS.to_vec()),
            )?,
            reload_successful: IntGauge::new(
                "reachd_config_last_reload_successful",
                "Whether the last attempt to load the configuration succeeded.",
            )?,
            reloaded_at: Gauge::new(
                "reachd_config_last_reload_success_timestamp_seconds",
                "When the configuration was last loaded successfully.",
            )?,
            roots: IntGaugeVec::new(
                Opts::new(
                    "reachd_trust_store_root",
                    "How a root that the catalog's endpoints may need stands in a trust store.",
                ),
                &["root", "fingerprint_sha256", "store", "state"],
            )?,
            causes: Present::registered(
                &registry,
                "reachd_cause",
                "Present with the value 1 while the outcomes of many checks together have this cause.",
                ["cause", "subject", "critical"],
            )?,
            explained: Present::registered(
                &registry,
                "reachd_cause_explains",
                "Present with the value 1 while the cause explains why the latest probe of the check failed.",
                ["cause", "subject", "service", "endpoint", "route"],
            )?,
            history_store_up: IntGaugeVec::new(
                Opts::new(
                    "reachd_history_store_up",
                    "Whether the history reaches the disk, where there is a state_dir.",
                ),
                &[],
            )?,
            shard: IntGaugeVec::new(
                Opts::new(
                    "reachd_shard_info",
                    "Which of several reachd this is that share the checks of one configuration.",
                ),
                &["index", "count"],
            )?,
            web_accept_errors: IntCounter::new(
                "reachd_web_accept_errors_total",
                "Clients that the web server could not accept, as for too many open files.",
            )?,
            web_panics: IntCounter::new(
                "reachd_web_panics_total",
                "Tasks of the web server that a fault of reachd itself ended.",
            )?,
            tasks: IntGaugeVec::new(
                Opts::new(
                    "reachd_runtime_alive_tasks",
                    "Tasks that are not over, by the runtime on which they run.",
                ),
                &["runtime"],
            )?,
            runtimes: Mutex::default(),
            registry,
        };
        health.register()?;
        Ok(health)
    }

    fn register(&self) -> prometheus::Result<()> {
        let build = IntGauge::with_opts(
            Opts::new("reachd_build_info", "Which reachd this is.")
                .const_label("version", env!("CARGO_PKG_VERSION")),
        )?;
        build.set(1);

        let registry = &self.registry;
        registry.register(Box::new(build))?;
        registry.register(Box::new(self.checks.clone()))?;
        registry.register(Box::new(self.in_flight.clone()))?;
        registry.register(Box::new(self.skipped.clone()))?;
        registry.register(Box::new(self.holds_skipped.clone()))?;
        registry.register(Box::new(self.panics.clone()))?;
        registry.register(Box::new(self.lag.clone()))?;
        registry.register(Box::new(self.reload_successful.clone()))?;
        registry.register(Box::new(self.reloaded_at.clone()))?;
        registry.register(Box::new(self.roots.clone()))?;
        registry.register(Box::new(self.history_store_up.clone()))?;
        registry.register(Box::new(self.shard.clone()))?;
        registry.register(Box::new(self.web_accept_errors.clone()))?;
        registry.register(Box::new(self.web_panics.clone()))?;
        registry.register(Box::new(self.tasks.clone()))?;
        // The library reads /proc and offers the collector where there is one.
        #[cfg(target_os = "linux")]
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        Ok(())
    }

    pub(super) fn planned(&self, checks: usize) {
        self.checks.set(i64::try_from(checks).unwrap_or(i64::MAX));
    }

    pub(super) fn started(&self, lag: Duration) {
        self.in_flight.inc();
        self.lag.observe(lag.as_secs_f64());
    }

    pub(super) fn ended(&self) {
        self.in_flight.dec();
    }

    pub(super) fn panicked(&self) {
        self.panics.inc();
    }

    pub(super) fn skipped(&self, turns: u64) {
        self.skipped.inc_by(turns);
    }

    pub(super) fn holds_skipped(&self, turns: u64) {
        self.holds_skipped.inc_by(turns);
    }

    pub(super) fn reloaded(&self, success: bool, at: SystemTime) {
        self.reload_successful.set(i64::from(success));
        if let (true, Ok(since)) = (success, at.duration_since(SystemTime::UNIX_EPOCH)) {
            self.reloaded_at.set(since.as_secs_f64());
        }
    }

    pub(super) fn trust_store(&self, roots: &[RootStanding]) {
        self.roots.reset();
        for root in roots {
            let labels = [&root.root, &root.sha256, &root.store, root.state.as_str()];
            self.roots.with_label_values(&labels).set(1);
        }
    }

    pub(super) fn causes<'c>(&self, causes: impl Iterator<Item = (CauseKind, &'c str, bool)>) {
        let labels = causes
            .map(|(kind, subject, critical)| [kind.as_str(), subject, truth(critical)])
            .map(|labels| labels.map(str::to_owned));
        self.causes.show(labels.collect());
    }

    /// A check has one cause at most, the first of those that are told of it.
    pub(super) fn explained<'c>(
        &self,
        checks: impl Iterator<Item = (CauseKind, &'c str, &'c CheckKey)>,
    ) {
        let mut first: BTreeMap<&CheckKey, (CauseKind, &str)> = BTreeMap::new();
        for (kind, subject, check) in checks {
            first.entry(check).or_insert((kind, subject));
        }
        let labels = first.into_iter().map(|(check, (kind, subject))| {
            let CheckKey {
                service,
                endpoint,
                route,
            } = check;
            [kind.as_str(), subject, service, endpoint, route].map(str::to_owned)
        });
        self.explained.show(labels.collect::<BTreeSet<_>>());
    }

    pub(super) fn history_store(&self, is_up: bool) {
        let gauge = self.history_store_up.with_label_values::<&str>(&[]);
        gauge.set(i64::from(is_up));
    }

    pub(super) fn web_accept_failed(&self) {
        self.web_accept_errors.inc();
    }

    pub(super) fn web_panicked(&self) {
        self.web_panics.inc();
    }

    /// Which of several reachd this is; not told where it is alone.
    pub(super) fn shard(&self, shard: Shard) {
        let labels = [shard.index().to_string(), shard.count().to_string()];
        self.shard.with_label_values(&labels).set(1);
    }

    /// A runtime whose tasks are counted from now on.
    pub(super) fn runtime(&self, name: &'static str, runtime: &Handle) {
        let runtimes = self.runtimes.lock();
        let mut runtimes = runtimes.unwrap_or_else(PoisonError::into_inner);
        runtimes.push((name, runtime.metrics()));
    }

    /// Appends everything that is in the registry.
    pub(super) fn write(&self, out: &mut Vec<u8>, format: Format) {
        self.count_tasks();
        registry::write(&self.registry.gather(), out, format);
    }

    fn count_tasks(&self) {
        let runtimes = self.runtimes.lock();
        for (name, runtime) in &*runtimes.unwrap_or_else(PoisonError::into_inner) {
            let tasks = i64::try_from(runtime.num_alive_tasks()).unwrap_or(i64::MAX);
            self.tasks.with_label_values(&[name]).set(tasks);
        }
    }
}
