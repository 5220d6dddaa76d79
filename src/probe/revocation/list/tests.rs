//! Lists of every kind, believed or refused.

use rcgen::KeyUsagePurpose;

use super::*;
use crate::outcome::RevocationReason;
use crate::probe::revocation::der::written;
use crate::probe::revocation::document::{Document, Word};
use crate::probe::revocation::fixture::{Authority, Crl, LIST, extension as made};

const DAY: Duration = Duration::from_secs(24 * 3600);
const ISSUING: &[u8] = &[0x55, 0x1d, 28];

fn document(authority: &Authority, bytes: &[u8]) -> Result<Document, Trouble> {
    let now = SystemTime::now();
    Document::of_list(bytes, &authority.subject(&[1]), now, now)
}

fn refused(bytes: &[u8], authority: &Authority) -> (RevocationReason, String) {
    let trouble = document(authority, bytes).unwrap_err();
    (trouble.reason, trouble.detail)
}

fn with_extension(oid: &[u8], critical: bool, value: &[u8]) -> Crl {
    Crl {
        extensions: vec![made(oid, critical, value)],
        ..Crl::default()
    }
}

/// What an issuing distribution point says: its URL, and a flag by its number.
fn point(url: Option<&str>, flag: Option<u8>) -> Vec<u8> {
    let url = url.map(|url| {
        let uri = written(plain_context(6), &[url.as_bytes()]);
        written(context(0), &[&written(context(0), &[&uri])])
    });
    let flag = flag.map(|number| written(plain_context(number), &[&[0xff]]));
    written(
        SEQUENCE,
        &[&url.unwrap_or_default(), &flag.unwrap_or_default()],
    )
}

#[test]
fn a_number_is_found_however_it_is_written() {
    let authority = Authority::new("CA");
    let serials = vec![vec![0, 0x90, 2], vec![5], vec![0x7f; 20], vec![1, 2, 3]];
    let crl = Crl {
        serials,
        ..Crl::default()
    };
    let document = document(&authority, &authority.list(&crl)).unwrap();
    let word = |serial: &[u8]| document.on(&authority.subject(serial)).unwrap();
    for serial in [&[0x90, 2][..], &[0, 0x90, 2], &[5], &[1, 2, 3], &[0x7f; 20]] {
        let Word::Revoked(revoked) = word(serial) else {
            panic!("{serial:?}");
        };
        assert_eq!(revoked.reason, "keyCompromise");
    }
    for serial in [&[4][..], &[6], &[1, 2], &[0x7f; 19]] {
        assert_eq!(word(serial), Word::Good, "{serial:?}");
    }
}

#[test]
fn what_is_not_the_issuers_current_list_is_refused() {
    let authority = Authority::new("CA");
    let now = SystemTime::now();
    let expired = Crl {
        this_update: now - 2 * DAY,
        next_update: Some(now - DAY),
        ..Crl::default()
    };
    let future = Crl {
        this_update: now + DAY,
        next_update: Some(now + 2 * DAY),
        ..Crl::default()
    };
    let pem = b"-----BEGIN X509 CRL-----\nMIIB\n".to_vec();
    let good = authority.list(&Crl::default());
    let mut tampered = good.clone();
    let last = tampered.len() - 3;
    tampered[last] ^= 1;
    let not_for_lists = Authority::with_usages("CA", &[KeyUsagePurpose::KeyCertSign]);
    let same_name = Authority::new("CA").list(&Crl::default());
    let table = [
        (
            authority.list(&expired),
            RevocationReason::Stale,
            "was due at",
        ),
        (
            authority.list(&future),
            RevocationReason::Malformed,
            "has not come",
        ),
        (
            same_name,
            RevocationReason::BadSignature,
            "not signed by CN=CA",
        ),
        (
            Authority::new("Other").list(&Crl::default()),
            RevocationReason::BadSignature,
            "another issuer",
        ),
        (tampered, RevocationReason::BadSignature, "not signed by"),
        (
            good[..good.len() - 1].to_vec(),
            RevocationReason::Malformed,
            "broken",
        ),
        (pem, RevocationReason::Malformed, "PEM"),
        (
            b"\r\n<html>".to_vec(),
            RevocationReason::Malformed,
            "web page",
        ),
        (Vec::new(), RevocationReason::Malformed, "empty"),
        (b"hello".to_vec(), RevocationReason::Malformed, "not in DER"),
    ];
    for (bytes, reason, detail) in table {
        let (found, said) = refused(&bytes, &authority);
        assert_eq!(found, reason, "{said}");
        assert!(said.contains(detail), "{said}");
    }
    let (reason, said) = refused(&not_for_lists.list(&Crl::default()), &not_for_lists);
    assert_eq!(reason, RevocationReason::BadSignature, "{said}");
    assert!(said.contains("may not sign lists"), "{said}");
}

#[test]
fn lists_that_are_not_whole_are_refused() {
    let authority = Authority::new("CA");
    let table = [
        (with_extension(&[0x55, 0x1d, 27], true, &[2, 1, 1]), "delta"),
        (
            with_extension(&[0x55, 0x1d, 27], false, &[2, 1, 1]),
            "delta",
        ),
        (
            with_extension(ISSUING, true, &point(None, Some(4))),
            "indirect",
        ),
        (
            with_extension(ISSUING, true, &point(None, Some(5))),
            "attribute",
        ),
        (
            with_extension(ISSUING, true, &point(None, Some(3))),
            "some reasons",
        ),
        (with_extension(ISSUING, true, b"x"), "unreadable"),
        (
            with_extension(&[0x2a, 3, 4], true, &[5, 0]),
            "critical extension 1.2.3.4",
        ),
    ];
    for (crl, detail) in table {
        let (reason, said) = refused(&authority.list(&crl), &authority);
        assert_eq!(reason, RevocationReason::Malformed);
        assert!(said.contains(detail), "{said}");
    }
    let harmless = with_extension(&[0x2a, 3, 4], false, &[5, 0]);
    assert!(document(&authority, &authority.list(&harmless)).is_ok());
}

#[test]
fn a_list_is_for_the_certificates_that_it_says() {
    let authority = Authority::new("CA");
    let subject = authority.subject(&[1]);
    let table = [
        (point(Some(LIST), None), None),
        (point(None, Some(1)), None),
        (point(None, Some(2)), Some("of authorities only")),
        (
            point(Some("http://pki.test/other.crl"), None),
            Some("does not name"),
        ),
    ];
    for (point, refusal) in table {
        let crl = with_extension(ISSUING, true, &point);
        let document = document(&authority, &authority.list(&crl)).unwrap();
        match (document.on(&subject), refusal) {
            (Ok(word), None) => assert_eq!(word, Word::Good),
            (Err(trouble), Some(refusal)) => {
                assert!(trouble.detail.contains(refusal), "{}", trouble.detail);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_long_list_is_kept_compactly() {
    let authority = Authority::new("CA");
    let serials = (0..10_000u32).map(|number| [&[1], &number.to_be_bytes()[..]].concat());
    let crl = Crl {
        serials: serials.rev().collect(),
        next_update: None,
        ..Crl::default()
    };
    let document = document(&authority, &authority.list(&crl)).unwrap();
    assert!(document.size() < 300_000, "{}", document.size());
    let word = |serial: &[u8]| document.on(&authority.subject(serial)).unwrap();
    assert!(matches!(word(&[1, 0, 0, 0x27, 0x0f]), Word::Revoked(_)));
    assert_eq!(word(&[1, 0, 0, 0x27, 0x10]), Word::Good);
}

#[test]
fn an_authority_may_sign_with_any_key_of_a_handshake() {
    let authority = Authority::of_p521("CA");
    let made = authority.list(&Crl::default());
    let document = document(&authority, &made).unwrap();
    assert_eq!(document.on(&authority.subject(&[1])).unwrap(), Word::Good);
    let (reason, _) = refused(&Authority::of_p521("CA").list(&Crl::default()), &authority);
    assert_eq!(reason, RevocationReason::BadSignature);
}
