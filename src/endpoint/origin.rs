//! Who named an endpoint, and what an authority publishes at one that certificates name.

use serde::Serialize;

/// Who named an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// `endpoints` of the configuration.
    #[default]
    Configuration,
    /// The built-in catalog.
    Catalog,
    /// A certificate that an endpoint presented: derived.
    Certificate,
    /// A redirect of a catalog endpoint.
    Redirect,
    /// The Microsoft 365 endpoints web service.
    Microsoft365,
    /// A file of targets (Prometheus' `file_sd`).
    FileSd,
    /// A server of targets (Prometheus' `http_sd`).
    HttpSd,
}

/// What the authority of a certificate publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Publication {
    /// A list of revoked certificates (RFC 5280 §5).
    RevocationList,
    /// Answers about single certificates (RFC 6960).
    Answers,
    /// Its own certificate, for chains that lack it (RFC 5280 §4.2.2.1).
    Certificate,
}

// === impl Origin ===

impl Origin {
    /// The word in metrics and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Catalog => "catalog",
            Self::Certificate => "certificate",
            Self::Redirect => "redirect",
            Self::Microsoft365 => "m365",
            Self::FileSd => "file_sd",
            Self::HttpSd => "http_sd",
        }
    }

    /// Whether it was found while other endpoints were probed.
    #[must_use]
    pub fn is_found(self) -> bool {
        matches!(self, Self::Certificate | Self::Redirect)
    }

    /// Whether it follows from what an endpoint showed, and leaves when no endpoint shows it any more.
    #[must_use]
    pub fn is_derived(self) -> bool {
        self == Self::Certificate
    }
}

// === impl Publication ===

impl Publication {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::RevocationList, Self::Answers, Self::Certificate];

    /// What tells it from another one at the same address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RevocationList => "crl",
            Self::Answers => "ocsp",
            Self::Certificate => "aia",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::RevocationList => "revocation list",
            Self::Answers => "OCSP responder",
            Self::Certificate => "certificate of an authority",
        }
    }
}
