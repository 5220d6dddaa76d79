//! The thread that writes the history down. Who probes only puts an outage into a queue, which is bounded and in which
//! an outage stands once; the disk may be as slow as it likes.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::outage::Outage;
use super::rows::{OutageId, id_of, outage_bytes};
use super::store::{Batch, Loaded, Store, StoreError};

/// No more outages than this wait to be written; beyond it, the oldest are lost to the file.
const MOST_WAITING: usize = 10_000;

/// How often what is not urgent is written, and what is: an outage that began or ended.
const EVERY: Duration = Duration::from_secs(1);
const EVERY_URGENT: Duration = Duration::from_millis(50);

/// How often the timelines are written, and what is too old goes.
const TIMELINES_EVERY: Duration = Duration::from_secs(60);
const PRUNES_EVERY: Duration = Duration::from_secs(3_600);

/// After a failed attempt, the disk is left alone for so long.
const REST: Duration = Duration::from_secs(10);

/// The start waits no longer for the disk, and the end not for the last write.
const OPENED_WITHIN: Duration = Duration::from_secs(8);
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// A write that takes longer is taken for one that hangs.
const LONGEST_WRITE: Duration = Duration::from_secs(10);

/// Gives what the timelines are now: the text of a key and their bytes.
pub(super) type Timelines = Box<dyn Fn() -> Vec<(String, Vec<u8>)> + Send>;

/// Is told whether the file is written to as it should be, at the start and whenever that changes.
pub type StoreReport = Box<dyn Fn(bool) + Send + Sync>;

/// The queue in front of the thread.
pub(super) struct Keeper {
    folder: PathBuf,
    queue: Mutex<Queue>,
    wake: Condvar,
    report: StoreReport,
}

#[derive(Default)]
struct Queue {
    waiting: BTreeMap<OutageId, Outage>,
    is_urgent: bool,
    lost: u64,
    /// Since when the disk is being waited for.
    writing: Option<Instant>,
    is_up: Option<bool>,
    stops: bool,
    ended: bool,
}

// === impl Keeper ===

impl Keeper {
    /// Opens the file and reads it, on the thread that goes on to write; without one, or without an answer in time,
    /// there is nothing from before, and nothing is kept.
    pub(super) fn start(
        folder: &Path,
        report: StoreReport,
    ) -> (Arc<Self>, Loaded, SyncSender<Timelines>) {
        let keeper = Arc::new(Self {
            folder: folder.to_owned(),
            queue: Mutex::default(),
            wake: Condvar::new(),
            report,
        });
        let (opened, answer) = sync_channel(1);
        let (begin, timelines) = sync_channel::<Timelines>(1);
        let thread = Arc::clone(&keeper);
        let spawned = Builder::new().name("history".to_owned()).spawn(move || {
            let result = Store::open(&thread.folder);
            let (store, loaded) = match result {
                Ok((store, loaded)) => (Some(store), Ok(loaded)),
                Err(error) => (None, Err(error)),
            };
            // Nobody waits any more after a while, and gives no timelines either.
            opened.send(loaded).ok();
            if let (Some(store), Ok(timelines)) = (store, timelines.recv()) {
                thread.write_until_stopped(store, &timelines);
            }
            thread.queue().ended = true;
            thread.wake.notify_all();
        });
        let loaded = match spawned {
            Ok(_) => answer
                .recv_timeout(OPENED_WITHIN)
                .unwrap_or_else(|_| Err(no_answer())),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        };
        match loaded {
            Ok(loaded) => {
                keeper.is_up(Ok(()));
                (keeper, loaded, begin)
            }
            Err(error) => {
                keeper.is_up(Err(&error));
                keeper.queue().ended = true;
                // Without a sender the thread, should it ever get there, has nothing to do.
                (keeper, Loaded::default(), sync_channel(0).0)
            }
        }
    }

    /// An outage is to be written as it is now, in place of what waits of it.
    pub(super) fn keep(&self, outage: &Outage, is_urgent: bool) {
        let mut queue = self.queue();
        if queue.ended {
            return;
        }
        queue.waiting.insert(id_of(outage), outage.clone());
        queue.make_room();
        let hangs = queue
            .writing
            .is_some_and(|since| since.elapsed() > LONGEST_WRITE);
        queue.is_urgent |= is_urgent;
        self.wake.notify_all();
        drop(queue);
        if hangs {
            self.is_up(Err(&no_answer()));
        }
    }

    /// Writes what waits, and what the timelines are, for the last time. Says whether that was done in time.
    pub(super) fn stop(&self) -> bool {
        let mut queue = self.queue();
        queue.stops = true;
        self.wake.notify_all();
        let waited = self
            .wake
            .wait_timeout_while(queue, WRITTEN_WITHIN, |queue| !queue.ended);
        let (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.ended && queue.is_up == Some(true)
    }

    fn write_until_stopped(&self, store: Store, timelines: &Timelines) {
        let mut store = Some(store);
        let mut wrote_at = Instant::now();
        let (mut timelines_at, mut prunes_at) = (wrote_at + TIMELINES_EVERY, wrote_at);
        loop {
            let stops = match store {
                Some(_) => self.wait_for_work(timelines_at, wrote_at + EVERY_URGENT),
                None => self.wait_while(REST, |queue| !queue.stops).stops,
            };
            let waiting = self.begin_to_write();
            wrote_at = Instant::now();
            let (has_timelines, prunes) =
                (stops || wrote_at >= timelines_at, wrote_at >= prunes_at);
            let row = |(id, outage): (&OutageId, &Outage)| (id.clone(), outage_bytes(outage));
            let batch = Batch {
                outages: waiting.iter().map(row).collect(),
                timelines: if has_timelines {
                    timelines()
                } else {
                    Vec::new()
                },
                prunes,
            };
            match self.write(&mut store, &batch) {
                Ok(()) => {
                    if has_timelines {
                        timelines_at = wrote_at + TIMELINES_EVERY;
                    }
                    if prunes {
                        prunes_at = wrote_at + PRUNES_EVERY;
                    }
                    self.wrote();
                    self.is_up(Ok(()));
                }
                Err(error) => {
                    self.put_back(waiting);
                    self.is_up(Err(&error));
                }
            }
            if stops {
                return;
            }
        }
    }

    /// A file that failed is closed, and opened anew for the next attempt.
    fn write(&self, store: &mut Option<Store>, batch: &Batch) -> Result<(), StoreError> {
        let open = match store.take() {
            Some(open) => open,
            None => Store::open(&self.folder)?.0,
        };
        open.write(batch)?;
        *store = Some(open);
        Ok(())
    }

    /// Until something is due; says whether it is the last time.
    fn wait_for_work(&self, timelines_at: Instant, not_before: Instant) -> bool {
        let until = |then: Instant| then.saturating_duration_since(Instant::now());
        drop(self.wait_while(until(timelines_at), |queue| {
            queue.waiting.is_empty() && !queue.stops
        }));
        drop(self.wait_while(until(timelines_at).min(EVERY), |queue| {
            !queue.is_urgent && !queue.stops
        }));
        self.wait_while(until(not_before), |queue| !queue.stops)
            .stops
    }

    fn wait_while(
        &self,
        longest: Duration,
        condition: impl Fn(&mut Queue) -> bool,
    ) -> MutexGuard<'_, Queue> {
        let waited = self
            .wake
            .wait_timeout_while(self.queue(), longest, condition);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn begin_to_write(&self) -> BTreeMap<OutageId, Outage> {
        let mut queue = self.queue();
        queue.writing = Some(Instant::now());
        queue.is_urgent = false;
        std::mem::take(&mut queue.waiting)
    }

    fn wrote(&self) {
        let mut queue = self.queue();
        queue.writing = None;
        let lost = std::mem::take(&mut queue.lost);
        drop(queue);
        if lost > 0 {
            warn!(
                lost,
                "outages were not written down: too many waited for the disk"
            );
        }
    }

    /// What came meanwhile of the same outages is newer.
    fn put_back(&self, waiting: BTreeMap<OutageId, Outage>) {
        let mut queue = self.queue();
        queue.writing = None;
        for (id, outage) in waiting {
            queue.waiting.entry(id).or_insert(outage);
        }
        queue.make_room();
    }

    /// Tells of it once.
    fn is_up(&self, result: Result<(), &StoreError>) {
        let is_up = result.is_ok();
        let former = self.queue().is_up.replace(is_up);
        if former == Some(is_up) {
            return;
        }
        let folder = self.folder.display();
        match result {
            Ok(()) if former.is_some() => info!(%folder, "the history is kept on disk again"),
            Ok(()) => {}
            Err(error) => {
                warn!(%folder, "the history is kept in memory alone, and does not reach the disk: {error}");
            }
        }
        (self.report)(is_up);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Queue ===

impl Queue {
    fn make_room(&mut self) {
        while self.waiting.len() > MOST_WAITING {
            self.waiting.pop_first();
            self.lost += 1;
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keeper({})", self.folder.display())
    }
}

fn no_answer() -> StoreError {
    StoreError::Unavailable("the disk does not answer".to_owned())
}
