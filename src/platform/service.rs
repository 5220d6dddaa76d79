//! What a service manager is told of the daemon (`sd_notify(3)`). Nothing where there is none, as on Windows and where
//! reachd was started by hand. It is told by a thread of its own: whoever listens may take its time.

use std::time::Duration;

#[cfg(unix)]
use std::sync::mpsc::{SyncSender, sync_channel};

/// More than this waits only for a service manager that does not listen.
#[cfg(unix)]
const WAITING: usize = 16;

/// What is told.
#[derive(Debug)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nobody is told"))]
enum Told {
    Ready,
    Reloading,
    Stopping,
    Status(String),
    Alive,
}

/// Tells the service manager how the daemon fares.
#[derive(Debug, Default)]
pub struct ServiceManager {
    #[cfg(unix)]
    messages: Option<SyncSender<Told>>,
}

impl ServiceManager {
    /// That of the environment, if there is one.
    #[must_use]
    pub fn of_environment() -> Self {
        #[cfg(unix)]
        if std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| !socket.is_empty()) {
            return Self {
                messages: unix::messenger(),
            };
        }
        Self::default()
    }

    /// How often it wants to hear that the daemon is alive, at least; `None` where it does not.
    #[must_use]
    pub fn watchdog(&self) -> Option<Duration> {
        #[cfg(unix)]
        if self.messages.is_some() {
            return sd_notify::watchdog_enabled().filter(|every| !every.is_zero());
        }
        None
    }

    /// The daemon serves, and a configuration is in force: the first one, or the one after a reload.
    pub fn ready(&self) {
        self.tell(Told::Ready);
    }

    /// The configuration is being read anew.
    pub fn reloading(&self) {
        self.tell(Told::Reloading);
    }

    /// The daemon ends.
    pub fn stopping(&self) {
        self.tell(Told::Stopping);
    }

    /// How it fares, for people.
    pub fn status(&self, status: String) {
        self.tell(Told::Status(status));
    }

    /// The daemon is alive.
    pub fn alive(&self) {
        self.tell(Told::Alive);
    }

    #[cfg(unix)]
    fn tell(&self, told: Told) {
        if let Some(messages) = &self.messages
            && let Err(error) = messages.try_send(told)
        {
            tracing::warn!(%error, "the service manager could not be told");
        }
    }

    #[cfg(not(unix))]
    fn tell(&self, _: Told) {}
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::mpsc::{Receiver, SyncSender};
    use std::thread;

    use sd_notify::NotifyState;

    use super::{Told, WAITING, sync_channel};

    /// Whom to give what is to be told.
    pub(super) fn messenger() -> Option<SyncSender<Told>> {
        let (messages, told) = sync_channel(WAITING);
        let thread = thread::Builder::new().name("notifier".to_owned());
        match thread.spawn(move || tell(&told)) {
            Ok(_) => Some(messages),
            Err(error) => {
                tracing::warn!(%error, "the service manager is told nothing");
                None
            }
        }
    }

    fn tell(told: &Receiver<Told>) {
        while let Ok(told) = told.recv() {
            if let Err(error) = send(&told) {
                tracing::warn!(%error, "the service manager could not be told");
            }
        }
    }

    fn send(told: &Told) -> io::Result<()> {
        match told {
            Told::Ready => sd_notify::notify(&[NotifyState::Ready]),
            Told::Reloading => {
                let now = NotifyState::monotonic_usec_now()?;
                sd_notify::notify(&[NotifyState::Reloading, now])
            }
            Told::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
            Told::Status(status) => {
                // A message is a line for each thing that is told.
                let line = status.replace('\n', " ");
                sd_notify::notify(&[NotifyState::Status(&line)])
            }
            Told::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
        }
    }
}
