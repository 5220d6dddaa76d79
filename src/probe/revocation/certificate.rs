//! What the certificates of a verified path say about their revocation: who issued them, and who could be asked.

use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use url::Url;
use x509_parser::asn1_rs::BitString;
use x509_parser::error::X509Error;
use x509_parser::oid_registry::{
    OID_PKCS1_SHA1WITHRSA, OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS, OID_PKIX_ACCESS_DESCRIPTOR_OCSP,
    OID_SHA1_WITH_RSA,
};
use x509_parser::prelude::{
    ASN1Time, AlgorithmIdentifier, DistributionPointName, FromDer, GeneralName, ParsedExtension,
    X509Certificate,
};
use x509_parser::verify::verify_signature;

use super::der::without_zeros;
use super::trouble::Trouble;
use crate::outcome::{CertificatePlace, RevocationReason};

/// More places of one kind are not looked at.
const MOST_URLS: usize = 8;

/// A certificate that may have been revoked.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) place: CertificatePlace,
    /// Its name, for people.
    pub(super) name: Arc<str>,
    /// Without zeros before it.
    pub(super) serial: Vec<u8>,
    /// The name of its issuer as it stands in it.
    pub(super) issuer_name: Vec<u8>,
    pub(super) issuer: Arc<Issuer>,
    /// The responders, over HTTP.
    pub(super) responders: Vec<Url>,
    /// Where lists are, over HTTP.
    pub(super) lists: Vec<Url>,
    /// Where the issuer's certificate is, over HTTP.
    pub(super) issuers: Vec<Url>,
    /// All names of the places of its lists, of whatever kind.
    pub(super) points: Vec<String>,
    /// What it names that cannot be asked.
    pub(super) skipped: Vec<String>,
}

/// The certificate of an issuer.
#[derive(Debug)]
pub(super) struct Issuer {
    der: CertificateDer<'static>,
    /// By which it is told from others.
    pub(super) digest: [u8; 32],
}

/// The certificates of a path that may have been revoked, leaf first; the root's word is its own. A certificate that
/// cannot be parsed is left out: nobody would have verified it.
pub(super) fn subjects(path: &[CertificateDer<'static>]) -> Vec<Subject> {
    let pairs = path.iter().zip(path.iter().skip(1));
    let places = [CertificatePlace::Leaf].into_iter();
    let places = places.chain(std::iter::repeat(CertificatePlace::Intermediate));
    let subject = |((der, issuer), place)| subject(der, issuer, place);
    pairs.zip(places).filter_map(subject).collect()
}

fn subject(
    der: &CertificateDer<'static>,
    issuer: &CertificateDer<'static>,
    place: CertificatePlace,
) -> Option<Subject> {
    let certificate = parse(der)?;
    let mut subject = Subject {
        place,
        name: certificate.subject().to_string().into(),
        serial: without_zeros(certificate.raw_serial()).to_vec(),
        issuer_name: certificate.issuer().as_raw().to_vec(),
        issuer: Arc::new(Issuer::new(issuer.clone())),
        responders: Vec::new(),
        lists: Vec::new(),
        issuers: Vec::new(),
        points: Vec::new(),
        skipped: Vec::new(),
    };
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => {
                for place in access.iter() {
                    if place.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP {
                        let url = http(&place.access_location, &mut subject.skipped);
                        subject.responders.extend(url);
                    } else if place.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS {
                        // Nothing is lost where it cannot be asked: the chain is whole without it.
                        subject
                            .issuers
                            .extend(http(&place.access_location, &mut Vec::new()));
                    }
                }
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                for point in points.iter() {
                    if point.crl_issuer.is_some() || point.reasons.is_some() {
                        let what = "a list of another issuer, or of some reasons only";
                        subject.skipped.push(what.to_owned());
                        continue;
                    }
                    let Some(DistributionPointName::FullName(names)) = &point.distribution_point
                    else {
                        continue;
                    };
                    for name in names {
                        if let GeneralName::URI(uri) = name {
                            subject.points.push((*uri).to_owned());
                        }
                        let url = http(name, &mut subject.skipped);
                        subject.lists.extend(url);
                    }
                }
            }
            _ => {}
        }
    }
    subject.responders.truncate(MOST_URLS);
    subject.lists.truncate(MOST_URLS);
    subject.issuers.truncate(MOST_URLS);
    subject.points.truncate(MOST_URLS);
    subject.skipped.truncate(MOST_URLS);
    Some(subject)
}

/// A name that can be asked over HTTP.
fn http(name: &GeneralName<'_>, skipped: &mut Vec<String>) -> Option<Url> {
    let GeneralName::URI(uri) = name else {
        skipped.push("a place that is no URL".to_owned());
        return None;
    };
    let url = Url::parse(uri).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if url.is_none() {
        let shown: String = uri.chars().take(200).collect();
        skipped.push(format!("{shown}, which is not asked"));
    }
    url
}

pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate)
}

impl Issuer {
    pub(super) fn new(der: CertificateDer<'static>) -> Self {
        let digest = Sha256::digest(&der).into();
        Self { der, digest }
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn certificate(&self) -> Result<X509Certificate<'_>, Trouble> {
        parse(&self.der).ok_or_else(|| Trouble::malformed("the issuer's certificate is unreadable"))
    }
}

/// Whether `signer` signed these bytes. SHA-1 is not believed.
pub(super) fn verify(
    signer: &X509Certificate<'_>,
    algorithm: &[u8],
    signature: &[u8],
    content: &[u8],
) -> Result<(), Trouble> {
    let Ok((_, algorithm)) = AlgorithmIdentifier::from_der(algorithm) else {
        return Err(Trouble::malformed("its signature algorithm is unreadable"));
    };
    let oid = &algorithm.algorithm;
    if [OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA].contains(oid) {
        let what = "it is signed with SHA-1, which is not believed";
        return Err(Trouble::bad_signature(what));
    }
    let signature = BitString::new(0, signature);
    verify_signature(signer.public_key(), &algorithm, &signature, content).map_err(|error| {
        let name = signer.subject();
        if matches!(error, X509Error::SignatureUnsupportedAlgorithm) {
            let what =
                format!("{name} signs in a way that reachd cannot verify, such as with P-521");
            return Trouble::new(RevocationReason::Unknown, what);
        }
        Trouble::bad_signature(format!("it is not signed by {name} ({error})"))
    })
}

/// Whether it is the certificate's time.
pub(super) fn is_in_time(certificate: &X509Certificate<'_>, now: SystemTime) -> bool {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = seconds.map_or(0, |since| since.as_secs());
    let now = i64::try_from(seconds).map(ASN1Time::from_timestamp);
    matches!(now, Ok(Ok(now)) if certificate.validity().is_valid_at(now))
}
