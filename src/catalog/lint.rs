//! What every data file must hold to, so that nobody finds out by a probe that fails: for `reachd catalog lint`.
//!
//! * `each`: rules for one feature. `together`: rules for all of them.

mod each;
#[cfg(test)]
mod tests;
mod together;

use url::{Host, Url};

use super::data::{self, Catalog};
use super::feature::{Entry, Feature};
use super::template::Template;

/// What is wrong with the built-in catalog: nothing, where nobody edits it by mistake.
#[must_use]
pub fn lint() -> Vec<String> {
    match data::catalog() {
        Ok(catalog) => faults(catalog),
        Err(error) => vec![error.to_string()],
    }
}

fn faults(catalog: &Catalog) -> Vec<String> {
    let mut faults = Vec::new();
    for feature in &catalog.features {
        let broken = each::RULES.iter().flat_map(|rule| rule(feature));
        faults.extend(broken.map(|fault| format!("{}: {fault}", feature.name)));
    }
    faults.extend(together::RULES.iter().flat_map(|rule| rule(catalog)));
    faults
}

// === What the rules have in common ===

fn broken(feature: &Feature, what: &str, is_broken: impl Fn(&Entry) -> bool) -> Vec<String> {
    let entries = feature.entries.iter().filter(|entry| is_broken(entry));
    entries
        .map(|entry| format!("{} {what}", entry.url.as_str()))
        .collect()
}

/// The URL with something in the place of what is open.
fn sample(entry: &Entry) -> String {
    Template::open(entry.url.as_str()).replace('*', "any")
}

fn host(entry: &Entry) -> Option<Host<String>> {
    Some(Url::parse(&sample(entry)).ok()?.host()?.to_owned())
}

fn scheme(entry: &Entry) -> &str {
    let (scheme, _) = entry.url.as_str().split_once("://").unwrap_or_default();
    scheme
}

/// Part of a sentence, to be put behind a colon.
fn is_reason(text: &str) -> bool {
    !text.is_empty() && !text.ends_with('.')
}

/// `2026-06-08`, `2020-06`
fn is_date(text: &str) -> bool {
    let numbers: Option<Vec<u16>> = text.split('-').map(|part| part.parse().ok()).collect();
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    matches!(
        (numbers.as_deref(), lengths.as_slice()),
        (Some([2000..=2099, 1..=12]), [4, 2]) | (Some([2000..=2099, 1..=12, 1..=31]), [4, 2, 2])
    )
}
