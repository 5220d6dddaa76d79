//! The diagnosis: many outcomes in, the few causes that they have out, so that one fault is told once. The rules are
//! pure and deterministic; [`Diagnosis`] collects what they need while checks run.
//!
//! Each file of `rules` is a family of causes, and says when it is confident; docs/causes.md says the same for people.

mod baseline;
mod cause;
mod diagnose;
mod finding;
mod inference;
mod keeper;
mod record;
mod rules;
mod scene;
#[cfg(test)]
mod tests;

pub use cause::{Cause, Evidence, MACHINE, MOST_EVIDENCE, Says};
pub use diagnose::diagnose;
pub use finding::{Failing, Finding, SlowStep};
pub use keeper::Diagnosis;

pub use crate::outcome::CauseKind;
