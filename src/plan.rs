//! The plan: every check that is to run, complete and immutable. It is made from the configuration and the
//! catalog, swapped whole on reload, and compared with its predecessor by key.

mod build;
mod by_check;
mod derived;
mod errand;
#[cfg(test)]
pub(crate) mod fixture;
mod holds;
mod identity;
mod redirects;
mod revocation;
mod shard;
mod steps;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use by_check::{ByCheck, Labelled};
pub use derived::{Named, Place};
pub use errand::MOST_TARGETS_BYTES;
pub use identity::{NoOutcomeId, OutcomeId};
pub use revocation::{MOST_LIST_BYTES, Revocation};
use serde::Serialize;
pub use shard::{MOST_SHARDS, NoShard, Shard};

use crate::catalog::NotProbed;
use crate::endpoint::{Endpoint, ResolverSettings, Shared, TlsSettings};
use crate::route::{Credentials, Route};

/// One endpoint over one route.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What must be reachable.
    pub endpoint: Arc<Endpoint>,
    /// The way out.
    pub route: Arc<Route>,
    /// How often.
    pub interval: Duration,
    /// How long one probe may take, all phases together.
    pub timeout: Duration,
    /// How long after a failure that follows a success it is probed once more, to tell a blip from an outage; `None`
    /// where it is not.
    pub retry_interval: Option<Duration>,
    /// Who is asked for the endpoint's name.
    pub resolver: Shared<ResolverSettings>,
    /// Who is asked for the proxy's name.
    pub proxy_resolver: Shared<ResolverSettings>,
    /// Whom to trust.
    pub tls: Arc<TlsSettings>,
    /// With what the endpoint itself is logged in to.
    pub credentials: Option<Arc<Credentials>>,
    /// How it is found out whether certificates were revoked.
    pub revocation: Shared<Revocation>,
}

/// What makes two checks of two plans the same one: their labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct CheckKey {
    /// The label `service`.
    pub service: String,
    /// The label `endpoint`.
    pub endpoint: String,
    /// The label `route`.
    pub route: String,
}

/// Everything that is to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The checks, ordered by key.
    pub checks: Vec<Arc<Check>>,
    /// What is fetched beside the checks: lists of targets.
    pub errands: Vec<Arc<Check>>,
    /// What is required but not probed.
    pub not_probed: Vec<NotProbed>,
    /// The required wildcards, as endpoints that have one in place of a host.
    pub wildcards: Vec<Endpoint>,
    /// Whether hosts of theirs to which a redirect leads are probed.
    pub discover_redirects: bool,
    /// How many probes may be under way at once.
    pub concurrency: usize,
    /// How many connections may be held idle at once.
    pub hold_concurrency: usize,
    /// How latencies are exposed.
    pub histograms: Histograms,
}

/// How many histograms `/metrics` has.
#[derive(Debug, Clone, PartialEq)]
pub struct Histograms {
    /// Of what.
    pub mode: HistogramMode,
    /// Upper bounds in seconds, ascending, without the infinite one.
    pub buckets: Vec<f64>,
    /// Whether native histograms stand beside them.
    pub native: bool,
}

/// Whose histograms there are. `auto` of the configuration has been decided by the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistogramMode {
    /// Each check has its own, about 90 series.
    Check,
    /// One set for a service and route.
    Service,
    /// None.
    None,
}

// === impl Check ===

impl Check {
    /// The labels by which this check is known.
    #[must_use]
    pub fn key(&self) -> CheckKey {
        CheckKey {
            service: self.endpoint.service.clone(),
            endpoint: self.endpoint.name.clone(),
            route: self.route.name.clone(),
        }
    }

    /// Whether it is defined as another one is. Mostly it is the very same.
    #[must_use]
    pub fn is_as(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        Arc::ptr_eq(self, other) || **self == **other
    }

    /// The same without a copy, in their order.
    pub(crate) fn labels(&self) -> [&str; 3] {
        [
            &self.endpoint.service,
            &self.endpoint.name,
            &self.route.name,
        ]
    }
}

// === impl Plan ===

impl Plan {
    /// The same, with the checks of a former plan where they did not change: who keeps such a one keeps no second.
    #[must_use]
    pub fn reusing(mut self, former: &Self) -> Self {
        let known: HashMap<[&str; 3], &Arc<Check>> = former
            .checks
            .iter()
            .map(|check| (check.labels(), check))
            .collect();
        for check in &mut self.checks {
            let former = known.get(&check.labels());
            if let Some(former) = former.filter(|former| former.is_as(check)) {
                *check = Arc::clone(former);
            }
        }
        self
    }
}

// === impl CheckKey ===

impl CheckKey {
    /// Service, endpoint and route.
    pub(crate) fn labels(&self) -> [&str; 3] {
        [&self.service, &self.endpoint, &self.route]
    }
}
