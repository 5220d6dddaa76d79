//! The diagnosis at work: causes are inferred while checks run, and shown as metrics as soon as they change.

use std::sync::Arc;

use crate::diagnosis::Diagnosis;
use crate::metrics::Metrics;

/// Infers, and shows, for as long as it is polled.
pub(super) async fn infer(diagnosis: Arc<Diagnosis>, metrics: Arc<Metrics>) {
    let mut causes = diagnosis.causes();
    let show = async {
        while causes.changed().await.is_ok() {
            let latest = Arc::clone(&causes.borrow_and_update());
            let shown = latest.iter();
            let shown = shown.map(|cause| (cause.kind, cause.subject.as_str(), cause.critical));
            metrics.causes(shown);
        }
    };
    tokio::join!(Arc::clone(&diagnosis).run(), show);
}
