//! From findings to causes: everything is inferred, and what a bigger cause explains is not told again.

use std::collections::{HashMap, HashSet};
use std::ptr;
use std::time::SystemTime;

use super::cause::Cause;
use super::finding::Finding;
use super::inference::{Aspect, Inference, Witness};
use super::rules::infer;
use super::scene::Scene;
use crate::outcome::{CauseKind, RootStanding};

/// The causes that the findings have, the biggest first and then by subject: always the same of the same findings, in
/// whatever order they come. How the roots stand that the catalog requires is evidence only beside a failure.
#[must_use]
pub fn diagnose(findings: &[Finding], roots: &[RootStanding], now: SystemTime) -> Vec<Cause> {
    Diagnosed::of(findings, roots, now).causes
}

/// The causes, and what they explain.
pub(super) struct Diagnosed {
    pub(super) causes: Vec<Cause>,
    /// Of each finding, what explains its failure.
    pub(super) explained: Vec<Option<Explained>>,
}

/// What explains a failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explained {
    pub(super) by: CauseKind,
    /// Only because it explained the failure before.
    pub(super) carried_on: bool,
}

impl Diagnosed {
    pub(super) fn of(findings: &[Finding], roots: &[RootStanding], now: SystemTime) -> Self {
        let scene = Scene::new(findings, roots, now);
        let mut told = Told::knowing(&scene);
        for inference in merged(infer(&scene)) {
            told.take(inference);
        }
        let explained = findings.iter().map(|finding| told.explained(finding));
        let explained = explained.collect();
        let causes = told.inferences.into_iter();
        Self {
            causes: causes.map(|told| told.into_cause(now)).collect(),
            explained,
        }
    }
}

/// Each fault once, the biggest first.
fn merged(mut inferences: Vec<Inference<'_>>) -> Vec<Inference<'_>> {
    inferences.sort_by(|one, other| (one.kind, &one.subject).cmp(&(other.kind, &other.subject)));
    let mut merged: Vec<Inference<'_>> = Vec::with_capacity(inferences.len());
    for inference in inferences {
        match merged.last_mut() {
            Some(last) if last.is_same_as(&inference) => {
                last.supports.extend(inference.supports);
                last.contradicts.extend(inference.contradicts);
            }
            _ => merged.push(inference),
        }
    }
    merged
}

/// What has been told so far.
#[derive(Default)]
struct Told<'f> {
    inferences: Vec<Inference<'f>>,
    /// By what the failure, or the slowness, of a check is explained.
    explanations: HashMap<(*const Finding, Aspect), CauseKind>,
    /// What explained a failure in a former diagnosis.
    remembered: HashMap<*const Finding, Explained>,
    /// The proxies that are of no use now.
    unusable: HashSet<String>,
}

impl<'f> Told<'f> {
    /// With what former diagnoses said of the outcomes that are still the latest, and of those just before them.
    fn knowing(scene: &Scene<'f>) -> Self {
        let remembered = scene.findings.iter().filter_map(|finding| {
            let of_latest = finding.explained_by.map(|by| (by, false));
            let before = || finding.explained_before.map(|by| (by, true));
            let (by, carried_on) = of_latest.or_else(before)?;
            let counts = !carried_on || scene.is_overtaken(finding);
            counts.then(|| (ptr::from_ref(finding), Explained { by, carried_on }))
        });
        Self {
            remembered: remembered.collect(),
            ..Self::default()
        }
    }

    fn explained(&self, finding: &'f Finding) -> Option<Explained> {
        let key = ptr::from_ref(finding);
        let by = self.explanations.get(&(key, Aspect::Failure));
        // Of what many share: what lies with an endpoint or a route alone is over only when it is probed again.
        let by = by.filter(|by| **by <= CauseKind::ProxyUpstream);
        let now = by.map(|by| Explained {
            by: *by,
            carried_on: false,
        });
        now.or_else(|| self.remembered.get(&key).copied())
    }

    /// Tells it, unless something bigger explains all that speaks for it.
    fn take(&mut self, inference: Inference<'f>) {
        let kind = inference.kind;
        let supports = inference.supports.into_iter();
        let open: Vec<_> = supports
            .filter(|witness| !self.explains(witness, kind))
            .collect();
        if open.is_empty() {
            return;
        }
        for witness in &open {
            if matches!(witness.of, Aspect::Failure | Aspect::Pace) {
                let key = (ptr::from_ref(witness.finding), witness.of);
                self.explanations.entry(key).or_insert(kind);
            }
        }
        if matches!(
            kind,
            CauseKind::ProxyDown | CauseKind::ProxyUpstream | CauseKind::ProxyAuthentication
        ) {
            self.unusable.insert(inference.subject.clone());
        }
        self.inferences.push(Inference {
            supports: open,
            ..inference
        });
    }

    /// Whether something bigger than `kind` explains what the check says.
    fn explains(&self, witness: &Witness<'f>, kind: CauseKind) -> bool {
        let finding = ptr::from_ref(witness.finding);
        let by = |aspect| self.explanations.get(&(finding, aspect)).copied();
        let remembered = self.remembered.get(&finding).map(|explained| explained.by);
        let by = match witness.of {
            Aspect::Failure | Aspect::Changes => by(Aspect::Failure).or(remembered),
            Aspect::Pace => by(Aspect::Pace),
            Aspect::Warning if kind == CauseKind::RevocationBlocked => {
                let way = witness.finding.check.revocation.route.way.name();
                return self.unusable.contains(way);
            }
            Aspect::Warning | Aspect::Hold => None,
        };
        by.is_some_and(|by| by < kind)
    }
}
