//! What features need, for those who have to let it through or who watch it with other programs: what
//! `reachd catalog export` writes.
//!
//! A format that has comments tells in them what it cannot hold; of the others, [`Export::notices`] tells it.

mod allowlist;
mod csv;
mod file_sd;
mod markdown;
mod squid;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::ask::AskError;
use super::feature::Feature;
use super::need::Need;
use super::scope::{Scope, present};
use super::select::ALL;
use super::template::Template;
use crate::config::{CatalogSelection, Located, Overrides};

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Hosts and ports, for whoever runs the firewall.
    Allowlist,
    /// A table of everything.
    Csv,
    /// Access control lists of squid.
    Squid,
    /// Targets of Prometheus, to be probed by the `blackbox_exporter`.
    FileSd,
    /// A table to read.
    Markdown,
}

/// What some features need, with what the configuration says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    scope: Scope,
    /// Everything that is needed, feature by feature.
    needs: Vec<Need<'static>>,
    /// What the configuration turned off.
    turned_off: Vec<Need<'static>>,
    /// The features that the scope does not have, and why.
    missing: Vec<String>,
}

// === impl Export ===

impl Export {
    /// Collects what a selection needs.
    ///
    /// # Errors
    /// It names what the catalog does not know, or a feature that its cloud and release do not have.
    pub fn new(selection: &CatalogSelection) -> Result<Self, AskError> {
        let scope = Scope::of(selection)?;
        let names = selection.features.iter().map(|name| name.value.as_str());
        let features = scope.features(names)?;
        let mut export = Self::of(&features, scope, &selection.overrides)?;
        let is_all = selection.features.iter().any(|name| name.value == ALL);
        if is_all {
            let present = present()?.into_iter();
            let missing = present.filter_map(|feature| export.scope.check(feature).err());
            export.missing = missing.map(|missing| missing.to_string()).collect();
        }
        Ok(export)
    }

    /// What these features need, all of which the scope has.
    fn of(
        features: &[&'static Feature],
        scope: Scope,
        overrides: &BTreeMap<String, Located<Overrides>>,
    ) -> Result<Self, AskError> {
        let mut all = Vec::new();
        for feature in features {
            all.extend(scope.needs(feature)?);
        }
        let (needs, turned_off) = overridden(all, overrides);
        Ok(Self {
            scope,
            needs,
            turned_off,
            missing: Vec::new(),
        })
    }

    /// The export in a format.
    ///
    /// # Errors
    /// The text cannot be made, which is reachd's own fault.
    pub fn written(&self, format: ExportFormat) -> Result<String, AskError> {
        match format {
            ExportFormat::Allowlist => Ok(allowlist::written(self)),
            ExportFormat::Csv => csv::written(self),
            ExportFormat::Squid => Ok(squid::written(self)),
            ExportFormat::FileSd => file_sd::written(self),
            ExportFormat::Markdown => Ok(markdown::written(self)),
        }
    }

    /// What the format leaves out and has no comment to tell it in.
    #[must_use]
    pub fn notices(&self, format: ExportFormat) -> Vec<String> {
        match format {
            ExportFormat::Allowlist | ExportFormat::Squid | ExportFormat::Markdown => Vec::new(),
            ExportFormat::Csv => self.left_out(),
            ExportFormat::FileSd => {
                let unprobed = file_sd::unprobed(self);
                unprobed.chain(self.left_out()).collect()
            }
        }
    }

    /// What is in no format: features that are not there, endpoints that the configuration turned off.
    fn left_out(&self) -> Vec<String> {
        let off = self.turned_off.iter().map(|need| {
            let (feature, name) = (need.feature, &need.name);
            // Whoever reads of it must not close what something else needs.
            let mut others = self.needs.iter();
            let still = others.find(|other| other.address == need.address);
            let still = still.map_or_else(String::new, |other| {
                let (host, other) = (&need.address, &other.name);
                format!("; {host} is still needed for {other}")
            });
            format!("{name} ({feature}): turned off in the configuration{still}")
        });
        self.missing.iter().cloned().chain(off).collect()
    }

    /// Everything that names a host or a pattern of hosts.
    fn filled(&self) -> impl Iterator<Item = &Need<'static>> {
        let needs = self.needs.iter();
        needs.filter(|need| !need.address.is_template())
    }

    /// The hosts that are templates, what fills them, and who needs them.
    fn unfilled(&self) -> Vec<String> {
        let mut hosts: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
        for need in self.needs.iter().filter(|need| need.address.is_template()) {
            let host = Template::from(need.address.host.clone());
            let variables = host.variables();
            let flags: Vec<String> = variables
                .map(|name| format!("--variable {name}=..."))
                .collect();
            let key = (need.address.to_string(), flags.join(" "));
            hosts.entry(key).or_default().insert(need.feature);
        }
        let told = hosts.into_iter().map(|((address, flags), features)| {
            let features: Vec<&str> = features.into_iter().collect();
            format!("{address} ({}): give {flags}", features.join(", "))
        });
        told.collect()
    }

    /// The lines that open every format with comments.
    fn head(&self) -> Vec<String> {
        let Scope { cloud, release, .. } = &self.scope;
        let newest = self.needs.iter().map(Need::date).max();
        let mut features: Vec<&str> = self.needs.iter().map(|need| need.feature).collect();
        features.dedup();
        let features: Vec<String> = features.into_iter().map(marked).collect();
        vec![
            format!("What Configuration Manager {release} needs from the internet, cloud {cloud}."),
            format!(
                "Made by reachd {}; its newest source is of {}.",
                env!("CARGO_PKG_VERSION"),
                newest.unwrap_or("no date")
            ),
            format!("Features: {}", features.join(", ")),
        ]
    }

    /// All that a format with comments does not hold: titles and their lines.
    fn not_in_here(&self) -> impl Iterator<Item = (&'static str, Vec<String>)> {
        let parts = [
            (
                "Not in here, for a template names no host:",
                self.unfilled(),
            ),
            ("Not in here:", self.left_out()),
        ];
        parts.into_iter().filter(|(_, lines)| !lines.is_empty())
    }

    /// The same as the lines that end such a format.
    fn tail(&self) -> Vec<String> {
        self.not_in_here()
            .flat_map(|(title, lines)| {
                let lines = lines.into_iter().map(|line| format!("  {line}"));
                [title.to_owned()].into_iter().chain(lines)
            })
            .collect()
    }
}

/// The name of a feature, with what everybody should know of it.
fn marked(name: &str) -> String {
    let is_retired = super::feature(name).is_some_and(|feature| feature.retired.is_some());
    let mark = if is_retired { " (retired)" } else { "" };
    format!("{name}{mark}")
}

/// Applies what the configuration sets apart; what it turns off comes second. A key that is the name of an
/// endpoint is meant for that one only, even if others share its host.
fn overridden(
    needs: Vec<Need<'static>>,
    written: &BTreeMap<String, Located<Overrides>>,
) -> (Vec<Need<'static>>, Vec<Need<'static>>) {
    let names: HashSet<String> = needs.iter().map(|need| need.name.clone()).collect();
    let mut kept = Vec::new();
    let mut off = Vec::new();
    for mut need in needs {
        let of_host = written
            .get(&need.address.host)
            .filter(|_| !names.contains(&need.address.host));
        let found = [written.get(&need.name), of_host];
        let found: Vec<&Overrides> = found.into_iter().flatten().map(|it| &it.value).collect();
        let critical = found.iter().find_map(|overrides| overrides.critical);
        let enabled = found.iter().find_map(|overrides| overrides.enabled);
        need.critical = critical.unwrap_or(need.critical);
        if enabled.unwrap_or(true) {
            kept.push(need);
        } else {
            off.push(need);
        }
    }
    (kept, off)
}
