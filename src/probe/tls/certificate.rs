//! The facts of the certificates that a server presents.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::oid_registry::{OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS, OidRegistry};
use x509_parser::prelude::{
    ASN1Time, AlgorithmIdentifier, FromDer, GeneralName, ParsedExtension, X509Certificate,
};
use x509_parser::public_key::PublicKey;

use crate::outcome::{CertificateSeen, PathSeen};

/// So many certificates of a chain are looked at: more are no chain but an attack on the reader.
const MOST_CERTIFICATES: usize = 16;

/// So many names of a certificate are kept.
const MOST_NAMES: usize = 100;

/// The facts of each certificate, leaf first. One that cannot be parsed is left out.
pub(super) fn seen(presented: &[CertificateDer<'_>]) -> Vec<CertificateSeen> {
    presented
        .iter()
        .take(MOST_CERTIFICATES)
        .filter_map(facts)
        .collect()
}

/// The SHA-256 of a certificate in its DER form, in lower-case hexadecimal.
pub(super) fn fingerprint(der: &CertificateDer<'_>) -> String {
    hexadecimal(&Sha256::digest(der.as_ref()))
}

/// The facts of each of many certificates that nobody sent.
pub(super) fn all(certificates: &[CertificateDer<'_>]) -> Vec<CertificateSeen> {
    certificates.iter().filter_map(facts).collect()
}

/// The facts of a certificate on the way to the root.
pub(super) fn on_path(der: &CertificateDer<'_>) -> Option<PathSeen> {
    let certificate = parse(der)?;
    Some(PathSeen {
        subject: certificate.subject().to_string(),
        not_after: time(certificate.validity().not_after),
        fingerprint_sha256: fingerprint(der),
    })
}

/// What a chain that leads to no trusted root lacks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// The leaf vouches for itself.
    SelfSigned { subject: String },
    /// The leaf's issuer is not presented, and the leaf says where it could be had: a server that does not
    /// send its intermediate certificate.
    Intermediate { issuer: String, urls: Vec<String> },
    /// The chain is whole as far as can be seen, but nobody trusts where it ends. The last certificate may say where
    /// its issuer's could be had all the same.
    Trust { issuer: String, urls: Vec<String> },
}

/// Finds out what is missing in a chain of which the verifier knows no issuer. `None` where the leaf cannot
/// be parsed.
pub(super) fn lack(presented: &[CertificateDer<'_>]) -> Option<Lack> {
    let leaf = parse(presented.first()?)?;
    if leaf.subject() == leaf.issuer() {
        return Some(Lack::SelfSigned {
            subject: leaf.subject().to_string(),
        });
    }
    let mut others: Vec<X509Certificate<'_>> = presented
        .iter()
        .skip(1)
        .take(MOST_CERTIFICATES)
        .filter_map(parse)
        .collect();
    let issuer_is_presented = others.iter().any(|other| other.subject() == leaf.issuer());
    let urls = where_its_issuer_is(&leaf);
    if !issuer_is_presented && !urls.is_empty() {
        return Some(Lack::Intermediate {
            issuer: leaf.issuer().to_string(),
            urls,
        });
    }
    let mut top = leaf;
    while let Some(next) = others
        .iter()
        .position(|other| other.subject() == top.issuer())
    {
        top = others.swap_remove(next);
    }
    Some(Lack::Trust {
        issuer: top.issuer().to_string(),
        urls: if top.subject() == top.issuer() {
            Vec::new()
        } else {
            where_its_issuer_is(&top)
        },
    })
}

fn facts(der: &CertificateDer<'_>) -> Option<CertificateSeen> {
    let certificate = parse(der)?;
    let validity = certificate.validity();
    Some(CertificateSeen {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        names: names(&certificate),
        serial: hexadecimal(certificate.raw_serial()),
        not_before: time(validity.not_before),
        not_after: time(validity.not_after),
        key: key(&certificate),
        signature_algorithm: algorithm(&certificate.signature_algorithm),
        fingerprint_sha256: fingerprint(der),
    })
}

/// The public key with its size.
fn key(certificate: &X509Certificate<'_>) -> String {
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let leading_zeros = rsa.modulus.iter().take_while(|byte| **byte == 0).count();
            format!("RSA {}", (rsa.modulus.len() - leading_zeros) * 8)
        }
        // The coordinates of P-521 are filled up to whole bytes.
        Ok(PublicKey::EC(point)) => format!("ECDSA P-{}", point.key_size().min(521)),
        _ => algorithm(&key.algorithm),
    }
}

/// The usual name of an algorithm.
fn algorithm(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let oid = &algorithm.algorithm;
    match oid_registry().get(oid) {
        Some(entry) => entry.sn().to_owned(),
        None => match oid.to_id_string() {
            // Too old to be in the registry.
            oid if oid == "1.2.840.10045.4.1" => "ecdsa-with-SHA1".to_owned(),
            oid => oid,
        },
    }
}

/// The names of object identifiers. It is large: made once.
fn oid_registry() -> &'static OidRegistry<'static> {
    static REGISTRY: LazyLock<OidRegistry<'static>> =
        LazyLock::new(|| OidRegistry::default().with_crypto());
    &REGISTRY
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der.as_ref())
        .ok()
        .map(|(_, certificate)| certificate)
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(name)
        .take(MOST_NAMES)
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    v4.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from))
}

/// Authority Information Access with caIssuers locations (RFC 5280 §4.2.2.1), as public authorities put them into
/// every certificate and intercepting proxies into none.
fn where_its_issuer_is(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extensions = certificate.extensions().iter();
    let accesses = extensions.filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    });
    let descriptions = accesses.flat_map(|access| &access.accessdescs);
    descriptions
        .filter(|description| description.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS)
        .filter_map(|description| match &description.access_location {
            GeneralName::URI(uri) => Some((*uri).to_owned()),
            _ => None,
        })
        .take(MOST_NAMES)
        .collect()
}

/// No earlier than 1970: what comes before, no server of today means, and not everybody can write.
fn time(time: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
    let moment = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    moment.unwrap_or(SystemTime::UNIX_EPOCH)
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            write!(text, "{byte:02x}").ok();
            text
        })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, Issuer, KeyPair};

    use super::*;

    /// `caIssuers` at `http://ca.test/ca.cer`, as DER.
    fn authority_information_access() -> CustomExtension {
        let location = b"http://ca.test/ca.cer";
        let mut description = vec![0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
        description.extend([0x86, u8::try_from(location.len()).unwrap()]);
        description.extend(location);
        let mut content = vec![0x30, u8::try_from(description.len()).unwrap()];
        content.extend(description);
        let mut sequence = vec![0x30, u8::try_from(content.len()).unwrap()];
        sequence.extend(content);
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], sequence)
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params
    }

    fn authority() -> (CertificateDer<'static>, Issuer<'static, KeyPair>) {
        let key = KeyPair::generate().unwrap();
        let mut params = params("Test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        (certificate.der().clone(), Issuer::new(params, key))
    }

    fn leaf(params: &CertificateParams, issuer: &Issuer<'_, KeyPair>) -> CertificateDer<'static> {
        params
            .signed_by(&KeyPair::generate().unwrap(), issuer)
            .unwrap()
            .der()
            .clone()
    }

    #[test]
    fn facts_of_a_leaf() {
        let (_, issuer) = authority();
        let seen = seen(&[leaf(&params("www.example.test"), &issuer)]);
        assert_eq!(seen[0].subject, "CN=www.example.test");
        assert_eq!(seen[0].issuer, "CN=Test CA");
        assert_eq!(seen[0].names, ["www.example.test"]);
        assert_eq!(seen[0].fingerprint_sha256.len(), 64);
        assert!(seen[0].not_before < seen[0].not_after);
    }

    #[test]
    fn what_a_chain_lacks() {
        let (root, issuer) = authority();
        let forged = leaf(&params("www.example.test"), &issuer);
        let mut with_access = params("www.example.test");
        with_access.custom_extensions = vec![authority_information_access()];
        let public = leaf(&with_access, &issuer);
        let own = params("www.example.test")
            .self_signed(&KeyPair::generate().unwrap())
            .unwrap();
        let issuer = || "CN=Test CA".to_owned();
        let table = [
            (
                vec![own.der().clone()],
                Lack::SelfSigned {
                    subject: "CN=www.example.test".to_owned(),
                },
            ),
            (
                vec![public.clone()],
                Lack::Intermediate {
                    issuer: issuer(),
                    urls: vec!["http://ca.test/ca.cer".to_owned()],
                },
            ),
            (
                vec![public, root.clone()],
                Lack::Trust {
                    issuer: issuer(),
                    urls: Vec::new(),
                },
            ),
            (
                vec![forged.clone()],
                Lack::Trust {
                    issuer: issuer(),
                    urls: Vec::new(),
                },
            ),
            (
                vec![forged, root],
                Lack::Trust {
                    issuer: issuer(),
                    urls: Vec::new(),
                },
            ),
        ];
        for (presented, expected) in table {
            assert_eq!(lack(&presented), Some(expected));
        }
    }
}
