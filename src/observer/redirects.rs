//! Where the redirects of catalog endpoints lead: a required wildcard names no host, and a redirect does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use super::{Observer, Watcher};
use crate::endpoint::Origin;
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::{Check, CheckKey, Plan};

/// More places of one check are not remembered.
const MOST_PLACES: usize = 16;

/// A place is forgotten when so many probes in a row came to their end without it: load balancers take turns.
const PROBES_OF_LATE: u32 = 30;

/// Remembers where the redirects of the plan's catalog endpoints lead.
#[derive(Debug, Default)]
pub struct Redirects {
    trails: Mutex<HashMap<CheckKey, Arc<Trail>>>,
    changed: watch::Sender<()>,
}

/// Where the redirects of one check lead.
#[derive(Debug)]
struct Trail {
    places: Mutex<Vec<Place>>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Place {
    url: Url,
    /// How many probes in a row did not get there.
    missed: u32,
}

/// What is told to nobody, and of whom nobody wants to know.
struct Deaf;

// === impl Redirects ===

impl Redirects {
    /// The places by check, without those that lead nowhere.
    #[must_use]
    pub fn places(&self) -> HashMap<CheckKey, Vec<Url>> {
        let trails = self.trails();
        let places = trails.iter().map(|(key, trail)| {
            let places = trail.places();
            let urls = places.iter().map(|place| place.url.clone());
            (key.clone(), urls.collect::<Vec<Url>>())
        });
        places.filter(|(_, urls)| !urls.is_empty()).collect()
    }

    /// Tells when they may have become others.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn trails(&self) -> MutexGuard<'_, HashMap<CheckKey, Arc<Trail>>> {
        self.trails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Redirects {
    fn planned(&self, plan: &Plan) {
        let mut trails = self.trails();
        let mut former = std::mem::take(&mut *trails);
        let of_catalog = plan.checks.iter().filter(|check| is_followed(check));
        for key in of_catalog.map(|check| check.key()) {
            let trail = former.remove(&key).unwrap_or_else(|| {
                Arc::new(Trail {
                    places: Mutex::default(),
                    changed: self.changed.clone(),
                })
            });
            trails.insert(key, trail);
        }
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        match self.trails().get(&check.key()) {
            Some(trail) => Box::new(Following(Arc::clone(trail))),
            None => Box::new(Deaf),
        }
    }
}

fn is_followed(check: &Check) -> bool {
    check.endpoint.origin == Origin::Catalog && check.endpoint.expectation.max_redirects > 0
}

/// The URLs that a probe was led to, in their order.
pub fn led_to(outcome: &Outcome) -> impl Iterator<Item = Url> {
    let http = outcome.observed.http.iter();
    http.flat_map(|seen| &seen.redirects)
        .filter_map(|redirect| Url::parse(&redirect.url).ok())
}

// === impl Trail ===

impl Trail {
    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, outcome: &Outcome) {
        let mut places = self.places();
        let mut changed = false;
        for place in places.iter_mut() {
            // Of one that failed on its way it is not known where it would have led.
            place.missed += u32::from(outcome.result.is_ok());
        }
        for url in led_to(outcome) {
            let mut known = places.iter_mut();
            if let Some(place) = known.find(|place| place.url.host() == url.host()) {
                place.missed = 0;
            } else if places.len() < MOST_PLACES {
                places.push(Place { url, missed: 0 });
                changed = true;
            }
        }
        let before = places.len();
        places.retain(|place| place.missed < PROBES_OF_LATE);
        changed |= places.len() < before;
        drop(places);
        if changed {
            self.changed.send_replace(());
        }
    }
}

struct Following(Arc<Trail>);

impl Watcher for Following {
    fn observed(&self, outcome: &Arc<Outcome>) {
        self.0.follow(outcome);
    }

    fn started(&self, _: Duration) {}
    fn abandoned(&self, _: bool) {}
    fn held(&self, _: &Arc<HoldOutcome>) {}
    fn skipped(&self, _: u64) {}
    fn hold_panicked(&self) {}
    fn holds_skipped(&self, _: u64) {}
}

impl Watcher for Deaf {
    fn started(&self, _: Duration) {}
    fn observed(&self, _: &Arc<Outcome>) {}
    fn abandoned(&self, _: bool) {}
    fn held(&self, _: &Arc<HoldOutcome>) {}
    fn skipped(&self, _: u64) {}
    fn hold_panicked(&self) {}
    fn holds_skipped(&self, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{ConnectReason, HttpSeen, RedirectSeen};
    use crate::plan::fixture::{check, failure, plan, success};
    use crate::route::Via;

    fn from_catalog(endpoint: &str) -> Arc<Check> {
        let check = check("s", endpoint, &format!("https://{endpoint}/"));
        let mut endpoint = (*check.endpoint).clone();
        endpoint.origin = Origin::Catalog;
        Arc::new(Check {
            endpoint: Arc::new(endpoint),
            ..Check::clone(&check)
        })
    }

    fn leading_to(urls: &[&str]) -> Arc<Outcome> {
        let mut outcome = (*success(1)).clone();
        let redirects = urls.iter().map(|url| RedirectSeen {
            status: 302,
            url: (*url).to_owned(),
            via: Via::Direct,
        });
        outcome.observed.http = Some(HttpSeen {
            status: 200,
            version: "HTTP/1.1",
            redirects: redirects.collect(),
            ..HttpSeen::default()
        });
        Arc::new(outcome)
    }

    fn hosts(redirects: &Redirects, check: &Check) -> Vec<String> {
        let places = redirects.places().remove(&check.key()).unwrap_or_default();
        let hosts = places.iter().map(|url| url.host_str().unwrap().to_owned());
        hosts.collect()
    }

    #[test]
    fn places_of_late_are_remembered() {
        let check = from_catalog("aka.ms");
        let redirects = Redirects::default();
        redirects.planned(&plan([&check]));
        let mut changes = redirects.changes();
        let watcher = redirects.watch(&check);
        watcher.observed(&leading_to(&[
            "https://one.example/a",
            "https://two.example/",
        ]));
        watcher.observed(&leading_to(&["https://one.example/b"]));
        assert_eq!(hosts(&redirects, &check), ["one.example", "two.example"]);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        for _ in 0..PROBES_OF_LATE * 2 {
            watcher.observed(&failure(1, ConnectReason::Timeout));
        }
        assert_eq!(hosts(&redirects, &check).len(), 2);
        assert!(!changes.has_changed().unwrap());
        for _ in 0..PROBES_OF_LATE {
            watcher.observed(&leading_to(&["https://one.example/"]));
        }
        assert_eq!(hosts(&redirects, &check), ["one.example"]);
        assert!(changes.has_changed().unwrap());
    }

    #[test]
    fn only_the_catalogs_redirects_count_and_only_of_the_plan() {
        let (ours, own) = (
            from_catalog("aka.ms"),
            check("s", "own", "https://own.example/"),
        );
        let redirects = Redirects::default();
        redirects.planned(&plan([&ours, &own]));
        for check in [&ours, &own] {
            let watcher = redirects.watch(check);
            watcher.observed(&leading_to(&["https://one.example/"]));
        }
        assert_eq!(hosts(&redirects, &own), [""; 0]);
        redirects.planned(&plan([&ours]));
        assert_eq!(hosts(&redirects, &ours), ["one.example"]);
        redirects.planned(&plan([&own]));
        assert!(redirects.places().is_empty());
    }

    #[test]
    fn no_more_places_than_so_many() {
        let check = from_catalog("aka.ms");
        let redirects = Redirects::default();
        redirects.planned(&plan([&check]));
        let watcher = redirects.watch(&check);
        for number in 0..=MOST_PLACES {
            watcher.observed(&leading_to(&[&format!("https://{number}.example/")]));
        }
        // The first ones were forgotten meanwhile, and made room.
        assert!(hosts(&redirects, &check).len() <= MOST_PLACES);
    }
}
