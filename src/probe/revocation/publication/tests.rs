use std::time::Duration;

use super::*;
use crate::probe::revocation::fixture::{Authority, Crl, Says};

fn reason(result: Result<(), Trouble>) -> Option<RevocationReason> {
    result.err().map(|trouble| trouble.reason)
}

#[test]
fn a_list_must_be_the_authoritys_and_current() {
    let (authority, other) = (Authority::new("Lab CA"), Authority::new("Lab CA"));
    let subject = authority.subject(&[7]);
    let past = Crl {
        next_update: Some(SystemTime::now() - Duration::from_secs(3600)),
        this_update: SystemTime::now() - Duration::from_secs(7200),
        ..Crl::default()
    };
    let revoking = Crl {
        serials: vec![vec![7]],
        ..Crl::default()
    };
    for (bytes, expected) in [
        (authority.list(&Crl::default()), None),
        // That it revokes the certificate is told by the endpoint that presents it.
        (authority.list(&revoking), None),
        (authority.list(&past), Some(RevocationReason::Stale)),
        (
            other.list(&Crl::default()),
            Some(RevocationReason::BadSignature),
        ),
        (b"<html>".to_vec(), Some(RevocationReason::Malformed)),
        (Vec::new(), Some(RevocationReason::Malformed)),
    ] {
        let judged = judge(Publication::RevocationList, &subject, &bytes);
        assert_eq!(reason(judged), expected);
    }
}

#[test]
fn a_responder_must_know_the_certificate() {
    let authority = Authority::new("Lab CA");
    let subject = authority.subject(&[7]);
    let next = Some(SystemTime::now() + Duration::from_secs(3600));
    for (says, expected) in [
        (Says::Good, None),
        (Says::Revoked, None),
        (Says::Unknown, Some(RevocationReason::Unknown)),
    ] {
        let bytes = authority.answer(&subject, says, next);
        let judged = judge(Publication::Answers, &subject, &bytes);
        assert_eq!(reason(judged), expected);
    }
    let judged = judge(Publication::Answers, &subject, b"Service Unavailable");
    assert_eq!(reason(judged), Some(RevocationReason::Malformed));
}

#[test]
fn a_certificate_must_be_the_authoritys() {
    let (authority, other) = (Authority::new("Lab CA"), Authority::new("Other CA"));
    let same_name = Authority::new("Lab CA");
    let subject = authority.subject(&[7]);
    let der = authority.der().to_vec();
    let bundle = [b"PKCS #7".to_vec(), der.clone(), b"more".to_vec()].concat();
    let pem = pem_of(&der);
    for bytes in [der, bundle, pem.into_bytes()] {
        assert_eq!(judge(Publication::Certificate, &subject, &bytes), Ok(()));
    }
    for bytes in [
        other.der().to_vec(),
        same_name.der().to_vec(),
        b"<html>".to_vec(),
        Vec::new(),
    ] {
        let judged = judge(Publication::Certificate, &subject, &bytes);
        assert_eq!(reason(judged), Some(RevocationReason::Malformed));
    }
}

fn pem_of(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
