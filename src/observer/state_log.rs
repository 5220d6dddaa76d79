//! The log of changes: one line when a check starts to fail, fails for another reason, or recovers; none for
//! an outcome like the one before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use super::{Observer, Watcher};
use crate::outcome::{Failure, FailureReason, Outcome, Peer};
use crate::plan::{Check, CheckKey, Plan};

/// Logs changes of state through `tracing`.
#[derive(Debug, Default)]
pub struct StateLog {
    /// Of the plan in force.
    standings: Mutex<BTreeMap<CheckKey, Arc<Standing>>>,
}

/// How one definition of a check fares.
#[derive(Debug)]
struct Standing {
    check: Arc<Check>,
    state: Mutex<State>,
}

/// How a check fared the last time. A reload that changes the check hands the state on, so that the recovery which
/// such a change brings about is logged too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Reachable,
    Failing(FailureReason, Peer),
    /// The plan has another definition of the check, or none: what a probe of this one still finds is no change.
    Superseded,
}

struct StateWatcher {
    url: String,
    standing: Arc<Standing>,
}

// === impl StateLog ===

impl Observer for StateLog {
    fn planned(&self, plan: &Plan) {
        let mut standings = self.standings();
        let mut former = std::mem::take(&mut *standings);
        for check in &plan.checks {
            let key = check.key();
            let standing = match former.remove(&key) {
                Some(kept) if kept.check == *check => kept,
                Some(changed) => Standing::new(check, changed.supersede()),
                None => Standing::new(check, State::Unknown),
            };
            standings.insert(key, standing);
        }
        for gone in former.into_values() {
            gone.supersede();
        }
    }

    fn watch(&self, check: &Arc<Check>) -> Box<dyn Watcher> {
        let standings = self.standings();
        let standing = standings.get(&check.key());
        Box::new(StateWatcher {
            url: check.endpoint.target.to_string(),
            standing: standing.map_or_else(|| Standing::new(check, State::Unknown), Arc::clone),
        })
    }
}

impl StateLog {
    fn standings(&self) -> MutexGuard<'_, BTreeMap<CheckKey, Arc<Standing>>> {
        self.standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Standing ===

impl Standing {
    fn new(check: &Arc<Check>, state: State) -> Arc<Self> {
        Arc::new(Self {
            check: Arc::clone(check),
            state: Mutex::new(state),
        })
    }

    /// Takes the state away, for the definition that comes after this one.
    fn supersede(&self) -> State {
        std::mem::replace(&mut *self.state(), State::Superseded)
    }

    /// Goes on to the state of this outcome, and returns the one before; `None` where that is no longer asked for.
    fn change(&self, now: State) -> Option<State> {
        let mut state = self.state();
        (*state != State::Superseded).then(|| std::mem::replace(&mut *state, now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let Some(before) = self.standing.change(now) else {
            return;
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
    fn check(&self) -> &Check {
        &self.standing.check
    }

    fn log_failure(&self, outcome: &Outcome, failure: &Failure, message: &'static str) {
        warn!(
            service = %self.check().endpoint.service,
            endpoint = %self.check().endpoint.name,
            route = %self.check().route.name,
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
            service = %self.check().endpoint.service,
            endpoint = %self.check().endpoint.name,
            route = %self.check().route.name,
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
    fn a_late_outcome_of_a_former_definition_is_not_logged() {
        let former = fixture::check("site", "moved", "https://former.example/");
        let moved = fixture::check("site", "moved", "https://moved.example/");
        let gone = fixture::check("site", "gone", "https://gone.example/");
        let log = StateLog::default();
        log.planned(&fixture::plan([&former, &gone]));
        let (late, removed) = (log.watch(&former), log.watch(&gone));
        let lines = logged(|| {
            late.observed(&success(1));
            removed.observed(&success(1));
            log.planned(&fixture::plan([&moved]));
            let watcher = log.watch(&moved);
            watcher.observed(&success(2));
            late.observed(&expired(3));
            removed.observed(&expired(3));
            watcher.observed(&success(4));
        });
        assert!(lines.is_empty(), "{lines:#?}");
    }

    #[test]
    fn a_reload_leaves_the_watcher_of_what_did_not_change_in_place() {
        let before = fixture::check("site", "kept", "https://kept.example/");
        let same = fixture::check("site", "kept", "https://kept.example/");
        let log = StateLog::default();
        log.planned(&fixture::plan([&before]));
        let watcher = log.watch(&before);
        log.planned(&fixture::plan([&same]));
        let lines = logged(|| watcher.observed(&expired(1)));
        assert_eq!(lines.len(), 1, "{lines:#?}");
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
