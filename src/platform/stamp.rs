//! By what a change of a file is seen, also where nobody tells of changes, as on a file server.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// By what a change of a file is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    modified: SystemTime,
    length: u64,
    /// Another one after the file was replaced by a rename; 0 where the system has no such numbers.
    number: u64,
}

impl FileStamp {
    /// That of a file now.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = path.metadata()?;
        Ok(Self {
            modified: metadata.modified()?,
            length: metadata.len(),
            number: number(&metadata),
        })
    }
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> u64 {
    0
}
