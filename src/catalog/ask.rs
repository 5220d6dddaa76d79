//! Why a question about the catalog has no answer.

use std::collections::BTreeMap;

use super::DataError;
use super::feature::{Feature, Missing};
use super::{did_you_mean, features, left_out};
use crate::config::Problems;

/// Why a question about the catalog has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The catalog itself cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is no such cloud, release or variable.
    #[error(transparent)]
    Unknown(#[from] Problems),
    /// There is no such feature.
    #[error("the catalog has no feature \"{name}\" ({hint})")]
    UnknownFeature {
        /// As asked for.
        name: String,
        /// What there is.
        hint: String,
    },
    /// The cloud does not have the feature, or not with this release.
    #[error("{}", nothing(.0))]
    Missing(#[from] Missing),
    /// The answer cannot be written in this format.
    #[error("the answer cannot be written: {0}")]
    Unwritable(String),
}

/// That nothing is there, and since when something is.
fn nothing(missing: &Missing) -> String {
    match missing {
        Missing::InCloud { .. } => missing.to_string(),
        Missing::BeforeRelease { since, .. } => {
            format!("nothing is available before {since}: {missing}")
        }
    }
}

/// Every feature, or why there is none.
pub(super) fn all_features() -> Result<&'static [Feature], AskError> {
    features().map_err(|error| AskError::Data(error.clone()))
}

/// What Microsoft documents and the catalog leaves out, by name, and why.
pub(super) fn all_left_out() -> Result<&'static BTreeMap<String, String>, AskError> {
    left_out().map_err(|error| AskError::Data(error.clone()))
}

/// The feature of this name, or a hint to what was meant.
pub(super) fn feature_named(name: &str) -> Result<&'static Feature, AskError> {
    let features = all_features()?;
    if let Some(feature) = features.iter().find(|feature| feature.name == name) {
        return Ok(feature);
    }
    let names = features.iter().map(|feature| feature.name.as_str());
    let hint = match all_left_out()?.get(name) {
        Some(why) => why.clone(),
        None => did_you_mean(name, names),
    };
    Err(AskError::UnknownFeature {
        name: name.to_owned(),
        hint,
    })
}
