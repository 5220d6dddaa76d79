//! What rustls is told of TLS.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::ServerConfig;
use rustls::sign::SingleCertAndKey;
use rustls::{CipherSuite, SupportedCipherSuite, SupportedProtocolVersion, version};

use super::clients;
use crate::config::WebTls;
use crate::endpoint::TlsVersion;

/// HTTP/2 and HTTP/1.1 as ALPN names them.
pub(crate) const H2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// The library's settings.
///
/// # Errors
/// What the library does not like, in one line.
pub(super) fn server_config(tls: &WebTls, http2: bool) -> Result<ServerConfig, String> {
    let provider = Arc::new(provider(tls));
    let versions = versions(tls, &provider);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder
        .with_protocol_versions(&versions)
        .map_err(|error| error.to_string())?;
    let builder = match clients::verifier(tls, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let pair = SingleCertAndKey::from(Arc::clone(&tls.pair));
    let mut config = builder.with_cert_resolver(Arc::new(pair));
    config.ignore_client_order = tls.prefer_own_order;
    config.alpn_protocols = vec![HTTP_1.to_vec()];
    if http2 {
        config.alpn_protocols.insert(0, H2.to_vec());
    }
    Ok(config)
}

fn provider(tls: &WebTls) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if !tls.cipher_suites.is_empty() {
        provider.cipher_suites = chosen_suites(&tls.cipher_suites, &provider.cipher_suites);
    }
    if !tls.curves.is_empty() {
        let all = aws_lc_rs::ALL_KX_GROUPS;
        let named = tls.curves.iter();
        provider.kx_groups = named
            .filter_map(|name| all.iter().find(|group| group.name() == *name).copied())
            .collect();
    }
    provider
}

/// As Go does it: the list is about TLS 1.2, and changes no more than the order of what TLS 1.3 has.
fn chosen_suites(
    wanted: &[CipherSuite],
    all: &[SupportedCipherSuite],
) -> Vec<SupportedCipherSuite> {
    let named = wanted
        .iter()
        .filter_map(|name| all.iter().find(|suite| suite.suite() == *name).copied());
    let mut chosen: Vec<_> = named.collect();
    let others = all.iter().filter(|suite| suite.tls13().is_some());
    let others: Vec<_> = others
        .filter(|suite| !wanted.contains(&suite.suite()))
        .copied()
        .collect();
    chosen.extend(others);
    chosen
}

fn versions(tls: &WebTls, provider: &CryptoProvider) -> Vec<&'static SupportedProtocolVersion> {
    let all = [
        (TlsVersion::Tls13, &version::TLS13),
        (TlsVersion::Tls12, &version::TLS12),
    ];
    let range = tls.min_version..=tls.max_version;
    let has_suite = |version: &SupportedProtocolVersion| {
        let mut suites = provider.cipher_suites.iter();
        suites.any(|suite| suite.version() == version)
    };
    all.into_iter()
        .filter(|(version, known)| range.contains(version) && has_suite(known))
        .map(|(_, known)| known)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_about_tls_1_2() {
        let all = aws_lc_rs::default_provider().cipher_suites;
        let wanted = [CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
        let chosen: Vec<_> = chosen_suites(&wanted, &all)
            .iter()
            .map(SupportedCipherSuite::suite)
            .collect();
        assert_eq!(chosen[0], wanted[0]);
        assert_eq!(chosen.len(), 4, "{chosen:?}");
        let wanted = [CipherSuite::TLS13_CHACHA20_POLY1305_SHA256];
        let chosen = chosen_suites(&wanted, &all);
        assert!(chosen.iter().all(|suite| suite.tls13().is_some()));
        assert_eq!(chosen[0].suite(), wanted[0]);
    }
}
