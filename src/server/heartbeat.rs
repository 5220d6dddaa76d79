//! That something lives, as its neighbours see it: whoever does not say so for some time may hang.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When something last showed that it lives. Clones are the same.
#[derive(Debug, Clone)]
pub struct Heartbeat(Arc<Mutex<Instant>>);

impl Heartbeat {
    /// It lives.
    pub fn beat(&self) {
        *self.last() = Instant::now();
    }

    /// For how long it has not shown that.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.last().elapsed()
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}
