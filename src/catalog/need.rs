//! One entry as a scope needs it: templates filled as far as they can be, wildcards with their stand-ins, and
//! why it is not probed where it is not. Every command of the catalog shows these.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::address::Address;
use super::ask::AskError;
use super::cloud::Release;
use super::feature::{Connector, Entry, Feature, Kind, RouteChoice, covers, name_of};
use super::scope::Scope;
use super::template::Template;
use crate::config::{Location, Problem, Problems};
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
    /// Its host, which may be a wildcard or a template, and its port.
    #[serde(flatten)]
    pub address: Address,
    /// Who connects.
    #[serde(skip)]
    pub from: &'a [Connector],
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
    /// What a status means at this endpoint.
    pub meaning: &'a BTreeMap<u16, Arc<str>>,
    /// The route that it is probed over unless an override says otherwise.
    pub route: Option<RouteChoice>,
    /// The variables of its template that are not set.
    pub missing_variables: Vec<&'a str>,
    /// Why neither it nor anything in its place is probed, where that is so.
    pub not_probed: Option<String>,
    /// On what it rests.
    pub sources: Vec<Dated<'a>>,
    /// What the sources leave open, and what else is worth knowing.
    pub note: Option<&'a str>,
}

/// A source of the feature, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dated<'a> {
    /// The key.
    pub key: &'a str,
    /// The date that the document bears.
    pub date: &'a str,
}

// === impl Need ===

impl<'a> Need<'a> {
    /// The newest date of what it rests on.
    pub(super) fn date(&self) -> &'a str {
        let dates = self.sources.iter().map(|source| source.date);
        dates.max().unwrap_or_default()
    }
}

// === impl Scope ===

impl Scope {
    /// What the feature needs here, in the order of its data file. The scope must have the feature.
    ///
    /// # Errors
    /// A variable makes a host of a template that its wildcard does not cover.
    pub fn needs<'a>(&self, feature: &'a Feature) -> Result<Vec<Need<'a>>, AskError> {
        let entries: Vec<&Entry> = feature.required(self.cloud, self.release).collect();
        let mut needs: Vec<Need<'a>> = Vec::new();
        for entry in &entries {
            let need = self.need(feature, entry);
            self.check_place(entry, &need)?;
            needs.push(need);
        }
        // Stand-ins name their wildcard as the data file writes it, with its templates.
        let stand_ins: Vec<(Option<&str>, String, bool)> = needs
            .iter()
            .map(|need| {
                let is_probed = need.not_probed.is_none();
                (need.stands_in_for, need.name.clone(), is_probed)
            })
            .collect();
        for (entry, wildcard) in entries.iter().zip(&mut needs) {
            if wildcard.kind != Kind::Wildcard {
                continue;
            }
            let own = || {
                stand_ins
                    .iter()
                    .filter(|(of, ..)| *of == Some(entry.name()))
            };
            let is_represented = own().any(|(.., is_probed)| *is_probed);
            wildcard.stand_ins = own().map(|(_, name, _)| name.clone()).collect();
            wildcard.not_probed = match wildcard.not_probed.take() {
                _ if is_represented => None,
                None => Some("no host that stands in for it is probed".to_owned()),
                why => why,
            };
        }
        Ok(needs)
    }

    /// A template that stands in for a wildcard is filled with a host of it.
    fn check_place(&self, entry: &Entry, need: &Need<'_>) -> Result<(), AskError> {
        let is_in_place = need.address.is_template()
            || need
                .stands_in_for
                .is_none_or(|wildcard| covers(wildcard, &need.address.host));
        if is_in_place {
            return Ok(());
        }
        let mut variables = entry.url.variables();
        let variable = variables.find_map(|name| self.variables.get(name));
        let wildcard = need.stands_in_for.unwrap_or_default();
        Err(AskError::Unknown(Problems(vec![Problem {
            at: variable.map_or_else(Location::default, |variable| variable.at.clone()),
            message: format!("{} is not a host of {wildcard}", need.address.host),
            hint: None,
        }])))
    }

    /// The path of a template may want more variables than its host.
    fn address(&self, url: &str) -> Address {
        let address = Address::of(url);
        let template = Template::from(address.host.clone());
        match template.fill(&self.variables) {
            Ok(host) => Address {
                host: host.to_lowercase(),
                ..address
            },
            Err(_) => address,
        }
    }

    fn need<'a>(&self, feature: &'a Feature, entry: &'a Entry) -> Need<'a> {
        let (url, missing_variables) = match entry.url.fill(&self.variables) {
            Ok(url) => (url, Vec::new()),
            Err(missing) => (entry.url.as_str().to_owned(), missing),
        };
        Need {
            feature: &feature.name,
            name: entry
                .own_name
                .clone()
                .unwrap_or_else(|| name_of(&url).to_owned()),
            address: self.address(&url),
            from: &feature.from,
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
            meaning: &entry.meaning,
            route: entry.route,
            not_probed: entry
                .not_probed
                .clone()
                .or_else(|| unfilled(entry.kind, &missing_variables)),
            missing_variables,
            sources: dated(feature, entry),
            note: entry.note.as_deref(),
            url,
        }
    }
}

fn dated<'a>(feature: &'a Feature, entry: &'a Entry) -> Vec<Dated<'a>> {
    let known = entry.sources.iter().filter_map(|key| {
        let date = &feature.sources.get(key)?.date;
        Some(Dated { key, date })
    });
    known.collect()
}

/// What to set, for a template that is not filled. A wildcard would not be probed then either.
fn unfilled(kind: Kind, missing: &[&str]) -> Option<String> {
    if missing.is_empty() || kind == Kind::Wildcard {
        return None;
    }
    let settings: Vec<String> = missing
        .iter()
        .map(|name| format!("catalog.variables.{name}"))
        .collect();
    Some(format!("set {}", settings.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::super::ask::feature_named;
    use super::super::fixture::{scope, small, with_gateway};
    use super::*;

    fn named<'n>(needs: &'n [Need<'static>], name: &str) -> &'n Need<'static> {
        let mut found = needs.iter().filter(|need| need.name == name);
        found.next().unwrap_or_else(|| panic!("no {name}"))
    }

    #[test]
    fn what_is_not_probed_says_why() {
        let needs = scope("public@2403").needs(small()).unwrap();
        for (name, expected) in [
            ("aka.ms/link", None),
            ("*.wild.example", None),
            (
                "<region>.wild.example",
                Some("set catalog.variables.region"),
            ),
            (
                "*-inner.other.example",
                Some("no host below it is documented"),
            ),
            ("time.example:123", Some("reachd does not speak NTP")),
        ] {
            assert_eq!(
                named(&needs, name).not_probed.as_deref(),
                expected,
                "{name}"
            );
        }
        let wildcard = named(&needs, "*.wild.example");
        assert_eq!(
            wildcard.stand_ins,
            ["<region>.wild.example", "plain.wild.example"]
        );
        assert!(named(&needs, "*-inner.other.example").stand_ins.is_empty());
        assert_eq!(named(&needs, "plain.wild.example").date(), "2026-06-08");
    }

    #[test]
    fn a_cloud_and_a_release_gate_entries() {
        let names = |text: &str| -> Vec<String> {
            let needs = scope(text).needs(small()).unwrap();
            needs.into_iter().map(|need| need.name).collect()
        };
        assert!(!names("public@2403").contains(&"later.example".to_owned()));
        assert!(names("public@2503").contains(&"later.example".to_owned()));
        assert!(!names("us-government@2503").contains(&"later.example".to_owned()));
    }

    #[test]
    fn a_template_is_filled_with_a_host_of_its_wildcard() {
        let feature = feature_named("tenant-attach").unwrap();
        let host = "US.gateway.configmgr.manage.microsoft.com";
        let needs = with_gateway(host).needs(feature).unwrap();
        let filled = named(&needs, host);
        assert_eq!(filled.address.host, host.to_lowercase());
        assert_eq!(filled.missing_variables, Vec::<&str>::new());
        assert_eq!(filled.not_probed, None);

        let error = with_gateway("gateway.example").needs(feature).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--variable gateway_host: gateway.example is not a host of *.manage.microsoft.com"
        );
    }

    #[test]
    fn a_wildcard_without_a_probed_stand_in_says_so() {
        let feature = feature_named("external-notifications").unwrap();
        let needs = scope("public").needs(feature).unwrap();
        let wildcard = named(&needs, "*.<logic_region>.logic.azure.com");
        assert_eq!(wildcard.stand_ins, ["<logic_app_host>"]);
        let why = "no host that stands in for it is probed";
        assert_eq!(wildcard.not_probed.as_deref(), Some(why));
    }

    #[test]
    fn a_host_can_be_known_before_its_path() {
        let feature = feature_named("administration-service-cmg").unwrap();
        let asked = super::super::scope::Asked {
            variables: vec![("cmg_service".to_owned(), "falls.example".to_owned())],
            ..Default::default()
        };
        let scope = Scope::of(&asked.over(None)).unwrap();
        let needs = scope.needs(feature).unwrap();
        assert_eq!(needs[0].address.host, "falls.example");
        assert_eq!(needs[0].missing_variables, ["cmg_path"]);
    }
}
