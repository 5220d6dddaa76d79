//! The diagnosis at work: causes are inferred while checks run, shown as metrics and remembered with outages as
//! soon as they change.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::task::spawn_blocking;

use crate::diagnosis::Diagnosis;
use crate::history::History;
use crate::metrics::Metrics;

/// Infers, and shows. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Inferring {
    diagnosis: Arc<Diagnosis>,
    metrics: Arc<Metrics>,
    history: Arc<History>,
    showing: Arc<Mutex<()>>,
}

impl Inferring {
    pub(super) fn new(
        diagnosis: &Arc<Diagnosis>,
        metrics: &Arc<Metrics>,
        history: &Arc<History>,
    ) -> Self {
        Self {
            diagnosis: Arc::clone(diagnosis),
            metrics: Arc::clone(metrics),
            history: Arc::clone(history),
            showing: Arc::default(),
        }
    }

    /// Goes on for as long as it is polled.
    pub(super) async fn run(self) {
        let mut causes = self.diagnosis.causes();
        let diagnosing = Arc::clone(&self.diagnosis).run();
        let tell = async {
            while causes.changed().await.is_ok() {
                let this = self.clone();
                // Aside: one cause may explain ten thousand checks. It ends early only with the runtime.
                spawn_blocking(move || this.show()).await.ok();
            }
        };
        tokio::join!(diagnosing, tell);
    }

    /// Once, and now: a check that has left the plan is neither the subject of a cause any more, nor explained by one.
    pub(super) fn at_once(&self) {
        self.diagnosis.now(SystemTime::now());
        self.show();
    }

    /// The latest causes. Whoever shows them waits for whoever does already, so that none come back that are older.
    fn show(&self) {
        let _one_at_a_time = self.showing.lock().unwrap_or_else(PoisonError::into_inner);
        let causes = Arc::clone(&self.diagnosis.causes().borrow());
        let shown = causes.iter();
        let shown = shown.map(|cause| (cause.kind, cause.subject.as_str(), cause.critical));
        self.metrics.causes(shown);
        let explained = causes.iter().flat_map(|cause| {
            let checks = cause.explains.iter();
            checks.map(|check| (cause.kind, cause.subject.as_str(), check))
        });
        self.metrics.explained(explained);
        // The bigger come first, and have the last word on an outage.
        for cause in causes.iter().rev() {
            self.history
                .attribute(&cause.explains, cause.kind.as_str(), &cause.subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Format;
    use crate::observer::Observer;
    use crate::plan::Plan;
    use crate::plan::fixture::{check, expired, plan, success};

    #[test]
    fn of_a_check_that_left_the_plan_no_cause_is_left() {
        let (diagnosis, metrics) = (Arc::default(), Arc::new(Metrics::new()));
        let inferring = Inferring::new(&diagnosis, &metrics, &Arc::default());
        let planned = |plan: &Plan| {
            metrics.planned(plan);
            diagnosis.planned(plan);
        };
        let goes = check("some", "goes", "https://goes.example/");
        let stays = check("some", "stays", "https://stays.example/");
        planned(&plan([&goes, &stays]));
        for at in [0, 5] {
            diagnosis.watch(&goes).observed(&expired(at));
        }
        diagnosis.watch(&stays).observed(&success(0));
        inferring.at_once();
        assert!(exposed(&metrics).contains("subject=\"goes\""));

        planned(&plan([&stays]));
        inferring.at_once();
        assert!(!exposed(&metrics).contains("goes"));
    }

    fn exposed(metrics: &Metrics) -> String {
        let pieces: Vec<_> = metrics.exposition(Format::Text).collect();
        String::from_utf8(pieces.concat()).unwrap()
    }
}
