//! Verifies what a server presents: by webpki, up to a trusted root. A certificate that the configuration itself
//! names as trusted is accepted as the server's own, too: many a server in a private network signs its own.

use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{
    CertificateDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use webpki::{EndEntityCert, KeyUsage};

use super::certificate;
use super::chains::{Chain, Chains, Path};
use super::roots::Roots;
use crate::outcome::CertificateSeen;

/// Decides whom to trust; shared by all handshakes.
#[derive(Debug)]
pub(super) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    roots: Roots,
    chains: Chains,
}

impl Verifier {
    pub(super) fn new(roots: Roots, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let store = Arc::new(roots.store());
        let webpki = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self {
            webpki,
            provider,
            roots,
            chains: Chains::default(),
        })
    }

    /// The part that knows signatures.
    pub(super) fn webpki(&self) -> &Arc<WebPkiServerVerifier> {
        &self.webpki
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        self.roots.certificates()
    }

    pub(super) fn anchors(&self) -> &[TrustAnchor<'static>] {
        self.roots.anchors()
    }

    pub(super) fn signature_algorithms(&self) -> &[&dyn SignatureVerificationAlgorithm] {
        self.provider.signature_verification_algorithms.all
    }

    pub(super) fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.webpki.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verdict {
            // What webpki says of a server that presents a certificate made for an authority.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.names(end_entity) =>
            {
                accept_as_named(end_entity, server_name, now)
            }
            verdict => verdict,
        }
    }

    /// What is known of a chain that was verified just now, or whose leaf is trusted as such.
    pub(super) fn verified(&self, presented: &[CertificateDer<'_>], is_pinned: bool) -> Chain {
        let path = || self.path(presented, is_pinned);
        self.chains.verified(presented, path)
    }

    /// What is known of a chain that was not.
    pub(super) fn refused(&self, presented: &[CertificateDer<'_>]) -> Arc<[CertificateSeen]> {
        self.chains.refused(presented)
    }

    /// The way from the leaf to the root, which rustls found and kept to itself.
    fn path(&self, presented: &[CertificateDer<'_>], is_pinned: bool) -> Path {
        let Some((leaf, intermediates)) = presented.split_first() else {
            return Path::default();
        };
        let path = self.certificates_of_path(leaf, intermediates);
        // The one way that webpki does not know: the leaf is what the configuration trusts.
        let is_named = is_pinned || self.names(leaf);
        let itself = || is_named.then(|| vec![leaf.clone().into_owned()]);
        let certificates = path.or_else(itself).unwrap_or_default();
        Path {
            seen: certificates
                .iter()
                .filter_map(certificate::on_path)
                .collect(),
            certificates,
        }
    }

    fn certificates_of_path<'a>(
        &'a self,
        leaf: &'a CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Option<Vec<CertificateDer<'static>>> {
        let parsed = EndEntityCert::try_from(leaf).ok()?;
        let path = parsed
            .verify_for_usage(
                self.signature_algorithms(),
                self.anchors(),
                intermediates,
                UnixTime::now(),
                KeyUsage::server_auth(),
                None,
                None,
            )
            .ok()?;
        let between = path.intermediate_certificates();
        let between = between.map(|certificate| certificate.der().into_owned());
        let root = self.roots.certificate_of(path.anchor())?;
        let whole = [leaf.clone().into_owned()].into_iter().chain(between);
        Some(whole.chain([root.clone()]).collect())
    }

    fn names(&self, certificate: &CertificateDer<'_>) -> bool {
        let mut named = self.roots.certificates().iter();
        self.roots.named && named.any(|named| named.as_ref() == certificate.as_ref())
    }
}

/// What remains to be asked of a certificate that is trusted as such: whose it is, and whether it is its time.
pub(super) fn accept_as_named(
    certificate: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    verify_server_name(&ParsedCertificate::try_from(certificate)?, server_name)?;
    let facts = certificate::seen(std::slice::from_ref(certificate));
    let facts = facts.first().ok_or(CertificateError::BadEncoding)?;
    let (not_before, not_after) = (
        in_unix_time(facts.not_before),
        in_unix_time(facts.not_after),
    );
    if now > not_after {
        let time = now;
        return Err(CertificateError::ExpiredContext { time, not_after }.into());
    }
    if now < not_before {
        let time = now;
        return Err(CertificateError::NotValidYetContext { time, not_before }.into());
    }
    Ok(ServerCertVerified::assertion())
}

fn in_unix_time(moment: SystemTime) -> UnixTime {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH);
    UnixTime::since_unix_epoch(since.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
    use rustls::crypto::aws_lc_rs;

    use super::*;

    fn own_authority(change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["cm01.corp.test".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn trusting(certificates: &[CertificateDer<'static>]) -> Verifier {
        let provider = Arc::new(aws_lc_rs::default_provider());
        Verifier::new(Roots::naming(certificates), provider).unwrap()
    }

    fn verify(
        trusted: &CertificateDer<'static>,
        presented: &CertificateDer<'static>,
        name: &str,
    ) -> Result<(), Error> {
        let verifier = trusting(std::slice::from_ref(trusted));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier
            .verify(presented, &[], &name, &[], UnixTime::now())
            .map(drop)
    }

    #[test]
    fn a_server_may_present_the_very_certificate_that_is_trusted() {
        let own = own_authority(|_| {});
        assert_eq!(verify(&own, &own, "cm01.corp.test"), Ok(()));
    }

    #[test]
    fn but_it_must_be_for_the_name_in_its_time_and_the_same() {
        let own = own_authority(|_| {});
        let expired = own_authority(|params| params.not_after = date_time_ymd(2020, 1, 1));
        let other = own_authority(|_| {});
        assert!(verify(&own, &own, "cm02.corp.test").is_err());
        let refused = verify(&expired, &expired, "cm01.corp.test").unwrap_err();
        assert!(refused.to_string().contains("expired"), "{refused}");
        assert!(verify(&own, &other, "cm01.corp.test").is_err());
    }
}
