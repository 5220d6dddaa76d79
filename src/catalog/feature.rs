//! A feature as its data file describes it: what it needs, where, since when, and who says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
    /// Who connects.
    pub from: Vec<Connector>,
    /// The clouds that have it, and since which release where that is documented.
    pub clouds: BTreeMap<Cloud, Option<Release>>,
    /// The clouds for which the catalog does not have it: it does not exist there, or no document says what it needs.
    pub absent: BTreeMap<Cloud, String>,
    /// Since when it is gone, if it is: it is selected by its name only then.
    pub retired: Option<Retired>,
    /// What the entries rest on, by key.
    pub sources: BTreeMap<String, Source>,
    /// What it means where the revocation of their certificates cannot be found out.
    pub revocation: Option<RevocationMode>,
    /// What it needs, in the order in which it is shown.
    pub entries: Vec<Entry>,
}

/// Who connects to the endpoints of a feature: a role of the site, or a person's or a managed computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "the variants are Configuration Manager's own names"
)]
pub enum Connector {
    ServiceConnectionPoint,
    SiteServer,
    ManagementPoint,
    SoftwareUpdatePoint,
    DistributionPoint,
    CmgConnectionPoint,
    SmsProvider,
    Console,
    Client,
    Administrator,
}

/// A feature that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    /// A date, or a release: `2022-11-30`, `release 2303`.
    pub on: String,
    /// What happened to it.
    pub why: String,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// With `*` in a wildcard, with `<name>` in a template.
    pub url: Template,
    /// What it is called where its URL without the scheme is not it: an entry over `http` whose host is required over
    /// `https`, too, is called by its port.
    pub own_name: Option<String>,
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
    /// The log files that show it; none where no document names one.
    pub logs: Vec<String>,
    /// The first release that needs it, where that is not the feature's.
    pub since: Option<Release>,
    /// The last release that needs it.
    pub until: Option<Release>,
    /// The wildcard whose hosts this one represents, by name: `*.manage.microsoft.com`.
    pub stands_in_for: Option<String>,
    /// Whether the target of its redirect is needed too.
    pub follow_redirects: bool,
    /// The roots by which its certificate is vouched for.
    pub roots: Option<RootSet>,
    /// Whether its operator supports that a proxy inspects its traffic.
    pub inspection: Inspection,
    /// How long an idle connection to it must live.
    pub hold: Option<Hold>,
    /// The statuses that count as reachable, where the service connection point's rule does not hold.
    pub status: Vec<u16>,
    /// What a status means at this endpoint, where that is more than it says.
    pub meaning: BTreeMap<u16, Arc<str>>,
    /// The route that it is probed over unless an override says otherwise.
    pub route: Option<RouteChoice>,
    /// Why it is not probed, where it cannot or must not be.
    pub not_probed: Option<String>,
    /// Keys of [`Feature::sources`].
    pub sources: Vec<String>,
    /// What the sources leave open, and what else is worth knowing.
    pub note: Option<String>,
}

/// The one route that an entry can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteChoice {
    /// Without any proxy, for it is a host of the site itself.
    Direct,
}

/// What a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A host that the feature itself talks to.
    #[default]
    Endpoint,
    /// Any host below a name: required, but not to be probed as such.
    Wildcard,
    /// A host of certificate revocation lists.
    Crl,
    /// A host that answers for single certificates (RFC 6960).
    Ocsp,
    /// A host from which the certificates of issuers are fetched.
    Aia,
    /// A host of certificate trust lists: where Windows gets new roots from.
    Ctl,
}

/// Why a cloud or a release does not have a feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The cloud does not have it with any release, as far as is documented.
    #[error("{title} is not in the catalog for the cloud {cloud}: {why}", cloud = cloud.title())]
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

// === impl Connector ===

impl Connector {
    /// The name in the data file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceConnectionPoint => "service-connection-point",
            Self::SiteServer => "site-server",
            Self::ManagementPoint => "management-point",
            Self::SoftwareUpdatePoint => "software-update-point",
            Self::DistributionPoint => "distribution-point",
            Self::CmgConnectionPoint => "cmg-connection-point",
            Self::SmsProvider => "sms-provider",
            Self::Console => "console",
            Self::Client => "client",
            Self::Administrator => "administrator",
        }
    }
}

// === impl RouteChoice ===

impl RouteChoice {
    /// The name in the data file, which is the route's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
        }
    }
}

// === impl Feature ===

impl Feature {
    /// Whether a cloud has the feature with a release.
    pub fn check(&self, cloud: Cloud, release: Release) -> Result<(), Missing> {
        let title = self.title.clone();
        let Some(since) = self.clouds.get(&cloud).copied() else {
            let why = self.absent.get(&cloud).cloned().unwrap_or_default();
            return Err(Missing::InCloud { title, cloud, why });
        };
        if let Some(since) = since.filter(|since| release < *since) {
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
        let own = self.own_name.as_deref();
        own.unwrap_or_else(|| name_of(self.url.as_str()))
    }
}

/// Whether a wildcard covers a host. Each `*`, and each `<name>` that nothing fills, stands for at least one
/// character; a port is no part of the host.
#[must_use]
pub fn covers(wildcard: &str, host: &str) -> bool {
    let (pattern, _) = wildcard.split_once(':').unwrap_or((wildcard, ""));
    let pattern = Template::open(pattern);
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = host.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        // At least one character is the star's own.
        let Some(after) = rest.char_indices().nth(1).map_or_else(
            || (!rest.is_empty()).then_some(rest.len()),
            |(at, _)| Some(at),
        ) else {
            return false;
        };
        if parts.peek().is_none() {
            return rest[after..].ends_with(part);
        }
        let Some(found) = rest[after..].find(part) else {
            return false;
        };
        rest = &rest[after + found + part.len()..];
    }
    true
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
            Self::Aia => "aia",
            Self::Ctl => "ctl",
        }
    }

    /// Whether Windows itself fetches it to check a certificate, in the SYSTEM context and over plain HTTP.
    #[must_use]
    pub fn serves_revocation(self) -> bool {
        match self {
            Self::Crl | Self::Ocsp | Self::Aia | Self::Ctl => true,
            Self::Endpoint | Self::Wildcard => false,
        }
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
            ("*.*.logic.example", "prod1.eu.logic.example", true),
            ("*.*.logic.example", "eu.logic.example", false),
            ("*.<region>.logic.example", "prod1.eu.logic.example", true),
            ("*.<region>.logic.example", ".logic.example", false),
            ("a*b*c", "axbyc", true),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "abc", false),
            ("a*b*c", "axbc", false),
            ("*.wild.example:80", "a.wild.example", true),
            ("*.wild.example", "ä.wild.example", true),
            ("*", "", false),
            ("plain.example", "plain.example", true),
            ("plain.example", "plain.example.org", false),
        ] {
            assert_eq!(covers(wildcard, host), expected, "{wildcard} {host}");
        }
    }
}
