//! TLS is inspected on a way: one certificate that none of the endpoint's own authorities issued proves it.
//!
//! A trust store lacks something: at least two different hosts present chains of the same issuer, which leads to no
//! root of the store. One is enough where the store lacks the very root that the catalog names for it.
//!
//! A certificate is expiring: it was refused because its time is over, or its time ends within two weeks, or within
//! the last fifth of its life where that is shorter.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use super::SEVERAL;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::{Scene, is_untrusted};
use crate::outcome::{
    CauseKind, CertificateSeen, Failure, FailureReason, Peer, RootStanding, RootState, TlsReason,
    TlsSeen,
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

/// Chains of one issuer that lead to no root of a store.
struct Untrusted<'f> {
    inference: Inference<'f>,
    /// The store itself is known to lack the root.
    is_proven: bool,
}

fn trust_store<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut issuers: BTreeMap<(String, &str), Untrusted<'f>> = BTreeMap::new();
    for (finding, failure) in scene.failures() {
        if !is_untrusted(failure) {
            continue;
        }
        let store = store_of(finding);
        let lacking = lacking_root(scene, finding, &store);
        // One that is not known proves nothing by being the same for several.
        let Some(issuer) = last_issuer(finding).or(lacking.map(|root| root.root.as_str())) else {
            continue;
        };
        let untrusted = issuers
            .entry((store.clone(), issuer))
            .or_insert_with(|| Untrusted {
                inference: Inference::new(CauseKind::TrustStore, store),
                is_proven: false,
            });
        let witness = Witness::failing(finding, failure);
        let witness = match lacking {
            None => witness,
            Some(root) => {
                let (name, state) = (&root.root, root.state.words());
                let words = format!("{}; the root {name} {state}", witness.words);
                Witness::saying(finding, Aspect::Failure, words)
            }
        };
        untrusted.inference.supports.push(witness);
        untrusted.is_proven |= lacking.is_some();
    }
    let several = |inference: &Inference<'_>| {
        let hosts = inference.supports.iter();
        let hosts = hosts.map(|witness| witness.finding.check.endpoint.target.host());
        hosts.collect::<BTreeSet<String>>().len() >= SEVERAL
    };
    let confident = issuers
        .into_values()
        .filter(|untrusted| untrusted.is_proven || several(&untrusted.inference));
    confident.map(|untrusted| untrusted.inference).collect()
}

/// A root by which the endpoint is vouched for, and on which its trust store cannot be relied: the one that its chain
/// names; where that names none of those that are known, any.
fn lacking_root<'f>(scene: &Scene<'f>, finding: &Finding, store: &str) -> Option<&'f RootStanding> {
    let chain = finding.check.endpoint.expectation.chain.as_ref()?;
    let is_expected = |root: &&RootStanding| {
        let mut expected = chain.roots.iter();
        root.store == store && expected.any(|expected| expected.sha256.as_str() == root.sha256)
    };
    let expected: Vec<_> = scene.roots.iter().filter(is_expected).collect();
    let named: Vec<_> = expected
        .iter()
        .filter(|root| is_named(finding, &root.root))
        .copied()
        .collect();
    let candidates = if named.is_empty() { expected } else { named };
    let mut candidates = candidates.into_iter();
    candidates.find(|root| root.state != RootState::Present)
}

/// Whether a certificate of the chain was issued by one of this common name.
fn is_named(finding: &Finding, root: &str) -> bool {
    let seen = handshake(finding, Peer::Endpoint);
    let issuers = seen.into_iter().flat_map(|seen| seen.certificates.iter());
    let mut names = issuers.flat_map(|certificate| certificate.issuer.split(", "));
    names.any(|part| part.strip_prefix("CN=") == Some(root))
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
