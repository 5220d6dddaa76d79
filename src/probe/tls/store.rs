//! Whether the trust store has the roots that endpoints need, and whether Mozilla's set has them, too.

use std::collections::HashSet;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::Trust;
use super::certificate;
use crate::endpoint::ExpectedRoot;
use crate::outcome::RequiredRoot;

/// By their SHA-256.
static MOZILLAS: LazyLock<HashSet<[u8; 32]>> = LazyLock::new(|| {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.map(|root| Sha256::digest(root).into()).collect()
});

impl Trust {
    /// How this store, which goes by a name, has the roots.
    pub(in crate::probe) fn required(
        &self,
        store: &str,
        needed: &[&ExpectedRoot],
    ) -> Vec<RequiredRoot> {
        let there = certificate::all(self.verifier.certificates());
        let mozillas: HashSet<String> = MOZILLAS
            .iter()
            .map(|digest| certificate::hexadecimal(digest))
            .collect();
        let required = |root: &&ExpectedRoot| {
            let sha256 = root.sha256.as_str();
            let found = there.iter().find(|seen| seen.fingerprint_sha256 == sha256);
            RequiredRoot {
                root: root.name.clone(),
                sha256: sha256.to_owned(),
                store: store.to_owned(),
                validity: found.map(|found| (found.not_before, found.not_after)),
                bundled: mozillas.contains(sha256),
            }
        };
        needed.iter().map(required).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;
    use crate::outcome::RootState;
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
            let required = trust.required("roots.pem", &[&own, &mozillas]);
            assert!(!required[0].bundled && required[1].bundled);
            let missing = required[1].standing(year(at));
            assert_eq!(missing.state, RootState::Missing);
            assert_eq!(missing.store, "roots.pem");
            required[0].standing(year(at)).state
        };
        assert_eq!(state_in(2025), RootState::Present);
        assert_eq!(state_in(2031), RootState::Expired);
        assert_eq!(state_in(2019), RootState::NotYetValid);
    }
}
