//! Whether a root that endpoints need is in the trust store of this machine: what the trust store check finds.

use serde::Serialize;

/// How one root stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootStanding {
    /// Its name.
    pub root: String,
    /// SHA-256 of its DER form, lower-case hexadecimal.
    pub sha256: String,
    /// In the trust store that the checks use.
    pub state: RootState,
    /// Whether the set of roots that Mozilla trusts has it: programs that bring their own roots mostly bring those.
    pub bundled: bool,
}

/// Whether a root can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RootState {
    /// It is there.
    Present,
    /// It is not there: whatever it vouches for is not trusted.
    Missing,
    /// It is there, and its time is over.
    Expired,
    /// It is there, and its time has not come.
    NotYetValid,
}

impl RootState {
    /// Its stable name, the label `state`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
        }
    }

    /// The same for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Present => "is there",
            Self::Missing => "is missing",
            Self::Expired => "has expired",
            Self::NotYetValid => "is not valid yet",
        }
    }
}
