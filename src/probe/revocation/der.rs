//! As much of DER (X.690) as lists and answers need: one element after the other, without a copy and without a tree.

use std::time::{Duration, SystemTime};

use x509_parser::prelude::{ASN1Time, FromDer};

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;

/// The tag of a constructed element with a number of its own (`[0]`, `[1]`, ...).
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// The tag of a plain element with a number of its own.
pub(super) const fn plain_context(number: u8) -> u8 {
    0x80 | number
}

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// Tag and length included: what is signed.
    pub(super) whole: &'a [u8],
}

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Element<'a> {
    pub(super) fn reader(&self) -> Reader<'a> {
        Reader(self.content)
    }

    /// A time of either kind.
    pub(super) fn time(&self) -> Option<SystemTime> {
        let (_, time) = ASN1Time::from_der(self.whole).ok()?;
        let seconds = u64::try_from(time.timestamp()).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    /// The bytes of a bit string that has only whole ones.
    pub(super) fn bits(&self) -> Option<&'a [u8]> {
        let (unused, bytes) = self.content.split_first()?;
        (*unused == 0).then_some(bytes)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element; none where there is none, or where it is broken.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of several bytes have no place here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter();
                let length = length.fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
                (length, rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - after.len()];
        self.0 = after;
        Some(Element {
            tag,
            content,
            whole,
        })
    }

    /// The next element, if it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }
}

/// An element made of its content's parts.
pub(super) fn written(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        bytes.push(short);
    } else {
        let big = length.to_be_bytes();
        let significant = without_zeros(&big);
        bytes.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
        bytes.extend_from_slice(significant);
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A number without the zeros before it, so that two ways to write it are one.
pub(super) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// The first critical extension that is none of these, by its identifier. An extension that cannot be read counts
/// as one.
pub(super) fn unknown_critical(extensions: Reader<'_>, known: &[&[u8]]) -> Option<String> {
    let mut extensions = extensions;
    while !extensions.is_empty() {
        let broken = || Some("that cannot be read".to_owned());
        let Some(extension) = extensions.expect(SEQUENCE) else {
            return broken();
        };
        let mut fields = extension.reader();
        let Some(identifier) = fields.expect(OBJECT_IDENTIFIER) else {
            return broken();
        };
        let critical = fields.expect(BOOLEAN);
        let critical = critical.is_some_and(|critical| critical.content != [0]);
        if critical && !known.contains(&identifier.content) {
            return Some(dotted(identifier.content));
        }
    }
    None
}

/// The value of an extension.
pub(super) fn extension<'a>(extensions: Reader<'a>, wanted: &[u8]) -> Option<&'a [u8]> {
    let mut extensions = extensions;
    while let Some(extension) = extensions.expect(SEQUENCE) {
        let mut fields = extension.reader();
        let identifier = fields.expect(OBJECT_IDENTIFIER)?;
        fields.expect(BOOLEAN);
        let value = fields.expect(OCTET_STRING)?;
        if identifier.content == wanted {
            return Some(value.content);
        }
    }
    None
}

/// An object identifier as people write it.
pub(super) fn dotted(identifier: &[u8]) -> String {
    x509_parser::asn1_rs::Oid::new(identifier.into()).to_id_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let bytes = written(OCTET_STRING, &[&content, b"ab"]);
            let mut reader = Reader::new(&bytes);
            let element = reader.expect(OCTET_STRING).unwrap();
            assert_eq!(element.content.len(), length + 2);
            assert_eq!(element.whole, bytes);
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn broken_elements_are_none() {
        let table: [&[u8]; 7] = [
            &[],
            &[0x30],
            &[0x30, 2, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 0x81, 1, 0],
        ];
        for bytes in table {
            assert_eq!(Reader::new(bytes).next(), None, "{bytes:x?}");
        }
    }

    #[test]
    fn another_tag_is_left_for_who_wants_it() {
        let bytes = [2, 1, 5];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.expect(SEQUENCE), None);
        assert_eq!(reader.expect(INTEGER).unwrap().content, [5]);
    }
}
