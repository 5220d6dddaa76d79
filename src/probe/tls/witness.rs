//! A witness of one handshake: it lets the shared verifier decide, and keeps what it saw for the outcome.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::demand::Demand;
use super::identity::Shown;
use super::pins::{Pinned, Pins};
use super::verifier::{Verifier, accept_as_named};

/// Sees the certificates of one handshake, accepted or not, and whether a client certificate was asked for.
#[derive(Debug)]
pub(super) struct Witness {
    verifier: Arc<Verifier>,
    presented: OnceLock<Vec<CertificateDer<'static>>>,
    staple: OnceLock<Vec<u8>>,
    refused: OnceLock<CertificateError>,
    pins: Pins,
    pinned: OnceLock<Pinned>,
    /// Whether a certificate that is none of the pinned ones would have been accepted without them.
    is_trusted_without: AtomicBool,
    client_certificate_asked: AtomicBool,
    beginning: OnceLock<Beginning>,
    shown: Option<Shown>,
}

/// How a server began to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// With a record of TLS.
    Tls,
    /// With something else.
    Other,
}

impl Witness {
    pub(super) fn new(verifier: Arc<Verifier>, shown: Option<Shown>, pins: Pins) -> Self {
        Self {
            verifier,
            presented: OnceLock::new(),
            staple: OnceLock::new(),
            refused: OnceLock::new(),
            pins,
            pinned: OnceLock::new(),
            is_trusted_without: AtomicBool::new(false),
            client_certificate_asked: AtomicBool::new(false),
            beginning: OnceLock::new(),
            shown,
        }
    }

    /// The first byte of the server's answer: the type of a record, where it speaks TLS (RFC 8446 §5.1).
    pub(super) fn hears(&self, first: u8) {
        const ALERT: u8 = 21;
        const HANDSHAKE: u8 = 22;
        let beginning = match first {
            ALERT | HANDSHAKE => Beginning::Tls,
            _ => Beginning::Other,
        };
        self.beginning.set(beginning).ok();
    }

    /// How the server began to answer; none where it said nothing.
    pub(super) fn beginning(&self) -> Option<Beginning> {
        self.beginning.get().copied()
    }

    /// The certificates as presented, leaf first; empty when the handshake did not come to them.
    pub(super) fn presented(&self) -> &[CertificateDer<'static>] {
        self.presented.get().map_or(&[], Vec::as_slice)
    }

    /// The OCSP answer that came with them; empty where none did.
    pub(super) fn staple(&self) -> &[u8] {
        self.staple.get().map_or(&[], Vec::as_slice)
    }

    /// Why the verifier refused the certificates, if it did.
    pub(super) fn refused(&self) -> Option<&CertificateError> {
        self.refused.get()
    }

    /// Whether the certificate is one of those that are pinned.
    pub(super) fn is_pinned(&self) -> bool {
        self.pinned.get() == Some(&Pinned::Is)
    }

    /// In what way it is none of them, if it is not.
    pub(super) fn strays(&self) -> Option<String> {
        self.pinned
            .get()
            .filter(|pinned| **pinned == Pinned::IsNot)?;
        let without = if self.is_trusted_without.load(Ordering::Relaxed) {
            "without a pin it would be trusted here"
        } else {
            "it would not be trusted here without a pin either"
        };
        Some(format!("{}; {without}", self.pins.told()))
    }

    pub(super) fn demand(&self) -> Demand {
        match (
            self.client_certificate_asked.load(Ordering::Relaxed),
            &self.shown,
        ) {
            (false, _) => Demand::None,
            (true, None) => Demand::Unmet,
            (true, Some(shown)) => Demand::Met(Arc::clone(&shown.subject)),
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = [end_entity].into_iter().chain(intermediates);
        let presented = all
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        // Certificates come once in a handshake without renegotiation, which rustls does not have.
        self.presented.set(presented).ok();
        self.staple.set(ocsp_response.to_vec()).ok();
        let verify = || {
            self.verifier
                .verify(end_entity, intermediates, server_name, ocsp_response, now)
        };
        let verdict = match *self.pinned.get_or_init(|| self.pins.judge(end_entity)) {
            Pinned::NotAsked => verify(),
            Pinned::Is => accept_as_named(end_entity, server_name, now),
            Pinned::IsNot => {
                let is_trusted = verify().is_ok();
                self.is_trusted_without.store(is_trusted, Ordering::Relaxed);
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
        };
        if let Err(Error::InvalidCertificate(error)) = &verdict {
            self.refused.set(error.clone()).ok();
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .webpki()
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .webpki()
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.webpki().supported_verify_schemes()
    }
}

/// A client certificate is shown to whoever asks, if there is one; that it was asked for is noted either way.
impl ResolvesClientCert for Witness {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.client_certificate_asked.store(true, Ordering::Relaxed);
        let shown = self.shown.as_ref()?;
        Some(Arc::clone(&shown.pair))
    }

    /// rustls asks only those who have a certificate to choose from.
    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use rustls::crypto::aws_lc_rs;

    use super::*;
    use crate::endpoint::Fingerprint;
    use crate::probe::tls::certificate;
    use crate::probe::tls::roots::Roots;

    fn self_signed(last_year: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["cm01.corp.test".to_owned()]).unwrap();
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    /// What comes of a certificate where others are pinned, and how it strays from them.
    fn verify(
        presented: &CertificateDer<'static>,
        pinned: &[&CertificateDer<'static>],
        name: &str,
    ) -> (Result<(), Error>, Option<String>) {
        let root = self_signed(2049);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(Verifier::new(Roots::naming(&[root]), provider).unwrap());
        let pins: Vec<Fingerprint> = pinned
            .iter()
            .map(|certificate| certificate::fingerprint(certificate).parse().unwrap())
            .collect();
        let witness = Witness::new(verifier, None, Pins::new(&pins));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let verdict = witness.verify_server_cert(presented, &[], &name, &[], UnixTime::now());
        assert_eq!(witness.is_pinned(), pinned.contains(&presented));
        (verdict.map(drop), witness.strays())
    }

    #[test]
    fn a_pinned_certificate_needs_nobody_to_vouch_for_it() {
        let (own, other) = (self_signed(2049), self_signed(2049));
        assert!(verify(&own, &[], "cm01.corp.test").0.is_err());
        assert_eq!(verify(&own, &[&own], "cm01.corp.test"), (Ok(()), None));
        let both = verify(&own, &[&other, &own], "cm01.corp.test");
        assert_eq!(both, (Ok(()), None));
    }

    #[test]
    fn its_name_and_its_validity_are_judged_all_the_same() {
        let (own, expired) = (self_signed(2049), self_signed(2020));
        let (verdict, strays) = verify(&own, &[&own], "cm02.corp.test");
        let refused = verdict.unwrap_err().to_string();
        assert!(refused.contains("cm02.corp.test"), "{refused}");
        assert_eq!(strays, None);
        let (verdict, strays) = verify(&expired, &[&expired], "cm01.corp.test");
        let refused = verdict.unwrap_err().to_string();
        assert!(refused.contains("expired"), "{refused}");
        assert_eq!(strays, None);
    }

    #[test]
    fn any_other_certificate_is_refused() {
        let (own, other, third) = (self_signed(2049), self_signed(2049), self_signed(2049));
        let (verdict, strays) = verify(&other, &[&own], "cm01.corp.test");
        assert!(verdict.is_err());
        let told = strays.unwrap();
        assert!(told.contains("not the one that is pinned"), "{told}");
        assert!(told.contains(&certificate::fingerprint(&own)), "{told}");
        let (_, strays) = verify(&other, &[&own, &third], "cm01.corp.test");
        assert!(strays.unwrap().contains("none of the 2"));
    }
}
