//! With `--verbose`: what each TLS handshake of each check agreed on and showed, from the leaf to the root.

use std::fmt;
use std::time::SystemTime;

use super::layout::{Paint, wrapped};
use crate::outcome::{CertificateSeen, Observed, TlsSeen};
use crate::report::Report;

pub(super) fn write(f: &mut fmt::Formatter<'_>, paint: Paint, report: &Report<'_>) -> fmt::Result {
    if !report.in_full {
        return Ok(());
    }
    let mut is_first = true;
    for check in &report.checks {
        let observed = check.finding.observed;
        if observed.tls.is_empty() {
            continue;
        }
        if is_first {
            writeln!(f, "\n{}", paint.bold("Certificates"))?;
            is_first = false;
        }
        let subject = &check.subject;
        let title = format!(
            "{} ({}) over {}",
            subject.endpoint, subject.service, subject.route
        );
        wrapped(f, "", &title)?;
        for seen in &observed.tls {
            handshake(f, seen)?;
        }
        findings(f, observed)?;
    }
    Ok(())
}

fn handshake(f: &mut fmt::Formatter<'_>, seen: &TlsSeen) -> fmt::Result {
    wrapped(
        f,
        "  ",
        &format!("TLS with the {}: {}", seen.peer, seen.agreed()),
    )?;
    for (number, certificate) in (1..).zip(&*seen.certificates) {
        wrapped(f, "    ", &format!("{number}. {}", certificate.subject))?;
        facts(f, certificate)?;
    }
    let Some(root) = seen.root() else {
        let words = if seen.certificates.is_empty() {
            "No certificate came."
        } else {
            "Not trusted."
        };
        return wrapped(f, "    ", words);
    };
    let path: Vec<&str> = seen
        .path
        .iter()
        .map(|certificate| certificate.subject.as_str())
        .collect();
    wrapped(
        f,
        "    ",
        &format!("Trusted by way of {}", path.join(" -> ")),
    )?;
    let until = date(root.not_after);
    let sha256 = &root.fingerprint_sha256;
    wrapped(f, "    ", &format!("The root is valid until {until}:"))?;
    wrapped(f, "    ", &format!("SHA-256 {sha256}"))
}

fn facts(f: &mut fmt::Formatter<'_>, certificate: &CertificateSeen) -> fmt::Result {
    let CertificateSeen {
        issuer,
        names,
        not_before,
        not_after,
        key,
        signature_algorithm,
        fingerprint_sha256,
        ..
    } = certificate;
    let mut lines = vec![format!("issued by {issuer}")];
    if !names.is_empty() {
        lines.push(format!("for {}", names.join(", ")));
    }
    let (from, until) = (date(*not_before), date(*not_after));
    lines.push(format!("valid from {from} to {until}"));
    lines.push(format!("{key}, signed with {signature_algorithm}"));
    lines.push(format!("SHA-256 {fingerprint_sha256}"));
    lines
        .iter()
        .try_for_each(|line| wrapped(f, "       ", line))
}

/// What was found out about the endpoint's chain beyond the handshake.
fn findings(f: &mut fmt::Formatter<'_>, observed: &Observed) -> fmt::Result {
    if let Some(interception) = &observed.interception {
        wrapped(f, "  ", &format!("Interception: {}", interception.words()))?;
    }
    Ok(())
}

fn date(time: SystemTime) -> impl fmt::Display {
    humantime::format_rfc3339_seconds(time)
}
