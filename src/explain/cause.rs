//! What is inferred from many outcomes: texts by family, as the reasons have theirs by phase.

mod certificate;
mod endpoint;
mod network;
mod proxy;

use super::Explanation;
use crate::outcome::CauseKind;

pub(super) fn explain(kind: CauseKind) -> Explanation {
    match kind {
        CauseKind::NetworkDown => network::NETWORK_DOWN,
        CauseKind::ResolverDown => network::RESOLVER_DOWN,
        CauseKind::ResolverWrong => network::RESOLVER_WRONG,
        CauseKind::ProxyDown => proxy::DOWN,
        CauseKind::ProxyAuthentication => proxy::AUTHENTICATION,
        CauseKind::ProxyPolicy => proxy::POLICY,
        CauseKind::ProxyUpstream => proxy::UPSTREAM,
        CauseKind::ProxySlow => proxy::SLOW,
        CauseKind::IdleTimeout => proxy::IDLE_TIMEOUT,
        CauseKind::ClockWrong => certificate::CLOCK_WRONG,
        CauseKind::TlsInspection => certificate::TLS_INSPECTION,
        CauseKind::TrustStore => certificate::TRUST_STORE,
        CauseKind::CertificateExpiring => certificate::EXPIRING,
        CauseKind::RevocationBlocked => certificate::REVOCATION_BLOCKED,
        CauseKind::EndpointDown => endpoint::DOWN,
        CauseKind::RouteOnly => endpoint::ROUTE_ONLY,
        CauseKind::Flapping => endpoint::FLAPPING,
        CauseKind::Degraded => endpoint::DEGRADED,
    }
}
