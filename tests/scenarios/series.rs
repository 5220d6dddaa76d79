//! Whether `/metrics` of the daemon shows what a scenario expects.

use super::data::Scenario;
use crate::kit::{Exposition, Sample};

/// Every series that is missing, too many, or has another value.
pub(super) fn differences(service: &str, scenario: &Scenario, metrics: &Exposition) -> Vec<String> {
    let check = [
        ("service", service),
        ("endpoint", scenario.name.as_str()),
        ("route", scenario.route.as_str()),
    ];
    let looked_at = LookedAt {
        metrics,
        check: &check,
    };
    let mut wrong = Vec::new();
    match scenario.failure() {
        None => {
            wrong.extend(looked_at.value("reachd_probe_success", &[], 1.0, 1.0));
            let succeeded = [("result", "success")];
            wrong.extend(looked_at.value("reachd_probes_total", &succeeded, 1.0, f64::MAX));
            wrong.extend(looked_at.absent("reachd_probe_failing"));
            wrong.extend(looked_at.absent("reachd_probe_failures_total"));
        }
        Some(failure) => {
            let step = [("phase", failure.phase.as_str()), ("peer", &failure.peer)];
            let labels = [step[0], step[1], ("reason", &failure.reason)];
            wrong.extend(looked_at.value("reachd_probe_success", &[], 0.0, 0.0));
            wrong.extend(looked_at.value("reachd_probe_failing", &labels, 1.0, 1.0));
            wrong.extend(looked_at.only_one("reachd_probe_failing"));
            let total = "reachd_probe_failures_total";
            wrong.extend(looked_at.value(total, &labels, 1.0, f64::MAX));
            wrong.extend(looked_at.only_one(total));
            let last = "reachd_probe_last_phase_duration_seconds";
            wrong.extend(looked_at.value(last, &step, 0.0, f64::MAX));
            let count = "reachd_phase_duration_seconds_count";
            wrong.extend(looked_at.value(count, &step, 1.0, f64::MAX));
        }
    }
    for series in &scenario.metrics {
        let labels: Vec<(&str, &str)> = series
            .labels
            .iter()
            .map(|(label, value)| (label.as_str(), value.as_str()))
            .collect();
        let (least, most) = series.value;
        wrong.extend(looked_at.value(&series.name, &labels, least, most));
    }
    wrong
}

struct LookedAt<'a> {
    metrics: &'a Exposition,
    check: &'a [(&'a str, &'a str); 3],
}

impl LookedAt<'_> {
    fn value(&self, name: &str, labels: &[(&str, &str)], least: f64, most: f64) -> Option<String> {
        let found = self.matching(name, labels);
        if let [sample] = found[..]
            && (least..=most).contains(&sample.value)
        {
            return None;
        }
        let found = told(&self.matching(name, &[]));
        let range = if most < f64::MAX {
            format!("from {least} to {most}")
        } else {
            format!("of {least} at least")
        };
        Some(format!(
            "{name}{labels:?} is not one series {range}; there is {found}"
        ))
    }

    fn absent(&self, name: &str) -> Option<String> {
        let found = self.matching(name, &[]);
        (!found.is_empty()).then(|| format!("{name} should not be there: {}", told(&found)))
    }

    fn only_one(&self, name: &str) -> Option<String> {
        let found = self.matching(name, &[]);
        (found.len() > 1).then(|| format!("{name} is there more than once: {}", told(&found)))
    }

    fn matching(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        self.metrics
            .matching(name, &[&self.check[..], labels].concat())
    }
}

fn told(samples: &[&Sample]) -> String {
    let lines: Vec<String> = samples.iter().map(ToString::to_string).collect();
    format!("[{}]", lines.join(", "))
}
