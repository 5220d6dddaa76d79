//! What is asked of the certificates of clients: that an authority vouches for them, and under which names.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::config::{ClientPolicy, WebTls};

/// Looks at the certificate that a client shows. That it has the key is seen by the library's own means.
#[derive(Debug)]
struct Clients {
    policy: ClientPolicy,
    /// Who looks whether an authority vouches for it; `None` where that does not matter.
    authorities: Option<Arc<dyn ClientCertVerifier>>,
    /// Those of which it must have one; any will do where there are none.
    names: Vec<String>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Who looks at the certificates of clients, where they are asked for any.
///
/// # Errors
/// What the library does not like, in one line.
pub(super) fn verifier(
    tls: &WebTls,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    if tls.client_policy == ClientPolicy::NoClientCert {
        return Ok(None);
    }
    let algorithms = provider.signature_verification_algorithms;
    let authorities = tls.client_policy.verifies().then(|| {
        let mut roots = RootCertStore::empty();
        for authority in &tls.client_authorities {
            roots
                .add(authority.clone())
                .map_err(|error| error.to_string())?;
        }
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| error.to_string())
    });
    Ok(Some(Arc::new(Clients {
        policy: tls.client_policy,
        authorities: authorities.transpose()?,
        names: tls.client_names.clone(),
        algorithms,
    })))
}

// === impl Clients ===

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.policy.is_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        let authorities = self.authorities.as_ref();
        authorities.map_or(&[], |authorities| authorities.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(authorities) = &self.authorities {
            authorities.verify_client_cert(end_entity, intermediates, now)?;
        }
        if self.names.is_empty() || names_of(end_entity).any(|name| self.names.contains(&name)) {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
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

/// The alternative names of a certificate, written as Go writes them.
fn names_of(certificate: &CertificateDer<'_>) -> impl Iterator<Item = String> + use<> {
    let parsed = X509Certificate::from_der(certificate).ok();
    let extension = parsed
        .as_ref()
        .and_then(|(_, parsed)| parsed.subject_alternative_name().ok().flatten());
    let names: Vec<String> = extension
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
                Some((*text).to_owned())
            }
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect();
    names.into_iter()
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    let address = v4.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from));
    address.map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    #[test]
    fn names_are_written_as_go_writes_them() {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.subject_alt_names.extend([
            SanType::Rfc822Name("a@b.example".try_into().unwrap()),
            SanType::URI("spiffe://c/d".try_into().unwrap()),
            SanType::IpAddress("192.0.2.1".parse().unwrap()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
        ]);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let names: Vec<_> = names_of(certificate.der()).collect();
        let expected = [
            "a.example",
            "a@b.example",
            "spiffe://c/d",
            "192.0.2.1",
            "2001:db8::1",
        ];
        assert_eq!(names, expected);
        assert_eq!(names_of(&CertificateDer::from(vec![1])).count(), 0);
    }
}
