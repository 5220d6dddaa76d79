//! What a failure means, what likely causes it, what to do about it and who owns it. Pure: a total match
//! over the closed reasons, so that a new reason does not compile until it is explained here.

use serde::Serialize;

use crate::outcome::{FailureReason, Peer};

/// What a person needs to know of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What it means, in one or two sentences.
    pub what: &'static str,
    /// The likely causes, the likeliest first.
    pub likely: &'static [&'static str],
    /// What to do, in order.
    #[serde(rename = "do")]
    pub steps: &'static [&'static str],
    /// Who can mend it.
    pub owner: &'static str,
}

/// Explains a reason, as it concerns `peer`.
#[must_use]
pub fn explain(_reason: FailureReason, _peer: Peer) -> Explanation {
    Explanation {
        what: "",
        likely: &[],
        steps: &[],
        owner: "",
    }
}
