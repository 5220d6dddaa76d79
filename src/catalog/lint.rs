//! What every data file must hold to: a file that is wrong, or that nobody can review, fails here.

use std::collections::HashSet;

use regex::Regex;
use url::Url;

use super::feature::{Feature, Kind, covers};
use super::{Cloud, features};

/// A rule is broken by everything it says.
type Rule = fn(&Feature) -> Vec<String>;

const RULES: &[Rule] = &[
    every_cloud_is_decided,
    names_are_unique_in_each_cloud,
    urls_are_valid_and_lower_case,
    kinds_and_schemes_agree,
    stand_ins_are_inside_a_wildcard_of_their_clouds,
    sources_are_named_and_dated,
    nothing_is_left_empty,
    gates_are_inside_the_features_own,
];

#[test]
fn every_feature_keeps_every_rule() {
    for feature in features().unwrap() {
        let broken: Vec<String> = RULES.iter().flat_map(|rule| rule(feature)).collect();
        assert!(
            broken.is_empty(),
            "{}:\n{}",
            feature.name,
            broken.join("\n")
        );
    }
}

#[test]
fn every_rule_can_be_broken() {
    let broken_file = "
feature: x
title: X
summary: ''
clouds: {public: {since: 2107}}
sources: {unused: {title: T, document: d, date: last year}}
entries:
  - {url: 'https://A.example', clouds: [china], kind: crl, critical: true, why: '', breaks: b, logs: [], sources: []}
  - {url: 'https://B.example/', clouds: [public], kind: endpoint, critical: true, why: w, breaks: b, logs: [l], sources: [s], stands_in_for: '*.a.example', since: 2002}
  - {url: 'http://B.example', clouds: [public], kind: endpoint, critical: true, why: w, breaks: b, logs: [l], sources: [s]}
";
    let feature = super::data::read(broken_file).unwrap();
    for (number, rule) in RULES.iter().enumerate() {
        assert!(!rule(&feature).is_empty(), "rule {number} found nothing");
    }
}

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
        entry
            .clouds
            .iter()
            .map(|cloud| (entry.name().to_lowercase(), *cloud))
    });
    let repeated = pairs.filter(|pair| !seen.insert(pair.clone()));
    repeated
        .map(|(name, cloud)| format!("{name} is twice in {cloud}"))
        .collect()
}

fn urls_are_valid_and_lower_case(feature: &Feature) -> Vec<String> {
    let mut broken = Vec::new();
    for entry in &feature.entries {
        let sample = entry
            .url
            .variables()
            .fold(entry.url.as_str().replace('*', "any"), |url, name| {
                url.replace(&format!("<{name}>"), "any")
            });
        let is_canonical =
            Url::parse(&sample).is_ok_and(|url| url.as_str().trim_end_matches('/') == sample);
        if !is_canonical {
            broken.push(format!(
                "{} is no URL in its plainest form",
                entry.url.as_str()
            ));
        }
    }
    broken
}

fn kinds_and_schemes_agree(feature: &Feature) -> Vec<String> {
    let disagree = feature.entries.iter().filter(|entry| {
        let url = entry.url.as_str();
        let is_plain = url.starts_with("http://");
        let stars = url.matches('*').count();
        let is_wildcard = entry.kind == Kind::Wildcard;
        (entry.kind.serves_certificate_checks() && !is_plain) || stars != usize::from(is_wildcard)
    });
    disagree
        .map(|entry| {
            format!(
                "{} is not of the kind {}",
                entry.url.as_str(),
                entry.kind.as_str()
            )
        })
        .collect()
}

fn stand_ins_are_inside_a_wildcard_of_their_clouds(feature: &Feature) -> Vec<String> {
    let mut broken = Vec::new();
    for entry in &feature.entries {
        let Some(wildcard) = &entry.stands_in_for else {
            continue;
        };
        for cloud in &entry.clouds {
            let known = feature.entries.iter().any(|other| {
                other.kind == Kind::Wildcard
                    && other.name() == wildcard
                    && other.clouds.contains(cloud)
            });
            let is_filled_later = entry.url.variables().next().is_some();
            if !known || !(is_filled_later || covers(wildcard, entry.name())) {
                broken.push(format!(
                    "{} cannot stand in for {wildcard} in {cloud}",
                    entry.name()
                ));
            }
        }
    }
    broken
}

fn sources_are_named_and_dated(feature: &Feature) -> Vec<String> {
    let mut broken = Vec::new();
    let date = Regex::new(r"^20\d\d-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?$").unwrap();
    for (key, source) in &feature.sources {
        if !date.is_match(&source.date) || source.title.is_empty() || source.document.is_empty() {
            broken.push(format!(
                "the source {key} lacks a title, a document or a date"
            ));
        }
        if !feature
            .entries
            .iter()
            .any(|entry| entry.sources.contains(key))
        {
            broken.push(format!("nothing rests on the source {key}"));
        }
    }
    for entry in &feature.entries {
        let known = entry
            .sources
            .iter()
            .all(|key| feature.sources.contains_key(key));
        if entry.sources.is_empty() || !known {
            broken.push(format!("{} rests on no known source", entry.url.as_str()));
        }
    }
    broken
}

fn nothing_is_left_empty(feature: &Feature) -> Vec<String> {
    let mut broken = Vec::new();
    if feature.title.is_empty() || feature.summary.is_empty() {
        broken.push("the feature has no title or no summary".to_owned());
    }
    for entry in &feature.entries {
        let texts = [&entry.why, &entry.breaks];
        let is_sentence = |text: &&String| text.ends_with('.') && text.len() < 160;
        if !texts.iter().all(is_sentence) || entry.logs.is_empty() || entry.clouds.is_empty() {
            broken.push(format!(
                "{} needs why and breaks as short sentences, logs and clouds",
                entry.url.as_str()
            ));
        }
    }
    broken
}

fn gates_are_inside_the_features_own(feature: &Feature) -> Vec<String> {
    let mut broken = Vec::new();
    for entry in &feature.entries {
        for cloud in &entry.clouds {
            let Some(own) = feature.clouds.get(cloud) else {
                broken.push(format!(
                    "{} is for a cloud without the feature",
                    entry.url.as_str()
                ));
                continue;
            };
            let since = entry.since.unwrap_or(*own);
            if since < *own || entry.until.is_some_and(|until| until < since) {
                broken.push(format!(
                    "{} is needed when the feature is not there",
                    entry.url.as_str()
                ));
            }
        }
    }
    broken
}
