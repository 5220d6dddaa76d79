//! Tasks that the server cannot do without: one that ends by a fault of reachd is told of at once, and started anew
//! after a pause.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::metrics::Metrics;

/// How long the first pause is, and that after a task that ran for long. Each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How long a pause is at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Runs a task until it ends by itself or everything stops. It ends with this future.
pub(super) async fn supervised<F>(
    what: &str,
    metrics: &Metrics,
    stop: &CancellationToken,
    mut start: impl FnMut() -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let mut task = JoinSet::new();
        task.spawn(start());
        let Some(Err(fault)) = task.join_next().await else {
            return;
        };
        if started.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        metrics.web_panicked();
        error!(
            %fault, again_in = ?pause,
            "{what} of the web server ended by a fault of reachd, please report it"
        );
        if stop.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::server::tests::exposed;

    #[tokio::test(start_paused = true)]
    async fn what_panics_is_told_and_started_anew() {
        let (metrics, runs) = (Metrics::new(), Arc::new(AtomicUsize::new(0)));
        let stop = CancellationToken::new();
        supervised("a test", &metrics, &stop, || {
            let runs = Arc::clone(&runs);
            async move {
                assert!(runs.fetch_add(1, Ordering::Relaxed) >= 3, "a fault");
            }
        })
        .await;
        assert_eq!(runs.load(Ordering::Relaxed), 4);
        let shown = exposed(&metrics);
        assert!(shown.contains("reachd_web_panics_total 3\n"), "{shown}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_does_not_wait_for_a_pause() {
        let (metrics, stop) = (Metrics::new(), CancellationToken::new());
        let stopped = stop.clone();
        supervised("a test", &metrics, &stop, move || {
            stopped.cancel();
            async { panic!("a fault") }
        })
        .await;
    }
}
