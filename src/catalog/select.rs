//! Applies what the configuration takes from the catalog: features of a cloud, gated by release, templates
//! filled, overrides attached. Every problem is found at once.

use std::collections::{BTreeMap, BTreeSet};

use super::cloud::{Cloud, Release};
use super::feature::{Feature, Missing};
use super::overrides;
use super::requirements::Requirements;
use super::template::is_fit;
use super::{NotProbed, Selected, did_you_mean, features, left_out};
use crate::config::{CatalogSelection, Located, Location, Problem, Problems};

/// The name in `catalog.features` that stands for every feature.
pub(super) const ALL: &str = "all";

/// Applies a selection to the built-in catalog.
///
/// # Errors
/// Unknown clouds, features, versions, variables or overrides; a feature that the cloud does not have.
pub fn select(selection: &CatalogSelection) -> Result<Selected, Problems> {
    match features() {
        Ok(features) => select_from(features, selection),
        Err(error) => Err(Problems(vec![Problem {
            at: Location::default(),
            message: error.to_string(),
            hint: None,
        }])),
    }
}

/// What somebody should know of a selection that holds: features that are retired.
#[must_use]
pub fn notices(selection: &CatalogSelection) -> Vec<String> {
    let features = features().unwrap_or_default();
    let named = selection.features.iter();
    named
        .filter_map(|name| {
            let feature = features.iter().find(|feature| feature.name == name.value)?;
            let retired = feature.retired.as_ref()?;
            let (title, on, why) = (&feature.title, &retired.on, &retired.why);
            Some(format!(
                "{title} ({}) is retired ({on}): {why}",
                feature.name
            ))
        })
        .collect()
}

/// Applies a selection to these features.
pub(super) fn select_from(
    features: &[Feature],
    selection: &CatalogSelection,
) -> Result<Selected, Problems> {
    let mut problems = Vec::new();
    let cloud = cloud(&selection.cloud, &mut problems);
    let release = release(selection.configmgr_version.as_ref(), &mut problems);
    let is_all = takes_all(&selection.features, &mut problems);
    let mut chosen = if is_all {
        all(features, &selection.features)
    } else {
        named(features, &selection.features, &mut problems)
    };
    check_variables(features, &selection.variables, &mut problems);
    if let Some(cloud) = cloud.filter(|_| !is_all) {
        for (feature, at) in &chosen {
            // Whether the cloud has it at all can be said even where the release is wrong.
            let release = release.unwrap_or(Release::NEWEST);
            problems.extend(check_feature(feature, at, cloud, selection, release));
        }
    }

    // Overrides are matched only with a selection that holds: after an unknown cloud none would match.
    let (Some(cloud), Some(release), true) = (cloud, release, problems.is_empty()) else {
        return Err(Problems(problems));
    };
    let mut selected = Selected::default();
    chosen.retain(|(feature, _)| match feature.check(cloud, release) {
        Ok(()) => true,
        Err(missing) => {
            selected.not_probed.push(without(feature, &missing));
            false
        }
    });
    for (feature, at) in &chosen {
        let requirements = Requirements {
            feature,
            at,
            cloud,
            release,
            variables: &selection.variables,
        };
        requirements.add_to(&mut selected, &mut problems);
        requirements.add_wildcards_to(&mut selected);
    }
    overrides::attach(&selection.overrides, &mut selected, &mut problems);
    for (feature, _) in &chosen {
        overrides::tell_uncovered(
            feature.required(cloud, release),
            &feature.name,
            &mut selected,
        );
    }
    if problems.is_empty() {
        Ok(selected)
    } else {
        Err(Problems(problems))
    }
}

// === The parts of a selection ===

pub(super) fn cloud(written: &Located<String>, problems: &mut Vec<Problem>) -> Option<Cloud> {
    let cloud = Cloud::named(&written.value);
    if cloud.is_none() {
        problems.push(Problem {
            at: written.at.clone(),
            message: format!("there is no cloud \"{}\"", written.value),
            hint: Some(did_you_mean(&written.value, Cloud::ALL.map(Cloud::as_str))),
        });
    }
    cloud
}

pub(super) fn release(
    written: Option<&Located<u16>>,
    problems: &mut Vec<Problem>,
) -> Option<Release> {
    let Some(written) = written else {
        return Some(Release::NEWEST);
    };
    match Release::try_from(written.value) {
        Ok(release) => Some(release),
        Err(error) => {
            let nearest = Release::nearest_to(written.value);
            problems.push(Problem {
                at: written.at.clone(),
                message: error.to_string(),
                hint: Some(format!("{nearest} is the nearest")),
            });
            None
        }
    }
}

/// Whether the selection is every feature instead of named ones.
fn takes_all(written: &[Located<String>], problems: &mut Vec<Problem>) -> bool {
    let all = written.iter().find(|name| name.value == ALL);
    if let Some(Located { at, .. }) = all.filter(|_| written.len() > 1) {
        problems.push(Problem {
            at: at.clone(),
            message: format!(
                "`{ALL}` stands alone, for it takes every feature that is not retired"
            ),
            hint: Some(format!("write either features: [{ALL}] or the names")),
        });
    }
    all.is_some()
}

/// Every feature that is not retired.
fn all<'a>(
    features: &'a [Feature],
    written: &'a [Located<String>],
) -> Vec<(&'a Feature, &'a Location)> {
    let Some(Located { at, .. }) = written.first() else {
        return Vec::new();
    };
    let current = features.iter().filter(|feature| feature.retired.is_none());
    current.map(|feature| (feature, at)).collect()
}

/// The features that are named, each with the place where it is.
fn named<'a>(
    features: &'a [Feature],
    written: &'a [Located<String>],
    problems: &mut Vec<Problem>,
) -> Vec<(&'a Feature, &'a Location)> {
    let mut chosen: Vec<(&Feature, &Location)> = Vec::new();
    for Located { value, at } in written {
        let Some(feature) = features.iter().find(|feature| feature.name == *value) else {
            problems.push(Problem {
                at: at.clone(),
                message: format!("the catalog has no feature \"{value}\""),
                hint: Some(hint(features, value)),
            });
            continue;
        };
        if chosen.iter().any(|(other, _)| other.name == feature.name) {
            problems.push(Problem {
                at: at.clone(),
                message: format!("the feature {value} is named twice"),
                hint: None,
            });
            continue;
        }
        chosen.push((feature, at));
    }
    chosen
}

fn hint(features: &[Feature], written: &str) -> String {
    if let Some(why) = left_out().ok().and_then(|names| names.get(written)) {
        return why.clone();
    }
    did_you_mean(
        written,
        features.iter().map(|feature| feature.name.as_str()),
    )
}

/// What stands for a whole feature that the cloud does not have with this release.
fn without(feature: &Feature, missing: &Missing) -> NotProbed {
    NotProbed {
        service: feature.name.clone(),
        endpoint: "all endpoints".to_owned(),
        why: missing.to_string(),
    }
}

/// A variable may be meant for a feature or a cloud that is not selected now, but not for nothing at all.
pub(super) fn check_variables(
    features: &[Feature],
    variables: &BTreeMap<String, Located<String>>,
    problems: &mut Vec<Problem>,
) {
    let known: BTreeSet<&str> = features
        .iter()
        .flat_map(|feature| &feature.entries)
        .flat_map(|entry| entry.url.variables())
        .collect();
    for (name, Located { value, at }) in variables {
        if !known.contains(name.as_str()) {
            problems.push(Problem {
                at: at.clone(),
                message: format!("no template of the catalog has a variable \"{name}\""),
                hint: Some(did_you_mean(name, known.iter().copied())),
            });
        } else if !is_fit(value) {
            problems.push(Problem {
                at: at.clone(),
                message: format!("\"{value}\" cannot be a part of a host name"),
                hint: Some("letters, digits, dots and hyphens only: no scheme, no path".to_owned()),
            });
        }
    }
}

/// Whether the cloud has the feature with this release, told where the file says otherwise.
fn check_feature(
    feature: &Feature,
    at: &Location,
    cloud: Cloud,
    selection: &CatalogSelection,
    release: Release,
) -> Option<Problem> {
    let missing = feature.check(cloud, release).err()?;
    let version = selection.configmgr_version.as_ref();
    let (at, hint) = match &missing {
        Missing::InCloud { .. } => (at, "choose another cloud"),
        Missing::BeforeRelease { .. } => {
            (version.map_or(at, |version| &version.at), "update the site")
        }
    };
    Some(Problem {
        at: at.clone(),
        message: missing.to_string(),
        hint: Some(format!(
            "remove {} from catalog.features, or {hint}",
            feature.name
        )),
    })
}
