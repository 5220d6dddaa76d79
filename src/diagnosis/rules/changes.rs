//! A check flaps: of its last ten probes, at least four ended otherwise than the one before. Where at least two
//! endpoints do so over a way, and at least half of those that are probed over it, it is the way that flaps.

use std::collections::{BTreeMap, BTreeSet};

use super::SEVERAL;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::Scene;
use crate::outcome::CauseKind;

/// Two outages within ten probes.
const MANY: usize = 4;

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut ways: BTreeMap<&str, (Vec<&'f Finding>, usize)> = BTreeMap::new();
    for finding in scene.findings {
        let (flapping, steady) = ways.entry(finding.way()).or_default();
        if finding.changes >= MANY {
            flapping.push(finding);
        } else {
            *steady += 1;
        }
    }
    let mut found: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for (way, (flapping, steady)) in ways {
        let endpoints: BTreeSet<&str> = flapping.iter().map(|finding| finding.endpoint()).collect();
        let is_way = endpoints.len() >= SEVERAL && flapping.len() >= steady;
        for finding in flapping {
            let subject = if is_way { way } else { finding.endpoint() };
            let new = || Inference::new(CauseKind::Flapping, subject);
            let words = format!("{} changes in its last probes", finding.changes);
            let witness = Witness::saying(finding, Aspect::Changes, words);
            let inference = found.entry(subject).or_insert_with(new);
            inference.supports.push(witness);
        }
    }
    found.into_values().collect()
}
