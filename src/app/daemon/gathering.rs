//! Waits until what was found is worth a new plan: findings come in bursts, with the first probes of many checks.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long findings are gathered after the first one.
const GATHERED_FOR: Duration = Duration::from_secs(2);

pub(super) struct Gathering {
    changes: [watch::Receiver<()>; 3],
    due: Option<Instant>,
}

impl Gathering {
    pub(super) fn new(changes: [watch::Receiver<()>; 3]) -> Self {
        Self { changes, due: None }
    }

    /// Ends when something was found some time ago. Nothing is lost when this is dropped and called again.
    pub(super) async fn are_gathered(&mut self) {
        let due = match self.due {
            Some(due) => due,
            None => self.first().await,
        };
        sleep_until(due).await;
        self.due = None;
    }

    async fn first(&mut self) -> Instant {
        let [first, second, third] = &mut self.changes;
        tokio::select! {
            () = change(first) => {}
            () = change(second) => {}
            () = change(third) => {}
        }
        *self.due.insert(Instant::now() + GATHERED_FOR)
    }
}

async fn change(changes: &mut watch::Receiver<()>) {
    if changes.changed().await.is_err() {
        // Nobody is left who could find anything.
        pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_told_once_and_nothing_is_lost() {
        let ((found, changes), (_never, silent)) = (watch::channel(()), watch::channel(()));
        let mut gathering = Gathering::new([silent.clone(), silent, changes]);
        let soon = Duration::from_secs(1);
        assert!(timeout(soon, gathering.are_gathered()).await.is_err());
        found.send_replace(());
        assert!(timeout(soon, gathering.are_gathered()).await.is_err());
        found.send_replace(());
        advance(soon).await;
        assert!(timeout(soon, gathering.are_gathered()).await.is_ok());
        // The second finding came while the first was waited for.
        assert!(
            timeout(GATHERED_FOR * 2, gathering.are_gathered())
                .await
                .is_ok()
        );
        assert!(
            timeout(GATHERED_FOR * 2, gathering.are_gathered())
                .await
                .is_err()
        );
    }
}
