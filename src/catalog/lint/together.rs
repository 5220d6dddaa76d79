//! Rules for all features together.

use std::collections::{BTreeSet, HashSet};

use url::Host;

use super::{host, is_date, is_reason, scheme};
use crate::catalog::data::Catalog;
use crate::catalog::select::ALL;

/// A rule is broken by everything it says.
type Rule = fn(&Catalog) -> Vec<String>;

pub(super) const RULES: &[Rule] = &[
    features_have_names_of_their_own,
    sources_are_dated_and_used,
    revocation_hosts_are_marked_everywhere,
];

fn features_have_names_of_their_own(catalog: &Catalog) -> Vec<String> {
    let mut seen: HashSet<&str> = catalog.left_out.keys().map(String::as_str).collect();
    seen.insert(ALL);
    let names = catalog.features.iter().map(|feature| feature.name.as_str());
    let is_plain = |name: &str| {
        let mut characters = name.chars();
        characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let mut faults: Vec<String> = names
        .filter(|name| !seen.insert(name) || !is_plain(name))
        .map(|name| format!("{name}: the name is taken, or not in lower case with hyphens"))
        .collect();
    let unreasoned = catalog.left_out.iter().filter(|(_, why)| !is_reason(why));
    faults.extend(unreasoned.map(|(name, _)| format!("{name}: left out without a reason")));
    faults
}

fn sources_are_dated_and_used(catalog: &Catalog) -> Vec<String> {
    let used: BTreeSet<&String> = catalog
        .features
        .iter()
        .flat_map(|feature| &feature.entries)
        .flat_map(|entry| &entry.sources)
        .collect();
    let mut faults = Vec::new();
    for (key, source) in &catalog.sources {
        if !is_date(&source.date) || source.title.is_empty() || source.document.is_empty() {
            faults.push(format!(
                "the source {key} lacks a title, a document or a date"
            ));
        }
        if !used.contains(key) {
            faults.push(format!("nothing rests on the source {key}"));
        }
    }
    faults
}

/// A host from which Windows fetches what it needs to check certificates is one for every feature.
fn revocation_hosts_are_marked_everywhere(catalog: &Catalog) -> Vec<String> {
    let entries = || {
        catalog.features.iter().flat_map(|feature| {
            let entries = feature.entries.iter();
            entries.map(move |entry| (feature.name.as_str(), entry))
        })
    };
    let marked: HashSet<Host<String>> = entries()
        .filter(|(_, entry)| entry.kind.serves_revocation())
        .filter_map(|(_, entry)| host(entry))
        .collect();
    let unmarked = entries().filter(|(_, entry)| {
        let is_marked = host(entry).is_some_and(|host| marked.contains(&host));
        is_marked && scheme(entry) == "http" && !entry.kind.serves_revocation()
    });
    unmarked
        .map(|(feature, entry)| {
            let url = entry.url.as_str();
            format!("{feature}: {url} must be marked as crl, ocsp, aia or ctl, as it is elsewhere")
        })
        .collect()
}
