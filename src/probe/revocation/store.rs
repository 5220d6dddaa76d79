//! Keeps lists and answers for all checks of the process. Each is fetched by one at a time, in a task of its own that
//! goes on when whoever asked gives up; it is renewed while the old one is still good. Why it cannot be had is
//! remembered until it can: whoever asks is told at once, and in the background it is tried again now and then.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use super::disk::Disk;
use super::document::Document;
use super::trouble::Trouble;
use super::turns::{Lane, Turns};

/// For so long nobody tries again where something cannot be had.
const REST: Duration = Duration::from_secs(30);

/// What is kept in memory: an entry that is but an answer takes less than a kilobyte.
const MOST_BYTES: usize = 256 << 20;
const MOST_ENTRIES: usize = 65_536;

/// Lists and answers about revocation, kept for all checks of the process; it survives a reload.
#[derive(Debug, Default)]
pub(in crate::probe) struct RevocationStore {
    state: Mutex<State>,
    turns: Turns,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// Of all entries.
    bytes: usize,
    /// Counts the uses.
    clock: u64,
    disk: Option<Arc<Disk>>,
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
    /// Why the last fetch came to nothing; it goes with one that does not.
    failure: Option<Failed>,
    running: Option<watch::Receiver<Option<Fetched>>>,
    used: u64,
    /// What it takes in memory, as it was counted last.
    bytes: usize,
}

#[derive(Debug)]
struct Failed {
    trouble: Arc<Trouble>,
    /// From when on it is tried again.
    again: Instant,
}

/// What comes of a fetch.
pub(super) type Fetched = Result<Arc<Document>, Arc<Trouble>>;

/// What is known, or somebody who finds it out.
#[derive(Debug)]
pub(super) enum Found {
    Known(Known),
    Awaited(Pending),
    /// It could not be had before, and is tried again now.
    Retried(Arc<Trouble>, Pending),
}

/// What is known of a list or an answer.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) fetched: Fetched,
    /// Why no new one can be had in the place of one that is still good.
    pub(super) renewal: Option<Arc<Trouble>>,
}

impl From<Fetched> for Known {
    fn from(fetched: Fetched) -> Self {
        Self {
            fetched,
            renewal: None,
        }
    }
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

    /// When what is at this URL may be fetched over this route.
    pub(super) fn lane(&self, route: &str, url: &Url) -> Lane {
        self.turns.of(route, url)
    }

    /// The ways may be others now: what could not be had is asked for as if for the first time.
    pub(in crate::probe) fn forget_failures(&self) {
        for entry in self.state().entries.values_mut() {
            entry.failure = None;
        }
    }

    /// What is known, or who finds it out: a fetch that is under way, or the one that is made and begun here. Only
    /// where nothing is known at all has anybody to wait.
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
        let entry = state.entry(key);
        let good = entry.document.clone().filter(|known| now < known.until);
        let is_wanted = good.as_ref().is_none_or(|known| now >= known.renew);
        let failed = entry.failure.as_ref();
        let is_resting = failed.is_some_and(|failed| Instant::now() < failed.again);
        let failure = failed.map(|failed| Arc::clone(&failed.trouble));
        let mut running = entry.under_way();
        if running.is_none() && is_wanted && !is_resting {
            running = Some(self.begin(key, interval, fetch(good.is_some())));
            entry.running.clone_from(&running);
        }
        match (good, failure, running) {
            (Some(document), renewal, _) => Found::Known(Known {
                fetched: Ok(document),
                renewal,
            }),
            (None, None, Some(running)) => Found::Awaited(Pending(running)),
            (None, Some(trouble), Some(running)) => Found::Retried(trouble, Pending(running)),
            (None, Some(trouble), None) => Found::Known(Err(trouble).into()),
            // Without a failure there is no rest, and so somebody finds out.
            (None, None, None) => {
                let trouble = Trouble::malformed("nobody asks for it");
                Found::Known(Err(Arc::new(trouble)).into())
            }
        }
    }

    fn begin<F>(
        self: &Arc<Self>,
        key: &Key,
        interval: Duration,
        fetch: F,
    ) -> watch::Receiver<Option<Fetched>>
    where
        F: Future<Output = Result<Document, Trouble>> + Send + 'static,
    {
        let (tell, told) = watch::channel(None);
        let (store, key) = (Arc::clone(self), key.clone());
        tokio::spawn(async move {
            let fetched = fetch.await.map(Arc::new).map_err(Arc::new);
            store.keep(&key, &fetched, interval.min(REST));
            tell.send_replace(Some(fetched));
        });
        told
    }

    fn keep(&self, key: &Key, fetched: &Fetched, rest: Duration) {
        let mut state = self.state();
        let entry = state.entry(key);
        entry.running = None;
        match fetched {
            Ok(document) => {
                entry.document = Some(Arc::clone(document));
                entry.failure = None;
            }
            Err(trouble) => {
                entry.failure = Some(Failed {
                    trouble: Arc::clone(trouble),
                    again: Instant::now() + rest,
                });
            }
        }
        let (before, after) = (entry.bytes, entry.size(key));
        entry.bytes = after;
        state.bytes = state.bytes + after - before;
        state.make_room();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The entry, which is used now.
    fn entry(&mut self, key: &Key) -> &mut Entry {
        if !self.entries.contains_key(key) {
            // Before it is there, so that it is not the one that goes.
            self.make_room();
            let mut entry = Entry::default();
            entry.bytes = entry.size(key);
            self.bytes += entry.bytes;
            self.entries.insert(key.clone(), entry);
        }
        self.clock += 1;
        let entry = self.entries.entry(key.clone()).or_default();
        entry.used = self.clock;
        entry
    }

    /// Where there is too much, what was not used for longest goes, unless somebody waits for it; somewhat more than
    /// has to, so that this is not soon needed again.
    fn make_room(&mut self) {
        if self.bytes <= MOST_BYTES && self.entries.len() < MOST_ENTRIES {
            return;
        }
        let idle = self.entries.iter();
        let idle = idle.filter(|(_, entry)| entry.under_way().is_none());
        let mut idle: Vec<(u64, Key)> =
            idle.map(|(key, entry)| (entry.used, key.clone())).collect();
        idle.sort_unstable_by_key(|(used, _)| *used);
        for (_, key) in idle {
            if self.bytes <= MOST_BYTES / 8 * 7 && self.entries.len() <= MOST_ENTRIES / 8 * 7 {
                return;
            }
            let gone = self.entries.remove(&key);
            self.bytes -= gone.map_or(0, |entry| entry.bytes);
        }
    }
}

impl Entry {
    /// What it takes in memory with its key.
    fn size(&self, key: &Key) -> usize {
        let key = size_of::<Key>()
            + key.serial.as_ref().map_or(0, Vec::len)
            + key.url.len()
            + key.route.len();
        let document = self.document.as_ref();
        let failure = self.failure.as_ref();
        size_of::<Self>()
            + key
            + document.map_or(0, |document| document.size())
            + failure.map_or(0, |failed| failed.trouble.size())
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
