//! Values that must never be shown: from a file, or from the environment, hardly ever from the configuration
//! itself.

use super::files;
use super::reader::{Fields, Value};
use super::substitution::is_one_variable;
use crate::route::Secret;

/// What stands in for a secret wherever one would be shown.
pub(super) const REDACTED: &str = "<secret>";

/// `password_file`, or `password: ${NAME}`.
pub(super) fn password(fields: &mut Fields<'_>) -> Option<Secret> {
    one_of(fields, "password", "password_file")
}

/// `token_file`, or `token: ${NAME}`.
pub(super) fn token(fields: &mut Fields<'_>) -> Option<Secret> {
    one_of(fields, "token", "token_file")
}

fn one_of(fields: &mut Fields<'_>, key: &'static str, file_key: &'static str) -> Option<Secret> {
    match (fields.get(file_key), fields.get(key)) {
        (Some(file), None) => files::secret(&file),
        (None, Some(value)) => variable(&value, key, file_key),
        (Some(_), Some(value)) => value.refuse(format!("either `{key}` or `{file_key}`, not both")),
        (None, None) => fields.whole().refuse(format!("`{file_key}` is missing")),
    }
}

/// A secret that may stand in the file, as the value of a header that is not always one.
pub(super) fn text(value: &Value<'_>) -> Option<Secret> {
    if value.written()? == REDACTED {
        return value.refuse(format!("`{REDACTED}` stands for a value that is not shown"));
    }
    value.text().map(Secret::new)
}

fn variable(value: &Value<'_>, key: &str, file_key: &str) -> Option<Secret> {
    if !is_one_variable(value.written()?) {
        return value.refuse_with(
            format!("a {key} must not stand in the file"),
            format!("use {file_key}, or ${{NAME}} for an environment variable"),
        );
    }
    let secret = value.text()?;
    if secret.is_empty() {
        return value.refuse("the environment variable is empty");
    }
    Some(Secret::new(secret))
}
