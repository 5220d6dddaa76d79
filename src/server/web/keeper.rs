//! Keeps the web configuration as its files say: they are looked at every second, and read when they changed and then
//! stood still for a second, so that nothing half-written counts and a certificate comes together with its key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{error, info};

use super::in_force::InForce;
use crate::config::{WebConfig, WebReading};
use crate::platform::FileStamp;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often files are read that change while they are read.
const READINGS: usize = 3;

/// When files changed last; one that is not there has a place, too.
type Stamps = BTreeMap<PathBuf, Option<FileStamp>>;

/// A web configuration file as it was read at the start.
#[derive(Debug)]
pub struct WebFile {
    path: PathBuf,
    config: WebConfig,
    stamps: Stamps,
}

/// What is in force, and keeps up with the files.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    /// Those that were read for what is in force.
    stamps: watch::Sender<Stamps>,
    standing: watch::Sender<Standing>,
    turn: Arc<Semaphore>,
}

/// How the web configuration stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// What was in force last.
    pub(crate) last: Arc<InForce>,
    /// Whether it still is. Where the files have become bad, all that is left of it is the TLS to say so over.
    pub(crate) is_good: bool,
}

// === impl WebFile ===

impl WebFile {
    /// Reads the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, a line each.
    pub fn load(path: &Path) -> Result<Self, String> {
        let (config, stamps) = read(path, Stamps::new());
        let file = Self {
            path: path.to_owned(),
            config: config?,
            stamps,
        };
        // What the library does not like is to be known now.
        file.in_force()?;
        Ok(file)
    }

    /// What it says in one line, for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let WebConfig { tls, users, .. } = &self.config;
        let tls = match tls {
            None => "without TLS".to_owned(),
            Some(tls) => format!("TLS with {:?}", tls.client_policy),
        };
        let users = match users.len() {
            0 => "nobody has to log in".to_owned(),
            1 => "1 user may log in".to_owned(),
            count => format!("{count} users may log in"),
        };
        format!("{} is valid: {tls}, {users}", self.path.display())
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn speaks_tls(&self) -> bool {
        self.config.tls.is_some()
    }

    /// What it says.
    #[must_use]
    pub fn config(&self) -> &WebConfig {
        &self.config
    }

    fn in_force(&self) -> Result<InForce, String> {
        let config = self.config.clone();
        InForce::new(config, None, turn())
            .map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

// === impl Keeper ===

impl Keeper {
    /// Begins with what was read at the start.
    ///
    /// # Errors
    /// What cannot be brought into force; [`WebFile::load`] has seen that there is nothing.
    pub(crate) fn new(file: WebFile) -> Result<Self, String> {
        let in_force = file.in_force()?;
        Ok(Self {
            standing: watch::Sender::new(Standing {
                last: Arc::new(in_force),
                is_good: true,
            }),
            path: file.path,
            stamps: watch::Sender::new(file.stamps),
            turn: turn(),
        })
    }

    /// How it stands now.
    pub(crate) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// How TLS is spoken with the next client.
    pub(crate) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.standing.borrow().last.tls.clone()
    }

    /// Follows the files, for as long as it is polled.
    pub(crate) async fn follow(&self) {
        let mut changed = None;
        loop {
            sleep(LOOK_EVERY).await;
            let known = self.stamps.borrow().clone();
            let files: Vec<PathBuf> = known.keys().cloned().collect();
            let Ok(now) = spawn_blocking(|| stamps(files)).await else {
                continue;
            };
            if now == known {
                changed = None;
            } else if changed.as_ref() == Some(&now) {
                changed = None;
                self.read_anew(now).await;
            } else {
                changed = Some(now);
            }
        }
    }

    async fn read_anew(&self, now: Stamps) {
        let path = self.path.clone();
        let Ok((config, stamps)) = spawn_blocking(move || read(&path, now)).await else {
            return;
        };
        self.stamps.send_replace(stamps);
        let last = self.standing().last;
        let fresh = config.and_then(|config| {
            let fresh = InForce::new(config, Some(&last), Arc::clone(&self.turn))?;
            if fresh.tls.is_some() == last.tls.is_some() {
                return Ok(fresh);
            }
            let path = self.path.display();
            Err(format!(
                "{path}: TLS is switched on or off by a restart of reachd alone"
            ))
        });
        let standing = match fresh {
            Ok(fresh) => {
                info!(file = %self.path.display(), "the web configuration was read anew, and is in force");
                Standing {
                    last: Arc::new(fresh),
                    is_good: true,
                }
            }
            Err(error) => {
                error!(%error, "the web configuration has become bad: every request is refused until it is mended");
                Standing {
                    last,
                    is_good: false,
                }
            }
        };
        self.standing.send_replace(standing);
    }
}

fn turn() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1))
}

/// Reads the file, with stamps that are not younger than what was read.
fn read(path: &Path, mut before: Stamps) -> (Result<WebConfig, String>, Stamps) {
    let mut readings = 1;
    loop {
        let WebReading { config, files } = WebReading::of(path);
        let after = stamps(files);
        if after == before || readings == READINGS {
            return (config.map_err(|problems| problems.to_string()), before);
        }
        before = after;
        readings += 1;
    }
}

fn stamps(files: Vec<PathBuf>) -> Stamps {
    let stamp = |file: PathBuf| {
        let stamp = FileStamp::of(&file).ok();
        (file, stamp)
    };
    files.into_iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::time::timeout;

    use super::*;

    const ONE: &str = "http_server_config: {headers: {X-XSS-Protection: '0'}}\n";
    const OTHER: &str = "http_server_config: {headers: {X-XSS-Protection: '1; mode=block'}}\n";

    fn sent(keeper: &Keeper) -> (bool, String) {
        let (mut headers, standing) = (axum::http::HeaderMap::new(), keeper.standing());
        standing.last.add_headers(&mut headers);
        let value = headers["x-xss-protection"].to_str().unwrap().to_owned();
        (standing.is_good, value)
    }

    async fn until(keeper: &Keeper, expected: (bool, &str)) {
        let follow = async {
            let mut standing = keeper.standing.subscribe();
            while sent(keeper) != (expected.0, expected.1.to_owned()) {
                standing.changed().await.unwrap();
            }
        };
        tokio::select! {
            seen = timeout(Duration::from_secs(30), follow) => seen.unwrap(),
            () = keeper.follow() => {}
        }
    }

    #[tokio::test]
    async fn changes_come_into_force_and_bad_ones_let_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.yml");
        fs::write(&path, ONE).unwrap();
        let keeper = Keeper::new(WebFile::load(&path).unwrap()).unwrap();
        assert_eq!(sent(&keeper), (true, "0".to_owned()));
        fs::write(&path, OTHER).unwrap();
        until(&keeper, (true, "1; mode=block")).await;
        fs::write(&path, "").unwrap();
        until(&keeper, (false, "1; mode=block")).await;
        fs::write(&path, ONE).unwrap();
        until(&keeper, (true, "0")).await;
        fs::remove_file(&path).unwrap();
        until(&keeper, (false, "0")).await;
    }

    #[test]
    fn files_that_it_names_are_looked_at_and_a_bad_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.yml");
        fs::write(&path, "tls_server_config: {cert_file: a, key_file: b}\n").unwrap();
        let (config, stamps) = read(&path, Stamps::new());
        assert!(config.unwrap_err().contains("cannot read"));
        assert_eq!(stamps.len(), 3);
        assert!(WebFile::load(&path).is_err());
    }
}
