//! What is known of the service, and under which name it is asked: on disk, where there is a folder for it, so that a
//! start without network knows it, too, and no start asks earlier than it may.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustls::crypto::aws_lc_rs;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::HOUR;
use super::sets::EndpointSet;
use crate::config::{M365Instance, read_bounded};

/// The folder in the state directory.
const FOLDER: &str = "m365";

/// The name under which the service is asked, one for each machine.
const CLIENT: &str = "client-request-id";

const MOST_BYTES: u64 = 32 << 20;
const MOST_CLIENT_BYTES: u64 = 1 << 10;

/// What is known of the service. Times are in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// What was asked for.
    query: String,
    /// The version of the sets.
    version: Option<String>,
    /// The latest version there was, and when that was said.
    latest: Option<(String, u64)>,
    success: Option<u64>,
    /// Until when not to ask, and why.
    patience: Option<(u64, String)>,
    pub(super) sets: Vec<EndpointSet>,
}

/// Where it is kept.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: PathBuf,
    file: PathBuf,
}

impl Memory {
    /// What of it answers this question. That the service wants to be left alone holds for every question.
    pub(super) fn of_query(self, query: String, now: SystemTime) -> Self {
        let latest_end = seconds(now) + HOUR.as_secs();
        let patience = self.patience.filter(|(until, _)| *until <= latest_end);
        let latest = self.latest.filter(|(_, said)| *said <= seconds(now));
        if self.query == query {
            return Self {
                latest,
                patience,
                ..self
            };
        }
        // The sets serve until those that are asked for now are there.
        Self {
            query,
            version: None,
            latest,
            patience,
            ..self
        }
    }

    /// Whether the service wanted to be left alone until later than now.
    pub(super) fn is_refused(&self, now: SystemTime) -> bool {
        let patience = self.patience.as_ref();
        patience.is_some_and(|(until, _)| *until > seconds(now))
    }

    /// How long nothing is to be asked yet.
    pub(super) fn rest(&self, now: SystemTime) -> Option<Duration> {
        let now = seconds(now);
        let patience = self.patience.as_ref().map(|(until, _)| *until);
        let is_current = |(latest, _): &&(String, u64)| self.has(latest);
        let latest = self.latest.as_ref().filter(is_current);
        let next = latest.map(|(_, said)| said + HOUR.as_secs());
        let until = patience.max(next)?;
        (until > now).then(|| Duration::from_secs(until - now))
    }

    /// Why nothing is asked, where nothing is known.
    pub(super) fn refused(&self) -> String {
        let Some((until, why)) = &self.patience else {
            return "it was asked less than an hour ago".to_owned();
        };
        let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(*until));
        let until = until.map(|until| humantime::format_rfc3339_seconds(until).to_string());
        format!("{why}, not before {}", until.unwrap_or_default())
    }

    /// The latest version, as far as it is known and need not be asked for.
    pub(super) fn version_at(&self, now: SystemTime) -> Option<String> {
        let (latest, said) = self.latest.as_ref()?;
        (seconds(now) < said + HOUR.as_secs()).then(|| latest.clone())
    }

    pub(super) fn heard(&mut self, latest: &str, now: SystemTime) {
        self.latest = Some((latest.to_owned(), seconds(now)));
    }

    /// Whether it has the sets of this version.
    pub(super) fn has(&self, version: &str) -> bool {
        self.version.as_deref() == Some(version)
    }

    pub(super) fn take(&mut self, version: String, sets: Vec<EndpointSet>) {
        self.version = Some(version);
        self.sets = sets;
    }

    pub(super) fn succeed(&mut self, now: SystemTime) {
        self.success = Some(seconds(now));
        self.patience = None;
    }

    /// The service does not want to be asked for an hour.
    pub(super) fn wait(&mut self, now: SystemTime, why: &str) {
        self.patience = Some((seconds(now) + HOUR.as_secs(), why.to_owned()));
    }

    pub(super) fn success(&self) -> Option<SystemTime> {
        let success = Duration::from_secs(self.success?);
        SystemTime::UNIX_EPOCH.checked_add(success)
    }
}

impl Shelf {
    pub(super) fn new(state_dir: &Path, instance: M365Instance) -> Self {
        let folder = state_dir.join(FOLDER);
        Self {
            file: folder.join(instance.as_str()).with_extension("json"),
            folder,
        }
    }

    /// What is kept; nothing where there is none, or where it is broken.
    pub(super) fn read(&self) -> Option<Memory> {
        if !self.file.exists() {
            return None;
        }
        let content = read_bounded(&self.file, MOST_BYTES);
        let memory = content.and_then(|content| {
            serde_json::from_slice(&content).map_err(|error| error.to_string())
        });
        match memory {
            Ok(memory) => Some(memory),
            Err(error) => {
                let file = self.file.display();
                warn!(%file, error, "a file of the state directory is ignored");
                None
            }
        }
    }

    /// Whole or not at all.
    pub(super) fn write(&self, memory: &Memory) -> Result<(), String> {
        let content = serde_json::to_vec(memory).map_err(|error| error.to_string())?;
        self.replace(&self.file, &content)
    }

    /// The name under which the service is asked, made once.
    pub(super) fn client(&self) -> String {
        let file = self.folder.join(CLIENT);
        let kept = read_bounded(&file, MOST_CLIENT_BYTES).unwrap_or_default();
        let kept = String::from_utf8_lossy(&kept);
        if is_client(kept.trim()) {
            return kept.trim().to_owned();
        }
        let client = new_client();
        if let Err(error) = self.replace(&file, client.as_bytes()) {
            warn!(
                error,
                "the name under which Microsoft 365 is asked cannot be kept"
            );
        }
        client
    }

    fn replace(&self, file: &Path, content: &[u8]) -> Result<(), String> {
        let part = file.with_extension("part");
        fs::create_dir_all(&self.folder)
            .and_then(|()| write_new(&part, content))
            .and_then(|()| fs::rename(&part, file))
            .map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// Writes a file in the place of what was never finished, and never through what lies there.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::create_new(path)?.write_all(content),
    }
}

fn is_client(text: &str) -> bool {
    let is_digit = |(place, c): (usize, char)| match place {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.chars().enumerate().all(is_digit)
}

/// A random UUID (RFC 9562 §5.4).
pub(super) fn new_client() -> String {
    let mut bytes = [0_u8; 16];
    // Without random numbers it is the name of nobody, and the service answers all the same.
    let random = aws_lc_rs::default_provider().secure_random;
    random.fill(&mut bytes).ok();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let number = u128::from_be_bytes(bytes);
    let digits = format!("{number:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
    parts.join("-")
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn known() -> Memory {
        let mut memory = Memory::default().of_query("q".to_owned(), at(1000));
        memory.heard("2026112000", at(1000));
        memory.take("2026112000".to_owned(), Vec::new());
        memory.succeed(at(1000));
        memory
    }

    #[test]
    fn nothing_is_asked_within_an_hour() {
        let memory = known();
        assert_eq!(memory.rest(at(1000)), Some(HOUR));
        assert_eq!(memory.rest(at(4599)), Some(Duration::from_secs(1)));
        assert_eq!(memory.rest(at(4600)), None);
        assert_eq!(memory.version_at(at(4600)), None);
        assert_eq!(memory.success(), Some(at(1000)));
    }

    #[test]
    fn a_version_without_its_sets_is_not_asked_for_again() {
        let mut memory = known();
        memory.heard("2026112001", at(5000));
        assert_eq!(
            memory.rest(at(5300)),
            None,
            "its endpoints are still wanted"
        );
        assert_eq!(memory.version_at(at(5300)).unwrap(), "2026112001");
        memory.wait(at(5300), "429");
        assert_eq!(memory.rest(at(5301)), Some(Duration::from_secs(3599)));
        assert_eq!(memory.refused(), "429, not before 1970-01-01T02:28:20Z");
        assert!(memory.is_refused(at(5301)) && !memory.is_refused(at(9000)));
    }

    #[test]
    fn another_question_has_no_answer_yet() {
        let mut memory = known();
        memory.wait(at(1000), "429");
        let same = memory.clone().of_query("q".to_owned(), at(1001));
        assert_eq!(same, memory);
        let other = memory.clone().of_query("r".to_owned(), at(1001));
        assert!(!other.has("2026112000"));
        assert!(
            other.rest(at(1001)).is_some(),
            "patience is asked of everybody"
        );
        // After a clock went back, the hour is not a year.
        let back = memory.of_query("q".to_owned(), at(10));
        assert_eq!(back.rest(at(10)), None);
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(&folder.path().join("state"), M365Instance::China);
        assert_eq!(shelf.read(), None);
        shelf.write(&known()).unwrap();
        assert_eq!(shelf.read(), Some(known()));
        let client = shelf.client();
        assert!(is_client(&client), "{client}");
        assert_eq!(shelf.client(), client);
        assert_ne!(new_client(), client);
        fs::write(&shelf.file, "{").unwrap();
        assert_eq!(shelf.read(), None);
        fs::write(folder.path().join("state/m365").join(CLIENT), "x y").unwrap();
        assert!(is_client(&shelf.client()));
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_where_something_is_written_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path(), M365Instance::China);
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "precious").unwrap();
        fs::create_dir(&shelf.folder).unwrap();
        for part in ["china.part", "client-request-id.part"] {
            let part = shelf.folder.join(part);
            std::os::unix::fs::symlink(&elsewhere, part).unwrap();
        }
        shelf.write(&known()).unwrap();
        assert_eq!(shelf.read(), Some(known()));
        let client = shelf.client();
        assert_eq!(shelf.client(), client);
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
    }
}
