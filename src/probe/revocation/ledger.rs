//! What the certificates say that the checks met of late, parsed once for each chain; and, from that, the places where
//! authorities publish, which become endpoints of their own.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustls::pki_types::CertificateDer;
use tokio::sync::{Semaphore, watch};
use url::Url;

use super::certificate::{Subject, subjects};
use crate::endpoint::{Pool, Publication, RevocationMode, Shared};
use crate::outcome::RevocationSeen;
use crate::plan::{Check, CheckKey, Labelled, Named, Place, Plan};

/// A check meets one chain, and one more with each redirect. Servers behind one name may differ: more than so many
/// chains of late are not looked at.
const MOST_CHAINS: usize = 16;

/// A chain is of late as long as one of so many probes met it: servers behind one name take turns.
const PROBES_OF_LATE: u32 = 30;

/// So many lists are read at once by those who look at what is published: with lists of 50 MiB, 400 MiB.
const MOST_LISTS: usize = 8;

/// What all checks met; it survives a reload.
#[derive(Debug)]
pub(in crate::probe) struct Ledger {
    pages: Mutex<BTreeMap<Labelled, Arc<Page>>>,
    routes: Mutex<Pool<String>>,
    common: Arc<Common>,
    /// The turns of those who read a published list.
    pub(super) lists: Semaphore,
}

/// What one check met.
#[derive(Debug)]
pub(in crate::probe) struct Page {
    /// The revocation route of the check.
    route: Shared<String>,
    chains: Mutex<Vec<Met>>,
    common: Arc<Common>,
}

/// What all pages have in common.
#[derive(Debug, Default)]
struct Common {
    archive: Archive,
    changed: watch::Sender<()>,
}

/// The chains of all pages: one that many checks meet is parsed and kept once.
#[derive(Debug, Default)]
struct Archive(Mutex<HashMap<Path, Weak<Chain>>>);

type Path = Arc<[CertificateDer<'static>]>;

/// A chain of late.
#[derive(Debug, Clone)]
struct Met {
    chain: Arc<Chain>,
    /// How many probes in a row did not meet it.
    missed: u32,
}

/// A verified chain.
#[derive(Debug)]
pub(in crate::probe) struct Chain {
    path: Path,
    /// Its certificates that may have been revoked.
    pub(super) subjects: Vec<Subject>,
    /// What they name.
    places: Arc<[Named]>,
    /// What was found out about them last: of many checks it is the same.
    seen: Mutex<Arc<[RevocationSeen]>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            pages: Mutex::default(),
            routes: Mutex::default(),
            common: Arc::default(),
            lists: Semaphore::new(MOST_LISTS),
        }
    }
}

impl Ledger {
    /// The page of a check whose revocation route is this; what was met is the same whatever the route.
    pub(in crate::probe) fn page(&self, check: &Arc<Check>, route: &str) -> Arc<Page> {
        let check = Labelled(Arc::clone(check));
        let mut pages = self.pages();
        // Out and in again: the check of the same labels may be defined in another way.
        let known = pages.remove(&check);
        let page = match known {
            Some(page) if *page.route == route => page,
            known => Arc::new(Page {
                route: self.routes().keep(route.to_owned()),
                chains: Mutex::new(known.map(|page| page.chains().clone()).unwrap_or_default()),
                common: Arc::clone(&self.common),
            }),
        };
        pages.insert(check, Arc::clone(&page));
        page
    }

    /// Forgets all checks but those of a plan that look for revocation.
    pub(in crate::probe) fn keep_only(&self, plan: &Plan) {
        let checks = plan.checks.iter();
        let looking = checks.filter(|check| check.revocation.mode != RevocationMode::Off);
        let looking: HashSet<[&str; 3]> = looking.map(|check| check.labels()).collect();
        let mut pages = self.pages();
        pages.retain(|Labelled(check), _| looking.contains(&check.labels()));
    }

    /// Tells whenever a check met other chains than before.
    pub(in crate::probe) fn changes(&self) -> watch::Receiver<()> {
        self.common.changed.subscribe()
    }

    /// The places that the certificates of each check name.
    pub(in crate::probe) fn places(&self) -> HashMap<CheckKey, Arc<[Named]>> {
        let pages = self.pages();
        let pages = pages.iter();
        let places = pages.map(|(Labelled(check), page)| (check.key(), page.places()));
        places.filter(|(_, places)| !places.is_empty()).collect()
    }

    /// A certificate that names this place, of a check of this service with this revocation route, and how many checks
    /// met such a one. It is the same one as long as the checks meet the same.
    pub(super) fn naming(
        &self,
        place: &Place,
        service: &str,
        route: &str,
    ) -> Option<(Arc<Chain>, usize, usize)> {
        let pages = self.pages();
        let of_service = pages
            .iter()
            .filter(|(Labelled(check), _)| check.endpoint.service == service);
        let pages = of_service.filter(|(_, page)| *page.route == route);
        let mut found = pages.filter_map(|(_, page)| page.naming(place));
        let (chain, index) = found.next()?;
        Some((chain, index, 1 + found.count()))
    }

    fn pages(&self) -> MutexGuard<'_, BTreeMap<Labelled, Arc<Page>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn routes(&self) -> MutexGuard<'_, Pool<String>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Archive {
    fn read(&self, path: &Path) -> Arc<Chain> {
        let mut chains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chain) = chains.get(path).and_then(Weak::upgrade) {
            return chain;
        }
        if chains.len() == chains.capacity() {
            chains.retain(|_, chain| chain.strong_count() > 0);
        }
        let subjects = subjects(path);
        let chain = Arc::new(Chain {
            places: places(&subjects).into_values().collect(),
            subjects,
            path: Arc::clone(path),
            seen: Mutex::default(),
        });
        chains.insert(Arc::clone(path), Arc::downgrade(&chain));
        chain
    }
}

impl Chain {
    /// What was found out about it, kept once where the check before found out the same.
    pub(super) fn shared(&self, found: Vec<RevocationSeen>) -> Arc<[RevocationSeen]> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if **seen != *found {
            *seen = found.into();
        }
        Arc::clone(&seen)
    }
}

impl Page {
    /// What there is to know of a chain, known already or parsed now.
    pub(super) fn read(&self, path: &Path) -> Arc<Chain> {
        let chains = self.chains();
        let known = chains.iter().find(|met| met.chain.path == *path);
        if let Some(met) = known {
            return Arc::clone(&met.chain);
        }
        drop(chains);
        self.common.archive.read(path)
    }

    /// Writes down what a probe met. Only one that came to its end tells what is not met any more.
    pub(in crate::probe) fn write(&self, met: &[Arc<Chain>], came_to_its_end: bool) {
        let mut chains = self.chains();
        for known in chains.iter_mut() {
            if met.iter().any(|chain| chain.path == known.chain.path) {
                known.missed = 0;
            } else if came_to_its_end {
                known.missed += 1;
            }
        }
        let is_old = |known: &Met| known.missed >= PROBES_OF_LATE;
        let is_new =
            |chain: &&Arc<Chain>| !chains.iter().any(|known| known.chain.path == chain.path);
        let new: Vec<&Arc<Chain>> = met.iter().filter(is_new).collect();
        if new.is_empty() && !chains.iter().any(is_old) {
            return;
        }
        let before = places_of(&chains);
        chains.retain(|known| !is_old(known));
        for chain in new {
            let is_known = chains.iter().any(|known| known.chain.path == chain.path);
            if !is_known && chains.len() < MOST_CHAINS {
                chains.reserve_exact(1);
                chains.push(Met {
                    chain: Arc::clone(chain),
                    missed: 0,
                });
            }
        }
        let changed = places_of(&chains) != before;
        drop(chains);
        if changed {
            self.common.changed.send_replace(());
        }
    }

    fn places(&self) -> Arc<[Named]> {
        places_of(&self.chains())
    }

    fn naming(&self, place: &Place) -> Option<(Arc<Chain>, usize)> {
        let chains = self.chains();
        chains.iter().find_map(|met| {
            let mut subjects = met.chain.subjects.iter();
            let index = subjects.position(|subject| subject.names(place))?;
            Some((Arc::clone(&met.chain), index))
        })
    }

    fn chains(&self) -> MutexGuard<'_, Vec<Met>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the certificates of these chains name. Nearly always it is one chain, which many checks meet.
fn places_of(chains: &[Met]) -> Arc<[Named]> {
    match chains {
        [met] => Arc::clone(&met.chain.places),
        chains => {
            let subjects = chains.iter().flat_map(|met| &met.chain.subjects);
            places(subjects).into_values().collect()
        }
    }
}

/// What certificates name; of what several name, as if by the one that names the fewest.
fn places<'s>(subjects: impl IntoIterator<Item = &'s Subject>) -> BTreeMap<Place, Named> {
    let mut named: BTreeMap<Place, Named> = BTreeMap::new();
    for subject in subjects {
        for place in subject.places() {
            let (lists, responders) = (subject.lists.len(), subject.responders.len());
            let known = named.entry(place.clone()).or_insert(Named {
                place,
                lists,
                responders,
            });
            known.lists = known.lists.min(lists);
            known.responders = known.responders.min(responders);
        }
    }
    named
}

impl Subject {
    /// Where the word on it is to be had.
    fn places(&self) -> impl Iterator<Item = Place> {
        Publication::ALL.into_iter().flat_map(|publication| {
            let place = move |url: &Url| Place {
                publication,
                url: url.clone(),
            };
            self.urls(publication).iter().map(place)
        })
    }

    fn names(&self, place: &Place) -> bool {
        self.urls(place.publication).contains(&place.url)
    }

    fn urls(&self, publication: Publication) -> &[Url] {
        match publication {
            Publication::RevocationList => &self.lists,
            Publication::Answers => &self.responders,
            Publication::Certificate => &self.issuers,
        }
    }
}

#[cfg(test)]
mod tests;
