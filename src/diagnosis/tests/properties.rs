//! What holds of any findings.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::language::{findings, now};
use crate::diagnosis::rules::infer;
use crate::diagnosis::scene::Scene;
use crate::diagnosis::{CauseKind, Finding, diagnose};

/// Of these failures nothing came back, so that none of them speaks against a fault; without a proxy, and with one.
const SILENT: [[&str; 2]; 2] = [
    ["dns/timeout", "connect/timeout"],
    ["connect/timeout@proxy", "dns/network_error@proxy"],
];

const OTHER: [&[&str]; 2] = [
    &[
        "ok",
        "ok",
        "ok changes=5",
        "ok warn=revocation/unreachable",
        "ok answer=1.1.1.1",
        "ok hold=cut",
        "connect/refused",
        "dns/nxdomain",
        "tls/intercepted",
        "response/bad_status",
    ],
    &[
        "ok",
        "ok",
        "ok changes=5",
        "ok slow=proxy@proxy",
        "ok hold=cut",
        "connect/refused@proxy",
        "proxy/forbidden",
        "proxy/bad_gateway",
        "tls/intercepted",
        "response/bad_status",
    ],
];

/// Endpoint, route, result, and when.
type Line = (usize, &'static str, &'static str, u64);

fn line(
    direct: &'static [&'static str],
    proxied: &'static [&'static str],
) -> impl Strategy<Value = Line> {
    let lines = |routes: &'static [&'static str], results: &'static [&'static str]| {
        (0..8_usize, select(routes), select(results), 90..110_u64)
    };
    prop_oneof![
        lines(&["direct"], direct),
        lines(&["corp", "other"], proxied)
    ]
}

fn written(lines: &[Line]) -> Vec<Finding> {
    let mut known = BTreeSet::new();
    let lines = lines
        .iter()
        .filter(|(number, route, _, _)| known.insert((*number, *route)));
    let lines =
        lines.map(|(number, route, result, at)| format!("e{number} {route} {result} at={at}"));
    findings(&lines.collect::<Vec<_>>().join(" | "))
}

fn inferred(findings: &[Finding]) -> BTreeSet<(CauseKind, String)> {
    let inferred = infer(&Scene::new(findings, &[], now()));
    let names = inferred.into_iter();
    names
        .map(|inference| (inference.kind, inference.subject))
        .collect()
}

fn told(findings: &[Finding]) -> BTreeSet<(CauseKind, String)> {
    let causes = diagnose(findings, &[], now()).into_iter();
    causes.map(|cause| (cause.kind, cause.subject)).collect()
}

fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    let lines = prop_oneof![line(&SILENT[0], &SILENT[1]), line(OTHER[0], OTHER[1])];
    prop::collection::vec(lines, 0..20).prop_map(|lines| written(&lines))
}

proptest! {
    #[test]
    fn where_all_succeed_there_is_no_cause(lines in prop::collection::vec(line(&["ok"], &["ok"]), 0..20)) {
        prop_assert_eq!(diagnose(&written(&lines), &[], now()), []);
    }

    /// Who was not heard says nothing. What a bigger cause explained may then be told, but nothing is inferred that
    /// was not inferred before.
    #[test]
    fn taking_evidence_away_adds_no_cause(
        (all, kept) in any_findings().prop_flat_map(|all| {
            let indices: Vec<usize> = (0..all.len()).collect();
            let most = indices.len();
            (Just(all), subsequence(indices, 0..=most))
        })
    ) {
        let is_silent = |finding: &Finding| {
            let failure = finding.failure();
            failure.is_some_and(crate::diagnosis::scene::is_silence)
        };
        let fewer: Vec<Finding> = all.iter().enumerate().map(|(index, finding)| {
            if is_silent(finding) && !kept.contains(&index) {
                Finding::unheard(&finding.check)
            } else {
                finding.clone()
            }
        }).collect();
        let (before, after) = (inferred(&all), inferred(&fewer));
        prop_assert!(after.is_subset(&before), "{:?} of {:?}", after, before);
        prop_assert!(told(&fewer).is_subset(&before));
    }

    #[test]
    fn the_order_of_the_findings_is_of_no_matter(
        (one, other) in any_findings().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        prop_assert_eq!(diagnose(&one, &[], now()), diagnose(&other, &[], now()));
    }

    /// Every confirmed failure has a cause, and every cause somebody who says so.
    #[test]
    fn no_failure_is_left_without_a_cause(all in any_findings()) {
        let causes = diagnose(&all, &[], now());
        for cause in &causes {
            prop_assert!(cause.supporting > 0);
            prop_assert!(!cause.subject.is_empty());
        }
        let failing = all.iter().any(|finding| finding.failure().is_some());
        prop_assert!(!failing || !causes.is_empty());
    }
}
