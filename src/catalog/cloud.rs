//! The clouds that Microsoft runs apart from each other, and the releases by which the catalog is gated.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A cloud, as `catalog.cloud` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// `AzurePublicCloud`, GCC included.
    Public,
    /// `AzureUSGovernmentCloud`.
    UsGovernment,
    /// `AzureChinaCloud`, run by 21Vianet.
    China,
}

/// A release of Configuration Manager, current branch: two digits of the year and two of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "u16")]
pub struct Release(u16);

/// A number that is no release of Configuration Manager, or a newer one than reachd knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no release of Configuration Manager that reachd knows: they run from {first} to {last}", first = Release::KNOWN[0], last = Release::NEWEST)]
pub struct UnknownRelease(pub u16);

// === impl Cloud ===

impl Cloud {
    /// Every cloud.
    pub const ALL: [Self; 3] = [Self::Public, Self::UsGovernment, Self::China];

    /// The name in the configuration and in `reachd_endpoint_info`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::UsGovernment => "us-government",
            Self::China => "china",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Public | Self::UsGovernment => self.as_str(),
            Self::China => "china (21Vianet)",
        }
    }

    /// The cloud of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.as_str() == name)
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Release ===

impl Release {
    /// What an unset `configmgr_version` means.
    pub const NEWEST: Self = Self(2603);

    /// Every release since the oldest that a requirement of the catalog names.
    const KNOWN: [Self; 20] = [
        Self(1810),
        Self(1902),
        Self(1906),
        Self(1910),
        Self(2002),
        Self(2006),
        Self(2010),
        Self(2103),
        Self(2107),
        Self(2111),
        Self(2203),
        Self(2207),
        Self(2211),
        Self(2303),
        Self(2309),
        Self(2403),
        Self(2409),
        Self(2503),
        Self(2509),
        Self::NEWEST,
    ];

    /// The release nearest to a number, for a hint.
    #[must_use]
    pub fn nearest_to(number: u16) -> Self {
        Self::KNOWN
            .into_iter()
            .min_by_key(|release| release.0.abs_diff(number))
            .unwrap_or(Self::NEWEST)
    }
}

impl TryFrom<u16> for Release {
    type Error = UnknownRelease;

    fn try_from(number: u16) -> Result<Self, Self::Error> {
        let release = Self(number);
        if Self::KNOWN.contains(&release) {
            Ok(release)
        } else {
            Err(UnknownRelease(number))
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_releases_that_exist_are_known() {
        for number in [2002, 2107, 2503, 2603] {
            assert!(Release::try_from(number).is_ok(), "{number}");
        }
        for number in [0, 25, 1511, 2504, 2609, 5203, 65_535] {
            assert_eq!(Release::try_from(number), Err(UnknownRelease(number)));
        }
        assert!(Release::KNOWN.is_sorted());
    }

    #[test]
    fn the_nearest_release_is_a_hint() {
        assert_eq!(Release::nearest_to(2504).to_string(), "2503");
        assert_eq!(Release::nearest_to(9999), Release::NEWEST);
        assert_eq!(Release::nearest_to(0).to_string(), "1810");
    }

    #[test]
    fn clouds_are_found_by_their_name() {
        for cloud in Cloud::ALL {
            assert_eq!(Cloud::named(cloud.as_str()), Some(cloud));
        }
        assert_eq!(Cloud::named("Public"), None);
    }
}
