//! Labels that many samples share, rendered once.

use std::borrow::Cow;

/// The most characters of a label value that says what was seen rather than what was configured.
const LONGEST_SEEN: usize = 256;

/// Labels as the text formats have them, without the braces around them. The other format reads them from there: it is
/// asked for by few, and every check has some.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(super) struct Labels(String);

/// A label of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    /// As text has it, without the last quote.
    text: &'a str,
    /// Where the name ends.
    name: usize,
    is_escaped: bool,
}

/// What stands between a name and its value: `="`.
const BETWEEN: usize = 2;

// === impl Labels ===

impl Labels {
    /// None yet, and room for some.
    pub(super) fn with_room() -> Self {
        Self(String::with_capacity(256))
    }

    /// Adds a label with a configured value, which identifies and so is never cut.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        self.0.push_str(&escaped(value));
        self.0.push('"');
        self
    }

    /// Adds a label that describes and so may be cut.
    pub(super) fn with_seen(self, name: &str, value: &str) -> Self {
        self.with(name, shortened(value))
    }

    /// Complete: kept for long, and many times.
    pub(super) fn kept(mut self) -> Self {
        self.0.shrink_to_fit();
        self
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let name = first_of(rest.as_bytes(), b'=', b'=')?;
            let (end, is_escaped) = end_of_value(rest.as_bytes(), name + BETWEEN)?;
            let text = rest.get(..end)?;
            rest = rest.get(end + "\",".len()..).unwrap_or_default();
            Some(Pair {
                text,
                name,
                is_escaped,
            })
        })
    }
}

// === impl Pair ===

impl<'a> Pair<'a> {
    #[inline]
    pub(super) fn name(&self) -> &'a str {
        &self.text[..self.name]
    }

    /// As it was before it was escaped.
    pub(super) fn value(&self) -> Cow<'a, str> {
        let value = &self.text[self.name + BETWEEN..];
        if self.is_escaped {
            Cow::Owned(unescaped(value))
        } else {
            Cow::Borrowed(value)
        }
    }

    /// The name and the value with two bytes between them, where nothing is escaped.
    #[inline]
    pub(super) fn plain(&self) -> Option<&'a str> {
        Some(self.text).filter(|_| !self.is_escaped)
    }
}

/// A value within quotes.
pub(super) fn escaped(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(value);
    }
    let mut escaped = String::with_capacity(value.len() + 8);
    for character in value.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// What is shown of a value that was seen.
pub(super) fn shortened(value: &str) -> &str {
    match value.char_indices().nth(LONGEST_SEEN) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}

/// Where the quote is that ends the escaped value which begins there, and whether something before it is escaped.
#[inline]
fn end_of_value(text: &[u8], start: usize) -> Option<(usize, bool)> {
    let (mut end, mut is_escaped) = (start, false);
    loop {
        end += first_of(text.get(end..)?, b'"', b'\\')?;
        if text.get(end) == Some(&b'"') {
            return Some((end, is_escaped));
        }
        is_escaped = true;
        end += 2;
    }
}

/// Where the first of two bytes is. Eight are looked at together, for this is most of what labels cost.
#[inline]
fn first_of(text: &[u8], one: u8, other: u8) -> Option<usize> {
    const LOWEST: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = LOWEST << 7;
    // The highest bit of each byte that is zero; behind the first of them, of some others, too.
    let zeros = |eight: u64| eight.wrapping_sub(LOWEST) & !eight & HIGHEST;
    let (eights, rest) = text.as_chunks();
    for (place, eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        let all = |byte: u8| LOWEST * u64::from(byte);
        let found = zeros(eight ^ all(one)) | zeros(eight ^ all(other));
        if found != 0 {
            return Some(place * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|byte| [one, other].contains(byte));
    found.map(|place| eights.len() * 8 + place)
}

fn unescaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_read_again() {
        let odd = "back\\slash \"quoted\", a=\"b\"\nnext\\";
        let labels = Labels::default()
            .with("plain", "grün")
            .with("odd", odd)
            .with("empty", "")
            .with("last", "n");
        assert_eq!(
            labels.as_str(),
            r#"plain="grün",odd="back\\slash \"quoted\", a=\"b\"\nnext\\",empty="",last="n""#
        );
        let pairs = labels.pairs().map(|pair| (pair.name(), pair.value()));
        let pairs: Vec<(&str, Cow<'_, str>)> = pairs.collect();
        let expected = [
            ("plain", "grün"),
            ("odd", odd),
            ("empty", ""),
            ("last", "n"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name, value.into())));
        assert_eq!(Labels::default().pairs().count(), 0);
    }

    #[test]
    fn the_first_of_two_bytes_is_found_wherever_it_is() {
        for length in 0..40 {
            for place in 0..length {
                let mut text = vec![b'#'; length];
                // The neighbours of what is looked for, which are not to be taken for it.
                text.iter_mut().step_by(2).for_each(|byte| *byte = b'!');
                assert_eq!(first_of(&text, b'"', b'\\'), None);
                text[place..].fill(b'#');
                text[place] = if length % 2 == 0 { b'"' } else { b'\\' };
                assert_eq!(first_of(&text, b'"', b'\\'), Some(place));
                text[length - 1] = b'"';
                assert_eq!(first_of(&text, b'"', b'\\'), Some(place));
            }
        }
    }

    #[test]
    fn what_was_seen_is_cut_between_characters_and_before_escaping() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ü".repeat(300)), "ü".repeat(256));
        let labels = Labels::default().with_seen("url", &"\"".repeat(300));
        assert_eq!(labels.0, format!("url=\"{}\"", "\\\"".repeat(256)));
    }
}
