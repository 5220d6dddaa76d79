//! The language of protobuf, of it only what our messages need. A message is written as it is read, and its length put
//! before it at its end; or it is only measured, by the same code, so that the two cannot disagree.

/// How a field is written.
const VARINT: u8 = 0;
const DOUBLE: u8 = 1;
const DELIMITED: u8 = 2;

/// The number of a field that no message has: readers skip what they do not know.
const UNKNOWN: u8 = 15;

/// The fields of a pair.
const ONE: u8 = 1;
const OTHER: u8 = 2;

/// The longest field of those with a length of one byte.
const SHORT: usize = 0x7f;

/// Takes a message.
pub(super) trait Wire {
    fn put(&mut self, bytes: &[u8]);

    /// The same for so few that they are better put one by one.
    fn put_few<const FEW: usize>(&mut self, bytes: [u8; FEW]);

    /// Puts two bytes in the place of what stands there.
    fn put_over(&mut self, place: usize, bytes: [u8; 2]);

    /// How much was put.
    fn position(&self) -> usize;

    /// Puts a length before what stands from `start` on, where there are some bytes of room already.
    fn insert_length(&mut self, start: usize, room: usize, length: usize);
}

/// How long it would be, with nothing written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length(pub(super) usize);

/// A number in as few bytes as it takes.
struct Varint {
    bytes: [u8; 10],
    length: usize,
}

// === impl Wire ===

impl Wire for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn put_few<const FEW: usize>(&mut self, bytes: [u8; FEW]) {
        self.extend(bytes);
    }

    #[inline]
    fn put_over(&mut self, place: usize, bytes: [u8; 2]) {
        self[place..place + 2].copy_from_slice(&bytes);
    }

    #[inline]
    fn position(&self) -> usize {
        self.len()
    }

    #[inline]
    fn insert_length(&mut self, start: usize, room: usize, length: usize) {
        if length <= SHORT && room == 1 {
            self[start - 1] = short(length);
            return;
        }
        let length = Varint::of(length as u64);
        let (written, missing) = (self.len(), length.length - room);
        if missing > 0 {
            self.resize(written + missing, 0);
            self.copy_within(start..written, start + missing);
        }
        self[start - room..start + missing].copy_from_slice(length.as_bytes());
    }
}

impl Wire for Length {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    #[inline]
    fn put_few<const FEW: usize>(&mut self, _bytes: [u8; FEW]) {
        self.0 += FEW;
    }

    #[inline]
    fn put_over(&mut self, _place: usize, _bytes: [u8; 2]) {}

    #[inline]
    fn position(&self) -> usize {
        self.0
    }

    #[inline]
    fn insert_length(&mut self, _start: usize, room: usize, length: usize) {
        self.0 += Varint::of(length as u64).length - room;
    }
}

// === impl Varint ===

impl Varint {
    #[inline]
    fn of(mut value: u64) -> Self {
        let (mut bytes, mut length) = ([0; 10], 0);
        for byte in &mut bytes {
            *byte = (value & 0x7f) as u8;
            length += 1;
            value >>= 7;
            if value == 0 {
                break;
            }
            *byte |= 0x80;
        }
        Self { bytes, length }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

// === messages ===

/// Begins a message within another one, which [`end`] ends.
pub(super) fn begin(out: &mut impl Wire, number: u8) -> usize {
    // Most messages are short enough for a length of one byte.
    out.put_few([tag(number, DELIMITED), 0]);
    out.position()
}

/// Ends the message that began there.
pub(super) fn end(out: &mut impl Wire, start: usize) {
    out.insert_length(start, 1, out.position() - start);
}

/// Two texts as a message of their own, its fields.
pub(super) fn pair(out: &mut impl Wire, number: u8, one: &[u8], other: &[u8]) {
    let length = one.len() + other.len() + 4;
    if length <= SHORT {
        // The bulk of an exposition.
        out.put_few([
            tag(number, DELIMITED),
            short(length),
            tag(ONE, DELIMITED),
            short(one.len()),
        ]);
        out.put(one);
        out.put_few([tag(OTHER, DELIMITED), short(other.len())]);
        out.put(other);
        return;
    }
    let start = begin(out, number);
    text(out, ONE, one);
    text(out, OTHER, other);
    end(out, start);
}

/// The same of two texts that stand together with two bytes between them, in whose place the second one's length comes.
pub(super) fn pair_of(out: &mut impl Wire, number: u8, both: &[u8], one: usize) {
    let length = both.len() + 2;
    let other = both.len() - one - 2;
    if length > SHORT {
        pair(out, number, &both[..one], &both[one + 2..]);
        return;
    }
    out.put_few([
        tag(number, DELIMITED),
        short(length),
        tag(ONE, DELIMITED),
        short(one),
    ]);
    let start = out.position();
    out.put(both);
    out.put_over(start + one, [tag(OTHER, DELIMITED), short(other)]);
}

/// So many bytes that mean nothing. There is no field of one byte.
pub(super) fn fill(out: &mut impl Wire, mut bytes: usize) {
    const MOST: usize = SHORT + 2;
    const NOTHING: [u8; SHORT] = [0; SHORT];
    while bytes >= 2 {
        // None may be left alone for the next one.
        let field = if bytes > MOST { SHORT } else { bytes };
        out.put_few([tag(UNKNOWN, DELIMITED), short(field - 2)]);
        out.put(&NOTHING[..field - 2]);
        bytes -= field;
    }
}

// === fields ===

pub(super) fn text(out: &mut impl Wire, number: u8, value: &[u8]) {
    out.put_few([tag(number, DELIMITED)]);
    varint(out, value.len() as u64);
    out.put(value);
}

pub(super) fn double(out: &mut impl Wire, number: u8, value: f64) {
    let mut field = [tag(number, DOUBLE); 9];
    field[1..].copy_from_slice(&value.to_le_bytes());
    out.put_few(field);
}

pub(super) fn unsigned(out: &mut impl Wire, number: u8, value: u64) {
    out.put_few([tag(number, VARINT)]);
    varint(out, value);
}

pub(super) fn signed(out: &mut impl Wire, number: u8, value: i64) {
    unsigned(out, number, zigzag(value));
}

pub(super) fn varint(out: &mut impl Wire, value: u64) {
    match u8::try_from(value) {
        Ok(value @ 0..0x80) => out.put_few([value]),
        _ => out.put(Varint::of(value).as_bytes()),
    }
}

/// Numbers around zero as small ones.
#[inline]
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

#[inline]
fn tag(number: u8, kind: u8) -> u8 {
    // No field of these messages has a number above 15: a tag is one byte.
    number << 3 | kind
}

/// A length up to [`SHORT`].
#[inline]
fn short(length: usize) -> u8 {
    let [lowest, ..] = length.to_le_bytes();
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_as_long_as_what_is_written() {
        let texts =
            [0, 1, 59, 61, 62, 63, 123, 124, 127, 128, 300, 20_000].map(|it| vec![b'x'; it]);
        for one in &texts {
            for other in &texts {
                let (mut written, mut measured) = (Vec::new(), Length(0));
                message(&mut written, one, other);
                message(&mut measured, one, other);
                assert_eq!(measured.0, written.len(), "{} {}", one.len(), other.len());
            }
        }
    }

    fn message(out: &mut impl Wire, one: &[u8], other: &[u8]) {
        let start = begin(out, 4);
        pair(out, 1, one, other);
        double(out, 2, 0.5);
        for value in [0, 0x7f, 0x80, u64::MAX] {
            unsigned(out, 3, value);
        }
        signed(out, 5, i64::MIN);
        end(out, start);
    }

    #[test]
    fn texts_that_stand_together_are_a_pair_as_any() {
        for other in [0, 1, 100, 115, 116, 117, 118, 119, 300] {
            let (name, value) = (b"service", vec![b'v'; other]);
            let both = [name.as_slice(), b"=\"", &value].concat();
            let (mut one, mut expected) = (Vec::new(), Vec::new());
            pair_of(&mut one, 1, &both, name.len());
            pair(&mut expected, 1, name, &value);
            assert_eq!(one, expected);
            let mut measured = Length(0);
            pair_of(&mut measured, 1, &both, name.len());
            assert_eq!(measured.0, one.len());
        }
    }

    #[test]
    fn what_means_nothing_is_exactly_as_long_as_asked_for() {
        for bytes in (0..1_000).filter(|bytes| *bytes != 1) {
            let mut out = Vec::new();
            fill(&mut out, bytes);
            assert_eq!(out.len(), bytes);
            let mut rest = out.as_slice();
            while let [tag, length, after @ ..] = rest {
                assert_eq!(*tag, 0x7a);
                rest = &after[usize::from(*length)..];
            }
            assert!(rest.is_empty(), "{bytes} end within a field");
        }
    }

    #[test]
    fn numbers_take_as_few_bytes_as_they_can() {
        let cases: [(u64, &[u8]); 5] = [
            (0, &[0]),
            (0x7f, &[0x7f]),
            (0x80, &[0x80, 1]),
            (300, &[0xac, 2]),
            (
                u64::MAX,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            ),
        ];
        for (value, bytes) in cases {
            assert_eq!(Varint::of(value).as_bytes(), bytes);
        }
        assert_eq!([0, -1, 1, i64::MIN].map(zigzag), [0, 1, 2, u64::MAX]);
    }
}
