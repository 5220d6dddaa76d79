//! A feature as its data file describes it: what it needs, where, since when, and who says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use super::cloud::{Cloud, Release};
use super::template::Template;
use crate::endpoint::{ExpectedRoot, Hold, Inspection, RevocationMode};

/// A feature and everything that it needs from the internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// The name in `catalog.features`, and the label `service`.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// The clouds that have it, and since which release.
    pub clouds: BTreeMap<Cloud, Release>,
    /// The clouds that do not, and why.
    pub absent: BTreeMap<Cloud, String>,
    /// What the entries rest on, by key.
    pub sources: BTreeMap<String, Source>,
    /// The roots by which the certificates of its endpoints are vouched for.
    pub roots: Option<RootSet>,
    /// What it means where the revocation of their certificates cannot be found out.
    pub revocation: Option<RevocationMode>,
    /// What it needs, in the order in which it is shown.
    pub entries: Vec<Entry>,
}

/// A document on which entries rest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its title.
    pub title: String,
    /// Its repository and path.
    pub document: String,
    /// The date it bears, `2026-06-08` or `2020-06`.
    pub date: String,
}

/// The roots that an operator uses, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootSet {
    /// On what it rests.
    pub source: Source,
    /// The roots.
    pub roots: Arc<[ExpectedRoot]>,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// With `*` in a wildcard, with `<name>` in a template.
    pub url: Template,
    /// Where it is required.
    pub clouds: Vec<Cloud>,
    /// What it is.
    pub kind: Kind,
    /// Whether the feature stops without it.
    pub critical: bool,
    /// The reason for the verdict on `critical`.
    pub why: String,
    /// What an administrator notices when it fails.
    pub breaks: String,
    /// The log files that show it.
    pub logs: Vec<String>,
    /// The first release that needs it, where that is not the feature's.
    pub since: Option<Release>,
    /// The last release that needs it.
    pub until: Option<Release>,
    /// The wildcard whose hosts this one represents, by name: `*.manage.microsoft.com`.
    pub stands_in_for: Option<String>,
    /// Whether the target of its redirect is needed too.
    #[serde(default)]
    pub follow_redirects: bool,
    /// Whether its operator supports that a proxy inspects its traffic.
    #[serde(default)]
    pub inspection: Inspection,
    /// How long an idle connection to it must live.
    #[serde(default, deserialize_with = "hold")]
    pub hold: Option<Hold>,
    /// Keys of [`Feature::sources`].
    pub sources: Vec<String>,
    /// What the sources leave open, and what else is worth knowing.
    pub note: Option<String>,
}

/// `hold` as written: how long. The rest is the configuration's business.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldFor {
    #[serde(rename = "for")]
    duration: String,
}

/// What a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A host that the feature itself talks to.
    Endpoint,
    /// Any host below a name: required, but not to be probed as such.
    Wildcard,
    /// A host of certificate revocation lists.
    Crl,
    /// A host that answers for single certificates (RFC 6960).
    Ocsp,
    /// A host of certificate trust lists: where Windows gets new roots from.
    Ctl,
}

/// Why a cloud or a release does not have a feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The cloud does not have it with any release.
    #[error("{title} does not exist in the cloud {cloud}: {why}", cloud = cloud.title())]
    InCloud {
        /// The feature.
        title: String,
        /// The cloud.
        cloud: Cloud,
        /// The reason.
        why: String,
    },
    /// The cloud has it with later releases.
    #[error(
        "{title} came to the cloud {cloud} with Configuration Manager {since}, and this is {release}"
    )]
    BeforeRelease {
        /// The feature.
        title: String,
        /// The cloud.
        cloud: Cloud,
        /// The first release that has it.
        since: Release,
        /// The release asked for.
        release: Release,
    },
}

// === impl Kind ===

impl Kind {
    /// Whether Windows fetches it while it verifies a certificate.
    #[must_use]
    pub fn serves_revocation(self) -> bool {
        match self {
            Self::Crl | Self::Ocsp | Self::Ctl => true,
            Self::Endpoint | Self::Wildcard => false,
        }
    }
}

fn hold<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hold>, D::Error> {
    let HeldFor { duration } = HeldFor::deserialize(deserializer)?;
    let duration = humantime::parse_duration(&duration).map_err(serde::de::Error::custom)?;
    Ok(Some(Hold {
        duration,
        interval: Hold::DEFAULT_INTERVAL,
        keep_alive: None,
    }))
}

// === impl Feature ===

impl Feature {
    /// Whether a cloud has the feature with a release.
    pub fn check(&self, cloud: Cloud, release: Release) -> Result<(), Missing> {
        let title = self.title.to_lowercase();
        let Some(since) = self.clouds.get(&cloud).copied() else {
            let why = self.absent.get(&cloud).cloned().unwrap_or_default();
            return Err(Missing::InCloud { title, cloud, why });
        };
        if release < since {
            return Err(Missing::BeforeRelease {
                title,
                cloud,
                since,
                release,
            });
        }
        Ok(())
    }

    /// What the feature needs in a cloud with a release.
    pub fn required(&self, cloud: Cloud, release: Release) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.is_required(cloud, release))
    }
}

// === impl Entry ===

impl Entry {
    /// Whether it is required in a cloud with a release.
    #[must_use]
    pub fn is_required(&self, cloud: Cloud, release: Release) -> bool {
        self.clouds.contains(&cloud)
            && self.since.is_none_or(|since| since <= release)
            && self.until.is_none_or(|until| release <= until)
    }

    /// Its name, with the templates as they are written.
    #[must_use]
    pub fn name(&self) -> &str {
        name_of(self.url.as_str())
    }
}

/// Whether a wildcard, which has one `*`, covers a host. The `*` stands for at least one character.
pub(super) fn covers(wildcard: &str, host: &str) -> bool {
    let Some((head, tail)) = wildcard.split_once('*') else {
        return wildcard == host;
    };
    host.len() > head.len() + tail.len() && host.starts_with(head) && host.ends_with(tail)
}

/// The name of a URL: without scheme and closing slash.
pub(crate) fn name_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    rest.trim_end_matches('/')
}

// === impl Kind ===

impl Kind {
    /// The name in the data file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Wildcard => "wildcard",
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
            Self::Ctl => "ctl",
        }
    }

    /// Whether Windows itself fetches it to check a certificate, in the SYSTEM context and over plain HTTP.
    #[must_use]
    pub fn serves_certificate_checks(self) -> bool {
        matches!(self, Self::Crl | Self::Ocsp | Self::Ctl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_neither_scheme_nor_closing_slash() {
        for (url, name) in [
            ("https://aka.ms/configmgrgateway", "aka.ms/configmgrgateway"),
            ("http://crl3.digicert.com/", "crl3.digicert.com"),
            ("https://*.manage.microsoft.us", "*.manage.microsoft.us"),
        ] {
            assert_eq!(name_of(url), name);
        }
    }

    #[test]
    fn a_wildcard_covers_what_is_below_it() {
        for (wildcard, host, expected) in [
            (
                "*.manage.microsoft.com",
                "us.gateway.configmgr.manage.microsoft.com",
                true,
            ),
            ("*.manage.microsoft.com", "manage.microsoft.com", false),
            (
                "*.manage.microsoft.com",
                "manage.microsoft.com.evil.example",
                false,
            ),
            (
                "*-umwatsonc.events.example",
                "eu-umwatsonc.events.example",
                true,
            ),
            ("payload*.blob.example", "payload7.blob.example", true),
            ("payload*.blob.example", "payload.blob.example", false),
        ] {
            assert_eq!(covers(wildcard, host), expected, "{wildcard} {host}");
        }
    }
}
