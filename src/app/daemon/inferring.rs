//! The diagnosis at work: causes are inferred while checks run, shown as metrics and remembered with outages as
//! soon as they change.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::diagnosis::{Cause, Diagnosis};
use crate::history::History;
use crate::metrics::Metrics;

/// Infers, and shows, for as long as it is polled.
pub(super) async fn infer(diagnosis: Arc<Diagnosis>, metrics: Arc<Metrics>, history: Arc<History>) {
    let mut causes = diagnosis.causes();
    let tell = async {
        while causes.changed().await.is_ok() {
            let latest = Arc::clone(&causes.borrow_and_update());
            let (metrics, history) = (Arc::clone(&metrics), Arc::clone(&history));
            // Aside: one cause may explain ten thousand checks. It ends early only with the runtime.
            let told = spawn_blocking(move || show(&latest, &metrics, &history));
            told.await.ok();
        }
    };
    tokio::join!(Arc::clone(&diagnosis).run(), tell);
}

fn show(causes: &[Cause], metrics: &Metrics, history: &History) {
    let shown = causes.iter();
    let shown = shown.map(|cause| (cause.kind, cause.subject.as_str(), cause.critical));
    metrics.causes(shown);
    let explained = causes.iter().flat_map(|cause| {
        let checks = cause.explains.iter();
        checks.map(|check| (cause.kind, cause.subject.as_str(), check))
    });
    metrics.explained(explained);
    // The bigger come first, and have the last word on an outage.
    for cause in causes.iter().rev() {
        history.attribute(&cause.explains, cause.kind.as_str(), &cause.subject);
    }
}
