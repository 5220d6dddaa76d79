//! File systems of a size of one's own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system that ends with the value.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    pub(crate) fn tmpfs(folder: &Path, size: &str) -> Self {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder)
            .status()
            .unwrap();
        assert!(status.success(), "mount of {}", folder.display());
        Self(folder.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: the daemon may have its file open still.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
