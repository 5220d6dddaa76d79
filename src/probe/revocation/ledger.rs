//! What the certificates say that the checks met of late, parsed once for each chain; and, from that, the places where
//! authorities publish, which become endpoints of their own.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustls::pki_types::CertificateDer;
use tokio::sync::{Semaphore, watch};
use url::Url;

use super::certificate::{Subject, subjects};
use crate::endpoint::Publication;
use crate::plan::{CheckKey, Named, Place};

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
    pages: Mutex<BTreeMap<CheckKey, Arc<Page>>>,
    archive: Arc<Archive>,
    changed: watch::Sender<()>,
    /// The turns of those who read a published list.
    pub(super) lists: Semaphore,
}

/// What one check met.
#[derive(Debug)]
pub(in crate::probe) struct Page {
    /// The revocation route of the check.
    route: String,
    chains: Mutex<Vec<Met>>,
    archive: Arc<Archive>,
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
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            pages: Mutex::default(),
            archive: Arc::default(),
            changed: watch::Sender::default(),
            lists: Semaphore::new(MOST_LISTS),
        }
    }
}

impl Ledger {
    /// The page of a check whose revocation route is this; what was met is the same whatever the route.
    pub(in crate::probe) fn page(&self, key: CheckKey, route: &str) -> Arc<Page> {
        let mut pages = self.pages();
        let known = pages.get(&key);
        if let Some(page) = known.filter(|page| page.route == route) {
            return Arc::clone(page);
        }
        let chains = known.map(|page| page.chains().clone()).unwrap_or_default();
        let page = Arc::new(Page {
            route: route.to_owned(),
            chains: Mutex::new(chains),
            archive: Arc::clone(&self.archive),
            changed: self.changed.clone(),
        });
        pages.insert(key, Arc::clone(&page));
        page
    }

    /// Forgets all checks but these.
    pub(in crate::probe) fn keep_only(&self, keys: &HashSet<CheckKey>) {
        self.pages().retain(|key, _| keys.contains(key));
    }

    /// Tells whenever a check met other chains than before.
    pub(in crate::probe) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The places that the certificates of each check name.
    pub(in crate::probe) fn places(&self) -> HashMap<CheckKey, Vec<Named>> {
        let pages = self.pages();
        let places = pages.iter().map(|(key, page)| (key.clone(), page.places()));
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
        let of_service = pages.iter().filter(|(key, _)| key.service == service);
        let pages = of_service.filter(|(_, page)| page.route == route);
        let mut found = pages.filter_map(|(_, page)| page.naming(place));
        let (chain, index) = found.next()?;
        Some((chain, index, 1 + found.count()))
    }

    fn pages(&self) -> MutexGuard<'_, BTreeMap<CheckKey, Arc<Page>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
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
        let chain = Arc::new(Chain {
            subjects: subjects(path),
            path: Arc::clone(path),
        });
        chains.insert(Arc::clone(path), Arc::downgrade(&chain));
        chain
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
        self.archive.read(path)
    }

    /// Writes down what a probe met. Only one that came to its end tells what is not met any more.
    pub(in crate::probe) fn write(&self, met: &[Arc<Chain>], came_to_its_end: bool) {
        let mut chains = self.chains();
        let before = places(&chains);
        for known in chains.iter_mut() {
            if met.iter().any(|chain| chain.path == known.chain.path) {
                known.missed = 0;
            } else if came_to_its_end {
                known.missed += 1;
            }
        }
        chains.retain(|known| known.missed < PROBES_OF_LATE);
        for chain in met {
            let is_known = chains.iter().any(|known| known.chain.path == chain.path);
            if !is_known && chains.len() < MOST_CHAINS {
                chains.push(Met {
                    chain: Arc::clone(chain),
                    missed: 0,
                });
            }
        }
        let changed = places(&chains) != before;
        drop(chains);
        if changed {
            self.changed.send_replace(());
        }
    }

    fn places(&self) -> Vec<Named> {
        places(&self.chains()).into_values().collect()
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

/// What the certificates of these chains name; of what several name, as if by the one that names the fewest.
fn places(chains: &[Met]) -> BTreeMap<Place, Named> {
    let mut named: BTreeMap<Place, Named> = BTreeMap::new();
    for subject in chains.iter().flat_map(|met| &met.chain.subjects) {
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
