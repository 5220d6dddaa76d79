//! What the reader of answers stands, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use super::{Answer, Data, basic};
use crate::probe::revocation::der::SEQUENCE;
use crate::probe::revocation::fuzzed::{SUBJECT, is_in_a_seed, seeds};
use crate::probe::revocation::trouble::Trouble;

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| seeds("revocation_answer"));

/// No word about an answer is longer than this and what it names.
const LONGEST_DETAIL: usize = 1024;

/// An answer: read as if it were signed, and nothing is believed that nobody signed.
pub fn revocation_answer(bytes: &[u8]) {
    let Some(subject) = SUBJECT.as_ref() else {
        return;
    };
    let broken = || Trouble::malformed("broken");
    let signed = basic(bytes, &broken).ok();
    let signed = signed.and_then(|mut fields| fields.expect(SEQUENCE));
    let unsigned = signed
        .as_ref()
        .and_then(Data::of)
        .zip(subject.issuer.certificate().ok())
        .map(|(data, issuer)| data.answer_about(subject, &issuer));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let verified = Answer::verified(bytes, subject, now);
    if let Ok(answer) = &verified {
        let signed = signed.map(|signed| signed.whole).unwrap_or_default();
        assert!(is_in_a_seed(signed, &SEEDS), "nobody signed this");
        assert_eq!(unsigned, Some(Ok(answer.clone())));
    }
    for trouble in [verified.err(), unsigned.and_then(Result::err)] {
        let length = trouble.map_or(0, |trouble| trouble.detail.len());
        assert!(length <= LONGEST_DETAIL + bytes.len(), "{length} bytes");
    }
}
