//! Applies what the configuration takes from the catalog: features of a cloud, gated by release, templates
//! filled, overrides attached. Every problem is found at once.

use std::collections::{BTreeMap, BTreeSet};

use super::cloud::{Cloud, Release};
use super::feature::{Feature, Missing};
use super::overrides;
use super::requirements::Requirements;
use super::template::is_fit;
use super::{Selected, did_you_mean, features};
use crate::config::{CatalogSelection, Located, Location, Problem, Problems};

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

/// Applies a selection to these features.
pub(super) fn select_from(
    features: &[Feature],
    selection: &CatalogSelection,
) -> Result<Selected, Problems> {
    let mut problems = Vec::new();
    let cloud = cloud(&selection.cloud, &mut problems);
    let release = release(selection.configmgr_version.as_ref(), &mut problems);
    let chosen = chosen(features, &selection.features, &mut problems);
    check_variables(features, &selection.variables, &mut problems);
    if let Some(cloud) = cloud {
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
    for (feature, at) in &chosen {
        let requirements = Requirements {
            feature,
            at,
            cloud,
            release,
            variables: &selection.variables,
        };
        requirements.add_to(&mut selected, &mut problems);
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

fn cloud(written: &Located<String>, problems: &mut Vec<Problem>) -> Option<Cloud> {
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

fn release(written: Option<&Located<u16>>, problems: &mut Vec<Problem>) -> Option<Release> {
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

/// The features that are named, each with the place where it is.
fn chosen<'a>(
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
                hint: Some(did_you_mean(
                    value,
                    features.iter().map(|feature| feature.name.as_str()),
                )),
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

/// A variable may be meant for a feature or a cloud that is not selected now, but not for nothing at all.
fn check_variables(
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
