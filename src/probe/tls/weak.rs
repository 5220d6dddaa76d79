//! What is too weak in a chain: an algorithm that is no longer accepted, or a key that is too small.

use rustls::pki_types::CertificateDer;

use super::certificate;

/// Digests that are no longer accepted in signatures.
const OLD_DIGESTS: [&str; 3] = ["sha1", "md5", "md2"];

/// RSA keys that are shorter are not accepted.
const LEAST_RSA_BITS: u32 = 2048;

/// Names the certificate whose signature is not accepted.
pub(super) fn signature(presented: &[CertificateDer<'_>]) -> String {
    let chain = certificate::seen(presented);
    let is_old = |algorithm: &str| {
        let algorithm = algorithm.to_ascii_lowercase();
        OLD_DIGESTS.iter().any(|digest| algorithm.contains(digest))
    };
    let weak = chain
        .iter()
        .find(|certificate| is_old(&certificate.signature_algorithm));
    if let Some(certificate) = weak {
        return format!(
            "the certificate of {} (issued by {}) is signed with {}, which is no longer accepted",
            certificate.subject, certificate.issuer, certificate.signature_algorithm
        );
    }
    let algorithms = chain
        .iter()
        .map(|certificate| certificate.signature_algorithm.as_str());
    let algorithms: Vec<&str> = algorithms.collect();
    format!(
        "a certificate of the chain is signed with an algorithm that is not accepted ({})",
        algorithms.join(", ")
    )
}

/// Names the certificate whose key is too small, if one is.
pub(super) fn key(presented: &[CertificateDer<'_>]) -> Option<String> {
    let is_small = |key: &str| {
        let bits = key.strip_prefix("RSA ").and_then(|bits| bits.parse().ok());
        bits.is_some_and(|bits: u32| bits < LEAST_RSA_BITS)
    };
    let chain = certificate::seen(presented);
    let weak = chain
        .iter()
        .find(|certificate| is_small(&certificate.key))?;
    Some(format!(
        "the key of {} (issued by {}) is {}, and less than RSA {LEAST_RSA_BITS} is not accepted",
        weak.subject, weak.issuer, weak.key
    ))
}
