//! Explanations as the runbook, `deploy/runbook.md`, which is made from them and never written by hand.

use super::{ALERTS, Alert, Explanation, all, explain_cause};
use crate::outcome::{CauseKind, Phase};

const HEAD: &str = "# Runbook

What each [alert](#alerts), each [cause](#causes) and each reason of a failure means, what likely causes it, what to do and who can
mend it. `reachd explain NAME` prints the same, and each has an anchor of its name here: `#ReachdDown`, `#proxy_down`, `#tls/expired`.

Every failure has a phase, a peer (whom reachd spoke to: the endpoint, or the route's proxy) and a reason: [dns](#dns),
[connect](#connect), [proxy](#proxy), [tls](#tls), [revocation](#revocation), [request](#request), [response](#response) and
[hold](#hold).

In the commands, `HOST` and `URL` are the endpoint's, `PROXY` is the proxy's host, and names in capitals are to be
replaced. Run them on the machine where the failure is seen, and as the account that is affected: `psexec -s cmd` opens
a prompt as SYSTEM. In Windows PowerShell write `curl.exe` for `curl`; on Linux write `/dev/null` for `NUL`.

<!-- Made by `reachd explain --format markdown > deploy/runbook.md`; a test holds the two equal. -->
";

const ALERTS_HEAD: &str = "
<a id=\"alerts\"></a>

## Alerts: what the Prometheus rules tell

[docs/alerting.md](../docs/alerting.md) says when each fires.
";

const CAUSES_HEAD: &str = "
<a id=\"causes\"></a>

## Causes: what is inferred from many outcomes

[docs/causes.md](../docs/causes.md) says when each is inferred.
";

/// The page `deploy/runbook.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(ALERTS_HEAD);
    for Alert { name, explanation } in ALERTS {
        page.push_str(&anchor(name));
        page.push_str(&section(name, explanation));
    }
    page.push_str(CAUSES_HEAD);
    for kind in CauseKind::ALL {
        page.push_str(&anchor(kind.as_str()));
        page.push_str(&section(kind.as_str(), &explain_cause(*kind)));
    }
    let (mut phase, mut former) = (None, None);
    for (reason, peer, explanation) in all() {
        if phase.replace(reason.phase()) != Some(reason.phase()) {
            page.push_str(&anchor(reason.phase().as_str()));
            page.push_str(&heading(reason.phase()));
        }
        // One for all peers of the reason: the name says no more.
        if former.replace(reason) != Some(reason) {
            page.push_str(&anchor(&reason.to_string()));
        }
        page.push_str(&section(&format!("{reason}, {peer}"), &explanation));
    }
    page
}

/// Where links to the name lead: what is made of headings differs from reader to reader.
fn anchor(name: &str) -> String {
    format!("\n<a id=\"{name}\"></a>\n")
}

fn heading(phase: Phase) -> String {
    let meaning = match phase {
        Phase::Dns => "a name is resolved",
        Phase::Connect => "a TCP connection is opened",
        Phase::Proxy => "the proxy is asked for a tunnel",
        Phase::Tls => "the TLS handshake, with the check of the certificate",
        Phase::Revocation => "whether a certificate was revoked is found out",
        Phase::Request => "from the request sent to the first byte of the answer",
        Phase::Response => "from the first byte of the answer to the verdict",
        Phase::Hold => "an idle connection is kept open",
    };
    format!("\n## {phase}: {meaning}\n")
}

fn section(title: &str, explanation: &Explanation) -> String {
    let Explanation {
        what,
        likely,
        steps,
        owner,
    } = explanation;
    let mut lines = vec![
        format!("\n### {title}\n\n{what}\n"),
        "Likely, the likeliest first:\n".to_owned(),
    ];
    lines.extend(likely.iter().map(|cause| format!("- {cause}")));
    lines.push("\nDo:\n".to_owned());
    let numbered = steps.iter().zip(1..);
    lines.extend(numbered.map(|(step, number)| format!("{number}. {step}")));
    lines.push(format!("\nOwner: {owner}"));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_program_says() {
        let page = include_str!("../../deploy/runbook.md");
        assert!(
            page == markdown(),
            "run `reachd explain --format markdown > deploy/runbook.md`"
        );
    }

    #[test]
    fn everything_has_a_section() {
        let page = markdown();
        let once = |what: &str| assert_eq!(page.matches(what).count(), 1, "{what}");
        for (reason, peer, _) in all() {
            once(&format!("\n### {reason}, {peer}\n"));
            once(&anchor(&reason.to_string()));
        }
        let causes = CauseKind::ALL.iter().map(|kind| kind.as_str());
        for name in causes.chain(ALERTS.iter().map(|alert| alert.name)) {
            once(&format!("{}\n### {name}\n", anchor(name)));
        }
    }

    #[test]
    fn links_within_the_page_have_anchors() {
        let page = markdown();
        for link in page.split("](#").skip(1) {
            let (name, _) = link.split_once(')').unwrap();
            assert!(page.contains(&anchor(name)), "{name}");
        }
    }
}
