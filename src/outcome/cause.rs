//! The closed set of causes that many outcomes together can have. A new one does not compile until it is named here
//! and explained in `explain`.

use std::fmt;

use serde::{Serialize, Serializer};

/// Declares the kinds with their stable names.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)+) => {
        /// What one fault is that many checks tell of. The bigger come first: what one explains is not told again by
        /// those after it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CauseKind {
            $($(#[$doc])* $variant,)+
        }

        impl CauseKind {
            /// Every kind, the biggest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value of the label `cause`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

kinds! {
    /// This machine reaches nothing at all.
    NetworkDown => "network_down",
    /// A resolver does not answer, or not what it is asked.
    ResolverDown => "resolver_down",
    /// A resolver denies what another one knows, or answers with private addresses for public names.
    ResolverWrong => "resolver_wrong",
    /// A proxy cannot be reached or used at all.
    ProxyDown => "proxy_down",
    /// A proxy does not accept the login.
    ProxyAuthentication => "proxy_authentication",
    /// A proxy's policy denies endpoints.
    ProxyPolicy => "proxy_policy",
    /// A proxy answers, but gets nowhere itself.
    ProxyUpstream => "proxy_upstream",
    /// The clock of this machine is wrong.
    ClockWrong => "clock_wrong",
    /// Somebody on a way presents certificates in the endpoints' place.
    TlsInspection => "tls_inspection",
    /// A trust store lacks what several endpoints' certificates lead to.
    TrustStore => "trust_store",
    /// A certificate has expired, or is about to.
    CertificateExpiring => "certificate_expiring",
    /// Lists and answers of the authorities cannot be fetched.
    RevocationBlocked => "revocation_blocked",
    /// An endpoint fails over every route.
    EndpointDown => "endpoint_down",
    /// Endpoints fail over one route and not over another.
    RouteOnly => "route_only",
    /// Idle connections are cut on a way.
    IdleTimeout => "idle_timeout",
    /// A proxy takes far longer than it used to.
    ProxySlow => "proxy_slow",
    /// A check changes between success and failure again and again.
    Flapping => "flapping",
    /// An endpoint takes far longer than it used to.
    Degraded => "degraded",
}

impl fmt::Display for CauseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CauseKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_snake_case() {
        let mut names: Vec<&str> = CauseKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let is_plain = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(names.iter().all(is_plain));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CauseKind::ALL.len());
    }

    #[test]
    fn the_bigger_come_first() {
        assert!(CauseKind::ALL.is_sorted());
    }
}
