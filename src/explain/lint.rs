//! What every explanation must hold to, so that it helps at three in the morning.

use std::collections::HashMap;

use super::{ALERTS, Explanation, all, explain_cause, owner};
use crate::outcome::{CauseKind, FailureReason, Peer};

const LONGEST: usize = 170;

/// By what tells them apart.
fn everything() -> impl Iterator<Item = (String, Explanation)> {
    let reasons = all().map(|(reason, peer, text)| (format!("{reason}, {peer}"), text));
    let kinds = CauseKind::ALL.iter();
    let causes = kinds.map(|kind| (kind.to_string(), explain_cause(*kind)));
    let alerts = ALERTS.iter();
    let alerts = alerts.map(|alert| (alert.name.to_owned(), alert.explanation));
    reasons.chain(causes).chain(alerts)
}

#[test]
fn every_text_is_there_and_short() {
    for (context, explanation) in everything() {
        assert!((2..=4).contains(&explanation.likely.len()), "{context}");
        assert!((2..=4).contains(&explanation.steps.len()), "{context}");
        let texts = [explanation.what];
        for text in texts
            .iter()
            .chain(explanation.likely)
            .chain(explanation.steps)
        {
            assert!(
                (20..=LONGEST).contains(&text.len()),
                "{context}: {} {text}",
                text.len()
            );
            assert!(text.ends_with('.'), "{context}: {text}");
            assert_eq!(text.matches('`').count() % 2, 0, "{context}: {text}");
            assert!(text.is_ascii(), "{context}: {text}");
        }
    }
}

#[test]
fn every_owner_is_of_the_list_and_owns_something() {
    for (context, explanation) in everything() {
        assert!(owner::ALL.contains(&explanation.owner), "{context}");
    }
    for owner in owner::ALL {
        assert!(
            all().any(|(_, _, explanation)| explanation.owner == owner),
            "{owner}"
        );
    }
}

#[test]
fn no_two_failures_mean_the_same() {
    let mut seen = HashMap::new();
    for (context, explanation) in everything() {
        let other = seen.insert(explanation.what, context.clone());
        assert_eq!(other, None, "{context}");
    }
}

#[test]
fn the_proxys_own_name_address_and_certificate_are_spoken_of_as_such() {
    for (reason, peer, explanation) in all() {
        if reason.peers().len() > 1 {
            let of_proxy = explanation.what.contains("roxy");
            assert_eq!(of_proxy, peer == Peer::Proxy, "{reason}, {peer}");
        }
    }
}

#[test]
fn every_reason_has_a_peer() {
    for reason in FailureReason::all() {
        let peers = all().filter(|(other, _, _)| *other == reason).count();
        assert!(peers > 0, "{reason}");
    }
}
