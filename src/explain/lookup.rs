//! Reasons, causes and alerts by the name that a person types.

use super::{ALERTS, Alert};
use crate::outcome::{CauseKind, FailureReason};

/// No reason, cause or alert has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no reason, cause or alert \"{name}\"{hint}\nReasons:{list}")]
pub struct UnknownReason {
    name: String,
    hint: String,
    list: String,
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
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        Self {
            name: name.to_owned(),
            hint: nearest.map_or_else(String::new, |(_, nearest)| {
                format!(": did you mean \"{nearest}\"?")
            }),
            list: list(),
        }
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
    fn an_alert_is_found_however_it_is_written() {
        for name in ["ReachdDown", "reachddown", " REACHDDOWN "] {
            let found = alert_named(name).map(|alert| alert.name);
            assert_eq!(found, Some("ReachdDown"), "{name}");
        }
        assert_eq!(alert_named("reachd"), None);
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
