//! One entry as a scope needs it: templates filled as far as they can be, wildcards with their stand-ins, and
//! why it is not probed where it is not. Every command of the catalog shows these.

use serde::Serialize;

use super::address::Address;
use super::cloud::Release;
use super::feature::{Entry, Feature, Kind, RouteChoice, name_of};
use super::scope::Scope;
use crate::endpoint::Inspection;

/// What a feature needs, in the words of the data files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Need<'a> {
    /// The feature.
    pub feature: &'a str,
    /// As the configuration's `overrides` name it.
    pub name: String,
    /// The URL; a template whose variables are not all set as it is written.
    pub url: String,
    /// Its host, which may be a wildcard or a template.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What it is.
    pub kind: Kind,
    /// Whether the feature stops without it.
    pub critical: bool,
    /// The reason for that.
    pub why: &'a str,
    /// What an administrator notices when it fails.
    pub breaks: &'a str,
    /// The log files that show it.
    pub logs: &'a [String],
    /// The first release that needs it, where that is not the feature's.
    pub since: Option<Release>,
    /// The last release that needs it.
    pub until: Option<Release>,
    /// The wildcard whose hosts it represents.
    pub stands_in_for: Option<&'a str>,
    /// Of a wildcard: what represents it.
    pub stand_ins: Vec<String>,
    /// Whether the target of its redirect is needed too.
    pub follow_redirects: bool,
    /// Whether its operator supports that a proxy inspects its traffic.
    pub inspection: Inspection,
    /// How long an idle connection to it must live, such as `3m`.
    pub hold: Option<String>,
    /// The statuses that count as reachable, where the service connection point's rule does not hold.
    pub status: &'a [u16],
    /// The route that it is probed over unless an override says otherwise.
    pub route: Option<RouteChoice>,
    /// The variables of its template that are not set.
    pub missing_variables: Vec<&'a str>,
    /// Why it is not probed as it is, where it is not.
    pub not_probed: Option<String>,
    /// On what it rests: keys of the feature's sources.
    pub sources: &'a [String],
    /// What the sources leave open, and what else is worth knowing.
    pub note: Option<&'a str>,
}

// === impl Scope ===

impl Scope {
    /// What the feature needs here, in the order of its data file. The scope must have the feature.
    #[must_use]
    pub fn needs<'a>(&self, feature: &'a Feature) -> Vec<Need<'a>> {
        let required = feature.required(self.cloud, self.release);
        let mut needs: Vec<Need<'a>> = required.map(|entry| self.need(feature, entry)).collect();
        let stand_ins: Vec<(Option<&str>, String)> = needs
            .iter()
            .map(|need| (need.stands_in_for, need.name.clone()))
            .collect();
        for wildcard in needs.iter_mut().filter(|need| need.kind == Kind::Wildcard) {
            let own = stand_ins
                .iter()
                .filter(|(of, _)| *of == Some(wildcard.name.as_str()));
            wildcard.stand_ins = own.map(|(_, name)| name.clone()).collect();
            if wildcard.not_probed.is_none() {
                wildcard.not_probed = Some(unprobed_wildcard(&wildcard.stand_ins));
            }
        }
        needs
    }

    fn need<'a>(&self, feature: &'a Feature, entry: &'a Entry) -> Need<'a> {
        let (url, missing_variables) = match entry.url.fill(&self.variables) {
            Ok(url) => (url, Vec::new()),
            Err(missing) => (entry.url.as_str().to_owned(), missing),
        };
        let Address { host, port } = Address::of(&url);
        Need {
            feature: &feature.name,
            name: entry
                .own_name
                .clone()
                .unwrap_or_else(|| name_of(&url).to_owned()),
            host,
            port,
            kind: entry.kind,
            critical: entry.critical,
            why: &entry.why,
            breaks: &entry.breaks,
            logs: &entry.logs,
            since: entry.since,
            until: entry.until,
            stands_in_for: entry.stands_in_for.as_deref(),
            stand_ins: Vec::new(),
            follow_redirects: entry.follow_redirects,
            inspection: entry.inspection,
            hold: entry
                .hold
                .map(|hold| humantime::format_duration(hold.duration).to_string()),
            status: &entry.status,
            route: entry.route,
            not_probed: entry
                .not_probed
                .clone()
                .or_else(|| unfilled(&missing_variables)),
            missing_variables,
            sources: &entry.sources,
            note: entry.note.as_deref(),
            url,
        }
    }
}

/// What to set, for a template that is not filled.
fn unfilled(missing: &[&str]) -> Option<String> {
    if missing.is_empty() {
        return None;
    }
    let settings: Vec<String> = missing
        .iter()
        .map(|name| format!("catalog.variables.{name}"))
        .collect();
    Some(format!("set {}", settings.join(" and ")))
}

fn unprobed_wildcard(stand_ins: &[String]) -> String {
    if stand_ins.is_empty() {
        "a wildcard names no host, and no host below it is known".to_owned()
    } else {
        "a wildcard names no host; others stand in for it".to_owned()
    }
}
