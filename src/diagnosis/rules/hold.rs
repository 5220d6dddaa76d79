//! Idle connections are cut on a way: one was, and since then none lived over the same way as long as this one should
//! have.

use std::collections::BTreeMap;

use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::Scene;
use crate::outcome::{CauseKind, FailureReason, HoldOutcome};
use crate::route::Via;

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut ways: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for finding in scene.findings {
        if let Some((hold, words)) = cut(finding) {
            let way = way_of(finding, hold);
            let new = || Inference::new(CauseKind::IdleTimeout, way);
            let inference = ways.entry(way).or_insert_with(new);
            let witness = Witness::saying(finding, Aspect::Hold, words);
            inference.supports.push(witness);
        }
    }
    for finding in scene.findings {
        let Some(hold) = finding.hold.as_ref().filter(|hold| hold.result.is_ok()) else {
            continue;
        };
        if let Some(inference) = ways.get_mut(way_of(finding, hold)) {
            let seconds = hold.held.unwrap_or_default().as_secs();
            let words = format!("an idle connection lived its {seconds} s");
            let witness = Witness::saying(finding, Aspect::Hold, words);
            inference.contradicts.push(witness);
        }
    }
    let mut found: Vec<_> = ways.into_values().collect();
    found.retain(|inference| !is_disproved(inference));
    found
}

/// The way and its words, where it was the connection that did not last.
fn cut(finding: &Finding) -> Option<(&HoldOutcome, String)> {
    let hold = finding.hold.as_deref()?;
    let failure = hold.result.as_ref().err()?;
    let lived = hold.held.unwrap_or_default().as_secs_f64();
    let words = format!("{} after {lived:.1} s: {}", failure.reason, failure.detail);
    matches!(failure.reason, FailureReason::Hold(_)).then_some((hold, words))
}

fn way_of<'f>(finding: &'f Finding, hold: &HoldOutcome) -> &'f str {
    match hold.via {
        Via::Direct | Via::Bypass => "direct",
        Via::Proxy | Via::Pac => finding.check.route.way.name(),
    }
}

/// Whether every cut was followed by a connection that lived as long as the one that was cut should have.
fn is_disproved(inference: &Inference<'_>) -> bool {
    let long_enough = |cut: &Finding| {
        let should = cut.check.endpoint.hold.as_ref().map(|hold| hold.duration);
        let of_cut = cut.hold.as_ref().map(|hold| hold.started);
        let mut lived = inference
            .contradicts
            .iter()
            .map(|witness| &witness.finding.hold);
        lived.any(|lived| {
            let lived = lived.as_ref();
            lived.map(|lived| lived.started) > of_cut
                && lived.and_then(|lived| lived.held) >= should
        })
    };
    let mut cuts = inference.supports.iter();
    cuts.all(|witness| long_enough(witness.finding))
}
