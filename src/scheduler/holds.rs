//! The loop of a check's holds: at a fixed rate beside its probes, within a limit of its own, so that connections
//! which stand idle for minutes keep no probe waiting.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::limit::Lane;
use super::turns::Turns;
use crate::observer::Watcher;
use crate::outcome::HoldOutcome;
use crate::plan::Check;

/// Makes the future of one hold; called anew for each.
pub type HoldFunction =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = HoldOutcome> + Send>> + Send + Sync>;

/// The loop, from inside.
pub(super) struct Holding {
    pub(super) check: Arc<Check>,
    pub(super) watcher: Box<dyn Watcher>,
    /// What it does at its next turn. A reload replaces it without disturbing a hold under way.
    pub(super) hold: watch::Receiver<HoldFunction>,
    pub(super) lane: Lane,
    pub(super) turns: Turns,
}

impl Holding {
    /// Never ends by itself. A hold under way ends with this future, untold: half a hold says nothing.
    pub(super) async fn run(mut self) {
        loop {
            sleep_until(self.turns.next()).await;
            let permit = self.lane.permit().await;
            let hold = Arc::clone(&self.hold.borrow());
            self.hold_once(&hold).await;
            drop(permit);
            let skipped = self.turns.skip_those_before(Instant::now());
            if skipped > 0 {
                self.watcher.holds_skipped(skipped);
            }
        }
    }

    /// Runs one hold in a task of its own, so that a fault in it ends neither this loop nor the daemon.
    async fn hold_once(&self, hold: &HoldFunction) {
        let mut task = JoinSet::new();
        task.spawn(hold());
        match task.join_next().await {
            Some(Ok(outcome)) => self.watcher.held(&Arc::new(outcome)),
            Some(Err(fault)) => {
                let key = self.check.key();
                tracing::error!(
                    service = key.service, endpoint = key.endpoint, route = key.route, %fault,
                    "a hold ended without an outcome: this is a fault of reachd, please report it"
                );
                if fault.is_panic() {
                    self.watcher.hold_panicked();
                }
            }
            None => {}
        }
    }
}
