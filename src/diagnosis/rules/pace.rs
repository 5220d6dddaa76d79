//! A proxy is slow: for at least two endpoints, and for at least half of those that get through, a step with the
//! proxy takes far longer than it used to.
//!
//! An endpoint is degraded: a step takes far longer than it used to, and no slow proxy explains that.

use std::collections::BTreeMap;

use super::SEVERAL;
use crate::diagnosis::finding::{Finding, SlowStep};
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::Scene;
use crate::outcome::{CauseKind, Peer};

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut found = proxies(scene);
    found.extend(endpoints(scene));
    found
}

fn proxies<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut proxies: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for finding in scene.findings {
        let (Some(proxy), Some(_)) = (finding.proxy(), finding.success()) else {
            continue;
        };
        let new = || Inference::new(CauseKind::ProxySlow, proxy);
        let inference = proxies.entry(proxy).or_insert_with(new);
        let mut steps = finding.slow.iter();
        match steps.find(|slow| slow.step.peer == Peer::Proxy) {
            Some(slow) => inference.supports.push(slow_witness(finding, slow)),
            None => inference.contradicts.push(Witness::as_it_ended(finding)),
        }
    }
    let is_confident = |inference: &Inference<'f>| {
        let mut endpoints: Vec<&str> = inference.supports.iter().map(name_of).collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        endpoints.len() >= SEVERAL && inference.supports.len() >= inference.contradicts.len()
    };
    proxies.into_values().filter(is_confident).collect()
}

fn endpoints<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut endpoints: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for finding in scene.findings {
        if let (Some(slow), Some(_)) = (finding.slow.first(), finding.success()) {
            let name = finding.endpoint();
            let new = || Inference::new(CauseKind::Degraded, name);
            let inference = endpoints.entry(name).or_insert_with(new);
            inference.supports.push(slow_witness(finding, slow));
        }
    }
    endpoints.into_values().collect()
}

fn slow_witness<'f>(finding: &'f Finding, slow: &SlowStep) -> Witness<'f> {
    let SlowStep {
        step,
        took,
        usually,
    } = slow;
    let words = format!(
        "{} with the {} took {:.0} ms, usually {:.0} ms",
        step.phase,
        step.peer,
        took.as_secs_f64() * 1000.0,
        usually.as_secs_f64() * 1000.0,
    );
    Witness::saying(finding, Aspect::Pace, words)
}

fn name_of<'f>(witness: &Witness<'f>) -> &'f str {
    witness.finding.endpoint()
}
