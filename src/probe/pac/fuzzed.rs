//! What the reader of a script's answer stands, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use super::answer::{Entry, MOST_ENTRIES, entries};

/// No word about an entry is longer.
const LONGEST_ERROR: usize = 600;

/// An answer of `FindProxyForURL`: as many entries as are tried, and each that is understood means the same when it is
/// written again.
pub fn pac_answer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = entries(&text);
    assert!((1..=MOST_ENTRIES).contains(&read.len()));
    for entry in read {
        match entry {
            Ok(entry) => {
                let back = entries(&written(&entry));
                assert_eq!(back, [Ok(entry)]);
            }
            Err(error) => {
                let told = error.to_string();
                assert!(told.len() <= LONGEST_ERROR, "{told}");
            }
        }
    }
}

fn written(entry: &Entry) -> String {
    match entry {
        Entry::Direct => "DIRECT".to_owned(),
        Entry::Proxy(kind, authority) => {
            let kind = match kind.scheme() {
                "http" => "PROXY",
                "https" => "HTTPS",
                _ => "SOCKS5",
            };
            format!("{kind} {authority}")
        }
    }
}
