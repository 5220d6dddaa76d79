//! What the reader of lists stands, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use std::sync::LazyLock;

use super::{Entry, List, Parts};
use crate::probe::revocation::der::{Reader, SEQUENCE};
use crate::probe::revocation::fuzzed::{SUBJECT, is_in_a_seed, seeds};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| seeds("revocation_list"));

/// No word about a list is longer than this and what it names.
const LONGEST_DETAIL: usize = 1024;

/// A list: what is read of it as if it were signed is in order and takes no more memory than a few times its bytes, and
/// nothing is believed that nobody signed.
pub fn revocation_list(bytes: &[u8]) {
    let signed = Reader::new(bytes)
        .expect(SEQUENCE)
        .and_then(|list| list.reader().expect(SEQUENCE));
    let Some(signed) = signed else {
        return;
    };
    match Parts::of(&signed).map(Parts::list) {
        Some(Ok(list)) => is_in_order(&list, bytes.len()),
        Some(Err(trouble)) => assert!(trouble.detail.len() <= LONGEST_DETAIL + bytes.len()),
        None => {}
    }
    let Some(subject) = SUBJECT.as_ref() else {
        return;
    };
    if let Ok(list) = List::verified(bytes, &subject.issuer) {
        assert!(is_in_a_seed(signed.whole, &SEEDS), "nobody signed this");
        list.covers(subject).ok();
    }
}

fn is_in_order(list: &List, length: usize) {
    assert!(list.entries.is_sorted());
    // An entry has a number and a time: 18 bytes at least, which become 28.
    assert!(list.entries.len() * size_of::<Entry>() <= 2 * length);
    assert!(list.size() <= 32 * length + 4096);
    for entry in list.entries.iter().take(100) {
        assert!(list.find(&entry.serial).is_some());
    }
}
