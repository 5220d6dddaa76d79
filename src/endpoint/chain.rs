//! Who vouches for an endpoint's certificate, where that is known: whoever else does stands in between.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What is known of the chains that an endpoint presents. A chain that leads to another root, and whose issuers
/// have other names, was made by somebody who looks into the traffic.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainExpectation {
    /// The roots that the endpoint's operator uses.
    pub roots: Arc<[ExpectedRoot]>,
    /// What the subject of one of the leaf's issuers may match instead.
    pub issuers: Vec<IssuerRule>,
    /// What it means when somebody looks into the traffic and is trusted.
    pub inspection: Inspection,
}

/// The subject of an issuer must match this regular expression.
#[derive(Debug, Clone)]
pub struct IssuerRule(pub Regex);

/// A root by which certificates are expected to be vouched for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRoot {
    /// The common name of its subject; empty where only the fingerprint is known.
    #[serde(default)]
    pub name: String,
    /// The SHA-256 of its certificate.
    pub sha256: Fingerprint,
}

/// What it means that a proxy inspects the TLS traffic of an endpoint, with a certificate that is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Inspection {
    /// The endpoint's operator does not support it: a failure.
    Unsupported,
    /// It is worth a warning.
    #[default]
    Tolerated,
}

/// The SHA-256 of a certificate, in lower-case hexadecimal without separators.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Fingerprint(String);

/// A text that is no SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a SHA-256 fingerprint has 64 hexadecimal digits, with or without colons")]
pub struct FingerprintError;

// === impl IssuerRule ===

impl PartialEq for IssuerRule {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

// === impl Inspection ===

impl Inspection {
    /// The word for it in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Tolerated => "tolerated",
        }
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    /// The hexadecimal digits, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Takes the digits in either case, and with the colons that `openssl x509 -fingerprint` writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        if digits.len() != 64 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(FingerprintError);
        }
        Ok(Self(digits.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_openssl_and_people_write_it() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(plain.parse::<Fingerprint>().unwrap().as_str(), plain);
        assert_eq!(colons.parse::<Fingerprint>().unwrap().as_str(), plain);
        for wrong in ["", "ab", &"ab".repeat(20), &"xy".repeat(32)] {
            assert_eq!(
                wrong.parse::<Fingerprint>(),
                Err(FingerprintError),
                "{wrong}"
            );
        }
    }
}
