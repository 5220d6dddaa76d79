//! TLS is inspected on a way: one certificate that none of the endpoint's own authorities issued proves it.
//!
//! A trust store lacks something: at least two different hosts present chains of the same issuer, which leads to no
//! root of the store.
//!
//! A certificate is expiring: it was refused because its time is over, or its time ends within two weeks, or within
//! the last fifth of its life where that is shorter.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use super::SEVERAL;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::Scene;
use crate::outcome::{
    CauseKind, CertificateSeen, Failure, FailureReason, Peer, TlsReason, TlsSeen,
};

const TWO_WEEKS: Duration = Duration::from_secs(14 * 24 * 3600);

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut found = inspection(scene);
    found.extend(trust_store(scene));
    found.extend(expiring(scene));
    found
}

// === inspection ===

fn inspection<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut ways: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for finding in scene.findings {
        if let Some(witness) = inspected(finding) {
            let way = finding.way();
            let new = || Inference::new(CauseKind::TlsInspection, way);
            ways.entry(way).or_insert_with(new).supports.push(witness);
        }
    }
    for finding in scene.findings {
        if let (true, Some(inference)) = (shows_its_own(finding), ways.get_mut(finding.way())) {
            let words = "the certificate is the endpoint's own";
            let witness = Witness::saying(finding, Aspect::Failure, words);
            inference.contradicts.push(witness);
        }
    }
    ways.into_values().collect()
}

fn inspected(finding: &Finding) -> Option<Witness<'_>> {
    let is_it = |failure: &&Failure| failure.reason == TlsReason::Intercepted.into();
    if let Some(failure) = finding.failure().filter(|failure| is_it(failure)) {
        return Some(Witness::failing(finding, failure));
    }
    let warning = finding.latest.as_ref()?.warnings.iter().find(is_it)?;
    let words = warning.detail.as_str();
    Some(Witness::saying(finding, Aspect::Warning, words))
}

fn shows_its_own(finding: &Finding) -> bool {
    let outcome = finding.latest.as_ref();
    let seen = outcome.and_then(|outcome| outcome.observed.interception.as_ref());
    seen.is_some_and(|seen| !seen.intercepted)
}

// === trust store ===

fn trust_store<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut issuers: BTreeMap<(String, &str), Inference<'f>> = BTreeMap::new();
    for (finding, failure) in scene.failures() {
        let is_it = failure.reason == TlsReason::UnknownIssuer.into();
        if let (true, Peer::Endpoint, Some(issuer)) = (is_it, failure.peer, last_issuer(finding)) {
            let store = store_of(finding);
            let new = || Inference::new(CauseKind::TrustStore, store.clone());
            let inference = issuers.entry((store.clone(), issuer)).or_insert_with(new);
            inference.supports.push(Witness::failing(finding, failure));
        }
    }
    let several = |inference: &Inference<'_>| {
        let hosts = inference.supports.iter();
        let hosts = hosts.map(|witness| witness.finding.check.endpoint.target.host());
        hosts.collect::<BTreeSet<String>>().len() >= SEVERAL
    };
    issuers.into_values().filter(several).collect()
}

/// Who vouches for the last certificate that was presented.
fn last_issuer(finding: &Finding) -> Option<&str> {
    let seen = handshake(finding, Peer::Endpoint)?;
    Some(&seen.certificates.last()?.issuer)
}

fn store_of(finding: &Finding) -> String {
    let file = finding.check.tls.ca_file.as_ref();
    file.map_or_else(|| "system".to_owned(), |file| file.display().to_string())
}

fn handshake(finding: &Finding, peer: Peer) -> Option<&TlsSeen> {
    let handshakes = &finding.latest.as_ref()?.observed.tls;
    handshakes.iter().rfind(|seen| seen.peer == peer)
}

// === expiring ===

/// Those that present the same certificate tell of one cause, by the name of the first of them.
fn expiring<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut certificates: BTreeMap<String, Inference<'f>> = BTreeMap::new();
    for finding in scene.findings {
        for peer in [Peer::Endpoint, Peer::Proxy] {
            let Some((certificate, witness)) = expires(finding, peer, scene.now) else {
                continue;
            };
            let subject = match peer {
                Peer::Proxy => finding.way(),
                Peer::Endpoint => finding.endpoint(),
            };
            let new = || Inference::new(CauseKind::CertificateExpiring, subject);
            let inference = certificates.entry(certificate).or_insert_with(new);
            inference.supports.push(witness);
        }
    }
    certificates.into_values().collect()
}

/// The certificate by what tells it from others, and what there is to say of it.
fn expires(finding: &Finding, peer: Peer, now: SystemTime) -> Option<(String, Witness<'_>)> {
    let leaf = handshake(finding, peer).and_then(|seen| seen.certificates.first());
    let fingerprint = leaf.map(|leaf| leaf.fingerprint_sha256.clone());
    if let Some(failure) = finding.failure() {
        let is_it = failure.reason == FailureReason::Tls(TlsReason::Expired);
        let known_by = fingerprint.unwrap_or_else(|| finding.endpoint().to_owned());
        return (is_it && failure.peer == peer)
            .then(|| (known_by, Witness::failing(finding, failure)));
    }
    finding.success()?;
    let leaf = leaf?;
    let left = leaf.not_after.duration_since(now).unwrap_or_default();
    (left < margin(leaf)).then(|| {
        let words = format!(
            "{} expires at {}",
            leaf.subject,
            humantime::format_rfc3339_seconds(leaf.not_after)
        );
        let witness = Witness::saying(finding, Aspect::Warning, words);
        (leaf.fingerprint_sha256.clone(), witness)
    })
}

/// How long before its end a certificate should have been renewed.
fn margin(certificate: &CertificateSeen) -> Duration {
    let life = certificate.not_after.duration_since(certificate.not_before);
    (life.unwrap_or_default() / 5).min(TWO_WEEKS)
}
