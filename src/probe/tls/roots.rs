//! The roots that are trusted: of a PEM file, or of the operating system's store.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::probe::ProberError;

/// Trusted roots, each as the certificate that it came as and as the anchor that it is to a verifier.
#[derive(Debug)]
pub(super) struct Roots {
    anchors: Vec<TrustAnchor<'static>>,
    certificates: Vec<CertificateDer<'static>>,
    /// Whether the configuration itself names them, one by one, in a file.
    pub(super) named: bool,
}

impl Roots {
    /// The roots of a PEM file.
    pub(super) fn of_file(path: &Path) -> Result<Self, ProberError> {
        let fault = |detail: String| ProberError::CaFile {
            path: path.to_owned(),
            detail,
        };
        let file = File::open(path).map_err(|error| fault(error.to_string()))?;
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_reader_iter(BufReader::new(file)) {
            certificates.push(certificate.map_err(|error| fault(error.to_string()))?);
        }
        if certificates.is_empty() {
            return Err(fault("it holds no PEM certificate".to_owned()));
        }
        let mut roots = Self::none(true);
        for certificate in certificates {
            roots
                .add(certificate)
                .map_err(|error| fault(error.to_string()))?;
        }
        Ok(roots)
    }

    /// The operating system's roots; those that cannot be read are left out, as everybody does.
    pub(super) fn of_system() -> Result<Self, ProberError> {
        let loaded = rustls_native_certs::load_native_certs();
        let mut roots = Self::none(false);
        for certificate in loaded.certs {
            roots.add(certificate).ok();
        }
        if roots.anchors.is_empty() {
            let errors: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
            return Err(ProberError::NoSystemRoots(errors.join("; ")));
        }
        Ok(roots)
    }

    /// These, as if a file named them.
    #[cfg(test)]
    pub(super) fn naming(certificates: &[CertificateDer<'static>]) -> Self {
        let mut roots = Self::none(true);
        for certificate in certificates {
            roots.add(certificate.clone()).unwrap();
        }
        roots
    }

    fn none(named: bool) -> Self {
        Self {
            anchors: Vec::new(),
            certificates: Vec::new(),
            named,
        }
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), webpki::Error> {
        let anchor = webpki::anchor_from_trusted_cert(&certificate)?.to_owned();
        self.anchors.push(anchor);
        self.certificates.push(certificate);
        Ok(())
    }

    pub(super) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The certificate as which a trusted anchor came.
    pub(super) fn certificate_of(
        &self,
        anchor: &TrustAnchor<'_>,
    ) -> Option<&CertificateDer<'static>> {
        let same = |own: &TrustAnchor<'_>| {
            own.subject == anchor.subject
                && own.subject_public_key_info == anchor.subject_public_key_info
        };
        let place = self.anchors.iter().position(same)?;
        self.certificates.get(place)
    }

    /// The same for rustls.
    pub(super) fn store(&self) -> RootCertStore {
        RootCertStore {
            roots: self.anchors.clone(),
        }
    }
}
