//! What the readers of certificates stand, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use rustls::pki_types::CertificateDer;

use super::certificate::{lack, on_path, seen};

/// So many names of a certificate are kept, and so many certificates of a chain.
const MOST_NAMES: usize = 100;
const MOST_CERTIFICATES: usize = 16;

/// A certificate that a server presents, alone and after itself.
pub fn certificate(bytes: &[u8]) {
    let one = CertificateDer::from(bytes.to_vec());
    let chain = vec![one.clone(); MOST_CERTIFICATES + 1];
    for presented in [&chain[..1], &chain] {
        let facts = seen(presented);
        assert!(facts.len() <= MOST_CERTIFICATES);
        assert_eq!(facts.is_empty(), lack(presented).is_none());
        for fact in facts {
            assert!(fact.names.len() <= MOST_NAMES);
            assert_eq!(fact.fingerprint_sha256.len(), 64);
        }
    }
    on_path(&one);
}
