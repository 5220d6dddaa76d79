//! Authorities, lists and answers for the tests.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CrlDistributionPoint, CustomExtension,
    DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P521_SHA512, SerialNumber, SignatureAlgorithm, SigningKey,
};
use rustls::pki_types::CertificateDer;
use sha1::{Digest, Sha1};

use super::certificate::{Subject, parse, subjects};
use super::der::{
    BIT_STRING, BOOLEAN, ENUMERATED, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING,
    SEQUENCE, context, plain_context, written,
};

/// Where the certificates of the tests say that lists and answers are.
pub(super) const LIST: &str = "http://pki.test/ca.crl";
pub(super) const RESPONDER: &str = "http://ocsp.test";
pub(super) const ISSUER: &str = "http://pki.test/ca.crt";

const ECDSA_WITH_SHA256: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_WITH_SHA512: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
const NULL: &[u8] = &[5, 0];
const HOUR: Duration = Duration::from_secs(3600);

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a list has in it.
pub(super) struct Crl {
    pub(super) serials: Vec<Vec<u8>>,
    pub(super) this_update: SystemTime,
    pub(super) next_update: Option<SystemTime>,
    /// Whole ones.
    pub(super) extensions: Vec<Vec<u8>>,
}

/// What an answer says.
#[derive(Clone, Copy)]
pub(super) enum Says {
    Good,
    Revoked,
    Unknown,
}

impl Default for Crl {
    fn default() -> Self {
        let now = SystemTime::now();
        Self {
            serials: Vec::new(),
            this_update: now - HOUR,
            next_update: Some(now + HOUR),
            extensions: Vec::new(),
        }
    }
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        Self::with_usages(
            name,
            &[KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign],
        )
    }

    pub(super) fn with_usages(name: &str, usages: &[KeyUsagePurpose]) -> Self {
        Self::with_key(name, usages, &PKCS_ECDSA_P256_SHA256)
    }

    /// One that signs with P-521.
    pub(super) fn of_p521(name: &str) -> Self {
        let usages = [KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self::with_key(name, &usages, &PKCS_ECDSA_P521_SHA512)
    }

    fn with_key(
        name: &str,
        usages: &[KeyUsagePurpose],
        algorithm: &'static SignatureAlgorithm,
    ) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = usages.to_vec();
        let key = KeyPair::generate_for(algorithm).unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate with this number, ready to be asked about.
    pub(super) fn subject(&self, serial: &[u8]) -> Subject {
        subjects(&self.path(serial)).remove(0)
    }

    /// A certificate with this number, and the authority's own.
    pub(super) fn path(&self, serial: &[u8]) -> Vec<CertificateDer<'static>> {
        vec![self.certificate(serial), self.der()]
    }

    /// A certificate with this number.
    pub(super) fn certificate(&self, serial: &[u8]) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["web.test".to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from_slice(serial));
        params.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec!["ldap://ad.test/cn=ca".to_owned(), LIST.to_owned()],
        }];
        let ocsp = written(OBJECT_IDENTIFIER, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1]]);
        let uri = written(plain_context(6), &[RESPONDER.as_bytes()]);
        let issuers = written(OBJECT_IDENTIFIER, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 2]]);
        let issuer = written(plain_context(6), &[ISSUER.as_bytes()]);
        let access = written(
            SEQUENCE,
            &[
                &written(SEQUENCE, &[&ocsp, &uri]),
                &written(SEQUENCE, &[&issuers, &issuer]),
            ],
        );
        params.custom_extensions = vec![CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 5, 5, 7, 1, 1],
            access,
        )];
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        leaf.der().clone()
    }

    pub(super) fn list(&self, crl: &Crl) -> Vec<u8> {
        let issuer = parse(self.0.der()).unwrap();
        let entries = crl.serials.iter().map(|serial| {
            let serial = written(INTEGER, &[serial]);
            let reason = written(OCTET_STRING, &[&written(ENUMERATED, &[&[1]])]);
            let oid = written(OBJECT_IDENTIFIER, &[&[0x55, 0x1d, 21]]);
            let extensions = written(SEQUENCE, &[&written(SEQUENCE, &[&oid, &reason])]);
            written(SEQUENCE, &[&serial, &time(crl.this_update), &extensions])
        });
        let entries = written(SEQUENCE, &[&entries.collect::<Vec<_>>().concat()]);
        let next = crl.next_update.map(time).unwrap_or_default();
        let extensions = written(SEQUENCE, &[&crl.extensions.concat()]);
        let signed = written(
            SEQUENCE,
            &[
                &written(INTEGER, &[&[1]]),
                self.algorithm(),
                issuer.subject().as_raw(),
                &time(crl.this_update),
                &next,
                if crl.serials.is_empty() {
                    &[]
                } else {
                    &entries
                },
                &written(context(0), &[&extensions]),
            ],
        );
        self.sign(&signed, &[])
    }

    /// An answer about a certificate, signed by the authority itself.
    pub(super) fn answer(
        &self,
        subject: &Subject,
        says: Says,
        next: Option<SystemTime>,
    ) -> Vec<u8> {
        let own = parse(self.0.der()).unwrap();
        self.answer_of(own.subject().as_raw(), subject, says, next, &[])
    }

    /// The same, by somebody of this name and with certificates beside it.
    pub(super) fn answer_of(
        &self,
        name: &[u8],
        subject: &Subject,
        says: Says,
        next: Option<SystemTime>,
        beside: &[u8],
    ) -> Vec<u8> {
        let now = SystemTime::now() - HOUR;
        let issuer = subject.issuer.certificate().unwrap();
        let sha1 = written(
            SEQUENCE,
            &[&written(OBJECT_IDENTIFIER, &[&[0x2b, 14, 3, 2, 26]]), NULL],
        );
        let key = &issuer.public_key().subject_public_key.data;
        let identifier = written(
            SEQUENCE,
            &[
                &sha1,
                &written(OCTET_STRING, &[&Sha1::digest(&subject.issuer_name)]),
                &written(OCTET_STRING, &[&Sha1::digest(key)]),
                &written(INTEGER, &[&[0], &subject.serial]),
            ],
        );
        let status = match says {
            Says::Good => written(plain_context(0), &[]),
            Says::Revoked => written(context(1), &[&time(now)]),
            Says::Unknown => written(plain_context(2), &[]),
        };
        let next = next.map(|next| written(context(0), &[&time(next)]));
        let single = written(
            SEQUENCE,
            &[&identifier, &status, &time(now), &next.unwrap_or_default()],
        );
        let signed = written(
            SEQUENCE,
            &[
                &written(context(1), &[name]),
                &time(now),
                &written(SEQUENCE, &[&single]),
            ],
        );
        let basic = self.sign(&signed, beside);
        let kind = written(OBJECT_IDENTIFIER, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]]);
        let bytes = written(SEQUENCE, &[&kind, &written(OCTET_STRING, &[&basic])]);
        let status = written(ENUMERATED, &[&[0]]);
        written(SEQUENCE, &[&status, &written(context(0), &[&bytes])])
    }

    /// Somebody whom the authority lets answer in its place, if `may`.
    pub(super) fn delegate(&self, may: bool) -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "responder");
        if may {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
        }
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    pub(super) fn name(&self) -> Vec<u8> {
        parse(self.0.der()).unwrap().subject().as_raw().to_vec()
    }

    fn algorithm(&self) -> &'static [u8] {
        if self.0.key().algorithm() == &PKCS_ECDSA_P521_SHA512 {
            ECDSA_WITH_SHA512
        } else {
            ECDSA_WITH_SHA256
        }
    }

    fn sign(&self, signed: &[u8], beside: &[u8]) -> Vec<u8> {
        let signature = self.0.key().sign(signed).unwrap();
        let signature = written(BIT_STRING, &[&[0], &signature]);
        let beside = match beside {
            [] => Vec::new(),
            _ => written(context(0), &[&written(SEQUENCE, &[beside])]),
        };
        written(SEQUENCE, &[signed, self.algorithm(), &signature, &beside])
    }
}

/// An extension.
pub(super) fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let oid = written(OBJECT_IDENTIFIER, &[oid]);
    let critical = if critical {
        written(BOOLEAN, &[&[0xff]])
    } else {
        Vec::new()
    };
    written(
        SEQUENCE,
        &[&oid, &critical, &written(OCTET_STRING, &[value])],
    )
}

fn time(time: SystemTime) -> Vec<u8> {
    let text = humantime::format_rfc3339_seconds(time).to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    written(GENERALIZED_TIME, &[digits.as_bytes(), b"Z"])
}
