//! Every path over a real connection, on a history that real observations made.

use crate::history::{CheckHistory, History};
use crate::observer::Observer;
use crate::outcome::Outcome;
use crate::plan::Check;
use crate::plan::fixture::{check, plan};
use crate::report::sample;

use super::*;

/// The sample's checks with an hour behind them, and one that has not run.
pub(super) fn history() -> History {
    let history = History::default();
    let results = sample::results();
    let waiting = check("site", "waiting", "https://waiting.corp.example/");
    history.planned(&plan(
        results.iter().map(|(check, _)| check).chain([&waiting]),
    ));
    for (index, (check, outcome)) in results.iter().enumerate() {
        let watcher = history.watch(check);
        for minute in (0..45_u32).rev() {
            let mut outcome = Outcome::clone(outcome);
            outcome.started -= Duration::from_secs(60) * minute;
            let stretch = f64::from(minute * 7 % 11) / 10.0 + 0.5;
            outcome.duration = outcome.duration.mul_f64(stretch);
            if minute > 12 && minute % 17 != u32::try_from(index).unwrap() {
                outcome.result = Ok(());
            }
            watcher.observed(&Arc::new(outcome));
        }
    }
    history
}

/// The same, as the page is given it.
pub(super) fn histories() -> Vec<CheckHistory> {
    history().snapshot()
}

/// What is known of one check after these outcomes.
pub(super) fn history_of(check: &Arc<Check>, outcomes: &[Arc<Outcome>]) -> CheckHistory {
    let history = History::default();
    history.planned(&plan([check]));
    let watcher = history.watch(check);
    for outcome in outcomes {
        watcher.observed(outcome);
    }
    history.of(&check.key()).unwrap()
}
