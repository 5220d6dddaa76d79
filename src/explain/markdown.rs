//! Explanations as the page `docs/reasons.md`, which is made from them and never written by hand.

use super::{Explanation, all, explain_cause};
use crate::outcome::{CauseKind, Phase};

const HEAD: &str = "# Reasons

Every failure has a phase, a peer (whom reachd spoke to: the endpoint, or the route's proxy) and a reason. This page
says what each reason means, what likely causes it, what to do and who can mend it. `reachd explain REASON` prints the
same.

In the commands, `HOST` and `URL` are the endpoint's, `PROXY` is the proxy's host, and names in capitals are to be
replaced. Run them on the machine where the failure is seen, and as the account that is affected: `psexec -s cmd` opens
a prompt as SYSTEM. In Windows PowerShell write `curl.exe` for `curl`; on Linux write `/dev/null` for `NUL`.

<!-- Made by `reachd explain --format markdown > docs/reasons.md`; a test holds the two equal. -->
";

const CAUSES: &str = "
## Causes: what is inferred from many outcomes

[causes.md](causes.md) says when each is inferred.
";

/// The page `docs/reasons.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let mut phase = None;
    for (reason, peer, explanation) in all() {
        if phase != Some(reason.phase()) {
            phase = Some(reason.phase());
            page.push_str(&heading(reason.phase()));
        }
        page.push_str(&section(&format!("{reason}, {peer}"), &explanation));
    }
    page.push_str(CAUSES);
    for kind in CauseKind::ALL {
        page.push_str(&section(kind.as_str(), &explain_cause(*kind)));
    }
    page
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
        let page = include_str!("../../docs/reasons.md");
        assert!(
            page == markdown(),
            "run `reachd explain --format markdown > docs/reasons.md`"
        );
    }

    #[test]
    fn every_reason_has_a_section() {
        let page = markdown();
        for (reason, peer, _) in all() {
            let heading = format!("\n### {reason}, {peer}\n");
            assert_eq!(page.matches(&heading).count(), 1, "{reason}, {peer}");
        }
        for kind in CauseKind::ALL {
            assert_eq!(
                page.matches(&format!("\n### {kind}\n")).count(),
                1,
                "{kind}"
            );
        }
    }
}
