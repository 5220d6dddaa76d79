//! How a row of each family is written: the lines of one check, set of histograms or service. A row may have
//! nothing to say.

use std::time::SystemTime;

use super::histogram::HistogramSet;
use super::published::{CheckRow, ServiceRow};
use super::text::Lines;
use crate::outcome::{CertificateSeen, Outcome, Peer, TlsSeen};

// === how a check is going ===

pub(super) fn probe_success(lines: &mut Lines<'_>, row: &CheckRow) {
    if let Some(outcome) = row.numbers.latest() {
        lines
            .line(&row.numbers.labels)
            .label("critical", truth(row.critical()))
            .integer(u64::from(outcome.result.is_ok()));
    }
}

pub(super) fn probes(lines: &mut Lines<'_>, row: &CheckRow) {
    let numbers = &row.numbers;
    lines
        .line(&numbers.labels)
        .label("result", "success")
        .integer(numbers.successes());
    lines
        .line(&numbers.labels)
        .label("result", "failure")
        .integer(numbers.failures());
}

pub(super) fn probe_failures(lines: &mut Lines<'_>, row: &CheckRow) {
    for failures in row.numbers.failures_by_reason() {
        lines
            .line(&row.numbers.labels)
            .label("phase", failures.reason.phase().as_str())
            .label("peer", failures.peer.as_str())
            .label("reason", failures.reason.as_str())
            .integer(failures.count);
    }
}

pub(super) fn probe_failing(lines: &mut Lines<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(Err(failure)) = latest.as_deref().map(|outcome| &outcome.result) {
        lines
            .line(&row.numbers.labels)
            .label("critical", truth(row.critical()))
            .label("phase", failure.phase().as_str())
            .label("peer", failure.peer.as_str())
            .label("reason", failure.reason.as_str())
            .integer(1);
    }
}

pub(super) fn last_run(lines: &mut Lines<'_>, row: &CheckRow) {
    if let Some(outcome) = row.numbers.latest() {
        lines.line(&row.numbers.labels).timestamp(outcome.started);
    }
}

pub(super) fn interval(lines: &mut Lines<'_>, row: &CheckRow) {
    lines.line(&row.numbers.labels).seconds(row.interval());
}

pub(super) fn endpoint_info(lines: &mut Lines<'_>, row: &CheckRow) {
    lines.line(&row.numbers.labels).labels(&row.info).integer(1);
}

// === how its idle connection fares ===

pub(super) fn hold_seconds(lines: &mut Lines<'_>, row: &CheckRow) {
    if let Some(held) = row.numbers.latest_hold().and_then(|hold| hold.held) {
        lines.line(&row.numbers.labels).seconds(held);
    }
}

pub(super) fn hold_success(lines: &mut Lines<'_>, row: &CheckRow) {
    if let Some(hold) = row.numbers.latest_hold() {
        lines
            .line(&row.numbers.labels)
            .integer(u64::from(hold.result.is_ok()));
    }
}

pub(super) fn hold_failing(lines: &mut Lines<'_>, row: &CheckRow) {
    let latest = row.numbers.latest_hold();
    if let Some(Err(failure)) = latest.as_deref().map(|hold| &hold.result) {
        lines
            .line(&row.numbers.labels)
            .label("phase", failure.phase().as_str())
            .label("peer", failure.peer.as_str())
            .label("reason", failure.reason.as_str())
            .integer(1);
    }
}

pub(super) fn hold_last_run(lines: &mut Lines<'_>, row: &CheckRow) {
    if let Some(hold) = row.numbers.latest_hold() {
        lines.line(&row.numbers.labels).timestamp(hold.started);
    }
}

// === how long it takes ===

pub(super) fn probe_duration(lines: &mut Lines<'_>, set: &HistogramSet) {
    lines.histogram(&set.labels, None, set.probe(), &set.bounds);
}

pub(super) fn phase_duration(lines: &mut Lines<'_>, set: &HistogramSet) {
    for (step, histogram) in set.steps() {
        lines.histogram(&set.labels, Some(step), histogram, &set.bounds);
    }
}

pub(super) fn last_phase_duration(lines: &mut Lines<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for timing in outcome.timings.iter() {
        lines
            .line(&row.numbers.labels)
            .step(timing.step)
            .seconds(timing.elapsed);
    }
}

// === what was seen ===

pub(super) fn http_status_code(lines: &mut Lines<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(http) = latest
        .as_deref()
        .and_then(|outcome| outcome.observed.http.as_ref())
    {
        lines
            .line(&row.numbers.labels)
            .integer(u64::from(http.status));
    }
}

pub(super) fn http_redirects(lines: &mut Lines<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(http) = latest
        .as_deref()
        .and_then(|outcome| outcome.observed.http.as_ref())
    {
        lines
            .line(&row.numbers.labels)
            .integer(http.redirects.len() as u64);
    }
}

pub(super) fn tls_info(lines: &mut Lines<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for peer in [Peer::Proxy, Peer::Endpoint] {
        let agreed = handshakes(&outcome, peer).filter_map(|tls| Some((tls, tls.version?)));
        if let Some((tls, version)) = agreed.last() {
            lines
                .line(&row.numbers.labels)
                .label("peer", peer.as_str())
                .seen("version", version)
                .seen("cipher", tls.cipher.as_deref().unwrap_or_default())
                .seen("alpn", tls.alpn.as_deref().unwrap_or_default())
                .integer(1);
        }
    }
}

pub(super) fn certificate_not_after(lines: &mut Lines<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for peer in [Peer::Proxy, Peer::Endpoint] {
        let leaf = leaf(&outcome, peer).map(|(_, certificate)| certificate.not_after);
        let earliest = handshakes(&outcome, peer).filter_map(first_to_end).min();
        for (position, not_after) in [("leaf", leaf), ("chain", earliest)] {
            if let Some(not_after) = not_after {
                lines
                    .line(&row.numbers.labels)
                    .label("peer", peer.as_str())
                    .label("position", position)
                    .timestamp(not_after);
            }
        }
    }
}

pub(super) fn certificate_info(lines: &mut Lines<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for peer in [Peer::Proxy, Peer::Endpoint] {
        if let Some((tls, certificate)) = leaf(&outcome, peer) {
            let root = tls.root().map(|root| root.subject.as_str());
            lines
                .line(&row.numbers.labels)
                .label("peer", peer.as_str())
                .seen("subject", &certificate.subject)
                .seen("issuer", &certificate.issuer)
                .seen("root", root.unwrap_or_default())
                .seen("serial", &certificate.serial)
                .seen("fingerprint_sha256", &certificate.fingerprint_sha256)
                .integer(1);
        }
    }
}

pub(super) fn tls_intercepted(lines: &mut Lines<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(seen) = latest
        .as_deref()
        .and_then(|outcome| outcome.observed.interception.as_ref())
    {
        lines
            .line(&row.numbers.labels)
            .integer(u64::from(seen.intercepted));
    }
}

pub(super) fn clock_offset(lines: &mut Lines<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(offset) = latest.and_then(|outcome| outcome.observed.clock_offset_seconds) {
        lines.line(&row.numbers.labels).float(offset);
    }
}

fn handshakes(outcome: &Outcome, peer: Peer) -> impl Iterator<Item = &TlsSeen> {
    let all = outcome.observed.tls.iter();
    all.filter(move |tls| tls.peer == peer)
}

/// The server certificate; where redirects led to several servers, the one that ends first, for that is the
/// one to be renewed.
fn leaf(outcome: &Outcome, peer: Peer) -> Option<(&TlsSeen, &CertificateSeen)> {
    handshakes(outcome, peer)
        .filter_map(|tls| Some((tls, tls.certificates.first()?)))
        .min_by_key(|(_, certificate)| certificate.not_after)
}

/// When the first certificate ends: of those by which the server is trusted, or of all that it presented where it
/// is not. A certificate that is presented and not needed may end as it likes.
fn first_to_end(tls: &TlsSeen) -> Option<SystemTime> {
    let of_path = tls.path.iter().map(|certificate| certificate.not_after);
    let presented = || tls.certificates.iter();
    let of_presented = || presented().map(|certificate| certificate.not_after).min();
    of_path.min().or_else(of_presented)
}

// === what it means ===

pub(super) fn service_status(lines: &mut Lines<'_>, row: &ServiceRow) {
    if let Some(status) = row.status() {
        lines.line(&row.labels).integer(status);
    }
}

pub(super) fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
