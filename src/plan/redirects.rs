//! Hosts that redirects of catalog endpoints lead to, where a required wildcard covers them: the wildcard names no host,
//! and now there is one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use url::Url;

use super::{Check, CheckKey, Plan};
use crate::catalog::{NotProbed, covers};
use crate::endpoint::{Authority, Endpoint, Origin, Target, TlsSettings};

/// More hosts of one service are not taken.
const MOST_OF_SERVICE: usize = 32;

/// A host that was found, by service and name: its endpoint, and the checks whose redirects lead there.
type Found<'a> = BTreeMap<(&'a str, String), (Endpoint, Vec<&'a Arc<Check>>)>;

impl Plan {
    /// The same plan with the hosts to which redirects lead, as far as a required wildcard covers them: as endpoints over
    /// the routes on which they were found where they are to be probed, and else told as not probed.
    #[must_use]
    pub fn with_redirects(&self, seen: &HashMap<CheckKey, Vec<Url>>) -> Self {
        let (found, left_out) = self.found_by(seen);
        let mut plan = self.clone();
        for ((service, _), (endpoint, parents)) in found {
            if !self.discover_redirects {
                plan.not_probed.push(not_probed(&endpoint, &parents));
                continue;
            }
            plan.not_probed.retain(|missing| {
                let wildcard = endpoint.stands_in_for.as_deref();
                missing.service != service || Some(missing.endpoint.as_str()) != wildcard
            });
            let endpoint = Arc::new(endpoint);
            let checks = parents.into_iter().map(|parent| {
                Arc::new(Check {
                    endpoint: Arc::clone(&endpoint),
                    // The name that is set is the parent's own, and so are the protocols, the login and who connects.
                    tls: Arc::new(TlsSettings {
                        server_name: None,
                        alpn: None,
                        client: None,
                        ..(*parent.tls).clone()
                    }),
                    credentials: None,
                    ..Check::clone(parent)
                })
            });
            plan.checks.extend(checks);
        }
        let told = left_out.into_iter().map(|(service, count)| NotProbed {
            service: service.to_owned(),
            endpoint: "hosts that redirects lead to".to_owned(),
            why: format!("{count} more: at most {MOST_OF_SERVICE} of a service are looked at"),
        });
        plan.not_probed.extend(told);
        plan.checks.sort_by_cached_key(|check| check.key());
        plan
    }

    /// What was found, and how much more by service.
    fn found_by(&self, seen: &HashMap<CheckKey, Vec<Url>>) -> (Found<'_>, BTreeMap<&str, usize>) {
        let known = self.known();
        let mut found = Found::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut left_out: BTreeMap<&str, HashSet<String>> = BTreeMap::new();
        for check in &self.checks {
            for url in seen.get(&check.key()).into_iter().flatten() {
                let Some(endpoint) = self.required_at(check, url) else {
                    continue;
                };
                let service = check.endpoint.service.as_str();
                let is_known = |name: &str| known.contains(&(service, name.to_owned()));
                if is_known(&endpoint.name) || is_known(&endpoint.target.host()) {
                    continue;
                }
                let key = (service, endpoint.name.clone());
                let count = counts.entry(service).or_default();
                if !found.contains_key(&key) {
                    if *count >= MOST_OF_SERVICE {
                        left_out.entry(service).or_default().insert(endpoint.name);
                        continue;
                    }
                    *count += 1;
                }
                let (_, parents) = found.entry(key).or_insert_with(|| (endpoint, Vec::new()));
                if !parents.iter().any(|parent| Arc::ptr_eq(parent, check)) {
                    parents.push(check);
                }
            }
        }
        let left_out = left_out.into_iter();
        (
            found,
            left_out
                .map(|(service, names)| (service, names.len()))
                .collect(),
        )
    }

    /// By service, the names and hosts of what is probed, and of what the configuration wants not to be.
    fn known(&self) -> HashSet<(&str, String)> {
        let probed = self.checks.iter().flat_map(|check| {
            let endpoint = &check.endpoint;
            let names = [endpoint.name.clone(), endpoint.target.host()];
            names.map(|name| (endpoint.service.as_str(), name))
        });
        let not_probed = self.not_probed.iter();
        let not_probed =
            not_probed.map(|missing| (missing.service.as_str(), missing.endpoint.clone()));
        probed.chain(not_probed).collect()
    }

    /// The host of a URL as an endpoint, where a required wildcard of the check's service covers it.
    fn required_at(&self, check: &Check, url: &Url) -> Option<Endpoint> {
        let service = &check.endpoint.service;
        let host = url.host_str()?;
        let covers = |wildcard: &&Endpoint| {
            let Target::Http(pattern) = &wildcard.target else {
                return false;
            };
            wildcard.service == *service
                && pattern.scheme() == url.scheme()
                && covers(pattern.host_str().unwrap_or_default(), host)
        };
        let wildcard = self.wildcards.iter().find(covers)?;
        let mut root = url.clone();
        root.set_path("");
        root.set_query(None);
        root.set_fragment(None);
        // What a redirect says of a user is nothing to send to anybody.
        root.set_username("").ok()?;
        root.set_password(None).ok()?;
        Some(Endpoint {
            name: name_of(&root)?,
            target: Target::Http(root),
            critical: wildcard.critical && check.endpoint.critical,
            stands_in_for: Some(wildcard.name.clone()),
            origin: Origin::Redirect,
            ..wildcard.clone()
        })
    }
}

/// The host, with the port where it is not the scheme's own.
fn name_of(url: &Url) -> Option<String> {
    let Authority { host, .. } = Authority::of(url)?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    })
}

fn not_probed(endpoint: &Endpoint, parents: &[&Arc<Check>]) -> NotProbed {
    let parent = parents.first().map(|check| check.endpoint.name.as_str());
    let wildcard = endpoint.stands_in_for.as_deref().unwrap_or_default();
    NotProbed {
        service: endpoint.service.clone(),
        endpoint: endpoint.name.clone(),
        why: format!(
            "found: {} leads there, and the required {wildcard} covers it; catalog.discover_redirects: true probes it",
            parent.unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{check, plan};
    use crate::route::{Credentials, Secret};

    fn from_catalog(endpoint: &str) -> Arc<Check> {
        let check = check("tenant-attach", endpoint, &format!("https://{endpoint}/"));
        let mut endpoint = (*check.endpoint).clone();
        endpoint.origin = Origin::Catalog;
        endpoint.cloud = Some("public".to_owned());
        Arc::new(Check {
            endpoint: Arc::new(endpoint),
            ..Check::clone(&check)
        })
    }

    /// A plan with one check, and a wildcard of which nothing is probed.
    fn planned(discover_redirects: bool) -> (Arc<Check>, Plan) {
        let parent = from_catalog("aka.ms");
        let wildcard = from_catalog("*.manage.example");
        let plan = Plan {
            discover_redirects,
            wildcards: vec![(*wildcard.endpoint).clone()],
            not_probed: vec![NotProbed {
                service: "tenant-attach".to_owned(),
                endpoint: "*.manage.example".to_owned(),
                why: "a wildcard names no host".to_owned(),
            }],
            ..plan([&parent])
        };
        (parent, plan)
    }

    fn with(plan: &Plan, parent: &Check, urls: &[&str]) -> Plan {
        let urls = urls.iter().map(|url| Url::parse(url).unwrap()).collect();
        plan.with_redirects(&HashMap::from([(parent.key(), urls)]))
    }

    fn names(plan: &Plan) -> Vec<&str> {
        let names = plan.checks.iter().map(|check| check.endpoint.name.as_str());
        names.collect()
    }

    #[test]
    fn a_host_below_a_required_wildcard_is_probed_in_its_place() {
        let (parent, base) = planned(true);
        let plan = with(
            &base,
            &parent,
            &[
                "https://user:secret@eu.manage.example/api?x=1#y",
                "https://eu.manage.example/other",
                "https://elsewhere.example/",
                "http://plain.manage.example/",
                "https://aka.ms/again",
            ],
        );
        assert_eq!(names(&plan), ["aka.ms", "eu.manage.example"]);
        let found = &plan.checks[1].endpoint;
        assert_eq!(found.target.to_string(), "https://eu.manage.example/");
        assert_eq!(found.stands_in_for.as_deref(), Some("*.manage.example"));
        assert_eq!(found.origin, Origin::Redirect);
        assert!(found.critical);
        assert_eq!(plan.checks[1].route, parent.route);
        assert!(plan.not_probed.is_empty());
    }

    #[test]
    fn where_it_is_not_to_be_probed_it_is_shown() {
        let (parent, base) = planned(false);
        let plan = with(&base, &parent, &["https://eu.manage.example/"]);
        assert_eq!(names(&plan), ["aka.ms"]);
        let told = plan.not_probed.last().unwrap();
        assert_eq!(told.endpoint, "eu.manage.example");
        assert!(told.why.contains("aka.ms leads there"), "{}", told.why);
        assert_eq!(plan.not_probed.len(), 2);
    }

    #[test]
    fn what_is_probed_already_is_not_found() {
        let (parent, base) = planned(true);
        let known = from_catalog("eu.manage.example");
        let base = Plan {
            checks: vec![Arc::clone(&parent), known],
            ..base
        };
        let plan = with(&base, &parent, &["https://eu.manage.example/api"]);
        assert_eq!(plan.checks.len(), 2);
    }

    #[test]
    fn there_are_no_more_than_so_many() {
        let (parent, base) = planned(true);
        let urls: Vec<String> = (0..MOST_OF_SERVICE + 5)
            .map(|number| format!("https://h{number}.manage.example/"))
            .collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let plan = with(&base, &parent, &urls);
        assert_eq!(plan.checks.len(), 1 + MOST_OF_SERVICE);
        let told = plan.not_probed.last().unwrap();
        assert!(told.why.starts_with("5 more"), "{}", told.why);
    }

    #[test]
    fn what_the_configuration_turns_off_stays_off() {
        let (parent, mut base) = planned(true);
        base.not_probed.push(NotProbed {
            service: "tenant-attach".to_owned(),
            endpoint: "eu.manage.example".to_owned(),
            why: "disabled by the configuration".to_owned(),
        });
        let plan = with(&base, &parent, &["https://eu.manage.example/api"]);
        assert_eq!(names(&plan), ["aka.ms"]);
    }

    #[test]
    fn what_is_the_parents_own_is_shown_to_nobody_else() {
        let (parent, base) = planned(true);
        let parent = Arc::new(Check {
            credentials: Some(Arc::new(Credentials::Basic {
                username: "svc".to_owned(),
                password: Secret::new("hush".to_owned()),
            })),
            tls: Arc::new(TlsSettings {
                server_name: Some("aka.ms".to_owned()),
                ..TlsSettings::default()
            }),
            ..Check::clone(&parent)
        });
        let base = Plan {
            checks: vec![Arc::clone(&parent)],
            ..base
        };
        let plan = with(&base, &parent, &["https://eu.manage.example/api"]);
        let found = &plan.checks[1];
        assert_eq!(found.credentials, None);
        assert_eq!(found.tls.server_name, None);
    }
}
