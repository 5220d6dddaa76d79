//! Whom to trust, and from which version on.

use std::path::PathBuf;

/// Trust and version of a TLS handshake, towards an endpoint or a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TlsSettings {
    /// A PEM file of certificate authorities used instead of the operating system's trust store.
    pub ca_file: Option<PathBuf>,
    /// Nothing older is offered.
    pub min_version: TlsVersion,
    /// The name sent (SNI) and verified where it is not the host of the URL.
    pub server_name: Option<String>,
}

/// TLS versions that are still spoken. Older ones cannot be offered, only recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    Tls12,
    /// RFC 8446.
    Tls13,
}
