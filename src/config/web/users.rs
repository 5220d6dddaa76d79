//! `basic_auth_users`: names with the bcrypt hash of their password.

use std::collections::BTreeMap;
use std::str::FromStr;

use bcrypt::HashParts;

use crate::config::reader::Value;
use crate::route::Secret;

/// At twice the work for each step more, this takes some seconds; beyond it nobody waits for an answer.
const MAX_COST: u32 = 16;

const MIN_COST: u32 = 4;

pub(super) fn read(value: &Value<'_>) -> Option<BTreeMap<String, Secret>> {
    let users = value.entries()?.into_iter();
    let user = |(name, value): (&str, Value<'_>)| {
        if name.is_empty() || name.contains(':') || name.contains(char::is_control) {
            return value.refuse_with(
                "nobody can log in by this name",
                "a name is not empty, and has neither `:` nor control characters".to_owned(),
            );
        }
        Some((name.to_owned(), hash(&value)?))
    };
    Some(users.filter_map(user).collect())
}

/// What is wrong is told without the hash, which may be a password.
fn hash(value: &Value<'_>) -> Option<Secret> {
    let text = value.written()?;
    let Ok(parts) = HashParts::from_str(text) else {
        return value.refuse_with(
            "this is no bcrypt hash",
            "make one by `htpasswd -nBC 10 NAME`".to_owned(),
        );
    };
    let cost = parts.get_cost();
    if !(MIN_COST..=MAX_COST).contains(&cost) {
        return value.refuse(format!(
            "the cost {cost} of the bcrypt hash is not between {MIN_COST} and {MAX_COST}"
        ));
    }
    Some(Secret::new(text.to_owned()))
}
