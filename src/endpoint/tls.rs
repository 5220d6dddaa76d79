//! Whom to trust, as whom to appear, and what to offer in a TLS handshake.

use std::path::PathBuf;

/// What a TLS handshake, towards an endpoint or a proxy, is made with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TlsSettings {
    /// A PEM file of certificate authorities used instead of the operating system's trust store.
    pub ca_file: Option<PathBuf>,
    /// Nothing older is offered.
    pub min_version: TlsVersion,
    /// Nothing newer is offered.
    pub max_version: TlsVersion,
    /// The name sent (SNI) and verified where it is not the host of the URL.
    pub server_name: Option<String>,
    /// The application protocols offered (ALPN), where they are not those of the kind of endpoint.
    pub alpn: Option<Vec<String>>,
    /// What is shown to a server that asks who connects.
    pub client: Option<ClientFiles>,
}

/// The files of a client certificate. One file may hold both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientFiles {
    /// PEM: the certificate, and those of its issuers that are to be sent with it.
    pub certificate: PathBuf,
    /// PEM: its private key, not encrypted.
    pub key: PathBuf,
}

/// TLS versions that are still spoken. Older ones cannot be offered, only recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            ca_file: None,
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            server_name: None,
            alpn: None,
            client: None,
        }
    }
}
