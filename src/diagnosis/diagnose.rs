//! From findings to causes: everything is inferred, and what a bigger cause explains is not told again.

use std::collections::{HashMap, HashSet};
use std::ptr;
use std::time::SystemTime;

use super::cause::Cause;
use super::finding::Finding;
use super::inference::{Aspect, Inference, Witness};
use super::rules::infer;
use super::scene::Scene;
use crate::outcome::CauseKind;

/// The causes that the findings have, the biggest first and then by subject: always the same of the same findings, in
/// whatever order they come.
#[must_use]
pub fn diagnose(findings: &[Finding], now: SystemTime) -> Vec<Cause> {
    Diagnosed::of(findings, now).causes
}

/// The causes, and what they explain.
pub(super) struct Diagnosed {
    pub(super) causes: Vec<Cause>,
    /// Of each finding, what explains its failure.
    pub(super) explained: Vec<Option<CauseKind>>,
}

impl Diagnosed {
    pub(super) fn of(findings: &[Finding], now: SystemTime) -> Self {
        let scene = Scene::new(findings, now);
        let mut told = Told::default();
        for inference in merged(infer(&scene)) {
            told.take(inference);
        }
        let explanations = &told.explanations;
        let explained = findings.iter().map(|finding| {
            let key = (ptr::from_ref(finding), Aspect::Failure);
            explanations.get(&key).copied().or(finding.explained_by)
        });
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
    /// The proxies that are of no use now.
    unusable: HashSet<String>,
}

impl<'f> Told<'f> {
    /// Tells it, unless something bigger explains all that speaks for it.
    fn take(&mut self, inference: Inference<'f>) {
        let kind = inference.kind;
        let supports = inference.supports.iter();
        if supports.clone().all(|witness| self.explains(witness, kind)) {
            return;
        }
        for witness in supports {
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
        self.inferences.push(inference);
    }

    /// Whether something bigger than `kind` explains what the check says.
    fn explains(&self, witness: &Witness<'f>, kind: CauseKind) -> bool {
        let finding = ptr::from_ref(witness.finding);
        let by = |aspect| self.explanations.get(&(finding, aspect)).copied();
        let by = match witness.of {
            Aspect::Failure => by(Aspect::Failure).or(witness.finding.explained_by),
            Aspect::Pace => by(Aspect::Pace),
            Aspect::Changes => by(Aspect::Failure).or(witness.finding.explained_by),
            Aspect::Warning if kind == CauseKind::RevocationBlocked => {
                let way = witness.finding.check.revocation.route.way.name();
                return self.unusable.contains(way);
            }
            Aspect::Warning | Aspect::Hold => None,
        };
        by.is_some_and(|by| by < kind)
    }
}
