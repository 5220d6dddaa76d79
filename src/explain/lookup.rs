//! Reasons, causes and alerts by the name that a person types.

use serde::Serialize;

use super::{ALERTS, Alert, Explanation, all, explain, explain_cause};
use crate::outcome::{CauseKind, FailureReason, Peer};

/// What kind of thing a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Why a probe failed.
    Reason,
    /// What is behind several failures.
    Cause,
    /// What the Prometheus rules tell.
    Alert,
}

/// One of the things that a name means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// Its whole name: `tls/expired`, `proxy_down`, `ReachdDown`.
    pub name: String,
    /// What kind of thing it is.
    pub topic: Topic,
    /// Whom the phase of a reason spoke to; `None` for a cause and for an alert.
    pub peer: Option<Peer>,
    /// What there is to know of it.
    pub explanation: Explanation,
}

/// No reason, cause or alert has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no reason, cause or alert \"{name}\"{hint}\nReasons:{list}")]
pub struct UnknownReason {
    name: String,
    hint: String,
    list: String,
    nearest: Option<String>,
}

/// All that a name means: the cause, the alert, or the reasons, each for every peer for which it can occur.
///
/// # Errors
/// No reason, cause or alert has this name.
pub fn meanings(name: &str) -> Result<Vec<Meaning>, UnknownReason> {
    if let Some(kind) = cause_named(name) {
        return Ok(vec![Meaning::of_cause(kind)]);
    }
    if let Some(alert) = alert_named(name) {
        return Ok(vec![Meaning::of_alert(alert)]);
    }
    let reasons = named(name)?.into_iter();
    let peers = |reason: FailureReason| reason.peers().iter().map(move |peer| (reason, *peer));
    Ok(reasons.flat_map(peers).map(Meaning::of_reason).collect())
}

/// All that any name means: the causes, then the reasons by phase, then the alerts.
pub fn every_meaning() -> impl Iterator<Item = Meaning> {
    let causes = CauseKind::ALL.iter().copied().map(Meaning::of_cause);
    let reasons = all().map(|(reason, peer, _)| Meaning::of_reason((reason, peer)));
    let alerts = ALERTS.iter().map(Meaning::of_alert);
    causes.chain(reasons).chain(alerts)
}

/// Every reason that a name means: one for `tls/expired` and `tls.expired`, one for each phase that has it
/// for `timeout`.
pub(super) fn named(name: &str) -> Result<Vec<FailureReason>, UnknownReason> {
    let wanted = name.trim().to_lowercase().replace('.', "/");
    let found: Vec<FailureReason> = FailureReason::all()
        .filter(|reason| reason.as_str() == wanted || reason.to_string() == wanted)
        .collect();
    if found.is_empty() {
        Err(UnknownReason::of(name, &wanted))
    } else {
        Ok(found)
    }
}

/// The cause that a name means.
#[must_use]
pub fn cause_named(name: &str) -> Option<CauseKind> {
    let wanted = name.trim().to_lowercase();
    let mut kinds = CauseKind::ALL.iter().copied();
    kinds.find(|kind| kind.as_str() == wanted)
}

/// The alert that a name means.
#[must_use]
pub fn alert_named(name: &str) -> Option<&'static Alert> {
    let wanted = name.trim();
    let mut alerts = ALERTS.iter();
    alerts.find(|alert| alert.name.eq_ignore_ascii_case(wanted))
}

// === impl Meaning ===

impl Meaning {
    fn of_cause(kind: CauseKind) -> Self {
        Self {
            name: kind.to_string(),
            topic: Topic::Cause,
            peer: None,
            explanation: explain_cause(kind),
        }
    }

    fn of_alert(alert: &Alert) -> Self {
        Self {
            name: alert.name.to_owned(),
            topic: Topic::Alert,
            peer: None,
            explanation: alert.explanation,
        }
    }

    fn of_reason((reason, peer): (FailureReason, Peer)) -> Self {
        Self {
            name: reason.to_string(),
            topic: Topic::Reason,
            peer: Some(peer),
            explanation: explain(reason, peer),
        }
    }
}

// === impl UnknownReason ===

impl UnknownReason {
    fn of(name: &str, wanted: &str) -> Self {
        let reasons = FailureReason::all().map(|reason| {
            let whole = reason.to_string();
            let similarity = strsim::jaro_winkler(wanted, &whole)
                .max(strsim::jaro_winkler(wanted, reason.as_str()));
            (similarity, whole)
        });
        let causes = CauseKind::ALL.iter().map(|kind| kind.as_str());
        let others = causes.chain(ALERTS.iter().map(|alert| alert.name));
        let others = others.map(|name| {
            let similarity = strsim::jaro_winkler(wanted, &name.to_lowercase());
            (similarity, name.to_owned())
        });
        let nearest = reasons
            .chain(others)
            .filter(|(similarity, _)| *similarity > 0.8)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, nearest)| nearest);
        Self {
            name: name.to_owned(),
            hint: nearest.as_ref().map_or_else(String::new, |nearest| {
                format!(": did you mean \"{nearest}\"?")
            }),
            nearest,
            list: list(),
        }
    }

    /// The name that looks most like it, if one does.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

/// One line a phase.
fn list() -> String {
    let mut list = String::new();
    let mut phase = None;
    for reason in FailureReason::all() {
        if phase == Some(reason.phase()) {
            list.push_str(", ");
        } else {
            phase = Some(reason.phase());
            list.push_str("\n  ");
        }
        list.push_str(&reason.to_string());
    }
    let causes: Vec<&str> = CauseKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let alerts: Vec<&str> = ALERTS.iter().map(|alert| alert.name).collect();
    let (causes, alerts) = (causes.join(", "), alerts.join(", "));
    format!("{list}\nCauses:\n  {causes}\nAlerts:\n  {alerts}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::TlsReason;

    #[test]
    fn a_reason_is_found_by_each_form_of_its_name() {
        for name in ["expired", "tls/expired", "tls.expired", " TLS/Expired "] {
            assert_eq!(named(name), Ok(vec![TlsReason::Expired.into()]), "{name}");
        }
    }

    #[test]
    fn a_bare_name_means_every_phase_that_has_it() {
        let phases = |name| named(name).unwrap().len();
        assert_eq!(phases("timeout"), 8);
        assert_eq!(phases("refused"), 2);
        assert_eq!(phases("dns/timeout"), 1);
    }

    #[test]
    fn a_name_means_a_cause_or_reasons_of_each_peer() {
        let told = |name| -> Vec<_> {
            let found = meanings(name).unwrap().into_iter();
            found.map(|meaning| (meaning.name, meaning.peer)).collect()
        };
        let expired = || "tls/expired".to_owned();
        assert_eq!(told("Proxy_Down"), [("proxy_down".to_owned(), None)]);
        assert_eq!(
            told("expired"),
            [
                (expired(), Some(Peer::Proxy)),
                (expired(), Some(Peer::Endpoint))
            ]
        );
        assert_eq!(
            meanings("proxy_dwn").unwrap_err().nearest(),
            Some("proxy_down")
        );
        assert_eq!(meanings("qqq").unwrap_err().nearest(), None);
    }

    #[test]
    fn an_alert_is_found_however_it_is_written() {
        for name in ["ReachdDown", "reachddown", " REACHDDOWN "] {
            let found = alert_named(name).map(|alert| alert.name);
            assert_eq!(found, Some("ReachdDown"), "{name}");
        }
        assert_eq!(alert_named("reachd"), None);
        assert_eq!(meanings("reachddown").unwrap().len(), 1);
    }

    #[test]
    fn a_cause_or_an_alert_may_be_the_nearest() {
        for (typed, meant) in [("proxy_dwon", "proxy_down"), ("ReachDown", "ReachdDown")] {
            let text = named(typed).unwrap_err().to_string();
            let hint = format!("did you mean \"{meant}\"?");
            assert!(text.contains(&hint), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_the_list() {
        let text = named("tls/expird").unwrap_err().to_string();
        assert!(text.contains("did you mean \"tls/expired\"?"), "{text}");
        for reason in FailureReason::all() {
            assert!(text.contains(&reason.to_string()), "{reason}");
        }
        let text = named("qqq").unwrap_err().to_string();
        assert!(!text.contains("did you mean"), "{text}");
    }
}
