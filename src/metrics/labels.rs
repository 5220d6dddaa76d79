//! Labels that many samples share, rendered once.

use std::borrow::Cow;

/// The most characters of a label value that says what was seen rather than what was configured.
const LONGEST_SEEN: usize = 256;

/// Labels as the text formats have them, without the braces around them. The other format reads them from there: it is
/// asked for by few, and every check has some.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(super) struct Labels(String);

// === impl Labels ===

impl Labels {
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

    /// Names and values, as they were before they were escaped.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let name = rest.bytes().position(|byte| byte == b'=')?;
            let value = name + "=\"".len();
            let (end, is_escaped) = end_of_value(rest.as_bytes(), value);
            let pair = (
                rest.get(..name)?,
                unescaped(rest.get(value..end)?, is_escaped),
            );
            rest = rest.get(end + "\",".len()..).unwrap_or_default();
            Some(pair)
        })
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
fn end_of_value(text: &[u8], start: usize) -> (usize, bool) {
    let (mut end, mut is_escaped) = (start, false);
    while let Some(byte) = text.get(end) {
        match byte {
            b'"' => break,
            b'\\' => {
                is_escaped = true;
                end += 2;
            }
            _ => end += 1,
        }
    }
    (end, is_escaped)
}

fn unescaped(value: &str, is_escaped: bool) -> Cow<'_, str> {
    if !is_escaped {
        return Cow::Borrowed(value);
    }
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
    Cow::Owned(plain)
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
        let pairs: Vec<(&str, Cow<'_, str>)> = labels.pairs().collect();
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
    fn what_was_seen_is_cut_between_characters_and_before_escaping() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ü".repeat(300)), "ü".repeat(256));
        let labels = Labels::default().with_seen("url", &"\"".repeat(300));
        assert_eq!(labels.0, format!("url=\"{}\"", "\\\"".repeat(256)));
    }
}
