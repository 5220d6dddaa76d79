//! Endpoints that follow from others: where the authorities of the certificates that were presented publish their
//! lists, answers and certificates.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::revocation::MOST_LIST_BYTES;
use super::{Check, CheckKey, Plan};
use crate::catalog::{NotProbed, name_of};
use crate::endpoint::{Endpoint, Publication, RevocationMethod, RevocationMode};

/// More of one service are not probed.
const MOST_OF_SERVICE: usize = 64;

/// More of all services together are not probed.
const MOST: usize = 1024;

/// A longer name is that of nothing that an authority would publish.
const LONGEST_NAME: usize = 255;

/// An answer about one certificate, or the certificate of an authority, takes some kilobytes.
const MOST_BYTES: usize = 256 << 10;

/// A place that a certificate names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// What is published there.
    pub publication: Publication,
    /// Where: `http` or `https`.
    pub url: Url,
}

/// A place, with how many of each kind a certificate names that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The place.
    pub place: Place,
    /// Lists, this one included if it is one.
    pub lists: usize,
    /// Responders, likewise.
    pub responders: usize,
}

/// What is to be probed besides, by what makes it one endpoint over one route.
type Derived<'a> = BTreeMap<(&'a str, &'a str, &'a Place), (&'a Arc<Check>, bool)>;

impl Plan {
    /// The same plan with the places that the certificates of its checks were found to name, as endpoints of their own.
    /// Each is probed every `interval` over the revocation route of the check that found it.
    #[must_use]
    pub fn with_places(&self, found: &HashMap<CheckKey, Arc<[Named]>>, interval: Duration) -> Self {
        let mut derived = Derived::new();
        for check in &self.checks {
            if check.revocation.mode == RevocationMode::Off {
                continue;
            }
            let named = found.get(&check.key()).map(|named| named.iter());
            for named in named.into_iter().flatten() {
                let place = &named.place;
                let service = check.endpoint.service.as_str();
                let route = check.revocation.route.name.as_str();
                let (_, critical) = derived
                    .entry((service, route, place))
                    .or_insert((check, false));
                *critical |= check.fails_without(named);
            }
        }
        self.and(&derived, interval)
    }

    /// How many of its checks are of endpoints that others named.
    #[must_use]
    pub fn derived(&self) -> usize {
        let checks = self.checks.iter();
        checks
            .filter(|check| check.endpoint.origin.is_derived())
            .count()
    }

    fn and(&self, derived: &Derived<'_>, interval: Duration) -> Self {
        let mut plan = self.clone();
        let names = Names::new(self, derived);
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut keys = HashSet::new();
        let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
        let critical_first = |critical: bool| {
            let derived = derived.iter();
            derived.filter(move |(_, (_, of))| *of == critical)
        };
        let ordered = critical_first(true).chain(critical_first(false));
        for ((service, _, place), (parent, critical)) in ordered {
            let name = names.of(service, place);
            let count = counts.entry(service).or_default();
            let total = plan.checks.len() - self.checks.len();
            if *count >= MOST_OF_SERVICE || total >= MOST || name.len() > LONGEST_NAME {
                *left_out.entry(service).or_default() += 1;
                continue;
            }
            let check = parent.place(place, name, *critical, interval);
            // The same over http and over https is looked at once.
            if keys.insert(check.key()) {
                *count += 1;
                plan.checks.push(Arc::new(check));
            }
        }
        plan.checks.sort_by_cached_key(|check| check.key());
        let told = left_out.into_iter().map(|(service, count)| NotProbed {
            service: service.to_owned(),
            endpoint: "derived endpoints".to_owned(),
            why: format!(
                "{count} more that certificates name: at most {MOST_OF_SERVICE} of a service and {MOST} in all are \
                 probed, with names of at most {LONGEST_NAME} characters"
            ),
        });
        plan.not_probed.extend(told);
        plan
    }
}

impl Check {
    /// Whether it fails critically without a place: where revocation is required, and no other place has the word.
    fn fails_without(&self, named: &Named) -> bool {
        let methods = &self.revocation.methods;
        let of = |method, places: usize| {
            if methods.contains(&method) { places } else { 0 }
        };
        let lists = of(RevocationMethod::Crl, named.lists);
        let responders = of(RevocationMethod::Ocsp, named.responders);
        let own = match named.place.publication {
            Publication::RevocationList => lists,
            Publication::Answers => responders,
            Publication::Certificate => 0,
        };
        self.endpoint.critical
            && self.revocation.mode == RevocationMode::Require
            && own == 1
            && lists + responders == 1
    }

    /// What probes a place that this one's certificates name.
    fn place(&self, place: &Place, name: String, critical: bool, interval: Duration) -> Self {
        let Place { publication, url } = place;
        let most_bytes = match publication {
            Publication::RevocationList => MOST_LIST_BYTES,
            Publication::Answers | Publication::Certificate => MOST_BYTES,
        };
        let check = self.carrier().for_url(url, most_bytes);
        let former = &check.endpoint;
        let mut expectation = former.expectation.clone();
        (expectation.chain, expectation.revocation) = (None, None);
        Self {
            endpoint: Arc::new(Endpoint {
                name,
                critical,
                expectation,
                cloud: self.endpoint.cloud.clone(),
                publishes: Some(*publication),
                ..Endpoint::clone(former)
            }),
            interval,
            ..check
        }
    }
}

/// The names that are taken in each service, and by how many places of different kinds.
struct Names<'a> {
    taken: HashSet<(&'a str, &'a str)>,
    places: HashMap<(&'a str, &'a str), HashSet<&'a Place>>,
}

impl<'a> Names<'a> {
    fn new(plan: &'a Plan, derived: &Derived<'a>) -> Self {
        let endpoints = plan.checks.iter().map(|check| &check.endpoint);
        let taken = endpoints.map(|endpoint| (endpoint.service.as_str(), endpoint.name.as_str()));
        let mut places: HashMap<_, HashSet<&Place>> = HashMap::new();
        for (service, _, place) in derived.keys().copied() {
            let same_name = places.entry((service, name_of(place.url.as_str())));
            same_name.or_default().insert(place);
        }
        Self {
            taken: taken.collect(),
            places,
        }
    }

    /// By host and path; with the kind behind it, where that alone would not tell it from others.
    fn of(&self, service: &'a str, place: &'a Place) -> String {
        let name = name_of(place.url.as_str());
        let key = (service, name);
        let is_alone = self.places.get(&key).is_none_or(|same| same.len() == 1);
        if is_alone && !self.taken.contains(&key) {
            return name.to_owned();
        }
        format!("{name}#{}", place.publication.as_str())
    }
}

#[cfg(test)]
mod tests;
