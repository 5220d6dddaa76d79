//! A resolver is down: it fails for at least two names, or cannot be spoken to by at least two checks, and since then
//! it answered none.
//!
//! A resolver is wrong: it denies a name for which another resolver has an answer; or an endpoint that is public
//! according to its source fails, and the resolver gave nothing but private addresses for it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::SEVERAL;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Aspect, Inference, Witness};
use crate::diagnosis::scene::{Scene, failing_resolver};
use crate::endpoint::Origin;
use crate::outcome::{CauseKind, DnsReason, Failure, FailureReason, Peer};
use crate::route::Via;

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut found = down(scene);
    found.extend(wrong(scene));
    found
}

// === down ===

fn down<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut resolvers: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    for (finding, failure) in scene.failures() {
        if let Some(resolver) = failing_resolver(finding, failure) {
            let new = || Inference::new(CauseKind::ResolverDown, resolver);
            let inference = resolvers.entry(resolver).or_insert_with(new);
            inference.supports.push(Witness::failing(finding, failure));
        }
    }
    if resolvers.is_empty() {
        return Vec::new();
    }
    for finding in scene.findings {
        let Some(outcome) = &finding.latest else {
            continue;
        };
        for seen in outcome.observed.dns.iter().filter(|seen| seen.answered()) {
            if let Some(inference) = resolvers.get_mut(&*seen.resolver) {
                let words = format!(
                    "it answered {} for {}",
                    seen.rcode.as_deref().unwrap_or("nothing"),
                    seen.name
                );
                let witness = Witness::saying(finding, Aspect::Failure, words);
                inference.contradicts.push(witness);
            }
        }
    }
    let agree = |inference: &Inference<'f>| {
        let cannot_be_spoken_to = |finding: &'f Finding| {
            let reason = finding.failure().map(|failure| failure.reason);
            let is_it = reason == Some(FailureReason::Dns(DnsReason::NetworkError));
            is_it.then(|| finding.endpoint())
        };
        // One of the different ones is `None`, where others say something else.
        let silent = inference.agreeing(cannot_be_spoken_to);
        let others = inference.supports.iter();
        let others = others.filter(|witness| cannot_be_spoken_to(witness.finding).is_none());
        let silent = silent - usize::from(others.count() > 0 && silent > 0);
        inference.agreeing(name_asked) >= SEVERAL || silent >= SEVERAL
    };
    resolvers.into_values().filter(agree).collect()
}

/// Whose name was asked for: that of a proxy is one, however many checks ask for it.
fn name_asked(finding: &Finding) -> String {
    match finding.failure().map(|failure| failure.peer) {
        Some(Peer::Proxy) => format!("proxy {}", finding.check.route.way.name()),
        _ => finding.check.endpoint.target.host(),
    }
}

// === wrong ===

fn wrong<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let denied = scene.failures().filter(|(_, failure)| denies(failure));
    let denied: Vec<_> = denied.collect();
    let answers = if denied.is_empty() {
        HashMap::new()
    } else {
        answers(scene)
    };
    let mut found: BTreeMap<&str, Inference<'f>> = BTreeMap::new();
    let mut add = |finding: &'f Finding, words: String| {
        let resolver = finding.check.resolver.name();
        let new = || Inference::new(CauseKind::ResolverWrong, resolver);
        let inference = found.entry(resolver).or_insert_with(new);
        let witness = Witness::saying(finding, Aspect::Failure, words);
        inference.supports.push(witness);
    };
    for (finding, failure) in denied {
        let host = finding.check.endpoint.target.host();
        let others = answers.get(host.as_str()).map_or(&[][..], Vec::as_slice);
        let mut others = others
            .iter()
            .filter(|(resolver, _)| *resolver != finding.check.resolver.name());
        if let Some((other, answer)) = others.next() {
            let words = format!("{host}: {}; {other} answers {answer}", failure.reason);
            add(finding, words);
        }
    }
    for (finding, failure) in scene.failures() {
        if let Some(addresses) = private_for_public(finding, failure) {
            let host = finding.check.endpoint.target.host();
            let words = format!("{host} is a public name, and the answer is {addresses}");
            add(finding, words);
        }
    }
    found.into_values().collect()
}

fn denies(failure: &Failure) -> bool {
    failure.peer == Peer::Endpoint
        && matches!(
            failure.reason,
            FailureReason::Dns(DnsReason::NxDomain | DnsReason::NoAddress)
        )
}

/// By name, which resolver gave which answer.
fn answers<'f>(scene: &Scene<'f>) -> HashMap<&'f str, Vec<(&'f str, &'f str)>> {
    let mut answers: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
    for finding in scene.findings {
        let outcome = finding.latest.as_ref();
        for seen in outcome.iter().flat_map(|outcome| &outcome.observed.dns) {
            if let (true, Some(first)) = (seen.answered(), seen.answers.first()) {
                let of_name = answers.entry(&seen.name).or_default();
                of_name.push((&seen.resolver, first));
            }
        }
    }
    answers
}

/// The addresses, where all of them are private although the source of the endpoint speaks of the internet.
fn private_for_public(finding: &Finding, failure: &Failure) -> Option<String> {
    let outcome = finding.latest.as_ref()?;
    let addresses = &outcome.observed.addresses;
    let is_public = matches!(
        finding.check.endpoint.origin,
        Origin::Catalog | Origin::Microsoft365
    );
    let is_ours = matches!(outcome.via, Via::Direct | Via::Bypass);
    let is_on_the_way = matches!(
        failure.reason,
        FailureReason::Connect(_) | FailureReason::Tls(_)
    );
    let all_private = !addresses.is_empty() && addresses.iter().all(is_private);
    (is_public && is_ours && is_on_the_way && all_private).then(|| {
        let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        addresses.join(", ")
    })
}

fn is_private(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_unique_local()
                || address.is_loopback()
                || address.is_unicast_link_local()
                || address.is_unspecified()
        }
    }
}
