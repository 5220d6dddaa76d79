//! The file below `state_dir`: outages by their start, and the timeline of every check. Each write is whole or not at
//! all, and on the disk when it returns; what ends the process at any time leaves the file as the last write left it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableDefinition,
};
use thiserror::Error;
use tokio::time::Instant;
use tracing::warn;

use super::outage::Outage;
use super::rows::{OutageId, key_of, outage_of, timeline_of};
use super::time::{millis, millis_of};
use super::uptime::Timeline;
use crate::plan::CheckKey;

/// The name of the file.
pub(super) const FILE: &str = "history.redb";

/// The log has no more outages than this, and none that began longer ago.
pub(super) const MOST_OUTAGES: usize = 10_000;
pub(super) const LONGEST_KEPT: Duration = Duration::from_secs(400 * 24 * 3_600);

/// There are no more timelines than this, counting those of checks that left the plan.
pub(super) const MOST_TIMELINES: usize = 20_000;

const OUTAGES: TableDefinition<'_, (u64, &str), &[u8]> = TableDefinition::new("outages");
const TIMELINES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("timelines");
const FORMAT: TableDefinition<'_, &str, u64> = TableDefinition::new("format");

/// What the file says of itself.
const VERSION_KEY: &str = "version";
const VERSION: u64 = 1;

/// What is read is asked for once; more need not be kept in memory.
const CACHE_BYTES: usize = 1 << 20;

/// How long a former process may take to let go of the file.
const LET_GO_WITHIN: Duration = Duration::from_secs(4);

/// The open file.
pub(super) struct Store {
    database: Database,
}

/// What it had.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) outages: Vec<Outage>,
    pub(super) timelines: Vec<(CheckKey, Timeline)>,
}

/// What is to be written at once.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) outages: Vec<(OutageId, Vec<u8>)>,
    pub(super) timelines: Vec<(String, Vec<u8>)>,
    /// Whether what is too old goes.
    pub(super) prunes: bool,
}

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub(super) enum StoreError {
    /// Its content is of no use.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Its content is of use to a later version.
    #[error("a later version of reachd wrote it (format {0}, this one knows {VERSION})")]
    Newer(u64),
    /// It cannot be had, or not be written to.
    #[error("{0}")]
    Unavailable(String),
}

// === impl Store ===

impl Store {
    /// Opens the file or makes it, and reads it. One that is of no use is set aside for people to look at.
    pub(super) fn open(folder: &Path) -> Result<(Self, Loaded), StoreError> {
        let path = folder.join(FILE);
        fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        match Self::open_file(&path) {
            Err(error @ (StoreError::Damaged(_) | StoreError::Newer(_))) => {
                let aside = set_aside(&path)?;
                let (file, aside) = (path.display(), aside.display());
                warn!(%file, %aside, "the history is set aside, and a new one begun: {error}");
                Self::open_file(&path)
            }
            result => result,
        }
    }

    /// A damaged file may have the library panic.
    fn open_file(path: &Path) -> Result<(Self, Loaded), StoreError> {
        guarded(|| {
            let mut database = open_when_free(path)?;
            database.check_integrity()?;
            let store = Self { database };
            store.begin()?;
            let loaded = store.load()?;
            Ok((store, loaded))
        })
    }

    /// Makes the tables where there are none.
    fn begin(&self) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        {
            let mut format = transaction.open_table(FORMAT)?;
            let version = format.get(VERSION_KEY)?.map(|version| version.value());
            match version {
                None => {
                    format.insert(VERSION_KEY, VERSION)?;
                }
                Some(VERSION) => {}
                Some(other) => return Err(StoreError::Newer(other)),
            }
            transaction.open_table(OUTAGES)?;
            transaction.open_table(TIMELINES)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn load(&self) -> Result<Loaded, StoreError> {
        let transaction = self.database.begin_read()?;
        let mut loaded = Loaded::default();
        let (now, mut unreadable) = (SystemTime::now(), 0_usize);
        for row in transaction.open_table(OUTAGES)?.iter()? {
            match outage_of(row?.1.value()) {
                Some(outage) => loaded.outages.push(outage),
                None => unreadable += 1,
            }
        }
        for row in transaction.open_table(TIMELINES)?.iter()? {
            let (key, bytes) = row?;
            match (key_of(key.value()), timeline_of(bytes.value())) {
                (Some(key), Some(timeline)) if !timeline.is_over(now) => {
                    loaded.timelines.push((key, timeline));
                }
                (Some(_), Some(_)) => {}
                _ => unreadable += 1,
            }
        }
        if unreadable > 0 {
            warn!(
                unreadable,
                "entries of the history are not understood, and left out"
            );
        }
        Ok(loaded)
    }

    /// All of it or nothing; on the disk when this returns.
    pub(super) fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        guarded(|| {
            let transaction = self.database.begin_write()?;
            {
                let mut outages = transaction.open_table(OUTAGES)?;
                for ((start, key), bytes) in &batch.outages {
                    outages.insert((*start, key.as_str()), bytes.as_slice())?;
                }
                let mut timelines = transaction.open_table(TIMELINES)?;
                for (key, bytes) in &batch.timelines {
                    timelines.insert(key.as_str(), bytes.as_slice())?;
                }
                if batch.prunes {
                    let now = SystemTime::now();
                    let oldest = millis(now).saturating_sub(millis_of(LONGEST_KEPT));
                    outages.retain(|(start, _), _| start >= oldest)?;
                    let is_young =
                        |bytes: &[u8]| timeline_of(bytes).is_some_and(|one| !one.is_over(now));
                    timelines.retain(|_, bytes| is_young(bytes))?;
                }
                while outages.len()? > MOST_OUTAGES as u64 && outages.pop_first()?.is_some() {}
                while timelines.len()? > MOST_TIMELINES as u64 && timelines.pop_first()?.is_some() {
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }
}

/// Waits for a former process, which may still be ending, to let go of the file.
#[expect(
    clippy::disallowed_methods,
    reason = "on the history's own thread, which is no worker of a runtime"
)]
fn open_when_free(path: &Path) -> Result<Database, StoreError> {
    let deadline = Instant::now() + LET_GO_WITHIN;
    loop {
        let opened = Database::builder().set_cache_size(CACHE_BYTES).create(path);
        match opened {
            Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < deadline => {
                sleep(Duration::from_millis(100));
            }
            Err(DatabaseError::DatabaseAlreadyOpen) => {
                let why = "another process has it open: two daemons need two folders";
                return Err(StoreError::Unavailable(why.to_owned()));
            }
            Err(error @ (DatabaseError::UpgradeRequired(_) | DatabaseError::RepairAborted)) => {
                return Err(StoreError::Damaged(error.to_string()));
            }
            opened => return Ok(opened?),
        }
    }
}

/// Keeps the former file under a name that tells when.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let seconds = millis(SystemTime::now()) / 1_000;
    let aside = path.with_file_name(format!("{FILE}.bad-{seconds}"));
    fs::rename(path, &aside).map_err(|error| {
        StoreError::Unavailable(format!("it is of no use and cannot be renamed: {error}"))
    })?;
    Ok(aside)
}

/// A fault of the library, such as over a damaged file, ends nothing but what it was about to do.
fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Damaged("reading it failed".to_owned())))
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        use std::io::ErrorKind::{InvalidData, UnexpectedEof};
        match error.into() {
            redb::Error::Io(error) if matches!(error.kind(), InvalidData | UnexpectedEof) => {
                Self::Damaged(error.to_string())
            }
            error @ (redb::Error::Corrupted(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. }) => Self::Damaged(error.to_string()),
            error => Self::Unavailable(error.to_string()),
        }
    }
}
