//! Keeps the script of one route: fetched when somebody asks and not before, by one probe at a time, and again when
//! its time is over. Why it cannot be had is remembered for a moment, so that many checks ask its server once.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use super::script::Script;
use crate::probe::fetch::{Document, FetchError, Fetcher};
use crate::route::PacSource;

/// The longest script; WinHTTP takes no more either.
const MOST_BYTES: usize = 1 << 20;

/// For so long nobody tries again where the script cannot be had.
const REMEMBERED: Duration = Duration::from_secs(5);

/// A file is not looked at more often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keeps one script.
#[derive(Debug)]
pub(super) struct Keeper {
    source: PacSource,
    fetcher: Fetcher,
    /// Locked as long as somebody fetches.
    kept: Arc<Mutex<Option<Kept>>>,
    /// A look at a file that did not end in time. A file system that hangs is not asked again before it does.
    unfinished: Arc<Mutex<Option<JoinHandle<LookResult>>>>,
}

#[derive(Debug)]
struct Kept {
    result: Result<Arc<Script>, String>,
    since: Instant,
    /// Of a file.
    stamp: Option<Stamp>,
    /// How much time there was, where it was not enough: whoever has far more tries again.
    too_short: Option<Duration>,
}

/// What changes with a file.
type Stamp = (Option<SystemTime>, u64);

impl Keeper {
    pub(super) fn new(source: PacSource, fetcher: Fetcher) -> Self {
        Self {
            source,
            fetcher,
            kept: Arc::default(),
            unfinished: Arc::default(),
        }
    }

    /// The keeper of the same script, which fetches in another way from now on.
    pub(super) fn succeeded(&self, fetcher: Fetcher) -> Self {
        Self {
            source: self.source.clone(),
            fetcher,
            kept: Arc::clone(&self.kept),
            unfinished: Arc::clone(&self.unfinished),
        }
    }

    /// The script, or why it cannot be had. A script whose time is over is never used in place of one that cannot
    /// be fetched.
    pub(super) async fn script(&self, deadline: Instant) -> Result<Arc<Script>, String> {
        let Ok(mut kept) = timeout_at(deadline, self.kept.lock()).await else {
            return Err(format!(
                "{}: another check fetches it, which did not end in time",
                self.source
            ));
        };
        if let Some(kept) = kept.as_ref().filter(|kept| self.is_fresh(kept, deadline)) {
            return kept.result.clone();
        }
        let former = kept.take();
        let renewed = match &self.source {
            PacSource::Url { url, .. } => {
                let document = Document::at(url, MOST_BYTES);
                let given = deadline.saturating_duration_since(Instant::now());
                let fetched = self.fetcher.fetch(&document, deadline).await;
                let too_short = matches!(fetched, Err(FetchError::Timeout(_))).then_some(given);
                let fetched = fetched.map_err(|error| error.to_string());
                Kept {
                    result: self.same_or_new(former, fetched),
                    since: Instant::now(),
                    stamp: None,
                    too_short,
                }
            }
            PacSource::File(path) => self.looked(path, former, deadline).await,
        };
        kept.insert(renewed).result.clone()
    }

    fn is_fresh(&self, kept: &Kept, deadline: Instant) -> bool {
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        let lasts = match (&kept.result, &self.source) {
            (_, PacSource::File(_)) => LOOK_EVERY,
            (Ok(_), PacSource::Url { refresh, .. }) => *refresh,
            (Err(_), _) if kept.too_short.is_some_and(|given| left > given * 2) => return false,
            (Err(_), _) => REMEMBERED,
        };
        now.duration_since(kept.since) < lasts
    }

    async fn looked(&self, path: &Path, former: Option<Kept>, deadline: Instant) -> Kept {
        let stamp = former.as_ref().and_then(|kept| kept.stamp);
        let mut unfinished = self.unfinished.lock().await;
        let path = path.to_owned();
        let mut looking = unfinished
            .take()
            .unwrap_or_else(|| spawn_blocking(move || look(&path, stamp)));
        let since = Instant::now();
        let looked = timeout_at(deadline, &mut looking).await;
        if looked.is_err() {
            *unfinished = Some(looking);
        }
        match looked {
            Ok(Ok(Ok(Look::Same))) => match former {
                Some(former) => Kept { since, ..former },
                None => self.not_read(since, "it changed while it was looked at"),
            },
            Ok(Ok(Ok(Look::Read(stamp, bytes)))) => Kept {
                result: self.same_or_new(former, Ok(bytes)),
                since,
                stamp: Some(stamp),
                too_short: None,
            },
            Ok(Ok(Err(error))) => self.not_read(since, &error),
            Ok(Err(_)) => self.not_read(since, "reading it was broken off"),
            Err(_) => self.not_read(since, "it could not be read in time"),
        }
    }

    fn not_read(&self, since: Instant, why: &str) -> Kept {
        Kept {
            result: Err(format!("{}: {why}", self.source)),
            since,
            stamp: None,
            too_short: None,
        }
    }

    /// A script that did not change goes on with what is known of it.
    fn same_or_new(
        &self,
        former: Option<Kept>,
        bytes: Result<Vec<u8>, String>,
    ) -> Result<Arc<Script>, String> {
        let bytes = bytes?;
        let former = former.and_then(|kept| kept.result.ok());
        let same = former.filter(|script| script.is(&bytes));
        Ok(same.unwrap_or_else(|| Arc::new(Script::new(self.source.to_string(), &bytes))))
    }
}

type LookResult = Result<Look, String>;

#[derive(Debug)]
enum Look {
    Same,
    Read(Stamp, Vec<u8>),
}

fn look(path: &Path, former: Option<Stamp>) -> LookResult {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let stamp = (metadata.modified().ok(), metadata.len());
    if former == Some(stamp) {
        return Ok(Look::Same);
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() > MOST_BYTES {
        return Err(format!("it is longer than {} KiB", MOST_BYTES >> 10));
    }
    Ok(Look::Read(stamp, bytes))
}

#[cfg(test)]
mod tests;
