//! Whether the trust store has the roots that endpoints need, and whether Mozilla's set has them, too.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::Trust;
use super::certificate;
use crate::endpoint::ExpectedRoot;
use crate::outcome::{RootStanding, RootState};

/// By their SHA-256.
static MOZILLAS: LazyLock<HashSet<[u8; 32]>> = LazyLock::new(|| {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.map(|root| Sha256::digest(root).into()).collect()
});

impl Trust {
    /// How the roots stand at `now`.
    pub(in crate::probe) fn standings(
        &self,
        needed: &[&ExpectedRoot],
        now: SystemTime,
    ) -> Vec<RootStanding> {
        let store = certificate::all(self.verifier.certificates());
        let mozillas: HashSet<String> = MOZILLAS
            .iter()
            .map(|digest| certificate::hexadecimal(digest))
            .collect();
        let standing = |root: &&ExpectedRoot| {
            let sha256 = root.sha256.as_str();
            let found = store.iter().find(|seen| seen.fingerprint_sha256 == sha256);
            let state = match found {
                None => RootState::Missing,
                Some(found) if found.not_after < now => RootState::Expired,
                Some(found) if found.not_before > now => RootState::NotYetValid,
                Some(_) => RootState::Present,
            };
            RootStanding {
                root: root.name.clone(),
                sha256: sha256.to_owned(),
                state,
                bundled: mozillas.contains(sha256),
            }
        };
        needed.iter().map(standing).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;
    use crate::probe::tls::ANY_VERSION;

    #[test]
    fn a_root_is_there_or_not_in_its_time_or_not() {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        let own = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        fs::write(&file, own.pem()).unwrap();
        let trust = Trust::new(Some(&file), ANY_VERSION).unwrap();

        let root = |name: &str, der: &[u8]| ExpectedRoot {
            name: name.to_owned(),
            sha256: certificate::hexadecimal(&Sha256::digest(der))
                .parse()
                .unwrap(),
        };
        let own = root("own", own.der());
        let mozillas = root("mozillas", &webpki_root_certs::TLS_SERVER_ROOT_CERTS[0]);
        let year =
            |year: u64| SystemTime::UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_557_600);
        let state_in = |at| {
            let standings = trust.standings(&[&own, &mozillas], year(at));
            assert!(!standings[0].bundled && standings[1].bundled);
            assert_eq!(standings[1].state, RootState::Missing);
            standings[0].state
        };
        assert_eq!(state_in(2025), RootState::Present);
        assert_eq!(state_in(2031), RootState::Expired);
        assert_eq!(state_in(2019), RootState::NotYetValid);
    }
}
