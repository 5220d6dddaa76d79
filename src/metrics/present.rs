//! Series of the value 1 that are there only while something is so.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use prometheus::{IntGaugeVec, Opts, Registry};

/// A family of them, with so many labels.
#[derive(Debug)]
pub(super) struct Present<const LABELS: usize> {
    gauge: IntGaugeVec,
    /// The label values of those that are shown.
    shown: Mutex<BTreeSet<[String; LABELS]>>,
}

// === impl Present ===

impl<const LABELS: usize> Present<LABELS> {
    pub(super) fn registered(
        registry: &Registry,
        name: &str,
        help: &str,
        labels: [&str; LABELS],
    ) -> prometheus::Result<Self> {
        let gauge = IntGaugeVec::new(Opts::new(name, help), &labels)?;
        registry.register(Box::new(gauge.clone()))?;
        Ok(Self {
            gauge,
            shown: Mutex::default(),
        })
    }

    /// These from now on. Those that stay are never away meanwhile.
    pub(super) fn show(&self, now: BTreeSet<[String; LABELS]>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for labels in &now {
            self.gauge.with_label_values(labels).set(1);
        }
        for gone in shown.difference(&now) {
            // It was shown, so that there is nothing to go wrong.
            self.gauge.remove_label_values(gone).ok();
        }
        *shown = now;
    }
}
