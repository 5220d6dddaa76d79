//! The clock of this machine is wrong: by the Date of at least two different hosts it is off by more than a minute in
//! the same direction, and more hosts say so than say that it is right.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::SEVERAL;
use crate::diagnosis::MACHINE;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::Scene;
use crate::outcome::{CauseKind, FailureReason, Peer, TlsReason};

/// Servers' clocks are off by seconds; Kerberos bears five minutes.
const TOLERATED_SECONDS: f64 = 60.0;

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let offset = |finding: &'f Finding| {
        let outcome = finding.latest.as_ref()?;
        Some((finding, outcome.observed.known_clock_offset()?))
    };
    let offsets: Vec<(&Finding, f64)> = scene.findings.iter().filter_map(offset).collect();
    let those = |are: fn(f64) -> bool| -> Vec<(&'f Finding, f64)> {
        let those = offsets.iter().filter(|(_, by)| are(*by));
        those.copied().collect()
    };
    let ahead = those(|by| by > TOLERATED_SECONDS);
    let behind = those(|by| by < -TOLERATED_SECONDS);
    let right = those(|by| by.abs() <= TOLERATED_SECONDS);
    let found = by(scene, &ahead, &right).or_else(|| by(scene, &behind, &right));
    found.into_iter().collect()
}

fn by<'f>(
    scene: &Scene<'f>,
    wrong: &[(&'f Finding, f64)],
    right: &[(&'f Finding, f64)],
) -> Option<Inference<'f>> {
    let (say_so, contradict) = (clocks(wrong), clocks(right));
    if say_so < SEVERAL || say_so <= contradict {
        return None;
    }
    let witness = |(finding, by): &(&'f Finding, f64)| {
        let words = format!("its clock is {by:+.0} s from ours");
        Witness::saying(finding, Aspect::Warning, words)
    };
    let mut inference = Inference::new(CauseKind::ClockWrong, MACHINE);
    let refused = scene.failures().filter(|(_, failure)| {
        matches!(
            failure.reason,
            FailureReason::Tls(TlsReason::Expired | TlsReason::NotYetValid)
        )
    });
    let by = wrong.iter().map(|(_, by)| *by);
    let by = by.max_by(|one, other| one.abs().total_cmp(&other.abs()));
    let right_now = by.and_then(|by| by_other_clocks(scene.now, by));
    let refused = refused.filter(|(finding, failure)| {
        right_now.is_none_or(|now| would_be_valid(finding, failure.peer, now))
    });
    let refused = refused.map(|(finding, failure)| Witness::failing(finding, failure));
    inference.supports = refused.chain(wrong.iter().map(witness)).collect();
    inference.contradicts = right.iter().map(witness).collect();
    Some(inference)
}

/// What time it is by the others' clocks.
fn by_other_clocks(now: SystemTime, by: f64) -> Option<SystemTime> {
    let distance = Duration::try_from_secs_f64(by.abs()).ok()?;
    if by >= 0.0 {
        now.checked_add(distance)
    } else {
        now.checked_sub(distance)
    }
}

/// Whether the certificate that was refused would hold at that time; where it is not known, it may.
fn would_be_valid(finding: &Finding, peer: Peer, now: SystemTime) -> bool {
    let seen = finding
        .latest
        .iter()
        .flat_map(|outcome| &outcome.observed.tls);
    let mut of_peer = seen.filter(|seen| seen.peer == peer);
    let leaf = of_peer
        .next_back()
        .and_then(|seen| seen.certificates.first());
    leaf.is_none_or(|leaf| leaf.not_before <= now && now <= leaf.not_after)
}

/// How many different clocks these are.
fn clocks(offsets: &[(&Finding, f64)]) -> usize {
    let whose = offsets.iter().map(|(finding, _)| {
        let outcome = finding.latest.as_ref();
        let of_endpoint = outcome.and_then(|outcome| outcome.observed.clock_offset_seconds);
        match of_endpoint {
            Some(_) => finding.check.endpoint.target.host(),
            None => format!("proxy {}", finding.way()),
        }
    });
    whose.collect::<BTreeSet<String>>().len()
}
