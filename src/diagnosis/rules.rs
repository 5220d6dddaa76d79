//! The rules, a family a file. Each infers on its own; what a bigger cause explains is taken away afterwards.

mod certificate;
mod changes;
mod clock;
mod endpoint;
mod hold;
mod network;
mod pace;
mod proxy;
mod resolver;
mod revocation;

use super::inference::Inference;
use super::scene::Scene;

/// So many different endpoints must tell of a fault that must touch several.
const SEVERAL: usize = 2;

/// Everything that can be inferred, whatever explains what.
pub(super) fn infer<'f>(scene: &Scene<'f>) -> Vec<Inference<'f>> {
    let families = [
        network::infer,
        resolver::infer,
        proxy::infer,
        clock::infer,
        certificate::infer,
        revocation::infer,
        endpoint::infer,
        hold::infer,
        pace::infer,
        changes::infer,
    ];
    families.iter().flat_map(|infer| infer(scene)).collect()
}
