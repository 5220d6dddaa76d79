//! What the certificates say that the checks met of late, parsed once for each chain; and, from that, the places where
//! authorities publish, which become endpoints of their own.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use url::Url;

use super::certificate::{Subject, subjects};
use crate::endpoint::Publication;
use crate::plan::{CheckKey, Place};

/// A check meets one chain, and one more with each redirect. Servers behind one name may differ: more than so many
/// chains of late are not looked at.
const MOST_CHAINS: usize = 16;

/// A chain is of late as long as one of so many probes met it: servers behind one name take turns.
const PROBES_OF_LATE: u32 = 10;

/// What all checks met; it survives a reload.
#[derive(Debug, Default)]
pub(in crate::probe) struct Ledger {
    pages: Mutex<HashMap<CheckKey, Arc<Page>>>,
    changed: watch::Sender<()>,
}

/// What one check met.
#[derive(Debug)]
pub(in crate::probe) struct Page {
    chains: Mutex<Vec<Met>>,
    changed: watch::Sender<()>,
}

/// A chain of late.
#[derive(Debug)]
struct Met {
    chain: Arc<Chain>,
    /// How many probes in a row did not meet it.
    missed: u32,
}

/// A verified chain.
#[derive(Debug)]
pub(in crate::probe) struct Chain {
    path: Arc<[CertificateDer<'static>]>,
    /// Its certificates that may have been revoked.
    pub(super) subjects: Vec<Subject>,
}

impl Ledger {
    /// The page of a check.
    pub(in crate::probe) fn page(&self, key: CheckKey) -> Arc<Page> {
        let mut pages = self.pages();
        let page = pages.entry(key).or_insert_with(|| {
            Arc::new(Page {
                chains: Mutex::default(),
                changed: self.changed.clone(),
            })
        });
        Arc::clone(page)
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
    pub(in crate::probe) fn places(&self) -> HashMap<CheckKey, Vec<Place>> {
        let pages = self.pages();
        let places = pages.iter().map(|(key, page)| (key.clone(), page.places()));
        places.filter(|(_, places)| !places.is_empty()).collect()
    }

    /// A certificate that names this place, and how many checks met such a one.
    pub(super) fn naming(&self, place: &Place) -> Option<(Arc<Chain>, usize, usize)> {
        let pages = self.pages();
        let mut found = None;
        let mut count = 0;
        for page in pages.values() {
            if let Some((chain, index)) = page.naming(place) {
                count += 1;
                found.get_or_insert((chain, index));
            }
        }
        found.map(|(chain, index)| (chain, index, count))
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<CheckKey, Arc<Page>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    /// What there is to know of a chain, known already or parsed now.
    pub(super) fn read(&self, path: &Arc<[CertificateDer<'static>]>) -> Arc<Chain> {
        let chains = self.chains();
        let known = chains.iter().find(|met| met.chain.path == *path);
        if let Some(met) = known {
            return Arc::clone(&met.chain);
        }
        drop(chains);
        Arc::new(Chain {
            subjects: subjects(path),
            path: Arc::clone(path),
        })
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
        let before = chains.len();
        chains.retain(|known| known.missed < PROBES_OF_LATE);
        let mut changed = chains.len() < before;
        for chain in met {
            let is_known = chains.iter().any(|known| known.chain.path == chain.path);
            if !is_known && chains.len() < MOST_CHAINS {
                chains.push(Met {
                    chain: Arc::clone(chain),
                    missed: 0,
                });
                changed = true;
            }
        }
        drop(chains);
        if changed {
            self.changed.send_replace(());
        }
    }

    fn places(&self) -> Vec<Place> {
        let chains = self.chains();
        let subjects = chains.iter().flat_map(|met| &met.chain.subjects);
        let places: BTreeSet<Place> = subjects.flat_map(Subject::places).collect();
        places.into_iter().collect()
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
