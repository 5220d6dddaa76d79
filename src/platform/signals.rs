//! What the operating system asks of the daemon.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlC, ctrl_c};

/// A wish of the operating system, or of whoever speaks through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Read the configuration anew (SIGHUP).
    Reload,
    /// End (SIGTERM, SIGINT, Ctrl-C).
    Stop,
}

/// Listens for signals from its making on. One that comes while nobody waits is kept for who waits next.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    hangup: Listener,
    #[cfg(unix)]
    terminate: Listener,
    #[cfg(unix)]
    interrupt: Listener,
    #[cfg(windows)]
    interrupt: CtrlC,
}

#[cfg(unix)]
impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the operating system does not let us.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
        }
    }

    /// Waits for a signal to stop. One to reload waits until [`Signals::next`] is asked.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(windows)]
impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the operating system does not let us.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        self.stop().await;
        Signal::Stop
    }

    /// Waits for a signal to stop.
    pub async fn stop(&mut self) {
        self.interrupt.recv().await;
    }
}
