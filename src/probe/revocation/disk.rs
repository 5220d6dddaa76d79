//! Lists and answers that outlive the process. The format: one file each, whose content is the DER exactly as it was
//! fetched, whose name is the SHA-256 of what it was asked for by, and whose time of modification is when it came.
//! There is no index and no version. What is read is verified anew, so that whoever writes into the folder can do no
//! more than have something fetched again.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::document::Document;
use super::store::Key;
use super::trouble::Trouble;
use crate::outcome::RevocationReason;
use crate::plan::MOST_LIST_BYTES;

/// What all files may take together, and how many there may be.
const MOST_BYTES: u64 = 256 << 20;
const MOST_FILES: usize = 32_768;

/// The folder in the state directory.
const FOLDER: &str = "revocation";

/// How files end that are complete, and such that are not.
const KEPT: &str = "der";
const UNFINISHED: &str = "part";

/// A file that was begun so long ago is finished by nobody.
const LEFT_BEHIND: Duration = Duration::from_secs(600);

/// So much is read and written at once, and waited for so long.
const MOST_AT_ONCE: usize = 4;
const LONGEST: Duration = Duration::from_secs(5);

/// A disk that took longer is left alone for so long.
const REST: Duration = Duration::from_secs(60);

/// The folder.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    /// When it was opened: with the number of the process, which may be another one's after a restart, it tells who
    /// writes a file.
    opened: SystemTime,
    written: AtomicU64,
    kept: Mutex<Tally>,
    turns: Arc<Semaphore>,
    rests_until: Mutex<Option<Instant>>,
}

/// What is there, at most: what was written twice counts twice until the folder is looked through.
#[derive(Debug, Default)]
struct Tally {
    files: usize,
    bytes: u64,
}

impl Tally {
    fn is_too_much(&self) -> bool {
        self.bytes > MOST_BYTES || self.files > MOST_FILES
    }
}

impl Disk {
    /// Makes the folder where there is none, looks whether it can be written to, and clears away what was never
    /// finished.
    pub(super) fn open(state_dir: &Path) -> Result<Self, String> {
        let disk = Self {
            folder: state_dir.join(FOLDER),
            opened: SystemTime::now(),
            written: AtomicU64::new(0),
            kept: Mutex::default(),
            turns: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            rests_until: Mutex::default(),
        };
        let trial = disk.unfinished();
        fs::create_dir_all(&disk.folder)
            .and_then(|()| write_new(&trial, b"reachd"))
            .and_then(|()| fs::remove_file(&trial))
            .map_err(|error| {
                let folder = disk.folder.display();
                format!("state_dir: {folder} cannot be written to: {error}")
            })?;
        disk.make_room();
        Ok(disk)
    }

    /// Has the disk do something, off the probing thread; none where it does not answer in time. Such a disk holds up
    /// a few threads and is then left alone, so that no probe has to wait for it again and again.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if locked(&self.rests_until).is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let turns = Arc::clone(&self.turns);
        let turn = async move {
            let turn = turns.acquire_owned().await.ok()?;
            let work = move || {
                let done = work();
                drop(turn);
                done
            };
            spawn_blocking(work).await.ok()
        };
        if let Ok(done) = timeout(LONGEST, turn).await {
            return done;
        }
        *locked(&self.rests_until) = Some(Instant::now() + REST);
        warn!(folder = %self.folder.display(), "the state directory did not answer within {LONGEST:?}");
        None
    }

    /// What was kept, if it is still good. `verified` is given the bytes and when they were written.
    pub(super) fn read(
        &self,
        key: &Key,
        verified: impl FnOnce(&[u8], SystemTime) -> Result<Document, Trouble>,
    ) -> Option<Document> {
        let path = self.path(key);
        let metadata = fs::symlink_metadata(&path).ok()?;
        if !metadata.is_file() {
            // A pipe would have whoever opens it wait for somebody who writes.
            warn!(file = %path.display(), "what is no file is removed from the state directory");
            fs::remove_file(&path).ok();
            return None;
        }
        let file = File::open(&path).ok()?;
        let mut bytes = Vec::new();
        let most = MOST_LIST_BYTES as u64 + 1;
        let read = file.take(most).read_to_end(&mut bytes);
        // What has no end of its own lasts from then on: never longer than if it came now.
        let since = metadata.modified().ok()?.min(SystemTime::now());
        if let Err(error) = read {
            warn!(file = %path.display(), %error, "a file of the state directory cannot be read");
            return None;
        }
        match verified(&bytes, since) {
            Ok(document) => Some(document),
            Err(trouble) => {
                if trouble.reason != RevocationReason::Stale {
                    let why = trouble.detail;
                    warn!(file = %path.display(), why, "a file of the state directory is ignored");
                }
                fs::remove_file(&path).ok();
                None
            }
        }
    }

    /// Keeps what was fetched, whole or not at all.
    pub(super) fn write(&self, key: &Key, bytes: &[u8]) {
        let (path, part) = (self.path(key), self.unfinished());
        if let Err(error) = write_new(&part, bytes).and_then(|()| fs::rename(&part, &path)) {
            fs::remove_file(&part).ok();
            warn!(file = %path.display(), %error, "the state directory cannot be written to");
            return;
        }
        let mut kept = locked(&self.kept);
        kept.files += 1;
        kept.bytes += bytes.len() as u64;
        let is_too_much = kept.is_too_much();
        drop(kept);
        if is_too_much {
            self.make_room();
        }
    }

    /// Looks through the folder: what was never finished goes, and where there is too much, what was written longest
    /// ago; somewhat more than has to, so that this is not soon needed again.
    fn make_room(&self) {
        let mut files = Vec::new();
        let mut tally = Tally::default();
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = file.path();
            let Some((length, modified)) = file
                .metadata()
                .ok()
                .and_then(|metadata| Some((metadata.len(), metadata.modified().ok()?)))
            else {
                continue;
            };
            if path.extension() == Some(KEPT.as_ref()) {
                tally.files += 1;
                tally.bytes += length;
                files.push((modified, length, path));
            } else if path.extension() == Some(UNFINISHED.as_ref()) && is_left_behind(modified) {
                fs::remove_file(path).ok();
            }
        }
        if tally.is_too_much() {
            files.sort();
            for (_, length, path) in files {
                if tally.bytes <= MOST_BYTES / 8 * 7 && tally.files <= MOST_FILES / 8 * 7 {
                    break;
                }
                fs::remove_file(path).ok();
                tally.files -= 1;
                tally.bytes -= length;
            }
        }
        *locked(&self.kept) = tally;
    }

    fn path(&self, key: &Key) -> PathBuf {
        let mut hash = Sha256::new();
        for part in [
            key.issuer.as_slice(),
            key.serial.as_deref().unwrap_or_default(),
            key.url.as_bytes(),
            key.route.as_bytes(),
        ] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let mut name = String::new();
        for byte in hash.finalize() {
            // Writing to a String cannot fail.
            write!(name, "{byte:02x}").ok();
        }
        self.folder.join(name).with_extension(KEPT)
    }

    /// A name that nobody else writes to.
    fn unfinished(&self) -> PathBuf {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let opened = self.opened.duration_since(SystemTime::UNIX_EPOCH);
        let opened = opened.unwrap_or_default().as_nanos();
        let name = format!("{process}-{opened}-{number}");
        self.folder.join(name).with_extension(UNFINISHED)
    }
}

/// Writes a file that must not be there yet, so that nothing that lies there is written through.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    File::create_new(path)?.write_all(bytes)
}

/// Another process may be writing to a younger one.
fn is_left_behind(modified: SystemTime) -> bool {
    modified.elapsed().map_or(true, |age| age > LEFT_BEHIND)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
