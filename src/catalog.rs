//! The built-in catalog: which endpoints a feature requires, by cloud and version, each with its source.

use crate::config::{CatalogSelection, Overrides, Problems};
use crate::endpoint::Endpoint;

/// What a selection from the catalog comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selected {
    /// The endpoints to probe, with what the configuration overrides.
    pub endpoints: Vec<(Endpoint, Overrides)>,
    /// What is required but cannot be probed, and why.
    pub not_probed: Vec<NotProbed>,
}

/// A required endpoint that cannot be probed, and why: shown, never hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotProbed {
    /// The service that requires it.
    pub service: String,
    /// The endpoint as the catalog writes it.
    pub endpoint: String,
    /// Why, and what would change that.
    pub why: String,
}

/// Applies a selection to the built-in catalog.
///
/// # Errors
/// Unknown clouds, features, versions, variables or overrides; a feature that the cloud does not have.
pub fn select(_selection: &CatalogSelection) -> Result<Selected, Problems> {
    Ok(Selected::default())
}
