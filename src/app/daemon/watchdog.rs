//! The service manager's watchdog: it is fed while probes take their turns and the server lives, and not by a daemon
//! that only seems to run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::observer::{Observer, Watcher};
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::{Check, Plan};
use crate::platform::ServiceManager;
use crate::server::Heartbeat;

/// How late everything may be on a busy machine.
const LENIENCE: Duration = Duration::from_secs(10);

/// An observer that notes when anything last happened to a check, whatever it was.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    last: Heartbeat,
    /// For how long nothing may happen with the plan in force; `None` where nothing is to happen.
    longest_silence: Arc<Mutex<Option<Duration>>>,
}

/// Feeds the watchdog twice as often as it wants, for as long as it is polled.
pub(super) async fn feed(manager: &ServiceManager, turns: &Turns, server: &Heartbeat) {
    let Some(wanted) = manager.watchdog() else {
        return std::future::pending().await;
    };
    let mut ticks = interval(wanted / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = None;
    loop {
        ticks.tick().await;
        let hangs = what_hangs(turns, server, wanted);
        match hangs {
            None => manager.alive(),
            Some(what) if told != hangs => {
                warn!("{what} hangs: the watchdog is not fed until it goes on");
            }
            Some(_) => {}
        }
        told = hangs;
    }
}

fn what_hangs(turns: &Turns, server: &Heartbeat, wanted: Duration) -> Option<&'static str> {
    if server.silence() > wanted.max(LENIENCE) {
        return Some("the web server");
    }
    turns.are_overdue().then_some("the scheduler")
}

// === impl Turns ===

impl Turns {
    /// Whether a turn should have come by now, of whatever check.
    fn are_overdue(&self) -> bool {
        let longest = *self.longest_silence();
        longest.is_some_and(|longest| self.last.silence() > longest)
    }

    fn longest_silence(&self) -> std::sync::MutexGuard<'_, Option<Duration>> {
        let silence = self.longest_silence.lock();
        silence.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Turns {
    fn planned(&self, plan: &Plan) {
        let intervals = plan.checks.iter().map(|check| check.interval);
        let timeouts = plan.checks.iter().map(|check| check.timeout);
        // The check of the shortest interval takes its turn, or, where every place is taken, a probe ends.
        let silence = intervals
            .min()
            .zip(timeouts.max())
            .map(|(interval, timeout)| interval * 2 + timeout + LENIENCE);
        *self.longest_silence() = silence;
        self.last.beat();
    }

    fn watch(&self, _check: &Arc<Check>) -> Box<dyn Watcher> {
        Box::new(self.clone())
    }
}

impl Watcher for Turns {
    fn started(&self, _lag: Duration) {
        self.last.beat();
    }

    fn observed(&self, _outcome: &Arc<Outcome>) {
        self.last.beat();
    }

    fn abandoned(&self, _panicked: bool) {
        self.last.beat();
    }

    fn held(&self, _outcome: &Arc<HoldOutcome>) {}

    fn skipped(&self, _turns: u64) {
        self.last.beat();
    }

    fn hold_panicked(&self) {}

    fn holds_skipped(&self, _turns: u64) {}
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::plan::fixture;

    const WANTED: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_scheduler_that_hangs_is_noticed() {
        let (turns, server) = (Turns::default(), Heartbeat::default());
        let check = fixture::check("s", "e", "https://e.example/");
        turns.planned(&fixture::plan([&check]));
        let patience = check.interval * 2 + check.timeout + LENIENCE;
        advance(patience).await;
        server.beat();
        assert_eq!(what_hangs(&turns, &server, WANTED), None);
        advance(Duration::from_secs(1)).await;
        server.beat();
        assert_eq!(what_hangs(&turns, &server, WANTED), Some("the scheduler"));
        turns.watch(&check).started(Duration::ZERO);
        assert_eq!(what_hangs(&turns, &server, WANTED), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_hangs_is_noticed() {
        let (turns, server) = (Turns::default(), Heartbeat::default());
        advance(WANTED).await;
        assert_eq!(
            what_hangs(&turns, &server, WANTED),
            None,
            "no check, no turn"
        );
        advance(Duration::from_secs(1)).await;
        assert_eq!(what_hangs(&turns, &server, WANTED), Some("the web server"));
    }
}
