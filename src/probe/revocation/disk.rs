//! Lists and answers that outlive the process: one file each, as it was fetched. What is read is verified anew, so
//! that whoever writes into the folder can do no more than have something fetched again.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use tracing::warn;

use super::document::Document;
use super::store::Key;
use super::trouble::Trouble;
use crate::outcome::RevocationReason;
use crate::plan::MOST_LIST_BYTES;

/// What all files may take together, and how many there may be.
const MOST_BYTES: u64 = 256 << 20;
const MOST_FILES: usize = 4096;

/// The folder in the state directory.
const FOLDER: &str = "revocation";

/// How files end that are complete, and such that are not.
const KEPT: &str = "der";
const UNFINISHED: &str = "part";

/// The folder.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    written: AtomicU64,
}

impl Disk {
    /// Makes the folder where there is none, and looks whether it can be written to.
    pub(super) fn open(state_dir: &Path) -> Result<Self, String> {
        let disk = Self {
            folder: state_dir.join(FOLDER),
            written: AtomicU64::new(0),
        };
        let trial = disk.unfinished();
        fs::create_dir_all(&disk.folder)
            .and_then(|()| fs::write(&trial, b"reachd"))
            .and_then(|()| fs::remove_file(&trial))
            .map_err(|error| {
                let folder = disk.folder.display();
                format!("state_dir: {folder} cannot be written to: {error}")
            })?;
        Ok(disk)
    }

    /// What was kept, if it is still good. `verified` is given the bytes and when they were written.
    pub(super) fn read(
        &self,
        key: &Key,
        verified: impl FnOnce(&[u8], SystemTime) -> Result<Document, Trouble>,
    ) -> Option<Document> {
        let path = self.path(key);
        let file = File::open(&path).ok()?;
        let metadata = file.metadata().ok()?;
        let mut bytes = Vec::new();
        let most = MOST_LIST_BYTES as u64 + 1;
        let read = file.take(most).read_to_end(&mut bytes);
        let since = metadata.modified().ok()?;
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
        let written = File::create(&part)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&part, &path));
        if let Err(error) = written {
            fs::remove_file(&part).ok();
            warn!(file = %path.display(), %error, "the state directory cannot be written to");
        }
        self.make_room();
    }

    /// What was written longest ago goes.
    fn make_room(&self) {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<(SystemTime, u64, PathBuf)> = files
            .filter(|file| Path::new(&file.file_name()).extension() == Some(KEPT.as_ref()))
            .filter_map(|file| {
                let metadata = file.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), file.path()))
            })
            .collect();
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
        let mut count = files.len();
        for (_, length, path) in files {
            if bytes <= MOST_BYTES && count <= MOST_FILES {
                return;
            }
            fs::remove_file(path).ok();
            bytes -= length;
            count -= 1;
        }
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
        let name = format!("{process}-{number}");
        self.folder.join(name).with_extension(UNFINISHED)
    }
}

#[cfg(test)]
mod tests;
