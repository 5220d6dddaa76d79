//! One feature in full, for one cloud and release: what `reachd catalog show` shows.

use serde::Serialize;

use super::ask::{AskError, feature_named};
use super::cloud::{Cloud, Release};
use super::feature::{Connector, Feature, Kind, Retired};
use super::need::Need;
use super::scope::Scope;

/// A feature with everything that it needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sheet {
    /// The name in `catalog.features`.
    pub feature: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// In which cloud.
    pub cloud: Cloud,
    /// With which release.
    pub configmgr_version: Release,
    /// The first release that has it there, where that is documented.
    pub since: Option<Release>,
    /// Who connects.
    pub from: &'static [Connector],
    /// Since when it is gone, if it is.
    pub retired: Option<&'static Retired>,
    /// What it needs.
    pub entries: Vec<Need<'static>>,
    /// On what the entries rest.
    pub sources: Vec<Cited>,
}

/// A document on which entries of a sheet rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cited {
    /// How entries name it.
    pub key: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its repository and path.
    pub document: &'static str,
    /// The date it bears.
    pub date: &'static str,
}

// === impl Sheet ===

impl Sheet {
    /// The sheet of a feature.
    ///
    /// # Errors
    /// There is no such feature, or the scope does not have it.
    pub fn new(name: &str, scope: &Scope) -> Result<Self, AskError> {
        Self::of(feature_named(name)?, scope)
    }

    pub(super) fn of(feature: &'static Feature, scope: &Scope) -> Result<Self, AskError> {
        scope.check(feature)?;
        let entries = scope.needs(feature)?;
        Ok(Self {
            feature: &feature.name,
            title: &feature.title,
            summary: &feature.summary,
            cloud: scope.cloud,
            configmgr_version: scope.release,
            since: feature.clouds.get(&scope.cloud).copied().flatten(),
            from: &feature.from,
            retired: feature.retired.as_ref(),
            sources: cited(feature, &entries),
            entries,
        })
    }

    /// The entries that name a host, or a template of one.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &Need<'static>> {
        let entries = self.entries.iter();
        entries.filter(|need| need.kind != Kind::Wildcard)
    }

    /// The entries that name no host.
    pub(super) fn wildcards(&self) -> impl Iterator<Item = &Need<'static>> {
        let entries = self.entries.iter();
        entries.filter(|need| need.kind == Kind::Wildcard)
    }

    /// What is not probed, and nothing in its place.
    pub(super) fn not_probed(&self) -> impl Iterator<Item = (&Need<'static>, &str)> {
        let entries = self.entries.iter();
        entries.filter_map(|need| Some((need, need.not_probed.as_deref()?)))
    }
}

fn cited(feature: &'static Feature, entries: &[Need<'_>]) -> Vec<Cited> {
    let is_cited = |key: &String| {
        entries
            .iter()
            .any(|need| need.sources.iter().any(|source| source.key == key))
    };
    let sources = feature.sources.iter().filter(|(key, _)| is_cited(key));
    sources
        .map(|(key, source)| Cited {
            key,
            title: &source.title,
            document: &source.document,
            date: &source.date,
        })
        .collect()
}
