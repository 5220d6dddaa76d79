//! Answers by whom they may be given, and others.

use std::time::Duration;

use super::*;
use crate::probe::revocation::document::{Document, Word};
use crate::probe::revocation::fixture::{Authority, RESPONDER, Says};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn read(bytes: &[u8], subject: &Subject) -> Result<Document, Trouble> {
    let now = SystemTime::now();
    Document::of_answer(bytes, subject, now, now)
}

fn refusal(bytes: &[u8], subject: &Subject) -> (RevocationReason, String) {
    let trouble = read(bytes, subject).unwrap_err();
    (trouble.reason, trouble.detail)
}

#[test]
fn the_issuer_may_answer() {
    let authority = Authority::new("CA");
    let subject = authority.subject(&[0x90, 1]);
    assert_eq!(subject.responders[0].as_str(), format!("{RESPONDER}/"));
    assert_eq!(
        subject.skipped,
        ["ldap://ad.test/cn=ca, which is not asked"]
    );
    let next = Some(SystemTime::now() + DAY);
    let word = |says, next| {
        let bytes = authority.answer(&subject, says, next);
        read(&bytes, &subject).unwrap().on(&subject).unwrap()
    };
    assert_eq!(word(Says::Good, next), Word::Good);
    assert_eq!(word(Says::Good, None), Word::Good);
    assert_eq!(word(Says::Unknown, next), Word::Unknown);
    assert!(matches!(word(Says::Revoked, next), Word::Revoked(_)));
}

#[test]
fn a_delegate_may_answer_if_the_issuer_says_so() {
    let authority = Authority::new("CA");
    let subject = authority.subject(&[1]);
    let by = |delegate: &Authority| {
        let beside = delegate.der().to_vec();
        delegate.answer_of(&delegate.name(), &subject, Says::Good, None, &beside)
    };
    assert!(read(&by(&authority.delegate(true)), &subject).is_ok());
    let table = [
        (authority.delegate(false), "no OCSPSigning"),
        (
            Authority::new("CA").delegate(true),
            "its signer CN=responder: it is not signed by CN=CA",
        ),
        (
            Authority::new("Other").delegate(true),
            "not of the certificate's issuer",
        ),
    ];
    for (delegate, detail) in table {
        let (reason, said) = refusal(&by(&delegate), &subject);
        assert_eq!(reason, RevocationReason::BadSignature);
        assert!(said.contains(detail), "{said}");
    }
    let alone = authority.delegate(true);
    let alone = alone.answer_of(&alone.name(), &subject, Says::Good, None, &[]);
    let (_, said) = refusal(&alone, &subject);
    assert!(said.contains("neither of CN=CA"), "{said}");
}

#[test]
fn other_answers_are_refused() {
    let authority = Authority::new("CA");
    let subject = authority.subject(&[1]);
    let over = Some(SystemTime::now() - Duration::from_secs(1800));
    let about_another = authority.answer(&authority.subject(&[2]), Says::Good, None);
    let other_key = Authority::new("CA").answer(&subject, Says::Good, None);
    let table: [(&[u8], RevocationReason, &str); 8] = [
        (
            &[0x30, 3, 10, 1, 3],
            RevocationReason::Malformed,
            "tryLater",
        ),
        (
            &[0x30, 3, 10, 1, 1],
            RevocationReason::Malformed,
            "malformedRequest",
        ),
        (
            &[0x30, 3, 10, 1, 6],
            RevocationReason::Unknown,
            "unauthorized",
        ),
        (&[0x30, 3, 10, 1, 0], RevocationReason::Malformed, "broken"),
        (b"<html>", RevocationReason::Malformed, "web page"),
        (
            &authority.answer(&subject, Says::Good, over),
            RevocationReason::Stale,
            "was due",
        ),
        (
            &about_another,
            RevocationReason::Malformed,
            "another certificate",
        ),
        (
            &other_key,
            RevocationReason::BadSignature,
            "not signed by CN=CA",
        ),
    ];
    for (bytes, reason, detail) in table {
        let (found, said) = refusal(bytes, &subject);
        assert_eq!(found, reason, "{said}");
        assert!(said.contains(detail), "{said}");
    }
}

#[test]
fn a_question_is_short_enough_for_a_get() {
    let authority = Authority::new("CA");
    let question = question(&authority.subject(&[0x90; 16])).unwrap();
    assert!(question.len() < 100, "{}", question.len());
    // The zero that keeps the number from being a negative one.
    assert!(question.windows(4).any(|four| four == [2, 17, 0, 0x90]));
}

#[test]
fn an_issuer_with_a_key_of_p521_may_answer() {
    let authority = Authority::of_p521("CA");
    let subject = authority.subject(&[1]);
    let bytes = authority.answer(&subject, Says::Good, None);
    let word = read(&bytes, &subject).unwrap().on(&subject).unwrap();
    assert_eq!(word, Word::Good);
}
