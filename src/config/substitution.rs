//! `${NAME}` in a value stands for an environment variable, `$$` for a dollar sign. Every other `$` is itself,
//! so that `$metadata` in a URL and `$` in a regular expression need no escape.

use std::borrow::Cow;

use thiserror::Error;

use super::Environment;

/// Why a value cannot be completed. It never shows the value.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum SubstitutionError {
    #[error("the environment variable {0} is not set")]
    NotSet(String),
    #[error("`${{` must be followed by the name of an environment variable and `}}`")]
    Malformed,
}

/// Fills in the variables.
pub(super) fn substitute<'t>(
    text: &'t str,
    environment: Environment<'_>,
) -> Result<Cow<'t, str>, SubstitutionError> {
    if !text.contains("${") && !text.contains("$$") {
        return Ok(Cow::Borrowed(text));
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            after
        } else if let Some(after) = after.strip_prefix('{') {
            let (name, after) = after
                .split_once('}')
                .filter(|(name, _)| is_variable_name(name))
                .ok_or(SubstitutionError::Malformed)?;
            let value = environment(name);
            filled.push_str(&value.ok_or_else(|| SubstitutionError::NotSet(name.to_owned()))?);
            after
        } else {
            filled.push('$');
            after
        };
    }
    filled.push_str(rest);
    Ok(Cow::Owned(filled))
}

/// The inverse of [`substitute`] for a text that is to stay as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        escaped.push(character);
        if character == '$' && matches!(characters.peek(), Some('$' | '{')) {
            escaped.push('$');
        }
    }
    escaped
}

/// Whether the text is one variable and nothing else.
pub(super) fn is_one_variable(text: &str) -> bool {
    text.strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(is_variable_name)
}

fn is_variable_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        (name == "HOST").then(|| "cm01$$".to_owned())
    }

    #[test]
    fn only_a_brace_begins_a_variable() {
        let table = [
            ("plain", "plain"),
            ("https://${HOST}/x", "https://cm01$$/x"),
            ("/$metadata", "/$metadata"),
            ("^ok$", "^ok$"),
            ("$${HOST}", "${HOST}"),
            ("$$$", "$$"),
        ];
        for (text, expected) in table {
            assert_eq!(substitute(text, &environment).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_filled_is_an_error() {
        let not_set = SubstitutionError::NotSet("NOPE".to_owned());
        assert_eq!(substitute("a${NOPE}", &environment), Err(not_set));
        for text in ["${", "${}", "${A B}", "x${HOST"] {
            let refused = substitute(text, &environment);
            assert_eq!(refused, Err(SubstitutionError::Malformed), "{text}");
        }
    }

    #[test]
    fn an_escaped_text_comes_back() {
        for text in ["plain", "$", "$$", "$$${", "a$b${c}", "^x$", "$$$$"] {
            let back = escaped(text);
            assert_eq!(substitute(&back, &environment).unwrap(), text, "{back}");
        }
    }
}
