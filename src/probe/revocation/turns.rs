//! How much is fetched at once. What is small waits only for what is fetched over its own route, so that a route that
//! is dead holds up no other; what is large waits for what is large anywhere in the process. Nobody waits for one
//! while holding the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is no longer than this is small: every answer, and most lists.
pub(super) const SMALL_BYTES: usize = 1 << 20;

/// So many small ones are under way at once over each route.
const MOST_SMALL: usize = 16;

/// So many large ones are under way at once: with lists of 50 MiB, 200 MiB.
const MOST_LARGE: usize = 4;

/// The turns of the process.
#[derive(Debug)]
pub(super) struct Turns {
    /// By route, as many as the configuration has.
    small: Mutex<HashMap<String, Arc<Semaphore>>>,
    large: Arc<Semaphore>,
}

/// Those of one route.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A turn, for as long as it is kept. None is missed where there are no turns any more, which does not happen.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            small: Mutex::default(),
            large: Arc::new(Semaphore::new(MOST_LARGE)),
        }
    }
}

impl Turns {
    pub(super) fn of_route(&self, route: &str) -> Lane {
        let mut small = self.small.lock().unwrap_or_else(PoisonError::into_inner);
        let known = small.entry(route.to_owned());
        let small = known.or_insert_with(|| Arc::new(Semaphore::new(MOST_SMALL)));
        Lane {
            small: Arc::clone(small),
            large: Arc::clone(&self.large),
        }
    }
}

impl Lane {
    /// The turn of something that is read to [`SMALL_BYTES`] at most.
    pub(super) async fn small(&self) -> Turn {
        Turn::of(&self.small).await
    }

    /// The turn of something longer.
    pub(super) async fn large(&self) -> Turn {
        Turn::of(&self.large).await
    }
}

impl Turn {
    async fn of(turns: &Arc<Semaphore>) -> Self {
        Self {
            _permit: Arc::clone(turns).acquire_owned().await.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn large_ones_wait_for_each_other_whatever_their_route_and_small_ones_do_not() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for number in 0..MOST_LARGE {
            held.push(turns.of_route(&number.to_string()).large().await);
        }
        let other = turns.of_route("other");
        assert!(timeout(MOMENT, other.large()).await.is_err());
        assert!(timeout(MOMENT, other.small()).await.is_ok());
        held.pop();
        assert!(timeout(MOMENT, other.large()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_route_holds_up_no_other() {
        let turns = Turns::default();
        let dead = turns.of_route("dead");
        let mut held = Vec::new();
        for _ in 0..MOST_SMALL {
            held.push(dead.small().await);
        }
        assert!(
            timeout(MOMENT, turns.of_route("dead").small())
                .await
                .is_err()
        );
        assert!(
            timeout(MOMENT, turns.of_route("alive").small())
                .await
                .is_ok()
        );
    }
}
