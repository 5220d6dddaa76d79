//! The log of changes: one line when a check starts to fail, fails for another reason, or recovers; none for
//! an outcome like the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use super::{Observer, Watcher};
use crate::outcome::{Failure, FailureReason, Outcome, Peer};
use crate::plan::{Check, CheckKey, Plan};

/// Logs changes of state through `tracing`.
#[derive(Debug, Default)]
pub struct StateLog {
    states: Mutex<BTreeMap<CheckKey, SharedState>>,
}

type SharedState = Arc<Mutex<State>>;

/// How a check fared the last time. The state outlives a reload that changes the check, so that the recovery
/// which such a change brings about is logged too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Reachable,
    Failing(FailureReason, Peer),
}

struct StateWatcher {
    check: Arc<Check>,
    url: String,
    state: SharedState,
}

// === impl StateLog ===

impl Observer for StateLog {
    fn planned(&self, plan: &Plan) {
        let keys: BTreeSet<CheckKey> = plan.checks.iter().map(|check| check.key()).collect();
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.retain(|key, _| keys.contains(key));
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        Box::new(StateWatcher {
            check: Arc::clone(check),
            url: check.endpoint.target.to_string(),
            state: Arc::clone(states.entry(check.key()).or_default()),
        })
    }
}

// === impl State ===

impl State {
    fn after(outcome: &Outcome) -> Self {
        match &outcome.result {
            Ok(()) => Self::Reachable,
            Err(failure) => Self::Failing(failure.reason, failure.peer),
        }
    }
}

// === impl StateWatcher ===

impl Watcher for StateWatcher {
    fn started(&self, _lag: Duration) {}

    fn observed(&self, outcome: &Arc<Outcome>) {
        let now = State::after(outcome);
        let before = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *state, now)
        };
        match (&outcome.result, before) {
            _ if now == before => {}
            (Ok(()), State::Failing(reason, peer)) => self.log_recovery(outcome, reason, peer),
            (Ok(()), _) => {}
            (Err(failure), State::Failing(..)) => {
                self.log_failure(
                    outcome,
                    failure,
                    "still not reachable, now for another reason",
                );
            }
            (Err(failure), _) => self.log_failure(outcome, failure, "not reachable"),
        }
    }

    fn abandoned(&self, _panicked: bool) {}

    fn skipped(&self, _turns: u64) {}
}

impl StateWatcher {
    fn log_failure(&self, outcome: &Outcome, failure: &Failure, message: &'static str) {
        warn!(
            service = %self.check.endpoint.service,
            endpoint = %self.check.endpoint.name,
            route = %self.check.route.name,
            url = %self.url,
            phase = %failure.phase(),
            peer = %failure.peer,
            reason = failure.reason.as_str(),
            detail = %failure.detail,
            duration = ?outcome.duration,
            "{message}"
        );
    }

    /// Phase, peer and reason are those of the failure that is over.
    fn log_recovery(&self, outcome: &Outcome, reason: FailureReason, peer: Peer) {
        info!(
            service = %self.check.endpoint.service,
            endpoint = %self.check.endpoint.name,
            route = %self.check.route.name,
            url = %self.url,
            phase = %reason.phase(),
            peer = %peer,
            reason = reason.as_str(),
            duration = ?outcome.duration,
            "reachable again"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::outcome::{DnsReason, TlsReason};
    use crate::plan::fixture::{self, expired, failure, success};

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Captured {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// The lines logged by `work`.
    fn logged(work: impl FnOnce()) -> Vec<String> {
        let captured = Captured::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(captured.clone())
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = captured.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    fn logged_after(outcomes: &[Arc<Outcome>]) -> Vec<String> {
        let check = fixture::check("site", "gateway", "https://gateway.example/");
        let log = StateLog::default();
        log.planned(&fixture::plan([&check]));
        let watcher = log.watch(&check);
        logged(|| {
            for outcome in outcomes {
                watcher.observed(outcome);
            }
        })
    }

    #[test]
    fn equal_outcomes_are_logged_once() {
        let lines = logged_after(&[expired(1), expired(2), expired(3), expired(4)]);
        assert_eq!(
            lines,
            [
                "WARN not reachable service=site endpoint=gateway route=direct \
                 url=https://gateway.example/ phase=tls peer=endpoint reason=\"expired\" \
                 detail=what came back duration=1.002s"
            ]
        );
    }

    #[test]
    fn a_check_that_works_is_not_worth_a_line() {
        assert!(logged_after(&[success(1), success(2)]).is_empty());
    }

    #[test]
    fn every_change_is_logged() {
        let lines = logged_after(&[
            success(1),
            expired(2),
            failure(3, TlsReason::Timeout),
            failure(4, DnsReason::Timeout),
            success(5),
            success(6),
            expired(7),
        ]);
        let starts = [
            "WARN not reachable ",
            "WARN still not reachable, ",
            "WARN still not reachable, ",
            "INFO reachable again ",
            "WARN not reachable ",
        ];
        assert_eq!(lines.len(), starts.len(), "{lines:#?}");
        for (line, start) in lines.iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
        assert!(
            lines[3].contains("phase=dns") && lines[3].contains("reason=\"timeout\""),
            "{}",
            lines[3]
        );
    }

    #[test]
    fn a_reload_forgets_only_what_has_left() {
        let kept = fixture::check("site", "kept", "https://kept.example/");
        let gone = fixture::check("site", "gone", "https://gone.example/");
        let log = StateLog::default();
        log.planned(&fixture::plan([&gone, &kept]));
        let lines = logged(|| {
            log.watch(&kept).observed(&expired(1));
            log.watch(&gone).observed(&expired(1));
            log.planned(&fixture::plan([&kept]));
            let mended = fixture::check("site", "kept", "https://mended.example/");
            log.planned(&fixture::plan([&mended]));
            log.watch(&mended).observed(&success(2));
            log.planned(&fixture::plan([&gone, &mended]));
            log.watch(&gone).observed(&expired(3));
        });
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[2].starts_with("INFO reachable again"), "{}", lines[2]);
        assert!(lines[3].starts_with("WARN not reachable"), "{}", lines[3]);
    }
}
