//! The diagnosis at work: causes are inferred while checks run, shown as metrics and remembered with outages as
//! soon as they change.

use std::sync::Arc;

use crate::diagnosis::Diagnosis;
use crate::history::History;
use crate::metrics::Metrics;

/// Infers, and shows, for as long as it is polled.
pub(super) async fn infer(diagnosis: Arc<Diagnosis>, metrics: Arc<Metrics>, history: Arc<History>) {
    let mut causes = diagnosis.causes();
    let show = async {
        while causes.changed().await.is_ok() {
            let latest = Arc::clone(&causes.borrow_and_update());
            let shown = latest.iter();
            let shown = shown.map(|cause| (cause.kind, cause.subject.as_str(), cause.critical));
            metrics.causes(shown);
            let explained = latest.iter().flat_map(|cause| {
                let checks = cause.explains.iter();
                checks.map(|check| (cause.kind, cause.subject.as_str(), check))
            });
            metrics.explained(explained);
            // The bigger come first, and have the last word on an outage.
            for cause in latest.iter().rev() {
                history.attribute(&cause.explains, cause.kind.as_str(), &cause.subject);
            }
        }
    };
    tokio::join!(Arc::clone(&diagnosis).run(), show);
}
