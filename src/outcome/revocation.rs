//! What was found out about the revocation of certificates.

use std::sync::Arc;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::endpoint::RevocationMethod;

/// What one method said of one certificate of the verified way to the root.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RevocationSeen {
    /// Which place it has.
    pub certificate: CertificatePlace,
    /// Its subject.
    pub subject: Arc<str>,
    /// How it was asked for.
    pub method: RevocationMethod,
    /// What came of it.
    pub state: RevocationState,
    /// Of whom it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Arc<str>>,
    /// What there is to say beyond the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Arc<str>>,
    /// When the list or answer was made.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc3339")]
    pub this_update: Option<SystemTime>,
    /// When the next one will be there at the latest.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc3339")]
    pub next_update: Option<SystemTime>,
}

/// The place of a certificate on the way to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificatePlace {
    /// The server's own.
    Leaf,
    /// Between the server's and the root.
    Intermediate,
}

/// What is known of a certificate's revocation by one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationState {
    /// It was not revoked.
    Good,
    /// There is no such way for this certificate.
    NotOffered,
    /// The authority does not know it.
    Unknown,
    /// The list or answer is of yesterday.
    Stale,
    /// What came is no list or answer that can be believed.
    Invalid,
    /// Nothing came.
    Unreachable,
    /// It was revoked.
    Revoked,
}

impl CertificatePlace {
    /// The value of the label `certificate`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Intermediate => "intermediate",
        }
    }
}

impl RevocationState {
    /// The value of the label `state`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::NotOffered => "not_offered",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
            Self::Invalid => "invalid",
            Self::Unreachable => "unreachable",
            Self::Revoked => "revoked",
        }
    }

    /// Whether nobody needs to be asked any more.
    #[must_use]
    pub fn is_conclusive(self) -> bool {
        matches!(self, Self::Good | Self::Revoked)
    }
}

#[expect(clippy::ref_option, reason = "serde hands the field over by reference")]
fn rfc3339<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&humantime::format_rfc3339_seconds(*time)),
        None => serializer.serialize_none(),
    }
}
