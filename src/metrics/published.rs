//! Whose numbers `/metrics` shows: an immutable list, made anew for each plan out of its predecessor.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::histogram::{HistogramSet, Shape};
use super::labels::Labels;
use super::numbers::CheckNumbers;
use crate::plan::{Check, CheckKey, HistogramMode, Histograms, Plan};

/// The rows of the exposition, ordered by key.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) checks: Vec<CheckRow>,
    pub(super) histograms: Vec<Arc<HistogramSet>>,
    pub(super) services: Vec<ServiceRow>,
    /// `None` before the first plan.
    settings: Option<Histograms>,
    shape: Option<Arc<Shape>>,
}

/// A check as it is planned.
#[derive(Debug)]
pub(super) struct CheckRow {
    check: Arc<Check>,
    pub(super) numbers: Arc<CheckNumbers>,
}

/// A service over a route, with the checks that decide about its status.
#[derive(Debug)]
pub(super) struct ServiceRow {
    pub(super) labels: Labels,
    checks: Vec<ServiceCheck>,
}

/// A check as far as its service is concerned.
#[derive(Debug)]
struct ServiceCheck {
    numbers: Arc<CheckNumbers>,
    critical: bool,
    /// Whether it was found while others were probed.
    joins: bool,
}

// === impl Published ===

impl Published {
    /// The rows of a new plan. A check keeps its numbers, even when its definition changed; histograms begin
    /// anew when their mode or shape changed.
    pub(super) fn succeeded_by(&self, plan: &Plan) -> Self {
        let checks = plan.checks.iter();
        let mut checks: Vec<CheckRow> = checks
            .map(|check| CheckRow::new(check, self.row_of(check)))
            .collect();
        checks.sort_by(|one, other| one.check.labels().cmp(&other.check.labels()));

        let kept = self.settings.as_ref() == Some(&plan.histograms);
        let Histograms {
            buckets, native, ..
        } = &plan.histograms;
        let shape = match &self.shape {
            Some(shape) if kept => Arc::clone(shape),
            _ => Arc::new(Shape::new(buckets, *native)),
        };
        let histograms = match plan.histograms.mode {
            HistogramMode::Check => histograms_of_checks(&checks, &shape, kept),
            HistogramMode::Service => {
                let former: &[_] = if kept { &self.histograms } else { &[] };
                histograms_of_services(&checks, &shape, former)
            }
            HistogramMode::None => no_histograms(&checks),
        };
        Self {
            services: services(&checks),
            checks,
            histograms,
            settings: Some(plan.histograms.clone()),
            shape: Some(shape),
        }
    }

    /// The numbers of a check; such as nobody shows when it is not in the plan.
    pub(super) fn numbers_of(&self, check: &Check) -> Arc<CheckNumbers> {
        match self.row_of(check) {
            Some(row) => Arc::clone(&row.numbers),
            None => Arc::new(numbers_of(&check.key())),
        }
    }

    /// What there is of the check of these labels.
    fn row_of(&self, check: &Check) -> Option<&CheckRow> {
        let labels = check.labels();
        let rows = &self.checks;
        let found = rows.binary_search_by(|row| row.check.labels().cmp(&labels));
        Some(&rows[found.ok()?])
    }
}

/// A set for each check. It is found again in the check's numbers.
fn histograms_of_checks(
    checks: &[CheckRow],
    shape: &Arc<Shape>,
    keep: bool,
) -> Vec<Arc<HistogramSet>> {
    let sets = checks.iter().map(|row| {
        let former = row.numbers.histograms().filter(|_| keep);
        let set = former.unwrap_or_else(|| {
            let labels = row.numbers.labels.clone();
            Arc::new(HistogramSet::new(labels, shape))
        });
        row.count_into(&set);
        set
    });
    sets.collect()
}

/// A set for each service and route, which its checks share.
fn histograms_of_services(
    checks: &[CheckRow],
    shape: &Arc<Shape>,
    former: &[Arc<HistogramSet>],
) -> Vec<Arc<HistogramSet>> {
    let former: HashMap<&Labels, &Arc<HistogramSet>> =
        former.iter().map(|set| (&set.labels, set)).collect();
    let services = by_service(checks).into_iter();
    let sets = services.map(|((service, route), rows)| {
        let labels = service_labels(service, route);
        let set = match former.get(&labels) {
            Some(set) => Arc::clone(set),
            None => Arc::new(HistogramSet::new(labels, shape)),
        };
        for row in rows {
            row.count_into(&set);
        }
        set
    });
    sets.collect()
}

fn no_histograms(checks: &[CheckRow]) -> Vec<Arc<HistogramSet>> {
    for row in checks {
        row.numbers.count_into(None);
    }
    Vec::new()
}

fn services(checks: &[CheckRow]) -> Vec<ServiceRow> {
    let services = by_service(checks).into_iter();
    services
        .map(|((service, route), rows)| ServiceRow {
            labels: service_labels(service, route),
            checks: rows
                .iter()
                .map(|row| ServiceCheck {
                    numbers: Arc::clone(&row.numbers),
                    critical: row.critical(),
                    joins: row.check.endpoint.origin.is_found(),
                })
                .collect(),
        })
        .collect()
}

fn by_service(checks: &[CheckRow]) -> BTreeMap<(&str, &str), Vec<&CheckRow>> {
    let mut services: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in checks {
        let [service, _, route] = row.check.labels();
        let of = (service, route);
        services.entry(of).or_default().push(row);
    }
    services
}

fn numbers_of(key: &CheckKey) -> CheckNumbers {
    let labels = Labels::default()
        .with("service", &key.service)
        .with("endpoint", &key.endpoint)
        .with("route", &key.route);
    CheckNumbers::new(labels.kept(), key.digest())
}

fn service_labels(service: &str, route: &str) -> Labels {
    Labels::default()
        .with("service", service)
        .with("route", route)
}

// === impl CheckRow ===

impl CheckRow {
    fn new(check: &Arc<Check>, former: Option<&Self>) -> Self {
        let Some(former) = former else {
            return Self {
                check: Arc::clone(check),
                numbers: Arc::new(numbers_of(&check.key())),
            };
        };
        if !former.check.is_as(check) {
            former.numbers.redefine();
        }
        Self {
            check: Arc::clone(check),
            numbers: Arc::clone(&former.numbers),
        }
    }

    pub(super) fn critical(&self) -> bool {
        self.check.endpoint.critical
    }

    pub(super) fn interval(&self) -> Duration {
        self.check.interval
    }

    fn count_into(&self, set: &Arc<HistogramSet>) {
        for step in self.check.expected_steps() {
            set.of_step(step);
        }
        self.numbers.count_into(Some(Arc::clone(set)));
    }

    /// What `reachd_endpoint_info` adds to the base labels: made for each scrape, for it is longer than all else that
    /// is kept of a check here.
    pub(super) fn info(&self) -> Labels {
        let endpoint = &self.check.endpoint;
        let labels = Labels::with_room()
            .with_seen("url", &endpoint.target.to_string())
            .with_seen("host", &endpoint.target.host())
            .with_seen("cloud", endpoint.cloud.as_deref().unwrap_or_default())
            .with("critical", &endpoint.critical.to_string())
            .with("via", self.check.via().as_str())
            .with("origin", endpoint.origin.as_str())
            .with(
                "stands_in_for",
                endpoint.stands_in_for.as_deref().unwrap_or_default(),
            );
        let own = endpoint.labels.iter();
        own.fold(labels, |labels, (name, value)| {
            labels.with_seen(name, value)
        })
    }
}

// === impl ServiceRow ===

impl ServiceRow {
    /// 0 when all that ran is reachable, 1 when only what is not critical fails, 2 when something critical
    /// fails; `None` as long as nothing failed and something has not run: that is not known to be reachable. What was
    /// found meanwhile may join without a gap in what is known.
    pub(super) fn status(&self) -> Option<u64> {
        let mut worst = None;
        let mut waiting = false;
        for row in &self.checks {
            let latest = row.numbers.latest();
            let found = match latest.map(|outcome| outcome.result.is_ok()) {
                None => {
                    waiting |= !row.joins;
                    continue;
                }
                Some(true) => 0,
                Some(false) if row.critical => 2,
                Some(false) => 1,
            };
            worst = worst.max(Some(found));
        }
        worst.filter(|worst| *worst > 0 || !waiting)
    }
}
