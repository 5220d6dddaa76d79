//! How many probes may be under way at once. A reload changes the number, and probes under way count on: no
//! row of reloads lets more of them run than the highest limit among these.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The limit on all probes together. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    permits: Arc<Semaphore>,
    /// Permits that probes under way still hold, but that are no longer to be had.
    surplus: Arc<AtomicUsize>,
}

impl Limit {
    pub(super) fn new(most: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(most)),
            surplus: Arc::default(),
        }
    }

    /// Goes on from one limit to another.
    pub(super) fn change(&self, from: usize, to: usize) {
        self.raise(to.saturating_sub(from));
        self.lower(from.saturating_sub(to));
    }

    /// Lets so many more probes run at once.
    fn raise(&self, by: usize) {
        let kept = self.take_surplus(by);
        self.permits.add_permits(by - kept);
    }

    /// Lets so many fewer probes run at once, as soon as those have ended that run already.
    fn lower(&self, by: usize) {
        let unused = self.permits.forget_permits(by);
        self.surplus.fetch_add(by - unused, Ordering::SeqCst);
    }

    /// Waits for a permit, which counts until it is dropped; none is given only by a semaphore that was closed.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
            if self.take_surplus(1) == 0 {
                return Some(permit);
            }
            permit.forget();
        }
    }

    /// Takes as much as there is, and no more than asked for.
    fn take_surplus(&self, most: usize) -> usize {
        let taken = self
            .surplus
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |surplus| {
                Some(surplus.saturating_sub(most))
            });
        taken.unwrap_or_default().min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many permits as are to be had at once.
    async fn all_of(limit: &Limit) -> Vec<OwnedSemaphorePermit> {
        let mut permits = Vec::new();
        while let Ok(Some(permit)) =
            tokio::time::timeout(std::time::Duration::from_secs(1), limit.permit()).await
        {
            permits.push(permit);
        }
        permits
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_lowered_under_way_is_lowered_when_probes_end() {
        let limit = Limit::new(5);
        let mut held = all_of(&limit).await;
        assert_eq!(held.len(), 5);
        limit.lower(3);
        held.truncate(2);
        assert_eq!(all_of(&limit).await.len(), 0);
        held.clear();
        assert_eq!(all_of(&limit).await.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn lowering_and_raising_cancel_out() {
        let limit = Limit::new(4);
        let held = all_of(&limit).await;
        limit.lower(3);
        limit.raise(2);
        limit.lower(1);
        limit.raise(4);
        assert_eq!(all_of(&limit).await.len(), 2, "6 less the 4 under way");
        drop(held);
        assert_eq!(all_of(&limit).await.len(), 6);
        limit.lower(6);
        assert_eq!(all_of(&limit).await.len(), 0);
    }
}
