//! What checks and outcomes are called where their labels are too long: numbers that every reachd computes alike.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::CheckKey;

/// Names one outcome: its check and when it began. As text 32 hexadecimal digits, the form of a trace id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OutcomeId {
    /// The check's [`CheckKey::digest`].
    pub check: u64,
    micros: u64,
}

/// A text that is no id of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an outcome's id has 32 hexadecimal digits")]
pub struct NoOutcomeId;

// === impl CheckKey ===

impl CheckKey {
    /// The same number for the same key, on every machine and in every version: the first 8 bytes (big-endian) of the
    /// SHA-256 of service, endpoint and route, in UTF-8, each followed by a zero byte.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hash = Sha256::new();
        for part in [&self.service, &self.endpoint, &self.route] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let bytes = hash.finalize();
        let first = bytes.iter().take(8);
        first.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

// === impl OutcomeId ===

impl OutcomeId {
    /// Of the outcome of a check, by its digest, that began then.
    #[must_use]
    pub fn new(check: u64, started: SystemTime) -> Self {
        let since = started.duration_since(SystemTime::UNIX_EPOCH);
        let micros = since.as_ref().map_or(0, Duration::as_micros);
        Self {
            check,
            micros: u64::try_from(micros).unwrap_or(u64::MAX),
        }
    }
}

impl fmt::Display for OutcomeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.check, self.micros)
    }
}

impl FromStr for OutcomeId {
    type Err = NoOutcomeId;

    fn from_str(text: &str) -> Result<Self, NoOutcomeId> {
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let halves = text
            .split_at_checked(16)
            .filter(|_| is_hexadecimal && text.len() == 32);
        let (check, micros) = halves.ok_or(NoOutcomeId)?;
        let number = |half| u64::from_str_radix(half, 16).map_err(|_| NoOutcomeId);
        Ok(Self {
            check: number(check)?,
            micros: number(micros)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(service: &str, endpoint: &str, route: &str) -> CheckKey {
        CheckKey {
            service: service.to_owned(),
            endpoint: endpoint.to_owned(),
            route: route.to_owned(),
        }
    }

    #[test]
    fn a_digest_never_changes() {
        // printf 'site\0gateway\0direct\0' | sha256sum
        assert_eq!(
            key("site", "gateway", "direct").digest(),
            0xdccc_5f78_2cca_4931
        );
        assert_ne!(key("ab", "c", "d").digest(), key("a", "bc", "d").digest());
    }

    #[test]
    fn ids_are_read_as_they_are_written() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
        let id = OutcomeId::new(0xfeed, at);
        let text = id.to_string();
        assert_eq!(text, "000000000000feed00060a2418202240");
        assert_eq!(text.parse(), Ok(id));
        let half = &text[..31];
        for bad in [
            "",
            half,
            "000000000000feed00060a241820224g",
            "+00000000000feed00060a2418202240",
            &"ü".repeat(16),
        ] {
            assert_eq!(bad.parse::<OutcomeId>(), Err(NoOutcomeId), "{bad}");
        }
    }
}
