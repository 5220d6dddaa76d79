//! Exemplars: the outcome that stands for many, by the id under which the API has it.

use std::time::SystemTime;

use super::sample::Value;
use crate::outcome::Outcome;
use crate::plan::OutcomeId;

/// The name of the label that holds the id: Grafana's data sources know it without being told.
pub(super) const LABEL: &str = "trace_id";

/// An outcome as an example.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exemplar {
    pub(super) id: OutcomeId,
    pub(super) value: Value,
    pub(super) at: SystemTime,
}

// === impl Exemplar ===

impl Exemplar {
    /// Of how long probes take.
    pub(super) fn of_duration(id: OutcomeId, outcome: &Outcome) -> Self {
        Self {
            id,
            value: Value::Seconds(outcome.duration),
            at: outcome.started + outcome.duration,
        }
    }

    /// Of one more.
    pub(super) fn of_count(id: OutcomeId, outcome: &Outcome) -> Self {
        Self {
            value: Value::Integer(1),
            ..Self::of_duration(id, outcome)
        }
    }
}
