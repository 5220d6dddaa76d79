//! Rules for one feature.

use std::collections::HashSet;

use url::Url;

use super::{broken, is_date, is_reason, sample, scheme};
use crate::catalog::cloud::{Cloud, Release};
use crate::catalog::feature::{Feature, Kind, covers};
use crate::endpoint::Inspection;

/// A rule is broken by everything it says.
type Rule = fn(&Feature) -> Vec<String>;

pub(super) const RULES: &[Rule] = &[
    every_cloud_is_decided,
    names_are_unique_in_each_cloud,
    urls_are_valid_and_lower_case,
    kinds_and_schemes_agree,
    stand_ins_are_inside_a_wildcard_of_their_clouds,
    wildcards_have_a_stand_in_or_a_reason,
    every_entry_rests_on_a_source,
    nothing_is_left_empty,
    every_cloud_has_entries,
    texts_are_short_sentences,
    gates_are_inside_the_features_own,
    only_what_has_known_roots_can_be_inspected,
    statuses_are_those_of_http,
    retirement_is_dated,
];

/// The longest sentence that fits a row of a table.
const LONGEST_SENTENCE: usize = 160;

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
    if feature.title.is_empty() || feature.from.is_empty() || feature.entries.is_empty() {
        faults.push("the feature needs a title, who connects, and entries".to_owned());
    }
    faults
}

fn every_cloud_has_entries(feature: &Feature) -> Vec<String> {
    let required = |cloud| {
        let mut entries = feature.entries.iter();
        entries.any(|entry| entry.clouds.contains(cloud))
    };
    let empty = feature.clouds.keys().filter(|cloud| !required(cloud));
    empty
        .map(|cloud| format!("nothing is required in {cloud}, which the feature says to be in"))
        .collect()
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
