//! Every rule finds what breaks it.

use super::*;
use crate::catalog::data::{document, read};
use crate::catalog::written::Shared;

#[test]
fn the_catalog_keeps_every_rule() {
    let faults = lint();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

const GOOD: &str = "
feature: x
title: X
summary: It is there.
from: [console]
clouds: {public: {since: 2107}}
absent: {us-government: it is not there, china: it is not there}
retired: {on: 2022-11-30, why: nobody used it}
defaults: {clouds: [public], critical: true, why: W., breaks: B., logs: [l], sources: [s], roots: azure}
entries:
  - {url: 'https://a.example', inspection: unsupported, status: [200], note: N.}
  - {url: 'http://b.example', kind: crl, until: 2203}
  - {url: 'udp://c.example:123', not_probed: nobody can}
  - {url: 'https://*.d.example', kind: wildcard}
  - {url: 'https://*.e.example', kind: wildcard, not_probed: nobody can}
  - {url: 'https://f.d.example', stands_in_for: '*.d.example'}
";

/// The first entry.
const A: &str = "url: 'https://a.example'";

/// What of the good file is replaced by what, and which fault is found; none where it is empty.
const CASES: &[(&str, &str, &str)] = &[
    (
        "us-government: it is not there, ",
        "",
        "either clouds or absent",
    ),
    (
        "http://b.example', kind: crl",
        "http://a.example', kind: crl",
        "",
    ),
    (
        "https://f.d.example",
        "https://a.example",
        "a.example is twice in public",
    ),
    (
        A,
        "url: 'https://A.example'",
        "is no URL in its plainest form",
    ),
    (
        A,
        "url: 'ftp://a.example'",
        "is no URL in its plainest form",
    ),
    (
        A,
        "url: 'https://a.example:443'",
        "is no URL in its plainest form",
    ),
    (
        ", not_probed: nobody can}\n  - {url: 'https://*.d",
        "}\n  - {url: 'https://*.d",
        "is no URL in its",
    ),
    ("http://b", "https://b", "is not of its kind"),
    (
        "'https://*.d.example', kind: wildcard",
        "'https://*.d.example'",
        "is not of its kind",
    ),
    (
        A,
        "kind: wildcard, url: 'https://a.example'",
        "is not of its kind",
    ),
    (
        "https://f.d.example",
        "https://f.e.example",
        "cannot stand in for *.d.example",
    ),
    (
        "https://f.d.example",
        "http://f.d.example",
        "cannot stand in for *.d.example",
    ),
    (
        "for: '*.d.example'",
        "for: '*.g.example'",
        "cannot stand in for *.g.example",
    ),
    (", stands_in_for: '*.d.example'", "", "has neither a host"),
    (
        "kind: wildcard, not_probed: nobody can",
        "kind: wildcard",
        "has neither a host",
    ),
    ("sources: [s]", "sources: []", "rests on no source"),
    (
        "{clouds: [public]",
        "{clouds: []",
        "is required in no cloud",
    ),
    (
        "clouds: {public: {since: 2107}}",
        "clouds: {public: {since: 2107}, china: {}}",
        "nothing is required in china",
    ),
    ("[console]", "[]", "who connects"),
    ("why: W.", "why: ''", "needs why and breaks"),
    ("breaks: B.", "breaks: B", "needs why and breaks"),
    ("note: N.", "note: N", "a note with one"),
    (
        "not_probed: nobody can}",
        "not_probed: Nobody can.}",
        "a reason without a period",
    ),
    ("It is there.", "''", "the summary must be a sentence"),
    (
        "{clouds: [public]",
        "{clouds: [china]",
        "where or when the feature is not there",
    ),
    (
        "until: 2203",
        "until: 2103",
        "where or when the feature is not there",
    ),
    (
        "until: 2203",
        "since: 2103",
        "where or when the feature is not there",
    ),
    (", roots: azure", "", "without roots"),
    (
        "status: [200]",
        "status: [20]",
        "a status that HTTP does not have",
    ),
    ("on: 2022-11-30", "on: last year", "retired needs a date"),
    ("on: 2022-11-30", "on: release 2104", "retired needs a date"),
    ("on: 2022-11-30", "on: release 2303", ""),
];

fn shared() -> Shared {
    Shared {
        sources: document("{s: {title: T, document: d, date: 2020-06}}").unwrap(),
        roots: document(include_str!("../roots.yml")).unwrap(),
    }
}

fn catalog_of(files: &[&str], left_out: &str) -> Catalog {
    let shared = shared();
    let read = |text: &&str| read(text, &shared).unwrap();
    Catalog {
        features: files.iter().map(read).collect(),
        left_out: document(left_out).unwrap(),
        sources: shared.sources,
    }
}

#[test]
fn every_rule_for_a_feature_can_be_broken() {
    assert_eq!(faults(&catalog_of(&[GOOD], "{}")), Vec::<String>::new());
    for (good, bad, expected) in CASES {
        assert!(GOOD.contains(good), "{good}");
        let text = GOOD.replacen(good, bad, 1);
        let found = faults(&catalog_of(&[&text], "{}"));
        let told = found.join("\n");
        assert!(told.contains(expected), "{bad}: {told}");
        assert_eq!(told.is_empty(), expected.is_empty(), "{bad}: {told}");
    }
}

#[test]
fn every_common_rule_can_be_broken() {
    let y = GOOD.replace("feature: x", "feature: y");
    assert!(faults(&catalog_of(&[GOOD, &y], "{z: it is in y}")).is_empty());
    let found = |files: &[&str], left_out: &str| faults(&catalog_of(files, left_out)).join("\n");

    assert!(found(&[GOOD, GOOD], "{}").contains("x: the name is taken"));
    assert!(found(&[GOOD], "{x: it is in y}").contains("x: the name is taken"));
    let all = GOOD.replace("feature: x", "feature: all");
    assert!(found(&[&all], "{}").contains("all: the name is taken"));
    let underscored = GOOD.replace("feature: x", "feature: a_b");
    assert!(found(&[&underscored], "{}").contains("a_b: the name is taken"));
    assert!(found(&[GOOD], "{z: ''}").contains("z: left out without a reason"));

    let unmarked = y.replace(", kind: crl", "");
    assert!(
        found(&[GOOD, &unmarked], "{}")
            .contains("y: http://b.example must be marked as crl, ocsp, aia or ctl")
    );

    let mut catalog = catalog_of(&[GOOD], "{}");
    let mut source = catalog.sources["s"].clone();
    source.date = "last year".to_owned();
    catalog.sources.insert("t".to_owned(), source);
    let expected = [
        "the source t lacks a title, a document or a date",
        "nothing rests on the source t",
    ];
    assert_eq!(faults(&catalog), expected);
}

#[test]
fn dates_are_known() {
    for (text, expected) in [
        ("2026-06-08", true),
        ("2020-06", true),
        ("2020-13", false),
        ("2020-6", false),
        ("2020-06-32", false),
        ("2020", false),
        ("1999-06-01", false),
        ("", false),
    ] {
        assert_eq!(is_date(text), expected, "{text}");
    }
}
