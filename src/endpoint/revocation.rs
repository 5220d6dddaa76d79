//! How it is found out whether a certificate was revoked, and what it means where that cannot be found out.

use serde::{Deserialize, Serialize};

/// What comes of a certificate whose revocation is looked for. A revoked one is a failure unless nobody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationMode {
    /// Nobody looks.
    Off,
    /// What cannot be found out is a warning.
    Report,
    /// What cannot be found out is a failure.
    Require,
}

/// A way to find out whether a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationMethod {
    /// The server hands out an OCSP answer for its own certificate in the handshake (RFC 6066 §8).
    Stapled,
    /// The authority's responder is asked for one certificate (RFC 6960).
    Ocsp,
    /// The authority's list is fetched (RFC 5280 §5).
    Crl,
}

impl RevocationMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Off, Self::Report, Self::Require];

    /// How it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Report => "report",
            Self::Require => "require",
        }
    }
}

impl RevocationMethod {
    /// Every method, in the order in which they are tried where nothing else is said.
    pub const ALL: [Self; 3] = [Self::Stapled, Self::Ocsp, Self::Crl];

    /// How it is written, and the value of the label `method`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stapled => "stapled",
            Self::Ocsp => "ocsp",
            Self::Crl => "crl",
        }
    }
}
