//! The outages that are over, in memory: what the page and the API show.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use super::outage::{Outage, OutageFilter};
use super::store::{LONGEST_KEPT, MOST_OUTAGES};

/// In the order in which they ended.
#[derive(Debug, Default)]
pub(super) struct Log {
    outages: VecDeque<Arc<Outage>>,
}

// === impl Log ===

impl Log {
    pub(super) fn push(&mut self, outage: Outage) {
        if let Some(end) = outage.end {
            self.forget_older_than(end);
        }
        if self.outages.len() >= MOST_OUTAGES {
            self.outages.pop_front();
        }
        self.outages.push_back(Arc::new(outage));
    }

    pub(super) fn admitted_by(&self, filter: &OutageFilter) -> Vec<Arc<Outage>> {
        let admitted = self.outages.iter().filter(|outage| filter.admits(outage));
        admitted.map(Arc::clone).collect()
    }

    fn forget_older_than(&mut self, now: SystemTime) {
        let is_old = |outage: &Arc<Outage>| {
            let age = outage.end.and_then(|end| now.duration_since(end).ok());
            age.is_some_and(|age| age > LONGEST_KEPT)
        };
        while self.outages.front().is_some_and(is_old) {
            self.outages.pop_front();
        }
    }
}
