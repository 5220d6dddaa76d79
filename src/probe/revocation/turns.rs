//! How much is fetched at once. What is small waits only for what is fetched over its own route, and above all of its own
//! host, so that neither a dead route nor a dead host holds up another; what is large waits for what is large anywhere in
//! the process, and not while it holds the turn of something small.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// What is no longer than this is small: every answer, and most lists.
pub(super) const SMALL_BYTES: usize = 1 << 20;

/// So many small ones are under way at once over each route.
const MOST_SMALL: usize = 64;

/// So many of them from one host: one that accepts and says nothing keeps no more turns than these.
const MOST_OF_HOST: usize = 4;

/// Hosts that nobody asks any more are forgotten when there are so many: they come from certificates.
const MANY_HOSTS: usize = 256;

/// So many large ones are under way at once: with lists of 50 MiB, 200 MiB.
const MOST_LARGE: usize = 4;

/// The turns of the process.
#[derive(Debug)]
pub(super) struct Turns {
    /// By route, as many as the configuration has.
    small: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// By route and host.
    hosts: Mutex<HashMap<(String, String), Weak<Semaphore>>>,
    large: Arc<Semaphore>,
}

/// Those of one host over one route.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    host: Arc<Semaphore>,
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A turn, for as long as it is kept. None is missed where there are no turns any more, which does not happen.
#[derive(Debug)]
pub(super) struct Turn {
    _permits: [Option<OwnedSemaphorePermit>; 2],
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            small: Mutex::default(),
            hosts: Mutex::default(),
            large: Arc::new(Semaphore::new(MOST_LARGE)),
        }
    }
}

impl Turns {
    /// The turns of what is at this URL, over this route.
    pub(super) fn of(&self, route: &str, url: &Url) -> Lane {
        let mut small = self.small.lock().unwrap_or_else(PoisonError::into_inner);
        let known = small.entry(route.to_owned());
        let small = known.or_insert_with(|| Arc::new(Semaphore::new(MOST_SMALL)));
        Lane {
            host: self.of_host(route, url),
            small: Arc::clone(small),
            large: Arc::clone(&self.large),
        }
    }

    fn of_host(&self, route: &str, url: &Url) -> Arc<Semaphore> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let key = (route.to_owned(), format!("{host}:{port}"));
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MANY_HOSTS {
            hosts.retain(|_, turns| turns.strong_count() > 0);
        }
        if let Some(known) = hosts.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        let turns = Arc::new(Semaphore::new(MOST_OF_HOST));
        hosts.insert(key, Arc::downgrade(&turns));
        turns
    }
}

impl Lane {
    /// The turn of something that is read to [`SMALL_BYTES`] at most.
    pub(super) async fn small(&self) -> Turn {
        // The host's first: who waits for it keeps nobody else from the route.
        let host = turn(&self.host).await;
        let route = turn(&self.small).await;
        Turn {
            _permits: [host, route],
        }
    }

    /// The turn of something longer.
    pub(super) async fn large(&self) -> Turn {
        Turn {
            _permits: [turn(&self.large).await, None],
        }
    }
}

async fn turn(turns: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(turns).acquire_owned().await.ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_secs(1);

    fn lane(turns: &Turns, route: &str, host: &str) -> Lane {
        turns.of(route, &Url::parse(&format!("http://{host}/a.crl")).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn large_ones_wait_for_each_other_whatever_their_route_and_small_ones_do_not() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for number in 0..MOST_LARGE {
            held.push(lane(&turns, &number.to_string(), "a.test").large().await);
        }
        let other = lane(&turns, "other", "a.test");
        assert!(timeout(MOMENT, other.large()).await.is_err());
        assert!(timeout(MOMENT, other.small()).await.is_ok());
        held.pop();
        assert!(timeout(MOMENT, other.large()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn neither_a_dead_host_nor_a_dead_route_holds_up_another() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..MOST_OF_HOST {
            held.push(lane(&turns, "direct", "dead.test").small().await);
        }
        let waits = |route: &'static str, host: &str| {
            let lane = lane(&turns, route, host);
            async move { timeout(MOMENT, lane.small()).await.is_err() }
        };
        assert!(waits("direct", "dead.test").await);
        assert!(!waits("direct", "dead.test:8080").await);
        assert!(!waits("direct", "alive.test").await);
        assert!(!waits("other", "dead.test").await);
        for number in 0..MOST_SMALL {
            held.push(
                lane(&turns, "dead", &format!("h{number}.test"))
                    .small()
                    .await,
            );
        }
        assert!(waits("dead", "alive.test").await);
        assert!(!waits("direct", "alive.test").await);
    }

    #[test]
    fn hosts_do_not_pile_up() {
        let turns = Turns::default();
        let kept = lane(&turns, "direct", "kept.test");
        for number in 0..MANY_HOSTS * 2 {
            lane(&turns, "direct", &format!("h{number}.test"));
        }
        assert!(turns.hosts.lock().unwrap().len() <= MANY_HOSTS);
        let again = lane(&turns, "direct", "kept.test");
        assert!(Arc::ptr_eq(&kept.host, &again.host));
    }
}
