//! Explanations for a person at a terminal.

use super::lookup::{UnknownReason, named};
use super::{Explanation, all};
use crate::outcome::{FailureReason, Peer};

/// What `reachd explain` prints: the reasons of this name, or all of them.
///
/// # Errors
/// No reason has this name.
pub fn text(name: Option<&str>) -> Result<String, UnknownReason> {
    let wanted = name.map(named).transpose()?;
    let sections: Vec<String> = all()
        .filter(|(reason, _, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(reason)))
        .map(|(reason, peer, explanation)| section(reason, peer, &explanation))
        .collect();
    Ok(sections.join("\n"))
}

fn section(reason: FailureReason, peer: Peer, explanation: &Explanation) -> String {
    let Explanation {
        what,
        likely,
        steps,
        owner,
    } = explanation;
    let mut lines = vec![
        format!("{reason}, towards the {peer}"),
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
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(text(Some("nonsense")).is_err());
    }
}
