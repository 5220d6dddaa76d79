//! The rate limit: a bucket of tokens over all clients together, as the exporters have it.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::config::RateLimit;

/// A bucket from which each request takes a token.
#[derive(Debug)]
pub(super) struct Limiter {
    limit: RateLimit,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Limiter {
    /// A full one.
    pub(super) fn new(limit: RateLimit) -> Self {
        let bucket = Bucket {
            tokens: f64::from(limit.burst),
            filled: Instant::now(),
        };
        Self {
            limit,
            bucket: Mutex::new(bucket),
        }
    }

    /// By which rule it is filled.
    pub(super) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Takes a token, if there is one.
    pub(super) fn takes(&self) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let added = (now - bucket.filled).as_secs_f64() / self.limit.interval.as_secs_f64();
        bucket.tokens = (bucket.tokens + added).min(f64::from(self.limit.burst));
        bucket.filled = now;
        let is_left = bucket.tokens >= 1.0;
        if is_left {
            bucket.tokens -= 1.0;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_let_through_and_then_one_an_interval() {
        let limiter = Limiter::new(RateLimit {
            interval: Duration::from_secs(2),
            burst: 3,
        });
        let takes = || (0..5).filter(|_| limiter.takes()).count();
        assert_eq!(takes(), 3);
        advance(Duration::from_millis(1900)).await;
        assert_eq!(takes(), 0);
        advance(Duration::from_millis(200)).await;
        assert_eq!(takes(), 1);
        advance(Duration::from_secs(3600)).await;
        assert_eq!(takes(), 3, "the bucket holds no more");
    }
}
