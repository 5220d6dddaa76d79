//! Lines of bounded width for a terminal.

use std::borrow::Cow;
use std::fmt;

/// The width of the report in columns.
pub(super) const WIDTH: usize = 100;

/// Whether to colour. A colour only ever repeats what a word says.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

#[derive(Clone, Copy)]
pub(super) enum Colour {
    Green,
    Yellow,
    Red,
}

// === impl Paint ===

impl Paint {
    pub(super) fn word(self, word: &str, colour: Colour) -> Cow<'_, str> {
        match colour {
            Colour::Green => self.with("1;32", word),
            Colour::Yellow => self.with("1;33", word),
            Colour::Red => self.with("1;31", word),
        }
    }

    pub(super) fn bold(self, text: &str) -> Cow<'_, str> {
        self.with("1", text)
    }

    fn with<'t>(self, code: &str, text: &'t str) -> Cow<'t, str> {
        if self.0 {
            Cow::Owned(format!("\u{1b}[{code}m{text}\u{1b}[0m"))
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// Text without anything that a terminal would obey, that would begin a line, or turn the reading direction.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(obeyed) {
        Cow::Owned(text.replace(obeyed, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Writes words behind `first`, and goes on below the first word when the width is used up. A list item's mark
/// (`- `, `1. `) stays to the left of its text. A word longer than a line is left whole, to be copied.
pub(super) fn wrapped(f: &mut fmt::Formatter<'_>, first: &str, text: &str) -> fmt::Result {
    wrapped_behind(f, 0, first, text)
}

/// The same on a line on which so many columns are written.
pub(super) fn wrapped_behind(
    f: &mut fmt::Formatter<'_>,
    written: usize,
    first: &str,
    text: &str,
) -> fmt::Result {
    let text = harmless(text);
    let mut column = written + first.chars().count();
    let indent = column + mark(&text);
    f.write_str(first)?;
    let mut at_start = true;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if !at_start && column + 1 + width > WIDTH {
            write!(f, "\n{:indent$}", "")?;
            column = indent;
        } else if !at_start {
            f.write_str(" ")?;
            column += 1;
        }
        f.write_str(word)?;
        column += width;
        at_start = false;
    }
    f.write_str("\n")
}

/// The width of a list item's mark, with the space behind it.
fn mark(text: &str) -> usize {
    match text.split_once(' ') {
        Some(("-", _)) => 2,
        Some((number, _))
            if number.ends_with('.') && number.trim_end_matches('.').parse::<u8>().is_ok() =>
        {
            number.len() + 1
        }
        _ => 0,
    }
}

/// The text in at most `width` columns: its middle gives way, for both ends of a host name tell.
pub(super) fn cut(text: &str, width: usize) -> String {
    let text = harmless(text);
    let length = text.chars().count();
    if length <= width {
        return text.into_owned();
    }
    let tail = width.saturating_sub(1) / 2;
    let head = width.saturating_sub(1) - tail;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start}…{end}")
}

/// `1 check`, `2 checks`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_replaced() {
        assert_eq!(
            harmless("a\u{1b}[2Jb\r\n\u{202e}c"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c"
        );
        assert_eq!(harmless("graph.microsoft.com"), "graph.microsoft.com");
    }

    #[test]
    fn the_middle_of_a_name_gives_way() {
        assert_eq!(
            cut("us.gateway.configmgr.manage.microsoft.com", 21),
            "us.gateway…rosoft.com"
        );
        assert_eq!(cut("short", 21), "short");
        assert_eq!(cut("four", 3), "f…r");
    }
}
