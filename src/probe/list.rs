//! The syntax of header fields that are lists: where their members part, and where a challenge begins.

/// The members of a list, which are parted by commas outside quotes (RFC 9110 §5.6.1).
pub(super) fn members(text: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                members.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(text[start..].trim());
    members
}

/// The scheme with which a member of a list of challenges begins; none where it is but a parameter of the
/// challenge before it (RFC 9110 §11.3).
pub(super) fn scheme(member: &str) -> Option<&str> {
    let end = member.find([' ', '\t', '=']).unwrap_or(member.len());
    let (token, rest) = member.split_at(end);
    let is_parameter = rest.trim_start().starts_with('=');
    (!token.is_empty() && !is_parameter).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_within_quotes_part_nothing() {
        let table: [(&str, &[&str]); 4] = [
            ("a, b", &["a", "b"]),
            (r#"a="x, y", b"#, &[r#"a="x, y""#, "b"]),
            (r#"a="\", b", c"#, &[r#"a="\", b""#, "c"]),
            ("", &[""]),
        ];
        for (text, expected) in table {
            assert_eq!(members(text), expected, "{text}");
        }
    }

    #[test]
    fn a_parameter_begins_no_challenge() {
        assert_eq!(scheme("Basic realm=\"x\""), Some("Basic"));
        assert_eq!(scheme("NTLM"), Some("NTLM"));
        assert_eq!(scheme("qop = \"auth\""), None);
        assert_eq!(scheme(""), None);
    }
}
