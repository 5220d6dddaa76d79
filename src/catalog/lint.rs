//! What every data file must hold to, so that nobody finds out by a probe that fails: for `reachd catalog lint`.

use std::collections::{BTreeSet, HashSet};

use url::{Host, Url};

use super::cloud::{Cloud, Release};
use super::data::{self, Catalog};
use super::feature::{Entry, Feature, Kind, covers};
use super::select::ALL;
use crate::endpoint::Inspection;

/// A rule for one feature is broken by everything it says.
type Rule = fn(&Feature) -> Vec<String>;

/// A rule for all of them together.
type CommonRule = fn(&Catalog) -> Vec<String>;

const RULES: &[Rule] = &[
    every_cloud_is_decided,
    names_are_unique_in_each_cloud,
    urls_are_valid_and_lower_case,
    kinds_and_schemes_agree,
    stand_ins_are_inside_a_wildcard_of_their_clouds,
    wildcards_have_a_stand_in_or_a_reason,
    every_entry_rests_on_a_source,
    nothing_is_left_empty,
    texts_are_short_sentences,
    gates_are_inside_the_features_own,
    only_what_has_known_roots_can_be_inspected,
    statuses_are_those_of_http,
    retirement_is_dated,
];

const COMMON_RULES: &[CommonRule] = &[
    features_have_names_of_their_own,
    sources_are_dated_and_used,
    revocation_hosts_are_marked_everywhere,
];

/// The longest sentence that fits a row of a table.
const LONGEST_SENTENCE: usize = 160;

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
        let broken = RULES.iter().flat_map(|rule| rule(feature));
        faults.extend(broken.map(|fault| format!("{}: {fault}", feature.name)));
    }
    faults.extend(COMMON_RULES.iter().flat_map(|rule| rule(catalog)));
    faults
}

// === Rules for one feature ===

fn every_cloud_is_decided(feature: &Feature) -> Vec<String> {
    let undecided = Cloud::ALL
        .into_iter()
        .filter(|cloud| feature.clouds.contains_key(cloud) == feature.absent.contains_key(cloud));
    undecided
        .map(|cloud| format!("{cloud} must be in either clouds or absent"))
        .collect()
}

fn names_are_unique_in_each_cloud(feature: &Feature) -> Vec<String> {
    let mut seen = HashSet::new();
    let pairs = feature.entries.iter().flat_map(|entry| {
        let clouds = entry.clouds.iter();
        clouds.map(|cloud| (entry.name().to_lowercase(), *cloud))
    });
    let repeated = pairs.filter(|pair| !seen.insert(pair.clone()));
    repeated
        .map(|(name, cloud)| format!("{name} is twice in {cloud}"))
        .collect()
}

fn urls_are_valid_and_lower_case(feature: &Feature) -> Vec<String> {
    broken(feature, "is no URL in its plainest form", |entry| {
        let sample = sample(entry);
        let canonical = Url::parse(&sample).ok();
        let scheme = canonical.as_ref().map(Url::scheme);
        let is_known = match scheme {
            Some("http" | "https") => true,
            Some("udp") => entry.not_probed.is_some(),
            _ => false,
        };
        let is_plain = canonical.is_some_and(|url| url.as_str().trim_end_matches('/') == sample);
        !is_known || !is_plain
    })
}

fn kinds_and_schemes_agree(feature: &Feature) -> Vec<String> {
    broken(feature, "is not of its kind", |entry| {
        let url = entry.url.as_str();
        let is_plain = url.starts_with("http://");
        let is_wildcard = entry.kind == Kind::Wildcard;
        (entry.kind.serves_revocation() && !is_plain) || url.contains('*') != is_wildcard
    })
}

fn stand_ins_are_inside_a_wildcard_of_their_clouds(feature: &Feature) -> Vec<String> {
    let stand_ins = feature.entries.iter().filter_map(|entry| {
        let wildcard = entry.stands_in_for.as_deref()?;
        Some((entry, wildcard))
    });
    let outside = stand_ins.filter(|(entry, wildcard)| {
        let is_filled_later = entry.url.variables().next().is_some();
        let host = Url::parse(&sample(entry)).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        let in_each_cloud = entry.clouds.iter().all(|cloud| {
            let mut others = feature.entries.iter();
            others.any(|other| {
                other.kind == Kind::Wildcard
                    && other.name() == *wildcard
                    && scheme(other) == scheme(entry)
                    && other.clouds.contains(cloud)
            })
        });
        !in_each_cloud || !(is_filled_later || covers(wildcard, host))
    });
    outside
        .map(|(entry, wildcard)| format!("{} cannot stand in for {wildcard}", entry.url.as_str()))
        .collect()
}

fn wildcards_have_a_stand_in_or_a_reason(feature: &Feature) -> Vec<String> {
    let what =
        "has neither a host that stands in for it in each cloud nor a reason why it is not probed";
    broken(feature, what, |wildcard| {
        let is_represented = wildcard.clouds.iter().all(|cloud| {
            feature.entries.iter().any(|entry| {
                entry.stands_in_for.as_deref() == Some(wildcard.name())
                    && entry.not_probed.is_none()
                    && entry.clouds.contains(cloud)
            })
        });
        wildcard.kind == Kind::Wildcard && is_represented == wildcard.not_probed.is_some()
    })
}

fn every_entry_rests_on_a_source(feature: &Feature) -> Vec<String> {
    broken(feature, "rests on no source", |entry| {
        entry.sources.is_empty()
    })
}

fn nothing_is_left_empty(feature: &Feature) -> Vec<String> {
    let mut faults = broken(feature, "is required in no cloud", |entry| {
        entry.clouds.is_empty()
    });
    let without_log = |entry: &Entry| entry.logs.is_empty() != feature.logs_unknown;
    let what = if feature.logs_unknown {
        "has logs, though logs_unknown says that none is documented"
    } else {
        "has no logs: where none is documented, say logs_unknown"
    };
    faults.extend(broken(feature, what, without_log));
    if feature.title.is_empty() || feature.from.is_empty() || feature.entries.is_empty() {
        faults.push("the feature needs a title, who connects, and entries".to_owned());
    }
    faults
}

fn texts_are_short_sentences(feature: &Feature) -> Vec<String> {
    let is_sentence = |text: &str| text.ends_with('.') && text.len() < LONGEST_SENTENCE;
    let mut faults = broken(
        feature,
        "needs why and breaks as short sentences",
        |entry| !is_sentence(&entry.why) || !is_sentence(&entry.breaks),
    );
    let what = "needs a reason without a period, for it follows a colon, and a note with one";
    faults.extend(broken(feature, what, |entry| {
        let reason = entry.not_probed.as_deref();
        let note = entry.note.as_deref();
        reason.is_some_and(|reason| !is_reason(reason))
            || note.is_some_and(|note| !note.ends_with('.'))
    }));
    let reasons = feature.absent.values();
    if !feature.summary.ends_with('.') || !reasons.into_iter().all(|reason| is_reason(reason)) {
        faults.push("the summary must be a sentence, and absent must say why".to_owned());
    }
    faults
}

fn gates_are_inside_the_features_own(feature: &Feature) -> Vec<String> {
    broken(
        feature,
        "is needed where or when the feature is not there",
        |entry| {
            entry.clouds.iter().any(|cloud| {
                let Some(own) = feature.clouds.get(cloud) else {
                    return true;
                };
                let since = entry.since.or(*own);
                since < *own || entry.until.is_some_and(|until| Some(until) < since)
            })
        },
    )
}

fn only_what_has_known_roots_can_be_inspected(feature: &Feature) -> Vec<String> {
    let what = "says that inspection is unsupported, which nobody can find out without roots";
    broken(feature, what, |entry| {
        entry.inspection == Inspection::Unsupported && entry.roots.is_none()
    })
}

fn statuses_are_those_of_http(feature: &Feature) -> Vec<String> {
    broken(
        feature,
        "expects a status that HTTP does not have",
        |entry| {
            entry
                .status
                .iter()
                .any(|status| !(100..=599).contains(status))
        },
    )
}

fn retirement_is_dated(feature: &Feature) -> Vec<String> {
    let is_dated = feature.retired.as_ref().is_none_or(|retired| {
        let release = retired.on.strip_prefix("release ");
        let is_release = release
            .and_then(|number| number.parse().ok())
            .is_some_and(|number: u16| Release::try_from(number).is_ok());
        (is_release || is_date(&retired.on)) && is_reason(&retired.why)
    });
    if is_dated {
        Vec::new()
    } else {
        vec!["retired needs a date or a release, and the reason".to_owned()]
    }
}

// === Rules for all of them ===

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

// === What the rules have in common ===

fn broken(feature: &Feature, what: &str, is_broken: impl Fn(&Entry) -> bool) -> Vec<String> {
    let entries = feature.entries.iter().filter(|entry| is_broken(entry));
    entries
        .map(|entry| format!("{} {what}", entry.url.as_str()))
        .collect()
}

/// The URL with something in the place of what is open.
fn sample(entry: &Entry) -> String {
    super::template::Template::open(entry.url.as_str()).replace('*', "any")
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
    match (numbers.as_deref(), lengths.as_slice()) {
        (Some([2000..=2099, 1..=12]), [4, 2]) => true,
        (Some([2000..=2099, 1..=12, 1..=31]), [4, 2, 2]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::{document, read};
    use super::super::written::Shared;
    use super::*;

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

    fn shared() -> Shared {
        Shared {
            sources: document("{s: {title: T, document: d, date: 2020-06}}").unwrap(),
            roots: document(include_str!("roots.yml")).unwrap(),
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
        let a = "url: 'https://a.example'";
        let cases = [
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
                a,
                "url: 'https://A.example'",
                "is no URL in its plainest form",
            ),
            (
                a,
                "url: 'ftp://a.example'",
                "is no URL in its plainest form",
            ),
            (
                a,
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
                a,
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
            ("logs: [l]", "logs: []", "say logs_unknown"),
            (
                "clouds: {",
                "logs_unknown: true\nclouds: {",
                "has logs, though",
            ),
            (
                "{clouds: [public]",
                "{clouds: []",
                "is required in no cloud",
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
        for (good, bad, expected) in cases {
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
        let found =
            |files: &[&str], left_out: &str| faults(&catalog_of(files, left_out)).join("\n");

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
}
