//! What one feature requires of one cloud with one release, turned into endpoints.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use url::Url;

use super::cloud::{Cloud, Release};
use super::feature::{Entry, Feature, Kind, RootSet, RouteChoice, covers, name_of};
use super::{NotProbed, Selected};
use crate::config::{Located, Location, Overrides, Problem};
use crate::endpoint::{ChainExpectation, Endpoint, Expectation, Origin, StatusRule, Target};

/// A feature of a cloud, gated by release, with what fills its templates.
pub(super) struct Requirements<'a> {
    pub(super) feature: &'a Feature,
    /// Where the configuration names it.
    pub(super) at: &'a Location,
    pub(super) cloud: Cloud,
    pub(super) release: Release,
    pub(super) variables: &'a BTreeMap<String, Located<String>>,
}

impl Requirements<'_> {
    /// Adds every endpoint that can be probed, and every template that cannot. Wildcards come to their turn
    /// when it is known which of their stand-ins are probed.
    pub(super) fn add_to(&self, selected: &mut Selected, problems: &mut Vec<Problem>) {
        let required = || {
            self.feature
                .required(self.cloud, self.release)
                .filter(|entry| entry.kind != Kind::Wildcard)
        };
        // A filled template may be a host that the catalog also knows by itself. It is probed once, and as
        // the template says, for that is what the user set.
        let (templates, plain): (Vec<&Entry>, Vec<&Entry>) =
            required().partition(|entry| entry.url.variables().next().is_some());
        let mut names = HashSet::new();
        for entry in templates.into_iter().chain(plain) {
            if let Some(why) = &entry.not_probed {
                selected.not_probed.push(self.not_probed(entry, why));
                continue;
            }
            match entry.url.fill(self.variables) {
                Err(missing) => selected.not_probed.push(self.unfilled(entry, &missing)),
                Ok(url) => match self.endpoint(entry, &url) {
                    Ok(endpoint) if names.insert(endpoint.name.clone()) => {
                        selected.endpoints.push((endpoint, own_settings(entry)));
                    }
                    Ok(_) => {}
                    Err(message) => problems.push(self.problem(entry, message)),
                },
            }
        }
    }

    /// Adds every wildcard whose template is filled.
    pub(super) fn add_wildcards_to(&self, selected: &mut Selected) {
        let required = self.feature.required(self.cloud, self.release);
        for entry in required.filter(|entry| entry.kind == Kind::Wildcard) {
            let url = entry.url.fill(self.variables).ok();
            let endpoint = url.and_then(|url| self.endpoint(entry, &url).ok());
            selected.wildcards.extend(endpoint);
        }
    }

    fn endpoint(&self, entry: &Entry, written: &str) -> Result<Endpoint, String> {
        let url = Url::parse(written).map_err(|error| format!("{written} is no URL: {error}"))?;
        let host = url.host_str().unwrap_or_default();
        if let Some(wildcard) = &entry.stands_in_for
            && !covers(wildcard, host)
        {
            return Err(format!("{host} is not a host of {wildcard}"));
        }
        Ok(Endpoint {
            name: entry
                .own_name
                .clone()
                .unwrap_or_else(|| name_of(url.as_str()).to_owned()),
            service: self.feature.name.clone(),
            target: Target::Http(url.clone()),
            critical: entry.critical,
            expectation: self.expectation(entry, &url).into(),
            hold: entry.hold.map(Box::new),
            cloud: Some(self.cloud.as_str().to_owned()),
            stands_in_for: entry.stands_in_for.clone(),
            serves_revocation: entry.kind.serves_revocation(),
            origin: Origin::Catalog,
            publishes: None,
            labels: BTreeMap::new(),
        })
    }

    /// The service connection point's rule. A redirect is an answer of the host like any other, unless the
    /// feature needs its target too: the target may be a host that nobody has to allow.
    fn expectation(&self, entry: &Entry, url: &Url) -> Expectation {
        let default = Expectation::default();
        let chain = |set: &RootSet| ChainExpectation {
            roots: Arc::clone(&set.roots),
            issuers: Vec::new(),
            inspection: entry.inspection,
        };
        let roots = entry.roots.as_ref();
        Expectation {
            status: if entry.status.is_empty() {
                default.status
            } else {
                StatusRule::OneOf(entry.status.clone())
            },
            status_meanings: entry.meaning.clone(),
            max_redirects: if entry.follow_redirects {
                default.max_redirects
            } else {
                0
            },
            chain: roots.filter(|_| url.scheme() == "https").map(chain),
            revocation: self.feature.revocation,
            ..default
        }
    }

    fn unfilled(&self, entry: &Entry, missing: &[&str]) -> NotProbed {
        let settings: Vec<String> = missing
            .iter()
            .map(|name| format!("catalog.variables.{name}"))
            .collect();
        let note = entry.note.as_deref().unwrap_or_default();
        let why = format!("set {}. {note}", settings.join(" and "));
        self.not_probed(entry, why.trim_end())
    }

    fn not_probed(&self, entry: &Entry, why: &str) -> NotProbed {
        NotProbed {
            service: self.feature.name.clone(),
            endpoint: entry.name().to_owned(),
            why: why.to_owned(),
        }
    }

    /// A fault of a filled URL lies in what filled it.
    fn problem(&self, entry: &Entry, message: String) -> Problem {
        let variable = entry
            .url
            .variables()
            .find_map(|name| self.variables.get(name));
        Problem {
            at: variable.map_or(self.at, |variable| &variable.at).clone(),
            message,
            hint: None,
        }
    }
}

/// What the catalog itself sets apart for an endpoint; overrides go before it.
fn own_settings(entry: &Entry) -> Overrides {
    let route = entry.route.map(|RouteChoice::Direct| "direct".to_owned());
    Overrides {
        routes: route.map(|route| vec![route]),
        ..Overrides::default()
    }
}
