//! What is known of chains that were presented before. A server presents the same certificates for months: their
//! facts, and the path by which they are trusted, are found out once and shared by all outcomes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use super::certificate;
use crate::outcome::{CertificateSeen, PathSeen};

/// More chains than this are forgotten all at once, so that servers that change theirs with every handshake
/// fill no memory. A chain takes some kilobytes.
const MOST_CHAINS: usize = 4096;

/// The chains that one verifier saw.
#[derive(Debug, Default)]
pub(super) struct Chains(Mutex<HashMap<[u8; 32], Chain>>);

/// A chain as presented.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// The facts of each certificate, leaf first.
    pub(super) certificates: Arc<[CertificateSeen]>,
    /// The way from the leaf to the root; empty where it was not verified, or not yet.
    pub(super) path: Arc<[PathSeen]>,
    /// The certificates of that way themselves.
    pub(super) verified: Arc<[CertificateDer<'static>]>,
}

/// The way from a leaf to a root.
#[derive(Debug, Default)]
pub(super) struct Path {
    pub(super) seen: Vec<PathSeen>,
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

impl Chains {
    /// What is known of a chain that was refused.
    pub(super) fn refused(&self, presented: &[CertificateDer<'_>]) -> Arc<[CertificateSeen]> {
        let digest = digest(presented);
        let known = self.known(&digest);
        known.map_or_else(
            || self.learn(digest, presented, Path::default()).certificates,
            |chain| chain.certificates,
        )
    }

    /// What is known of a chain that was verified just now. `path` finds the way to the root where that is not
    /// known, or where the known one is over.
    pub(super) fn verified(
        &self,
        presented: &[CertificateDer<'_>],
        path: impl FnOnce() -> Path,
    ) -> Chain {
        let digest = digest(presented);
        let known = self.known(&digest);
        let is_good = |chain: &Chain| !chain.path.is_empty() && is_in_time(&chain.path);
        match known.filter(is_good) {
            Some(chain) => chain,
            None => self.learn(digest, presented, path()),
        }
    }

    fn known(&self, digest: &[u8; 32]) -> Option<Chain> {
        let chains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        chains.get(digest).cloned()
    }

    fn learn(&self, digest: [u8; 32], presented: &[CertificateDer<'_>], path: Path) -> Chain {
        let chain = Chain {
            certificates: certificate::seen(presented).into(),
            path: path.seen.into(),
            verified: path.certificates.into(),
        };
        let mut chains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if chains.len() >= MOST_CHAINS {
            chains.clear();
        }
        chains.insert(digest, chain.clone());
        chain
    }
}

fn is_in_time(path: &[PathSeen]) -> bool {
    let now = SystemTime::now();
    path.iter().all(|certificate| now < certificate.not_after)
}

/// The lengths are in it, so that no two chains run together to the same bytes.
pub(super) fn digest(presented: &[CertificateDer<'_>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for certificate in presented {
        hash.update(certificate.len().to_le_bytes());
        hash.update(certificate);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate(name: &str) -> CertificateDer<'static> {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn path_until(not_after: SystemTime) -> Path {
        let seen = vec![PathSeen {
            subject: "CN=root".to_owned(),
            not_after,
            fingerprint_sha256: "ab".repeat(32),
        }];
        Path {
            seen,
            ..Path::default()
        }
    }

    #[test]
    fn a_path_is_found_once_for_as_long_as_it_lasts() {
        let chains = Chains::default();
        let presented = [certificate("one.test")];
        let found = Cell::new(0);
        let ask = |not_after| {
            chains.verified(&presented, || {
                found.set(found.get() + 1);
                path_until(not_after)
            })
        };
        let now = SystemTime::now();
        ask(now - Duration::from_secs(1));
        let first = ask(now + Duration::from_secs(60));
        let second = ask(now + Duration::from_secs(60));
        assert_eq!(found.get(), 2, "the first path was over");
        assert!(Arc::ptr_eq(&first.certificates, &second.certificates));
        assert!(Arc::ptr_eq(&first.path, &second.path));
    }

    #[test]
    fn a_chain_that_was_refused_may_be_verified_later() {
        let chains = Chains::default();
        let presented = [certificate("one.test"), certificate("two.test")];
        let refused = chains.refused(&presented);
        assert_eq!(refused.len(), 2);
        let later = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(
            chains.verified(&presented, || path_until(later)).path.len(),
            1
        );
    }

    #[test]
    fn chains_that_never_come_again_are_forgotten() {
        let chains = Chains::default();
        for number in 0..=MOST_CHAINS {
            let bytes = CertificateDer::from(number.to_le_bytes().to_vec());
            chains.refused(&[bytes]);
        }
        assert!(chains.0.lock().unwrap().len() <= MOST_CHAINS);
    }
}
