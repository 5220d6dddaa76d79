//! Whether a root that endpoints need is in the trust store of this machine: what the trust store check finds.

use std::time::SystemTime;

use serde::Serialize;

/// A root that endpoints may need, as their trust store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredRoot {
    /// Its name.
    pub root: String,
    /// SHA-256 of its DER form, lower-case hexadecimal.
    pub sha256: String,
    /// Which trust store: `system`, or the file of authorities.
    pub store: String,
    /// From when and until when it is valid; none where the trust store does not have it.
    pub validity: Option<(SystemTime, SystemTime)>,
    /// Whether the set of roots that Mozilla trusts has it.
    pub bundled: bool,
}

/// How one root stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootStanding {
    /// Its name.
    pub root: String,
    /// SHA-256 of its DER form, lower-case hexadecimal.
    pub sha256: String,
    /// In which trust store: `system`, or the file of authorities.
    pub store: String,
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

impl RequiredRoot {
    /// How it stands at a moment. Roots expire while reachd runs.
    #[must_use]
    pub fn standing(&self, now: SystemTime) -> RootStanding {
        let state = match self.validity {
            None => RootState::Missing,
            Some((_, not_after)) if not_after < now => RootState::Expired,
            Some((not_before, _)) if not_before > now => RootState::NotYetValid,
            Some(_) => RootState::Present,
        };
        RootStanding {
            root: self.root.clone(),
            sha256: self.sha256.clone(),
            store: self.store.clone(),
            state,
            bundled: self.bundled,
        }
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_root_expires_while_nobody_loads_it_anew() {
        let day = |day: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400);
        let root = RequiredRoot {
            root: "some".to_owned(),
            sha256: "ab".repeat(32),
            store: "system".to_owned(),
            validity: Some((day(10), day(20))),
            bundled: true,
        };
        let gone = RequiredRoot {
            validity: None,
            ..root.clone()
        };
        for (now, expected) in [
            (9, RootState::NotYetValid),
            (15, RootState::Present),
            (21, RootState::Expired),
        ] {
            assert_eq!(root.standing(day(now)).state, expected);
            assert_eq!(gone.standing(day(now)).state, RootState::Missing);
        }
    }
}
