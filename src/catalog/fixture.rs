//! A small feature with an entry of every sort, for tests of what is shown of the catalog.

use std::collections::BTreeMap;

use super::data::{document, read};
use super::feature::Feature;
use super::scope::{Asked, Scope};
use super::written::Shared;

const SOURCES: &str = "
old: {title: An old list, document: d/old.md, date: 2020-06}
new: {title: The list, document: d/new.md, date: 2026-06-08}
";

const FEATURE: &str = "
feature: small
title: Small
summary: A feature with an entry of every sort.
from: [console, client]
clouds: {public: {since: 2002}, us-government: {since: 2107}}
absent: {china: not there}
defaults: {critical: true, why: It is needed., breaks: Everything., logs: [a.log], sources: [new]}
entries:
  - {url: 'https://aka.ms/link', follow_redirects: true, hold: {for: 180s}, note: 'Look at <this> and *that*.'}
  - {url: 'https://*.wild.example', kind: wildcard, inspection: unsupported}
  - {url: 'https://<region>.wild.example', stands_in_for: '*.wild.example', clouds: [public]}
  - {url: 'https://plain.wild.example', stands_in_for: '*.wild.example', critical: false, sources: [old, new]}
  - {url: 'https://*-inner.other.example', kind: wildcard, not_probed: no host below it is documented}
  - {url: 'http://crl.example', kind: crl, critical: false, why: 'Asked for \"once\", by one list.', sources: [old]}
  - {url: 'udp://time.example:123', not_probed: reachd does not speak NTP}
  - {url: 'https://later.example', since: 2503, clouds: [public]}
";

/// The feature, for as long as the tests run.
pub(super) fn small() -> &'static Feature {
    let shared = Shared {
        sources: document(SOURCES).unwrap(),
        roots: BTreeMap::new(),
    };
    Box::leak(Box::new(read(FEATURE, &shared).unwrap()))
}

/// A scope such as `public@2503`, with nothing to fill templates.
pub(super) fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

/// The public cloud, with something to fill the templates of the built-in catalog.
pub(super) fn with_gateway(host: &str) -> Scope {
    let asked = Asked {
        variables: vec![("gateway_host".to_owned(), host.to_owned())],
        ..Asked::default()
    };
    Scope::of(&asked.over(None)).unwrap()
}
