//! Explanations for a person at a terminal.

use super::lookup::{UnknownReason, alert_named, cause_named, named};
use super::{ALERTS, Alert, Explanation, all, explain_cause};
use crate::outcome::{CauseKind, FailureReason, Peer};

/// What `reachd explain` prints: the reasons of this name, the cause or the alert; or all of them.
///
/// # Errors
/// No reason, cause or alert has this name.
pub fn text(name: Option<&str>) -> Result<String, UnknownReason> {
    if let Some(kind) = name.and_then(cause_named) {
        return Ok(cause(kind));
    }
    if let Some(named) = name.and_then(alert_named) {
        return Ok(alert(named));
    }
    let wanted = name.map(named).transpose()?;
    let mut sections: Vec<String> = all()
        .filter(|(reason, _, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(reason)))
        .map(|(reason, peer, explanation)| section(reason, peer, &explanation))
        .collect();
    if name.is_none() {
        sections.extend(CauseKind::ALL.iter().copied().map(cause));
        sections.extend(ALERTS.iter().map(alert));
    }
    Ok(sections.join("\n"))
}

fn cause(kind: CauseKind) -> String {
    lines(&format!("{kind}, a cause"), &explain_cause(kind))
}

fn alert(alert: &Alert) -> String {
    lines(&format!("{}, an alert", alert.name), &alert.explanation)
}

fn section(reason: FailureReason, peer: Peer, explanation: &Explanation) -> String {
    lines(&format!("{reason}, towards the {peer}"), explanation)
}

fn lines(title: &str, explanation: &Explanation) -> String {
    let Explanation {
        what,
        likely,
        steps,
        owner,
    } = explanation;
    let mut lines = vec![
        title.to_owned(),
        format!("  {what}"),
        "  Likely, the likeliest first:".to_owned(),
    ];
    lines.extend(likely.iter().map(|cause| format!("    - {cause}")));
    lines.push("  Do:".to_owned());
    let numbered = steps.iter().zip(1..);
    lines.extend(numbered.map(|(step, number)| format!("    {number}. {step}")));
    lines.push(format!("  Owner: {owner}"));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reason_is_shown_for_each_peer_that_it_can_have() {
        let shown = text(Some("dns/nxdomain")).unwrap();
        assert!(shown.contains("dns/nxdomain, towards the proxy\n"));
        assert!(shown.contains("dns/nxdomain, towards the endpoint\n"));
        let shown = text(Some("expired")).unwrap();
        assert!(shown.starts_with("tls/expired, towards the proxy\n  "));
        assert!(shown.contains("tls/expired, towards the endpoint\n  A certificate"));
        assert_eq!(shown.matches("Owner:").count(), 2);
        let shown = text(Some("request/timeout")).unwrap();
        assert_eq!(shown.matches("Owner:").count(), 1);
    }

    #[test]
    fn without_a_name_all_are_shown() {
        let shown = text(None).unwrap();
        for reason in FailureReason::all() {
            assert!(shown.contains(&format!("{reason}, towards")), "{reason}");
        }
        for kind in CauseKind::ALL {
            assert!(shown.contains(&format!("\n{kind}, a cause\n")), "{kind}");
        }
        for Alert { name, .. } in ALERTS {
            assert!(shown.contains(&format!("\n{name}, an alert\n")), "{name}");
        }
    }

    #[test]
    fn a_cause_is_explained_by_its_name() {
        let shown = text(Some(" Proxy_Down")).unwrap();
        assert!(shown.starts_with("proxy_down, a cause\n  The proxy cannot be reached"));
        assert_eq!(shown.matches("Owner: proxy team").count(), 1);
    }

    #[test]
    fn an_alert_is_explained_by_its_name() {
        let shown = text(Some("reachddown")).unwrap();
        assert!(shown.starts_with("ReachdDown, an alert\n  Prometheus cannot scrape"));
        assert_eq!(shown.matches("Owner:").count(), 1);
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(text(Some("nonsense")).is_err());
    }
}
