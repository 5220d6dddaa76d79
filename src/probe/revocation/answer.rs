//! OCSP (RFC 6960): the question about one certificate, and the verified answer to it.

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use url::Url;
use url::form_urlencoded::byte_serialize;
use x509_parser::prelude::X509Certificate;

use super::certificate::{Subject, is_in_time, parse, verify};
use super::der::{
    BIT_STRING, ENUMERATED, Element, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING,
    Reader, SEQUENCE, context, plain_context, unknown_critical, without_zeros, written,
};
use super::list::{Revoked, looks_like, reason};
use super::trouble::Trouble;
use crate::outcome::RevocationReason;

/// The identifier of SHA-1 with its NULL: here it names the issuer and signs nothing.
const SHA1: &[u8] = &[0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0];
const OID_SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];
const OID_SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];

/// Windows asks by GET as long as the URL is no longer than this.
const LONGEST_GET: usize = 255;

/// id-pkix-ocsp-basic.
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

/// id-pkix-ocsp-nonce: never asked for, and no harm.
const NONCE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];

/// More certificates beside an answer are not looked at.
const MOST_CERTIFICATES: usize = 8;

/// More single answers in one are not looked at.
const MOST_SINGLE_ANSWERS: usize = 64;

/// A verified answer about one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: Status,
    pub(super) this_update: SystemTime,
    pub(super) next_update: Option<SystemTime>,
}

/// What a responder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Revoked(Revoked),
    Unknown,
}

/// The URL by which a question is asked with GET (RFC 6960 appendix A.1), where Windows would.
pub(super) fn get_url(responder: &Url, question: &[u8]) -> Option<Url> {
    let encoded: String = byte_serialize(STANDARD.encode(question).as_bytes()).collect();
    let base = responder.as_str().trim_end_matches('/');
    let whole = format!("{base}/{encoded}");
    let short = whole.len() <= LONGEST_GET;
    Url::parse(&whole).ok().filter(|_| short)
}

/// The question about a certificate, without a nonce: what can be made in advance can be served by anybody.
pub(super) fn question(subject: &Subject) -> Result<Vec<u8>, Trouble> {
    let issuer = subject.issuer.certificate()?;
    let key = key_of(&issuer);
    let name = written(OCTET_STRING, &[&Sha1::digest(&subject.issuer_name)]);
    let key = written(OCTET_STRING, &[&Sha1::digest(key)]);
    // A number that begins with a one is written with a zero before it.
    let is_negative = subject.serial.first().is_none_or(|first| *first >= 0x80);
    let sign: &[u8] = if is_negative { &[0] } else { &[] };
    let serial = written(INTEGER, &[sign, &subject.serial]);
    let identifier = written(SEQUENCE, &[SHA1, &name, &key, &serial]);
    let request = written(SEQUENCE, &[&identifier]);
    let requests = written(SEQUENCE, &[&request]);
    Ok(written(SEQUENCE, &[&written(SEQUENCE, &[&requests])]))
}

impl Answer {
    /// Reads an answer, and verifies that it is one about this certificate by somebody who may give it.
    pub(super) fn verified(
        bytes: &[u8],
        subject: &Subject,
        now: SystemTime,
    ) -> Result<Self, Trouble> {
        let broken = || Trouble::malformed(looks_like(bytes));
        let basic = basic(bytes, &broken)?;
        let mut fields = basic;
        let signed = fields.expect(SEQUENCE).ok_or_else(broken)?;
        let algorithm = fields.expect(SEQUENCE).ok_or_else(broken)?;
        let signature = fields.expect(BIT_STRING).and_then(|bits| bits.bits());
        let signature = signature.ok_or_else(broken)?;
        let beside = fields.expect(context(0));
        let data = Data::of(&signed).ok_or_else(broken)?;
        if let Some(extensions) = data.extensions
            && let Some(identifier) = unknown_critical(extensions, &[NONCE])
        {
            let what = format!("it has a critical extension {identifier}");
            return Err(Trouble::malformed(what));
        }
        let issuer = subject.issuer.certificate()?;
        if data.responder_is(&issuer) {
            verify(&issuer, algorithm.whole, signature, signed.whole)?;
        } else {
            let delegate = data.delegate(beside.as_ref(), &issuer, now)?;
            verify(&delegate, algorithm.whole, signature, signed.whole)?;
        }
        data.answer_about(subject, &issuer)
    }
}

/// What the responder's status leaves: the answer proper.
fn basic<'a>(bytes: &'a [u8], broken: &dyn Fn() -> Trouble) -> Result<Reader<'a>, Trouble> {
    let mut fields = Reader::new(bytes)
        .expect(SEQUENCE)
        .ok_or_else(broken)?
        .reader();
    let status = fields.expect(ENUMERATED).ok_or_else(broken)?;
    let refused = |reason, what: &str| {
        let what = format!("the responder answers {what}");
        Err(Trouble::new(reason, what))
    };
    match status.content {
        [0] => {}
        [1] => return refused(RevocationReason::Malformed, "malformedRequest"),
        [2] => return refused(RevocationReason::Malformed, "internalError"),
        [3] => return refused(RevocationReason::Malformed, "tryLater"),
        [5] => return refused(RevocationReason::Malformed, "sigRequired"),
        [6] => {
            let what = "unauthorized: it has no answers for this issuer";
            return refused(RevocationReason::Unknown, what);
        }
        _ => return Err(broken()),
    }
    let explicit = fields.expect(context(0)).ok_or_else(broken)?;
    let mut response = explicit
        .reader()
        .expect(SEQUENCE)
        .ok_or_else(broken)?
        .reader();
    let kind = response.expect(OBJECT_IDENTIFIER).ok_or_else(broken)?;
    if kind.content != BASIC {
        return Err(Trouble::malformed("it is an answer of an unknown kind"));
    }
    let wrapped = response.expect(OCTET_STRING).ok_or_else(broken)?;
    let mut reader = wrapped.reader();
    let basic = reader.expect(SEQUENCE).ok_or_else(broken)?;
    Ok(basic.reader())
}

/// The signed part, taken apart.
struct Data<'a> {
    responder: Element<'a>,
    singles: Reader<'a>,
    extensions: Option<Reader<'a>>,
}

impl<'a> Data<'a> {
    fn of(signed: &Element<'a>) -> Option<Self> {
        let mut fields = signed.reader();
        fields.expect(context(0));
        let responder = fields.next()?;
        fields.expect(GENERALIZED_TIME)?;
        let singles = fields.expect(SEQUENCE)?.reader();
        let extensions = match fields.expect(context(1)) {
            Some(explicit) => Some(explicit.reader().expect(SEQUENCE)?.reader()),
            None => None,
        };
        Some(Self {
            responder,
            singles,
            extensions,
        })
    }

    /// What it says of the certificate.
    fn answer_about(
        &self,
        subject: &Subject,
        issuer: &X509Certificate<'_>,
    ) -> Result<Answer, Trouble> {
        let mut singles = self.singles;
        for _ in 0..MOST_SINGLE_ANSWERS {
            let Some(single) = singles.expect(SEQUENCE) else {
                break;
            };
            if let Some(answer) = about(&single, subject, issuer).transpose()? {
                return Ok(answer);
            }
        }
        let what = "it is about another certificate than the one that was asked about";
        Err(Trouble::malformed(what))
    }

    /// Whether it calls itself by the name or the key of this certificate.
    fn responder_is(&self, certificate: &X509Certificate<'_>) -> bool {
        let content = self.responder.content;
        if self.responder.tag == context(1) {
            return content == certificate.subject().as_raw();
        }
        let hash = self.responder.reader().expect(OCTET_STRING);
        self.responder.tag == context(2)
            && hash.is_some_and(|hash| hash.content == Sha1::digest(key_of(certificate)).as_slice())
    }

    /// The certificate beside the answer whose owner the issuer lets answer in its place.
    fn delegate(
        &self,
        beside: Option<&Element<'a>>,
        issuer: &X509Certificate<'_>,
        now: SystemTime,
    ) -> Result<X509Certificate<'a>, Trouble> {
        let mut certificates = beside
            .and_then(|explicit| explicit.reader().expect(SEQUENCE))
            .map_or(Reader::new(&[]), |all| all.reader());
        for _ in 0..MOST_CERTIFICATES {
            let Some(der) = certificates.expect(SEQUENCE) else {
                break;
            };
            let certificate = parse(der.whole).filter(|found| self.responder_is(found));
            if let Some(certificate) = certificate {
                return may_answer(&certificate, &der, issuer, now).map(|()| certificate);
            }
        }
        let what = format!(
            "it is neither of {} nor of somebody whose certificate is there",
            issuer.subject()
        );
        Err(Trouble::bad_signature(what))
    }
}

/// Whether the issuer made this certificate for answering, and it is its time.
fn may_answer(
    delegate: &X509Certificate<'_>,
    der: &Element<'_>,
    issuer: &X509Certificate<'_>,
    now: SystemTime,
) -> Result<(), Trouble> {
    let name = delegate.subject();
    let refuse = |what: &str| Err(Trouble::bad_signature(format!("its signer {name} {what}")));
    if delegate.issuer().as_raw() != issuer.subject().as_raw() {
        return refuse("is not of the certificate's issuer");
    }
    let usage = delegate.extended_key_usage().ok().flatten();
    if !usage.is_some_and(|usage| usage.value.ocsp_signing) {
        return refuse("may not sign answers (no OCSPSigning)");
    }
    if !is_in_time(delegate, now) {
        return refuse("has a certificate whose time is over or has not come");
    }
    let mut fields = der.reader();
    let parts = (
        fields.expect(SEQUENCE),
        fields.expect(SEQUENCE),
        fields.expect(BIT_STRING).and_then(|bits| bits.bits()),
    );
    let (Some(signed), Some(algorithm), Some(signature)) = parts else {
        return refuse("has an unreadable certificate");
    };
    verify(issuer, algorithm.whole, signature, signed.whole).map_err(|trouble| {
        let Trouble { detail, .. } = trouble;
        Trouble::bad_signature(format!("its signer {name}: {detail}"))
    })
}

/// A single answer, if it is about the certificate.
fn about(
    single: &Element<'_>,
    subject: &Subject,
    issuer: &X509Certificate<'_>,
) -> Option<Result<Answer, Trouble>> {
    let mut fields = single.reader();
    let identifier = fields.expect(SEQUENCE)?;
    if !is_meant(&identifier, subject, issuer)? {
        return None;
    }
    Some(answer(fields).unwrap_or_else(|| Err(Trouble::malformed("its answer is unreadable"))))
}

fn answer(mut fields: Reader<'_>) -> Option<Result<Answer, Trouble>> {
    let said = fields.next()?;
    let status = if said.tag == plain_context(0) {
        Status::Good
    } else if said.tag == context(1) {
        let mut revoked = said.reader();
        let at = revoked.expect(GENERALIZED_TIME)?.time()?;
        let code = revoked.expect(context(0));
        let code = code.and_then(|explicit| explicit.reader().expect(ENUMERATED));
        let code = code.and_then(|code| code.content.first().copied());
        Status::Revoked(Revoked {
            at,
            reason: reason(code.unwrap_or_default()),
        })
    } else if said.tag == plain_context(2) {
        Status::Unknown
    } else {
        return None;
    };
    let this_update = fields.expect(GENERALIZED_TIME)?.time()?;
    let next_update = match fields.expect(context(0)) {
        Some(explicit) => Some(explicit.reader().expect(GENERALIZED_TIME)?.time()?),
        None => None,
    };
    if let Some(explicit) = fields.expect(context(1)) {
        let extensions = explicit.reader().expect(SEQUENCE)?.reader();
        if let Some(identifier) = unknown_critical(extensions, &[]) {
            let what = format!("it has a critical extension {identifier}");
            return Some(Err(Trouble::malformed(what)));
        }
    }
    Some(Ok(Answer {
        status,
        this_update,
        next_update,
    }))
}

/// Whether a `CertID` means the certificate.
fn is_meant(
    identifier: &Element<'_>,
    subject: &Subject,
    issuer: &X509Certificate<'_>,
) -> Option<bool> {
    let mut fields = identifier.reader();
    let algorithm = fields.expect(SEQUENCE)?;
    let algorithm = algorithm.reader().expect(OBJECT_IDENTIFIER)?;
    let name = fields.expect(OCTET_STRING)?.content;
    let key = fields.expect(OCTET_STRING)?.content;
    let serial = fields.expect(INTEGER)?.content;
    let hash: fn(&[u8]) -> Vec<u8> = match algorithm.content {
        OID_SHA1 => |bytes| Sha1::digest(bytes).to_vec(),
        OID_SHA256 => |bytes| Sha256::digest(bytes).to_vec(),
        _ => return Some(false),
    };
    Some(
        without_zeros(serial) == subject.serial
            && name == hash(&subject.issuer_name)
            && key == hash(key_of(issuer)),
    )
}

/// The bits of the public key alone.
fn key_of<'a>(certificate: &'a X509Certificate<'_>) -> &'a [u8] {
    &certificate.public_key().subject_public_key.data
}

#[cfg(test)]
mod tests;
