//! As whom reachd appears to servers that ask: a client certificate from files, read again when they change.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::sign::CertifiedKey;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use super::certificate;
use crate::config::client_certificate;
use crate::endpoint::ClientFiles;
use crate::probe::ProberError;

/// The files are looked at once in so long at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A handshake waits so long at most for that: a file on a server that hangs holds up nothing.
const LONGEST_LOOK: Duration = Duration::from_millis(100);

/// A client certificate that follows its files.
pub(in crate::probe) struct Identity {
    files: ClientFiles,
    state: Mutex<State>,
    is_looking: AtomicBool,
}

/// What one handshake may show.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) pair: Arc<CertifiedKey>,
    /// Whose certificate it is.
    pub(super) subject: Arc<str>,
}

struct State {
    shown: Shown,
    stamps: Stamps,
    looked: Instant,
}

/// By what a change is seen: when each file was written, and how long it is.
type Stamps = [Option<(SystemTime, u64)>; 2];

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shown").field(&self.subject).finish()
    }
}

impl Identity {
    pub(in crate::probe) fn new(files: &ClientFiles) -> Result<Self, ProberError> {
        let stamps = stamps(files);
        let shown = read(files).map_err(ProberError::ClientCertificate)?;
        Ok(Self {
            files: files.clone(),
            state: Mutex::new(State {
                shown,
                stamps,
                looked: Instant::now(),
            }),
            is_looking: AtomicBool::new(false),
        })
    }

    /// What the files hold, or held when they were last good.
    pub(super) async fn current(self: &Arc<Self>) -> Shown {
        if self.is_time_to_look() && !self.is_looking.swap(true, Ordering::Acquire) {
            let own = Arc::clone(self);
            let look = spawn_blocking(move || {
                own.look();
                own.is_looking.store(false, Ordering::Release);
            });
            // What is found later is for the next handshake.
            timeout(LONGEST_LOOK, look).await.ok();
        }
        self.state().shown.clone()
    }

    fn is_time_to_look(&self) -> bool {
        let mut state = self.state();
        let is_time = state.looked.elapsed() >= LOOK_EVERY;
        if is_time {
            state.looked = Instant::now();
        }
        is_time
    }

    /// Reads the files again if they changed. What is broken is said once and tried again with the next change.
    fn look(&self) {
        let found = stamps(&self.files);
        if found == self.state().stamps {
            return;
        }
        let read = read(&self.files);
        let mut state = self.state();
        state.stamps = found;
        match read {
            Ok(shown) => {
                tracing::info!(subject = %shown.subject, "the client certificate was read again");
                state.shown = shown;
            }
            Err(why) => {
                let kept = &state.shown.subject;
                tracing::warn!(%why, %kept, "the new client certificate cannot be used; the old one stays");
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(files: &ClientFiles) -> Result<Shown, String> {
    let pair = client_certificate(files)?;
    let leaf = certificate::seen(&pair.cert).into_iter().next();
    let subject = leaf.map_or_else(|| "unknown".to_owned(), |leaf| leaf.subject);
    Ok(Shown {
        pair: Arc::new(pair),
        subject: subject.into(),
    })
}

fn stamps(files: &ClientFiles) -> Stamps {
    let stamp = |path: &Path| {
        let metadata = path.metadata().ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    [stamp(&files.certificate), stamp(&files.key)]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, DnType, KeyPair};
    use tempfile::TempDir;
    use tokio::time::advance;

    use super::*;

    fn write(folder: &TempDir, name: &str) -> ClientFiles {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        let both = folder.path().join("client.pem");
        let text = format!("{}{}", certificate.pem(), key.serialize_pem());
        fs::write(&both, text).unwrap();
        ClientFiles {
            certificate: both.clone(),
            key: both,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_certificate_is_found_and_a_broken_one_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(&folder, "one");
        let identity = Arc::new(Identity::new(&files).unwrap());
        let subject = async || identity.current().await.subject.to_string();
        write(&folder, "another");
        assert_eq!(subject().await, "CN=one", "it was looked at just now");
        advance(LOOK_EVERY).await;
        assert_eq!(subject().await, "CN=another");
        fs::write(&files.certificate, "nothing").unwrap();
        advance(LOOK_EVERY).await;
        assert_eq!(subject().await, "CN=another");
        write(&folder, "the third");
        advance(LOOK_EVERY).await;
        assert_eq!(subject().await, "CN=the third");
    }

    #[test]
    fn the_key_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(&folder, "one");
        let identity = Identity::new(&files).unwrap();
        let shown = format!("{identity:?} {:?}", identity.state().shown);
        assert!(!shown.contains("PRIVATE") && shown.len() < 400, "{shown}");
    }
}
