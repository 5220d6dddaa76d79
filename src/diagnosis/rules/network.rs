//! The network is down: from at least three endpoints, over at least two different first hops, nothing comes back,
//! and since then nothing came back from anywhere.

use crate::diagnosis::MACHINE;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::inference::{Inference, Witness};
use crate::diagnosis::scene::{Scene, heard_nobody, is_silence};
use crate::outcome::{CauseKind, Peer, Phase};

/// Two may be down at the same time for reasons of their own.
const ENDPOINTS: usize = 3;

const FIRST_HOPS: usize = 2;

pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let mut down = Inference::new(CauseKind::NetworkDown, MACHINE);
    for (finding, failure) in scene.failures() {
        if is_silence(failure) {
            down.supports.push(Witness::failing(finding, failure));
        }
    }
    if down.supports.is_empty() {
        return Vec::new();
    }
    let is_answer = |finding: &&Finding| {
        let outcome = finding.latest.as_ref();
        outcome.is_some_and(|outcome| !outcome.result.as_ref().is_err_and(heard_nobody))
    };
    let answers = scene.findings.iter().filter(is_answer);
    down.contradicts = answers.map(Witness::as_it_ended).collect();
    let agree =
        down.agreeing(Finding::endpoint) >= ENDPOINTS && down.agreeing(first_hop) >= FIRST_HOPS;
    if agree { vec![down] } else { Vec::new() }
}

/// Who was silent: a resolver, a proxy, or the endpoint itself.
fn first_hop(finding: &Finding) -> Option<(Phase, String)> {
    let failure = finding.failure()?;
    let check = &finding.check;
    let name = match (failure.phase(), failure.peer) {
        (Phase::Dns, Peer::Proxy) => check.proxy_resolver.name().to_owned(),
        (Phase::Dns, Peer::Endpoint) => check.resolver.name().to_owned(),
        (_, Peer::Proxy) => check.route.way.name().to_owned(),
        (_, Peer::Endpoint) => check.endpoint.target.host(),
    };
    Some((failure.phase(), name))
}
