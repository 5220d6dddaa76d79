//! Whom `healthcheck` trusts over TLS: the very certificate that the daemon's own file names, an authority, or the
//! operating system's trust store.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature,
    verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::app::arguments::HealthcheckArguments;
use crate::config::{client_certificate, read_bounded};
use crate::endpoint::ClientFiles;
use crate::server::WebFile;

const LARGEST_FILE: u64 = 4 << 20;

/// The library's settings.
pub(super) fn client_config(
    arguments: &HealthcheckArguments,
    web: Option<&WebFile>,
) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = verifier(arguments, web, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let (Some(certificate), Some(key)) = (&arguments.client_certificate, &arguments.client_key)
    else {
        return Ok(builder.with_no_client_auth());
    };
    let pair = client_certificate(&ClientFiles {
        certificate: certificate.clone(),
        key: key.clone(),
    })?;
    let pair = SingleCertAndKey::from(pair);
    Ok(builder.with_client_cert_resolver(Arc::new(pair)))
}

fn verifier(
    arguments: &HealthcheckArguments,
    web: Option<&WebFile>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let tls = web.and_then(|web| web.config().tls.as_ref());
    if let Some(own) = tls.and_then(|tls| tls.pair.cert.first()) {
        return Ok(Arc::new(TheDaemons {
            certificate: own.clone(),
            algorithms: provider.signature_verification_algorithms,
        }));
    }
    let roots = match &arguments.ca_file {
        Some(file) => roots_of(file)?,
        None => roots_of_system(),
    };
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
        .map_err(|error| error.to_string())
}

fn roots_of(file: &Path) -> Result<RootCertStore, String> {
    let content = read_bounded(file, LARGEST_FILE)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&content) {
        let added = certificate
            .map_err(|error| error.to_string())
            .and_then(|root| roots.add(root).map_err(|error| error.to_string()));
        added.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    if roots.is_empty() {
        return Err(format!("{} holds no PEM certificate", file.display()));
    }
    Ok(roots)
}

fn roots_of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// Trusts the daemon's certificate and no other one, under any name: who has its key is the daemon.
#[derive(Debug)]
struct TheDaemons {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for TheDaemons {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _staple: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
