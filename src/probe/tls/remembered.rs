//! Signatures of certificates that were verified before. Whether a signature fits a key and a message depends on nothing
//! else, so it need not be found out anew with every handshake, which would be a third of what a probe costs. Names,
//! times, usages and the path are judged each time, and the handshake's own signature is never remembered.

use std::collections::HashSet;
use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use sha2::{Digest, Sha256};

/// More signatures than this are forgotten all at once, so that servers that come with others each time fill no memory.
const MOST_SIGNATURES: usize = 16_384;

static ALGORITHMS: LazyLock<Vec<Remembering>> = LazyLock::new(|| {
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    algorithms
        .all
        .iter()
        .map(|inner| Remembering::of(*inner))
        .collect()
});

static ALL: LazyLock<Vec<&'static dyn SignatureVerificationAlgorithm>> = LazyLock::new(|| {
    let algorithms = ALGORITHMS.iter();
    algorithms
        .map(|algorithm| algorithm as &dyn SignatureVerificationAlgorithm)
        .collect()
});

/// The default algorithms, of which those for the signatures of certificates remember what they verified. Those that
/// rustls takes for the signature of a handshake (`mapping`) do not.
pub(super) fn algorithms() -> WebPkiSupportedAlgorithms {
    WebPkiSupportedAlgorithms {
        all: &ALL,
        ..aws_lc_rs::default_provider().signature_verification_algorithms
    }
}

/// An algorithm with a memory of good signatures; bad ones are looked at each time.
struct Remembering {
    inner: &'static dyn SignatureVerificationAlgorithm,
    good: Mutex<HashSet<[u8; 32]>>,
}

impl Remembering {
    fn of(inner: &'static dyn SignatureVerificationAlgorithm) -> Self {
        Self {
            inner,
            good: Mutex::default(),
        }
    }

    fn is_known(&self, digest: &[u8; 32]) -> bool {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.contains(digest)
    }

    fn remember(&self, digest: [u8; 32]) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= MOST_SIGNATURES {
            good.clear();
        }
        good.insert(digest);
    }
}

impl SignatureVerificationAlgorithm for Remembering {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let digest = digest([public_key, message, signature]);
        if self.is_known(&digest) {
            return Ok(());
        }
        self.inner
            .verify_signature(public_key, message, signature)?;
        self.remember(digest);
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

impl fmt::Debug for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// The lengths are in it, so that no other three run together to the same bytes.
fn digest(parts: [&[u8]; 3]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustls::pki_types::alg_id;

    use super::*;

    /// Takes every signature that equals the message, and counts how often it is asked.
    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);

    impl SignatureVerificationAlgorithm for Counting {
        fn verify_signature(
            &self,
            _: &[u8],
            message: &[u8],
            signature: &[u8],
        ) -> Result<(), InvalidSignature> {
            self.0.fetch_add(1, Ordering::Relaxed);
            (message == signature).then_some(()).ok_or(InvalidSignature)
        }

        fn public_key_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::ECDSA_P256
        }

        fn signature_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::ECDSA_SHA256
        }
    }

    fn counting() -> (&'static Counting, Remembering) {
        let inner: &'static Counting = Box::leak(Box::default());
        (inner, Remembering::of(inner))
    }

    #[test]
    fn a_good_signature_is_verified_once() {
        let (inner, algorithm) = counting();
        for _ in 0..3 {
            assert!(algorithm.verify_signature(b"key", b"m", b"m").is_ok());
        }
        assert_eq!(inner.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn another_key_message_or_signature_is_another_signature() {
        let (inner, algorithm) = counting();
        assert!(algorithm.verify_signature(b"key", b"mm", b"mm").is_ok());
        assert!(algorithm.verify_signature(b"yek", b"mm", b"mm").is_ok());
        assert!(algorithm.verify_signature(b"keym", b"m", b"m").is_ok());
        assert!(algorithm.verify_signature(b"key", b"mm", b"mn").is_err());
        assert_eq!(inner.0.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn a_bad_signature_is_bad_each_time() {
        let (inner, algorithm) = counting();
        for _ in 0..2 {
            assert!(algorithm.verify_signature(b"key", b"m", b"n").is_err());
        }
        assert_eq!(inner.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn signatures_that_never_come_again_are_forgotten() {
        let (_, algorithm) = counting();
        for number in 0..=MOST_SIGNATURES {
            let bytes = number.to_le_bytes();
            assert!(algorithm.verify_signature(b"key", &bytes, &bytes).is_ok());
        }
        assert!(algorithm.good.lock().unwrap().len() <= MOST_SIGNATURES);
    }

    #[test]
    fn the_signature_of_a_handshake_is_never_remembered() {
        let default = aws_lc_rs::default_provider().signature_verification_algorithms;
        let own = algorithms();
        assert_eq!(own.all.len(), default.all.len());
        assert!(std::ptr::eq(own.mapping, default.mapping));
    }
}
