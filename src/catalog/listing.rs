//! Every feature of the catalog at a glance: what `reachd catalog list` shows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ask::{AskError, all_features, all_left_out};
use super::cloud::{Cloud, Release};
use super::feature::{Connector, Feature, Kind, Retired};

/// The features, and what is not among them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listing {
    /// The release that decides what is there.
    pub configmgr_version: Release,
    /// Every feature, the retired ones too.
    pub features: Vec<Listed>,
    /// What Microsoft documents and the catalog leaves out, and why.
    pub left_out: &'static BTreeMap<String, String>,
}

/// A feature in the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// The name in `catalog.features`.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Who connects.
    pub from: &'static [Connector],
    /// What it comes to in each cloud that was asked for.
    pub clouds: Vec<InCloud>,
    /// Since when it is gone, if it is.
    pub retired: Option<&'static Retired>,
}

/// A feature in a cloud.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InCloud {
    /// The cloud.
    pub cloud: Cloud,
    /// Whether the cloud has it with the release.
    pub available: bool,
    /// The first release that has it, where that is documented.
    pub since: Option<Release>,
    /// How many endpoints it needs that can be probed, templates included.
    pub endpoints: usize,
    /// How many wildcards it needs besides.
    pub wildcards: usize,
    /// Why the cloud does not have it with any release, where that is so.
    pub absent: Option<&'static str>,
}

// === impl Listing ===

impl Listing {
    /// The features in one cloud or in all, with a release or the newest.
    pub fn new(cloud: Option<Cloud>, release: Release) -> Result<Self, AskError> {
        let clouds = cloud.map_or(Cloud::ALL.to_vec(), |cloud| vec![cloud]);
        let features = all_features()?.iter();
        Ok(Self {
            configmgr_version: release,
            features: features
                .map(|feature| Listed::new(feature, &clouds, release))
                .collect(),
            left_out: all_left_out()?,
        })
    }
}

impl Listed {
    fn new(feature: &'static Feature, clouds: &[Cloud], release: Release) -> Self {
        let clouds = clouds.iter();
        Self {
            name: &feature.name,
            title: &feature.title,
            summary: &feature.summary,
            from: &feature.from,
            clouds: clouds
                .map(|cloud| InCloud::new(feature, *cloud, release))
                .collect(),
            retired: feature.retired.as_ref(),
        }
    }
}

impl InCloud {
    fn new(feature: &'static Feature, cloud: Cloud, release: Release) -> Self {
        let available = feature.check(cloud, release).is_ok();
        let required = feature
            .required(cloud, release)
            .filter(|_| available)
            .map(|entry| entry.kind);
        let (wildcards, endpoints): (Vec<Kind>, Vec<Kind>) =
            required.partition(|kind| *kind == Kind::Wildcard);
        Self {
            cloud,
            available,
            since: feature.clouds.get(&cloud).copied().flatten(),
            endpoints: endpoints.len(),
            wildcards: wildcards.len(),
            absent: feature.absent.get(&cloud).map(String::as_str),
        }
    }
}
