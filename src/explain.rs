//! What a failure means, what likely causes it, what to do about it and who owns it. Pure: a total match
//! over the closed reasons, so that a new reason does not compile until it is explained here.
//!
//! One file a phase holds the texts; `lookup` finds them by name; `text` and `markdown` show them.

mod alert;
mod cause;
mod connect;
mod dns;
mod hold;
mod http;
mod lookup;
mod markdown;
mod owner;
mod proxy;
mod revocation;
mod text;
mod tls;

#[cfg(test)]
mod lint;

pub use alert::{ALERTS, Alert};
pub use lookup::{
    Meaning, Topic, UnknownReason, alert_named, cause_named, every_meaning, meanings,
};
pub use markdown::markdown;
use serde::Serialize;
pub use text::text;

use crate::outcome::{CauseKind, FailureReason, Peer};

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
pub fn explain(reason: FailureReason, peer: Peer) -> Explanation {
    match reason {
        FailureReason::Dns(reason) => dns::explain(reason, peer),
        FailureReason::Connect(reason) => connect::explain(reason, peer),
        FailureReason::Proxy(reason) => proxy::explain(reason),
        FailureReason::Tls(reason) => tls::explain(reason, peer),
        FailureReason::Revocation(reason) => revocation::explain(reason),
        FailureReason::Request(reason) => http::explain_request(reason),
        FailureReason::Response(reason) => http::explain_response(reason),
        FailureReason::Hold(reason) => hold::explain(reason, peer),
    }
}

/// Explains what is inferred from many outcomes.
#[must_use]
pub fn explain_cause(kind: CauseKind) -> Explanation {
    cause::explain(kind)
}

/// Every reason, by phase, with each peer for which it can occur.
pub fn all() -> impl Iterator<Item = (FailureReason, Peer, Explanation)> {
    FailureReason::all().flat_map(|reason| {
        let peers = reason.peers().iter();
        peers.map(move |peer| (reason, *peer, explain(reason, *peer)))
    })
}
