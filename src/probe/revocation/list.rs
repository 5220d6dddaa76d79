//! A list of revoked certificates (CRL, RFC 5280 §5): verified once, and then no more than what it takes to look a
//! number up. What it does not fully understand, it refuses.

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;

use std::time::{Duration, SystemTime};

use super::certificate::{Issuer, Subject, verify};
use super::der::{
    BIT_STRING, ENUMERATED, Element, GENERALIZED_TIME, INTEGER, Reader, SEQUENCE, UTC_TIME,
    context, extension, plain_context, unknown_critical, without_zeros,
};
use super::trouble::Trouble;
use crate::outcome::CertificatePlace;

const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];
const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
const FRESHEST_CRL: &[u8] = &[0x55, 0x1d, 46];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];
const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];

/// What is understood although it says that it must be.
const KNOWN: &[&[u8]] = &[
    ISSUING_DISTRIBUTION_POINT,
    AUTHORITY_KEY_IDENTIFIER,
    CRL_NUMBER,
    FRESHEST_CRL,
];
const KNOWN_OF_ENTRIES: &[&[u8]] = &[REASON_CODE, INVALIDITY_DATE];

/// A `GeneralName` that is a URI.
const URI: u8 = plain_context(6);

const INDIRECT: &str = "it is an indirect list, of other issuers' certificates";

/// The longest serial number (RFC 5280 §4.1.2.2).
const SERIAL_BYTES: usize = 20;

/// A verified list.
#[derive(Debug)]
pub(super) struct List {
    pub(super) this_update: SystemTime,
    pub(super) next_update: Option<SystemTime>,
    /// In the order of the serial numbers.
    entries: Vec<Entry>,
    only: Option<CertificatePlace>,
    /// The names of its own place, where it says them.
    points: Option<Vec<String>>,
}

/// A revoked certificate, in 28 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    serial: [u8; SERIAL_BYTES],
    /// Seconds since 1970: enough until 2106.
    at: u32,
    reason: u8,
}

/// When and why a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Revoked {
    pub(super) at: SystemTime,
    pub(super) reason: &'static str,
}

impl List {
    /// Reads a list and verifies that the issuer signed it.
    pub(super) fn verified(bytes: &[u8], issuer: &Issuer) -> Result<Self, Trouble> {
        let broken = || Trouble::malformed(looks_like(bytes));
        let mut reader = Reader::new(bytes);
        let list = reader.expect(SEQUENCE).ok_or_else(broken)?;
        let mut fields = list.reader();
        let signed = fields.expect(SEQUENCE).ok_or_else(broken)?;
        let algorithm = fields.expect(SEQUENCE).ok_or_else(broken)?;
        let signature = fields.expect(BIT_STRING).and_then(|bits| bits.bits());
        let signature = signature.ok_or_else(broken)?;
        if !reader.is_empty() || !fields.is_empty() {
            return Err(broken());
        }
        let authority = issuer.certificate()?;
        let parts = Parts::of(&signed).ok_or_else(broken)?;
        if parts.algorithm.whole != algorithm.whole {
            return Err(broken());
        }
        if parts.issuer.whole != authority.subject().as_raw() {
            let name = authority.subject();
            let what = format!("it is the list of another issuer than {name}");
            return Err(Trouble::bad_signature(what));
        }
        let usage = authority.key_usage().ok().flatten();
        if usage.is_some_and(|usage| !usage.value.crl_sign()) {
            let what = format!("{} may not sign lists", authority.subject());
            return Err(Trouble::bad_signature(what));
        }
        verify(&authority, algorithm.whole, signature, signed.whole)?;
        parts.list()
    }

    /// What it says of a certificate of its issuer; none if it was not revoked.
    pub(super) fn find(&self, serial: &[u8]) -> Option<Revoked> {
        let serial = padded(serial)?;
        let place = self
            .entries
            .binary_search_by(|entry| entry.serial.cmp(&serial));
        let entry = self.entries.get(place.ok()?)?;
        Some(Revoked {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(entry.at.into()),
            reason: reason(entry.reason),
        })
    }

    /// Whether it is a list for this certificate at all.
    pub(super) fn covers(&self, subject: &Subject) -> Result<(), Trouble> {
        if let Some(only) = self.only
            && only != subject.place
        {
            let of = match only {
                CertificatePlace::Leaf => "users",
                CertificatePlace::Intermediate => "authorities",
            };
            let what = format!("it is a list of the certificates of {of} only");
            return Err(Trouble::malformed(what));
        }
        let Some(points) = &self.points else {
            return Ok(());
        };
        if points.iter().any(|point| subject.points.contains(point)) {
            return Ok(());
        }
        let what = format!(
            "it says that its place is {}, which the certificate does not name",
            points.join(", ")
        );
        Err(Trouble::malformed(what))
    }

    /// What it takes in memory.
    pub(super) fn size(&self) -> usize {
        let points = self.points.iter().flatten();
        let points: usize = points.map(|point| size_of::<String>() + point.len()).sum();
        size_of::<Self>() + self.entries.capacity() * size_of::<Entry>() + points
    }
}

/// The signed part, taken apart.
struct Parts<'a> {
    algorithm: Element<'a>,
    issuer: Element<'a>,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    revoked: Option<Element<'a>>,
    extensions: Option<Element<'a>>,
}

impl<'a> Parts<'a> {
    fn of(signed: &Element<'a>) -> Option<Self> {
        let mut fields = signed.reader();
        fields.expect(INTEGER);
        let algorithm = fields.expect(SEQUENCE)?;
        let issuer = fields.expect(SEQUENCE)?;
        let this_update = time(&mut fields)?.time()?;
        let next_update = match time(&mut fields) {
            Some(next) => Some(next.time()?),
            None => None,
        };
        let revoked = fields.expect(SEQUENCE);
        let extensions = match fields.expect(context(0)) {
            Some(explicit) => Some(explicit.reader().expect(SEQUENCE)?),
            None => None,
        };
        fields.is_empty().then_some(Self {
            algorithm,
            issuer,
            this_update,
            next_update,
            revoked,
            extensions,
        })
    }

    fn list(self) -> Result<List, Trouble> {
        let mut list = List {
            this_update: self.this_update,
            next_update: self.next_update,
            entries: Vec::new(),
            only: None,
            points: None,
        };
        if let Some(extensions) = self.extensions {
            let extensions = extensions.reader();
            if extension(extensions, DELTA_CRL_INDICATOR).is_some() {
                return Err(Trouble::malformed(
                    "it is a delta list, which says only what is new",
                ));
            }
            if let Some(identifier) = unknown_critical(extensions, KNOWN) {
                let what = format!("it has a critical extension {identifier}");
                return Err(Trouble::malformed(what));
            }
            if let Some(point) = extension(extensions, ISSUING_DISTRIBUTION_POINT) {
                list.restrict(point)?;
            }
        }
        if let Some(revoked) = self.revoked {
            list.entries = entries(&revoked)?;
        }
        Ok(list)
    }
}

impl List {
    /// Takes note of what the list says of its own place (RFC 5280 §5.2.5).
    fn restrict(&mut self, point: &[u8]) -> Result<(), Trouble> {
        let refuse = |what: &str| Err(Trouble::malformed(what));
        let Some(point) = Point::of(point) else {
            return refuse("what it says of its own place is unreadable");
        };
        if point.says(INDIRECT_LIST) {
            return refuse(INDIRECT);
        }
        if point.says(SOME_REASONS) {
            return refuse("it is a list of some reasons only");
        }
        if point.says(ONLY_ATTRIBUTES) {
            return refuse("it is a list of attribute certificates only");
        }
        self.only = match (point.says(ONLY_USERS), point.says(ONLY_AUTHORITIES)) {
            (false, false) => None,
            (true, false) => Some(CertificatePlace::Leaf),
            (false, true) => Some(CertificatePlace::Intermediate),
            (true, true) => return refuse("what it says of its own place contradicts itself"),
        };
        self.points = point.names;
        Ok(())
    }
}

/// The numbers of what an issuing distribution point can say beside its name.
const ONLY_USERS: u8 = 1;
const ONLY_AUTHORITIES: u8 = 2;
const SOME_REASONS: u8 = 3;
const INDIRECT_LIST: u8 = 4;
const ONLY_ATTRIBUTES: u8 = 5;

/// What a list says of its own place.
#[derive(Default)]
struct Point {
    names: Option<Vec<String>>,
    said: Vec<u8>,
}

impl Point {
    fn of(value: &[u8]) -> Option<Self> {
        let mut fields = Reader::new(value).expect(SEQUENCE)?.reader();
        let mut point = Self::default();
        if let Some(name) = fields.expect(context(0)) {
            // A name relative to the issuer's is none that a certificate could be compared with.
            let mut full = name.reader().expect(context(0))?.reader();
            let mut names = Vec::new();
            while !full.is_empty() {
                let name = full.next()?;
                if name.tag == URI {
                    names.push(String::from_utf8_lossy(name.content).into_owned());
                }
            }
            point.names = Some(names);
        }
        for number in ONLY_USERS..=ONLY_ATTRIBUTES {
            let flag = fields.expect(plain_context(number));
            if flag.is_some_and(|flag| flag.content != [0]) {
                point.said.push(number);
            }
        }
        fields.is_empty().then_some(point)
    }

    fn says(&self, number: u8) -> bool {
        self.said.contains(&number)
    }
}

fn time<'a>(fields: &mut Reader<'a>) -> Option<Element<'a>> {
    let utc = fields.expect(UTC_TIME);
    utc.or_else(|| fields.expect(GENERALIZED_TIME))
}

fn entries(revoked: &Element<'_>) -> Result<Vec<Entry>, Trouble> {
    let mut reader = revoked.reader();
    let mut entries = Vec::new();
    while !reader.is_empty() {
        let element = reader.expect(SEQUENCE);
        let entry = element.as_ref().and_then(entry);
        let Some((element, entry)) = element.zip(entry) else {
            let what = format!("its entry {} is unreadable", entries.len() + 1);
            return Err(Trouble::malformed(what));
        };
        if let Some(extensions) = extensions_of(&element) {
            if extension(extensions, CERTIFICATE_ISSUER).is_some() {
                return Err(Trouble::malformed(INDIRECT));
            }
            if let Some(identifier) = unknown_critical(extensions, KNOWN_OF_ENTRIES) {
                let what = format!("an entry has a critical extension {identifier}");
                return Err(Trouble::malformed(what));
            }
        }
        entries.push(entry);
    }
    entries.sort_unstable();
    entries.shrink_to_fit();
    Ok(entries)
}

fn entry(element: &Element<'_>) -> Option<Entry> {
    let mut fields = element.reader();
    let serial = padded(fields.expect(INTEGER)?.content)?;
    let at = time(&mut fields)?.time()?;
    let at = at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let code = extensions_of(element).and_then(|all| extension(all, REASON_CODE));
    let code = code.and_then(|value| Reader::new(value).expect(ENUMERATED));
    let reason = code.and_then(|code| code.content.first().copied());
    Some(Entry {
        serial,
        at: u32::try_from(at).unwrap_or(u32::MAX),
        reason: reason.unwrap_or_default(),
    })
}

fn extensions_of<'a>(entry: &Element<'a>) -> Option<Reader<'a>> {
    let mut fields = entry.reader();
    fields.expect(INTEGER)?;
    time(&mut fields)?;
    fields.expect(SEQUENCE).map(|all| all.reader())
}

/// A serial number at its full length; none where it is longer than one may be.
fn padded(serial: &[u8]) -> Option<[u8; SERIAL_BYTES]> {
    let serial = without_zeros(serial);
    let mut padded = [0; SERIAL_BYTES];
    let start = SERIAL_BYTES.checked_sub(serial.len())?;
    padded[start..].copy_from_slice(serial);
    Some(padded)
}

/// The reasons of RFC 5280 §5.3.1.
pub(super) fn reason(code: u8) -> &'static str {
    match code {
        1 => "keyCompromise",
        2 => "cACompromise",
        3 => "affiliationChanged",
        4 => "superseded",
        5 => "cessationOfOperation",
        6 => "certificateHold",
        8 => "removeFromCRL",
        9 => "privilegeWithdrawn",
        10 => "aACompromise",
        _ => "unspecified",
    }
}

/// How a file begins that gzip packed (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What bytes that are not what they should be look like.
pub(super) fn looks_like(bytes: &[u8]) -> String {
    let begins = bytes.trim_ascii_start();
    let what = if bytes.is_empty() {
        "it is empty"
    } else if begins.starts_with(b"-----BEGIN") {
        "it is written in PEM, and must be in DER"
    } else if begins.starts_with(b"<") {
        "it is a web page (it begins with `<`)"
    } else if begins.starts_with(&GZIP) {
        "it is packed with gzip, which nobody asked for"
    } else if begins.first() == Some(&SEQUENCE) {
        "it is broken, or something else in DER"
    } else {
        "it is not in DER"
    };
    what.to_owned()
}

#[cfg(test)]
mod tests;
