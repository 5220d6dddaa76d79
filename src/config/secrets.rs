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
    match (fields.get("password_file"), fields.get("password")) {
        (Some(file), None) => files::secret(&file),
        (None, Some(value)) => variable(&value),
        (Some(_), Some(value)) => value.refuse("either `password` or `password_file`, not both"),
        (None, None) => fields.whole().refuse("`password_file` is missing"),
    }
}

/// A secret that may stand in the file, as the value of a header that is not always one.
pub(super) fn text(value: &Value<'_>) -> Option<Secret> {
    if value.written()? == REDACTED {
        return value.refuse(format!("`{REDACTED}` stands for a value that is not shown"));
    }
    value.text().map(Secret::new)
}

fn variable(value: &Value<'_>) -> Option<Secret> {
    if !is_one_variable(value.written()?) {
        return value.refuse_with(
            "a password must not stand in the file",
            "use password_file, or ${NAME} for an environment variable".to_owned(),
        );
    }
    let secret = value.text()?;
    if secret.is_empty() {
        return value.refuse("the environment variable is empty");
    }
    Some(Secret::new(secret))
}
