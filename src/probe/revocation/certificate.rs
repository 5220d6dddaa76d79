//! What the certificates of a verified path say about their revocation: who issued them, and who could be asked.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use sha2::{Digest, Sha256};
use url::Url;
use x509_parser::oid_registry::{
    OID_PKCS1_SHA1WITHRSA, OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS, OID_PKIX_ACCESS_DESCRIPTOR_OCSP,
    OID_PKIX_AUTHORITY_INFO_ACCESS, OID_SHA1_WITH_RSA, OID_X509_EXT_CRL_DISTRIBUTION_POINTS, Oid,
};
use x509_parser::prelude::{
    ASN1Time, AlgorithmIdentifier, AuthorityInfoAccess, CRLDistributionPoints,
    DistributionPointName, FromDer, GeneralName, ParsedExtension, X509Certificate,
};

use super::der::{Reader, SEQUENCE, without_zeros};
use super::trouble::Trouble;
use crate::outcome::{CertificatePlace, RevocationReason};

/// What the handshakes of TLS verify signatures with, and so everything that a path can be signed with.
static ALGORITHMS: LazyLock<WebPkiSupportedAlgorithms> =
    LazyLock::new(|| aws_lc_rs::default_provider().signature_verification_algorithms);

/// The ways to sign that are recognized in order to be refused.
const SHA1: [Oid<'static>; 2] = [OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA];

/// The extensions that name places to ask.
const NAMES_PLACES: [Oid<'static>; 2] = [
    OID_PKIX_AUTHORITY_INFO_ACCESS,
    OID_X509_EXT_CRL_DISTRIBUTION_POINTS,
];

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
    /// Whether it can be read, and so be asked about.
    pub(super) readable: bool,
}

/// The certificate of an issuer.
#[derive(Debug)]
pub(super) struct Issuer {
    der: CertificateDer<'static>,
    /// By which it is told from others.
    pub(super) digest: [u8; 32],
}

/// The certificates of a path that may have been revoked, leaf first; the root's word is its own. One that cannot be
/// read here is among them: whoever verified it could, and so nobody may think that it was asked about.
pub(super) fn subjects(path: &[CertificateDer<'static>]) -> Vec<Subject> {
    let pairs = path.iter().zip(path.iter().skip(1));
    let places = [CertificatePlace::Leaf].into_iter();
    let places = places.chain(std::iter::repeat(CertificatePlace::Intermediate));
    let numbered = pairs.zip(places).enumerate();
    let subject = |(number, ((der, issuer), place)): (usize, ((&CertificateDer<'_>, _), _))| {
        let subject = Subject::bare(place, issuer);
        match parse(der) {
            Some(certificate) => subject.with(&certificate),
            None => Subject {
                name: format!("the certificate {} of the path", number + 1).into(),
                ..subject
            },
        }
    };
    numbered.map(subject).collect()
}

impl Subject {
    /// One that nothing is known of.
    fn bare(place: CertificatePlace, issuer: &CertificateDer<'static>) -> Self {
        Self {
            place,
            name: Arc::default(),
            serial: Vec::new(),
            issuer_name: Vec::new(),
            issuer: Arc::new(Issuer::new(issuer.clone())),
            responders: Vec::new(),
            lists: Vec::new(),
            issuers: Vec::new(),
            points: Vec::new(),
            skipped: Vec::new(),
            readable: false,
        }
    }

    /// The same with what a certificate says.
    fn with(self, certificate: &X509Certificate<'_>) -> Self {
        let mut subject = Self {
            name: certificate.subject().to_string().into(),
            serial: without_zeros(certificate.raw_serial()).to_vec(),
            issuer_name: certificate.issuer().as_raw().to_vec(),
            readable: true,
            ..self
        };
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::AuthorityInfoAccess(access) => subject.may_ask(access),
                ParsedExtension::CRLDistributionPoints(points) => subject.may_read(points),
                ParsedExtension::ParseError { .. } if NAMES_PLACES.contains(&extension.oid) => {
                    let what = "places in a way that cannot be read";
                    subject.skipped.push(what.to_owned());
                }
                _ => {}
            }
        }
        subject.responders.truncate(MOST_URLS);
        subject.lists.truncate(MOST_URLS);
        subject.issuers.truncate(MOST_URLS);
        subject.points.truncate(MOST_URLS);
        subject.skipped.truncate(MOST_URLS);
        subject
    }

    fn may_ask(&mut self, access: &AuthorityInfoAccess<'_>) {
        for place in access.iter() {
            if place.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP {
                let url = http(&place.access_location, &mut self.skipped);
                self.responders.extend(url);
            } else if place.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS {
                // Nothing is lost where it cannot be asked: the chain is whole without it.
                let url = http(&place.access_location, &mut Vec::new());
                self.issuers.extend(url);
            }
        }
    }

    fn may_read(&mut self, points: &CRLDistributionPoints<'_>) {
        for point in points.iter() {
            if point.crl_issuer.is_some() || point.reasons.is_some() {
                let what = "a list of another issuer, or of some reasons only";
                self.skipped.push(what.to_owned());
                continue;
            }
            let Some(DistributionPointName::FullName(names)) = &point.distribution_point else {
                continue;
            };
            for name in names {
                if let GeneralName::URI(uri) = name {
                    self.points.push((*uri).to_owned());
                }
                let url = http(name, &mut self.skipped);
                self.lists.extend(url);
            }
        }
    }
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

/// Whether `signer` signed these bytes, in any way in which a handshake may be signed. SHA-1 is not believed.
pub(super) fn verify(
    signer: &X509Certificate<'_>,
    algorithm: &[u8],
    signature: &[u8],
    content: &[u8],
) -> Result<(), Trouble> {
    let unreadable = || Trouble::malformed("its signature algorithm is unreadable");
    let identifier = Reader::new(algorithm)
        .expect(SEQUENCE)
        .ok_or_else(unreadable)?;
    let (_, named) = AlgorithmIdentifier::from_der(algorithm).map_err(|_| unreadable())?;
    if SHA1.contains(&named.algorithm) {
        let what = "it is signed with SHA-1, which is not believed";
        return Err(Trouble::bad_signature(what));
    }
    let name = signer.subject();
    let key = signer.public_key();
    let kind = Reader::new(key.raw)
        .expect(SEQUENCE)
        .and_then(|key| key.reader().expect(SEQUENCE));
    let fits = |known: &&&dyn SignatureVerificationAlgorithm| {
        known.signature_alg_id().as_ref() == identifier.content
            && kind.is_some_and(|kind| known.public_key_alg_id().as_ref() == kind.content)
    };
    let Some(known) = ALGORITHMS.all.iter().find(fits) else {
        let what = format!(
            "{name} signs in a way that reachd cannot verify (the algorithm {})",
            named.algorithm
        );
        return Err(Trouble::new(RevocationReason::Unknown, what));
    };
    known
        .verify_signature(&key.subject_public_key.data, content, signature)
        .map_err(|_| Trouble::bad_signature(format!("it is not signed by {name}")))
}

/// Whether it is the certificate's time.
pub(super) fn is_in_time(certificate: &X509Certificate<'_>, now: SystemTime) -> bool {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = seconds.map_or(0, |since| since.as_secs());
    let now = i64::try_from(seconds).map(ASN1Time::from_timestamp);
    matches!(now, Ok(Ok(now)) if certificate.validity().is_valid_at(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::revocation::fixture::Authority;

    #[test]
    fn a_certificate_that_cannot_be_read_is_not_passed_over() {
        let authority = Authority::new("CA");
        let broken = CertificateDer::from(vec![0x30, 0]);
        let found = subjects(&[broken.clone(), broken, authority.der()]);
        let told: Vec<_> = found
            .iter()
            .map(|subject| (subject.place, &*subject.name, subject.readable))
            .collect();
        let expected = [
            (
                CertificatePlace::Leaf,
                "the certificate 1 of the path",
                false,
            ),
            (
                CertificatePlace::Intermediate,
                "the certificate 2 of the path",
                false,
            ),
        ];
        assert_eq!(told, expected);
        assert!(authority.subject(&[1]).readable);
    }

    #[test]
    fn only_so_many_places_are_asked_and_only_over_http() {
        let uris: Vec<String> = [
            "ldap://pki.test/cn=x",
            "file:///etc/passwd",
            "ftp://pki.test/x",
        ]
        .into_iter()
        .map(str::to_owned)
        .chain((0..20).map(|number| format!("http://pki.test/{number}.crl")))
        .collect();
        let mut params = rcgen::CertificateParams::new(vec!["web.test".to_owned()]).unwrap();
        params.crl_distribution_points = vec![rcgen::CrlDistributionPoint { uris }];
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let subject = subjects(&[certificate, Authority::new("CA").der()]).remove(0);
        assert_eq!(subject.lists.len(), MOST_URLS);
        assert!(
            subject.lists.iter().all(|url| url.scheme() == "http"),
            "{:?}",
            subject.lists
        );
        assert_eq!(subject.skipped.len(), 3, "{:?}", subject.skipped);
        assert!(subject.points.len() <= MOST_URLS);
    }
}
