//! Keeps lists and answers for all checks of the process. Each is fetched by one at a time, in a task of its own that
//! goes on when whoever asked gives up; it is renewed while the old one is still good; and why it cannot be had is
//! remembered for a moment, so that many checks ask its server once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::disk::Disk;
use super::document::Document;
use super::trouble::Trouble;

/// For so long nobody tries again where something cannot be had.
const REMEMBERED: Duration = Duration::from_secs(30);

/// What is kept in memory.
const MOST_BYTES: usize = 256 << 20;
const MOST_ENTRIES: usize = 4096;

/// So many fetches are under way at once over each route: a route that is dead holds up no other.
const MOST_FETCHES: usize = 16;

/// Lists and answers about revocation, kept for all checks of the process; it survives a reload.
#[derive(Debug, Default)]
pub(in crate::probe) struct RevocationStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// Of all documents.
    bytes: usize,
    /// Counts the uses.
    clock: u64,
    disk: Option<Arc<Disk>>,
    /// By route, as many as the configuration has.
    fetches: HashMap<String, Arc<Semaphore>>,
}

/// What tells one list or answer from the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Of which issuer.
    pub(super) issuer: [u8; 32],
    /// Of an answer: about which certificate.
    pub(super) serial: Option<Vec<u8>>,
    pub(super) url: String,
    /// Over which route: what one lets through another may block.
    pub(super) route: String,
}

#[derive(Debug, Default)]
struct Entry {
    document: Option<Arc<Document>>,
    failure: Option<(Arc<Trouble>, Instant)>,
    running: Option<watch::Receiver<Option<Fetched>>>,
    used: u64,
}

/// What comes of a fetch.
pub(super) type Fetched = Result<Arc<Document>, Arc<Trouble>>;

/// A document, or somebody who is fetching it.
#[derive(Debug)]
pub(super) enum Found {
    Known(Fetched),
    Awaited(Pending),
}

/// A fetch that is under way.
#[derive(Debug)]
pub(super) struct Pending(watch::Receiver<Option<Fetched>>);

impl RevocationStore {
    /// Keeps everything in this folder too, from now on; without one, in memory alone. The folder is made.
    ///
    /// # Errors
    /// In one line why nothing can be written there.
    pub(in crate::probe) fn keep_in(&self, folder: Option<&Path>) -> Result<(), String> {
        let disk = folder.map(Disk::open).transpose()?;
        self.state().disk = disk.map(Arc::new);
        Ok(())
    }

    pub(super) fn disk(&self) -> Option<Arc<Disk>> {
        self.state().disk.clone()
    }

    /// What is known, or who finds it out: a fetch that is under way, or the one that is made and begun here.
    /// `fetch` is told whether it is a renewal; it is called with the store locked, and must not ask it.
    pub(super) fn find<F>(
        self: &Arc<Self>,
        key: &Key,
        interval: Duration,
        fetch: impl FnOnce(bool) -> F,
    ) -> Found
    where
        F: Future<Output = Result<Document, Trouble>> + Send + 'static,
    {
        let now = SystemTime::now();
        let mut state = self.state();
        state.clock += 1;
        let clock = state.clock;
        if !state.entries.contains_key(key) {
            let entry = Entry {
                used: clock,
                ..Entry::default()
            };
            state.entries.insert(key.clone(), entry);
            state.make_room();
        }
        let permits = state.permits(&key.route);
        let entry = state.entries.entry(key.clone()).or_default();
        entry.used = clock;
        let good = entry.document.clone().filter(|known| now < known.until);
        let failure = entry.remembered();
        if let Some(document) = good {
            if now >= document.renew && failure.is_none() && entry.under_way().is_none() {
                entry.running = Some(self.begin(key, interval, permits, fetch(true)).0);
            }
            return Found::Known(Ok(document));
        }
        if let Some(trouble) = failure {
            return Found::Known(Err(trouble));
        }
        if let Some(running) = entry.under_way() {
            return Found::Awaited(Pending(running));
        }
        let pending = self.begin(key, interval, permits, fetch(false));
        entry.running = Some(pending.0.clone());
        Found::Awaited(pending)
    }

    fn begin<F>(
        self: &Arc<Self>,
        key: &Key,
        interval: Duration,
        permits: Arc<Semaphore>,
        fetch: F,
    ) -> Pending
    where
        F: Future<Output = Result<Document, Trouble>> + Send + 'static,
    {
        let (tell, told) = watch::channel(None);
        let (store, key) = (Arc::clone(self), key.clone());
        tokio::spawn(async move {
            // The semaphore is never closed; if it were, fetching at once would still be right.
            let _permit = permits.acquire().await.ok();
            let fetched = fetch.await.map(Arc::new).map_err(Arc::new);
            store.keep(key, &fetched, interval.min(REMEMBERED));
            tell.send_replace(Some(fetched));
        });
        Pending(told)
    }

    fn keep(&self, key: Key, fetched: &Fetched, remember: Duration) {
        let mut state = self.state();
        let entry = state.entries.entry(key).or_default();
        entry.running = None;
        let (mut gone, mut came) = (0, 0);
        match fetched {
            Ok(document) => {
                came = document.size();
                let former = entry.document.replace(Arc::clone(document));
                gone = former.map_or(0, |former| former.size());
                entry.failure = None;
            }
            Err(trouble) => entry.failure = Some((Arc::clone(trouble), Instant::now() + remember)),
        }
        state.bytes = state.bytes + came - gone;
        state.make_room();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn permits(&mut self, route: &str) -> Arc<Semaphore> {
        let known = self.fetches.entry(route.to_owned());
        Arc::clone(known.or_insert_with(|| Arc::new(Semaphore::new(MOST_FETCHES))))
    }

    /// What was not used for longest goes, unless somebody waits for it.
    fn make_room(&mut self) {
        while self.bytes > MOST_BYTES || self.entries.len() > MOST_ENTRIES {
            let idle = self.entries.iter();
            let idle = idle.filter(|(_, entry)| entry.running.is_none());
            let oldest = idle.min_by_key(|(_, entry)| entry.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            let gone = self.entries.remove(&key).and_then(|entry| entry.document);
            self.bytes -= gone.map_or(0, |document| document.size());
        }
    }
}

impl Entry {
    fn remembered(&self) -> Option<Arc<Trouble>> {
        let (trouble, until) = self.failure.as_ref()?;
        (Instant::now() < *until).then(|| Arc::clone(trouble))
    }

    /// A fetch whose task ended without a word is none.
    fn under_way(&self) -> Option<watch::Receiver<Option<Fetched>>> {
        let running = self.running.as_ref()?;
        running.has_changed().is_ok().then(|| running.clone())
    }
}

impl Pending {
    /// What came of it; nothing where its task ended without a word.
    pub(super) async fn wait(mut self) -> Option<Fetched> {
        let told = self.0.wait_for(Option::is_some).await.ok()?;
        told.clone()
    }
}

#[cfg(test)]
mod tests;
