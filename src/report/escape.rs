//! What the network or the configuration says, made harmless for the format in which it is written.

use std::fmt::Write;

/// In XML, in text and in attributes. Characters that XML cannot have become replacement characters.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' => {
                // A reader of attributes would make spaces of them. Writing into a String cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// In a line of Markdown: nothing of it is markup, HTML, a link or the end of a table's cell.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ if character.is_control() => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    // What looks like an address would become a link to wherever it leads.
    escaped.replace("://", ":\\//")
}

/// As code within a line of Markdown.
pub(super) fn markdown_code(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|character| match character {
            '`' => '\'',
            _ if character.is_control() => ' ',
            _ => character,
        })
        .collect();
    // Within a table, even code ends at a bar.
    format!("`{}`", plain.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_has_no_markup_and_no_forbidden_character() {
        assert_eq!(
            xml("<a b=\"c\">&\u{1b}\n]]>"),
            "&lt;a b=&quot;c&quot;&gt;&amp;\u{fffd}&#10;]]&gt;"
        );
    }

    #[test]
    fn markdown_stays_text() {
        assert_eq!(
            markdown("a|b [c](https://d) <img>\r\n`e`"),
            "a\\|b \\[c\\](https:\\//d) \\<img\\>  \\`e\\`"
        );
        assert_eq!(markdown_code("a`b|c\n"), "`a'b\\|c `");
    }
}
