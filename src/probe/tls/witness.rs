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
use super::verifier::Verifier;

/// Sees the certificates of one handshake, accepted or not, and whether a client certificate was asked for.
#[derive(Debug)]
pub(super) struct Witness {
    verifier: Arc<Verifier>,
    presented: OnceLock<Vec<CertificateDer<'static>>>,
    staple: OnceLock<Vec<u8>>,
    refused: OnceLock<CertificateError>,
    client_certificate_asked: AtomicBool,
    shown: Option<Shown>,
}

impl Witness {
    pub(super) fn new(verifier: Arc<Verifier>, shown: Option<Shown>) -> Self {
        Self {
            verifier,
            presented: OnceLock::new(),
            staple: OnceLock::new(),
            refused: OnceLock::new(),
            client_certificate_asked: AtomicBool::new(false),
            shown,
        }
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
        let verdict =
            self.verifier
                .verify(end_entity, intermediates, server_name, ocsp_response, now);
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
