//! How a row of each family is written: the samples of one check, set of histograms or service. A row may have
//! nothing to say.

use std::time::SystemTime;

use super::histogram::HistogramSet;
use super::published::{CheckRow, ServiceRow};
use super::sample::{Reading, Samples};
use crate::outcome::{CertificateSeen, Outcome, Peer, TlsSeen};

// === how a check is going ===

pub(super) fn probe_success(samples: &mut Samples<'_>, row: &CheckRow) {
    if let Some(outcome) = row.numbers.latest() {
        samples
            .sample(&row.numbers.labels)
            .label("critical", truth(row.critical()))
            .integer(u64::from(outcome.result.is_ok()));
    }
}

pub(super) fn probes(samples: &mut Samples<'_>, row: &CheckRow) {
    let numbers = &row.numbers;
    let latest = numbers.latest_if(samples.has_exemplars());
    let like = |success: bool| {
        let fits = latest.as_deref().filter(|it| it.result.is_ok() == success);
        fits.map(|outcome| numbers.example(outcome))
    };
    samples
        .sample(&numbers.labels)
        .label("result", "success")
        .like(like(true))
        .integer(numbers.successes());
    samples
        .sample(&numbers.labels)
        .label("result", "failure")
        .like(like(false))
        .integer(numbers.failures());
}

pub(super) fn probe_failures(samples: &mut Samples<'_>, row: &CheckRow) {
    let numbers = &row.numbers;
    let latest = numbers.latest_if(samples.has_exemplars());
    for failures in numbers.failures_by_reason() {
        let fits = |outcome: &&Outcome| {
            let failure = outcome.result.as_ref().err();
            failure.is_some_and(|it| (it.reason, it.peer) == (failures.reason, failures.peer))
        };
        let like = latest.as_deref().filter(fits);
        samples
            .sample(&numbers.labels)
            .label("phase", failures.reason.phase().as_str())
            .label("peer", failures.peer.as_str())
            .label("reason", failures.reason.as_str())
            .like(like.map(|outcome| numbers.example(outcome)))
            .integer(failures.count);
    }
}

pub(super) fn probe_failing(samples: &mut Samples<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(Err(failure)) = latest.as_deref().map(|outcome| &outcome.result) {
        samples
            .sample(&row.numbers.labels)
            .label("critical", truth(row.critical()))
            .label("phase", failure.phase().as_str())
            .label("peer", failure.peer.as_str())
            .label("reason", failure.reason.as_str())
            .integer(1);
    }
}

pub(super) fn last_run(samples: &mut Samples<'_>, row: &CheckRow) {
    if let Some(outcome) = row.numbers.latest() {
        samples
            .sample(&row.numbers.labels)
            .timestamp(outcome.started);
    }
}

pub(super) fn interval(samples: &mut Samples<'_>, row: &CheckRow) {
    samples.sample(&row.numbers.labels).seconds(row.interval());
}

pub(super) fn endpoint_info(samples: &mut Samples<'_>, row: &CheckRow) {
    samples
        .sample(&row.numbers.labels)
        .labels(&row.info())
        .integer(1);
}

// === how its idle connection fares ===

pub(super) fn hold_seconds(samples: &mut Samples<'_>, row: &CheckRow) {
    if let Some(held) = row.numbers.latest_hold().and_then(|hold| hold.held) {
        samples.sample(&row.numbers.labels).seconds(held);
    }
}

pub(super) fn hold_success(samples: &mut Samples<'_>, row: &CheckRow) {
    if let Some(hold) = row.numbers.latest_hold() {
        samples
            .sample(&row.numbers.labels)
            .integer(u64::from(hold.result.is_ok()));
    }
}

pub(super) fn hold_failing(samples: &mut Samples<'_>, row: &CheckRow) {
    let latest = row.numbers.latest_hold();
    if let Some(Err(failure)) = latest.as_deref().map(|hold| &hold.result) {
        samples
            .sample(&row.numbers.labels)
            .label("phase", failure.phase().as_str())
            .label("peer", failure.peer.as_str())
            .label("reason", failure.reason.as_str())
            .integer(1);
    }
}

pub(super) fn hold_last_run(samples: &mut Samples<'_>, row: &CheckRow) {
    if let Some(hold) = row.numbers.latest_hold() {
        samples.sample(&row.numbers.labels).timestamp(hold.started);
    }
}

// === how long it takes ===

pub(super) fn probe_duration(samples: &mut Samples<'_>, set: &HistogramSet) {
    let reading = Reading {
        exemplar: set.exemplar(),
        ..set.probe().reading(&set.shape)
    };
    samples.histogram(&set.labels, None, reading);
}

pub(super) fn phase_duration(samples: &mut Samples<'_>, set: &HistogramSet) {
    for (step, histogram) in set.steps() {
        samples.histogram(&set.labels, Some(step), histogram.reading(&set.shape));
    }
}

pub(super) fn last_phase_duration(samples: &mut Samples<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for timing in outcome.timings.iter() {
        samples
            .sample(&row.numbers.labels)
            .step(timing.step)
            .seconds(timing.elapsed);
    }
}

// === what was seen ===

pub(super) fn http_status_code(samples: &mut Samples<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(http) = latest
        .as_deref()
        .and_then(|outcome| outcome.observed.http.as_ref())
    {
        samples
            .sample(&row.numbers.labels)
            .integer(u64::from(http.status));
    }
}

pub(super) fn http_redirects(samples: &mut Samples<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(http) = latest
        .as_deref()
        .and_then(|outcome| outcome.observed.http.as_ref())
    {
        samples
            .sample(&row.numbers.labels)
            .integer(http.redirects.len() as u64);
    }
}

pub(super) fn tls_info(samples: &mut Samples<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for peer in [Peer::Proxy, Peer::Endpoint] {
        let agreed = handshakes(&outcome, peer).filter_map(|tls| Some((tls, tls.version?)));
        if let Some((tls, version)) = agreed.last() {
            samples
                .sample(&row.numbers.labels)
                .label("peer", peer.as_str())
                .seen("version", version)
                .seen("cipher", tls.cipher.unwrap_or_default())
                .seen("alpn", tls.alpn.as_deref().unwrap_or_default())
                .integer(1);
        }
    }
}

pub(super) fn certificate_not_after(samples: &mut Samples<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for peer in [Peer::Proxy, Peer::Endpoint] {
        let leaf = leaf(&outcome, peer).map(|(_, certificate)| certificate.not_after);
        let earliest = handshakes(&outcome, peer).filter_map(first_to_end).min();
        for (position, not_after) in [("leaf", leaf), ("chain", earliest)] {
            if let Some(not_after) = not_after {
                samples
                    .sample(&row.numbers.labels)
                    .label("peer", peer.as_str())
                    .label("position", position)
                    .timestamp(not_after);
            }
        }
    }
}

pub(super) fn certificate_info(samples: &mut Samples<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for peer in [Peer::Proxy, Peer::Endpoint] {
        if let Some((tls, certificate)) = leaf(&outcome, peer) {
            let root = tls.root().map(|root| root.subject.as_str());
            samples
                .sample(&row.numbers.labels)
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

pub(super) fn tls_intercepted(samples: &mut Samples<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(seen) = latest
        .as_deref()
        .and_then(|outcome| outcome.observed.interception.as_ref())
    {
        samples
            .sample(&row.numbers.labels)
            .integer(u64::from(seen.intercepted));
    }
}

pub(super) fn clock_offset(samples: &mut Samples<'_>, row: &CheckRow) {
    let latest = row.numbers.latest();
    if let Some(offset) = latest.and_then(|outcome| outcome.observed.clock_offset_seconds) {
        samples.sample(&row.numbers.labels).float(offset);
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

pub(super) fn service_status(samples: &mut Samples<'_>, row: &ServiceRow) {
    if let Some(status) = row.status() {
        samples.sample(&row.labels).integer(status);
    }
}

pub(super) fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
