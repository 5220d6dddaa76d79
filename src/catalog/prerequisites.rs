//! What tenant attach needs beside its endpoints, and how each of it is verified: by reachd or by a person. The text is
//! that of `prerequisites.yml`; judging what reachd found is the work of the report.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::DataError;
use super::ask::{AskError, feature_named};
use super::cloud::{Cloud, Release};
use super::data::{catalog, document};
use super::feature::Source;
use super::scope::Scope;

/// The feature whose prerequisites these are.
pub const TENANT_ATTACH: &str = "tenant-attach";

/// The feature on which its actions depend.
pub const ADMINISTRATION_SERVICE: &str = "administration-service";

const FILE: &str = include_str!("prerequisites.yml");

static PREREQUISITES: LazyLock<Result<Vec<Prerequisite>, DataError>> = LazyLock::new(|| {
    let broken = |problem| DataError {
        file: "prerequisites.yml".to_owned(),
        problem,
    };
    let shared = &catalog().map_err(Clone::clone)?.sources;
    read(FILE, shared).map_err(broken)
});

/// Something that tenant attach needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Prerequisite {
    /// How reports call it.
    pub id: String,
    /// The same for people.
    pub title: String,
    /// What it is needed for.
    pub why: String,
    /// Whether tenant attach stops without it, or an action of it.
    pub critical: bool,
    /// Where it is needed.
    pub clouds: Vec<Cloud>,
    /// The first release that needs it, where not all do.
    pub since: Option<Release>,
    /// The last release that needs it.
    pub until: Option<Release>,
    /// How it is verified.
    pub means: Means,
    /// On what it rests, never empty.
    pub sources: Vec<Reference>,
    /// What the sources leave open.
    pub note: Option<String>,
}

/// A document on which a prerequisite rests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reference {
    /// How the data file names it.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Its repository and path.
    pub document: String,
    /// The date it bears.
    pub date: String,
}

/// Who verifies a prerequisite.
#[derive(Debug, Clone, PartialEq)]
pub enum Means {
    /// reachd does.
    Reachd {
        /// What it looks at.
        subject: Subject,
        /// What to do where it is not met.
        remedy: Vec<String>,
        /// The roots of the trust store for which a document asks by name.
        roots: Vec<String>,
    },
    /// Only a person can: in each of these ways.
    Person(Vec<Verification>),
}

/// What reachd looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The endpoints of tenant attach, but for those of revocation and of gateways.
    Endpoints,
    /// The gateway of one's own tenant.
    Gateway,
    /// Whether the certificates of endpoints are their own.
    TlsInspection,
    /// The hosts of revocation lists, answers, and trust lists.
    RevocationHosts,
    /// What is known of the revocation of the certificates that were presented.
    RevocationOfTheGateway,
    /// The roots that vouch for the endpoints.
    TrustStore,
    /// How long idle connections live.
    ProxyIdleTime,
    /// The administration service of the site.
    AdministrationService,
    /// Other clocks beside ours.
    Clock,
}

/// One way in which a person verifies something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Where one looks.
    #[serde(rename = "where")]
    pub place: Place,
    /// The way there, or the call.
    pub how: String,
    /// The least permission that suffices, where that is not that of the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// What shows that it is met.
    pub expect: String,
}

/// Where a person looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Microsoft Graph.
    Graph,
    /// The Microsoft Intune admin center, or another portal that is named.
    AdminCenter,
    /// The Configuration Manager console.
    Console,
    /// A server of the site or of the domain.
    Server,
    /// A log file.
    Log,
    /// The administration service of the site.
    AdministrationService,
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: BTreeMap<String, Source>,
    prerequisites: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    title: String,
    why: String,
    critical: bool,
    clouds: Option<Vec<Cloud>>,
    since: Option<Release>,
    until: Option<Release>,
    verified: Option<Subject>,
    #[serde(default)]
    remedy: Vec<String>,
    #[serde(default)]
    roots: Vec<String>,
    #[serde(default)]
    verify: Vec<Verification>,
    sources: Vec<String>,
    note: Option<String>,
}

/// What tenant attach needs in a cloud with a release, in the order of the report.
///
/// # Errors
/// The cloud does not have tenant attach, or not with this release.
pub fn prerequisites(scope: &Scope) -> Result<Vec<Prerequisite>, AskError> {
    scope.check(feature_named(TENANT_ATTACH)?)?;
    let all = PREREQUISITES.as_ref().map_err(Clone::clone)?;
    let needed = all.iter().filter(|one| one.is_needed(scope));
    Ok(needed.map(|one| one.in_cloud(scope.cloud)).collect())
}

// === impl Prerequisite ===

impl Prerequisite {
    fn is_needed(&self, scope: &Scope) -> bool {
        self.clouds.contains(&scope.cloud)
            && self.since.is_none_or(|since| since <= scope.release)
            && self.until.is_none_or(|until| scope.release <= until)
    }

    /// With the addresses of the cloud.
    fn in_cloud(&self, cloud: Cloud) -> Self {
        let mut here = self.clone();
        if let Means::Person(ways) = &mut here.means {
            for way in ways {
                way.how = way.how.replace("<graph>", graph(cloud));
            }
        }
        here
    }
}

/// The root of Microsoft Graph.
fn graph(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public => "https://graph.microsoft.com",
        Cloud::UsGovernment => "https://graph.microsoft.us",
        Cloud::China => "https://microsoftgraph.chinacloudapi.cn",
    }
}

// === impl Place ===

impl Place {
    /// The name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Graph => "Microsoft Graph",
            Self::AdminCenter => "Admin center",
            Self::Console => "Configuration Manager console",
            Self::Server => "Server",
            Self::Log => "Log",
            Self::AdministrationService => "Administration service",
        }
    }
}

// === impl Subject ===

impl Subject {
    /// Everything that reachd looks at.
    pub const ALL: [Self; 9] = [
        Self::Endpoints,
        Self::Gateway,
        Self::TlsInspection,
        Self::RevocationHosts,
        Self::RevocationOfTheGateway,
        Self::TrustStore,
        Self::ProxyIdleTime,
        Self::AdministrationService,
        Self::Clock,
    ];
}

// === reading ===

fn read(text: &str, shared: &BTreeMap<String, Source>) -> Result<Vec<Prerequisite>, String> {
    let File {
        sources,
        prerequisites,
    } = document(text)?;
    let cite = |key: &String| {
        let source = sources.get(key).or_else(|| shared.get(key));
        let Source {
            title,
            document,
            date,
        } = source.ok_or_else(|| format!("there is no source {key}"))?;
        Ok(Reference {
            key: key.clone(),
            title: title.clone(),
            document: document.clone(),
            date: date.clone(),
        })
    };
    let all = prerequisites.into_iter().map(|written| {
        let id = written.id.clone();
        written
            .prerequisite(&cite)
            .map_err(|problem| format!("{id}: {problem}"))
    });
    all.collect()
}

impl Written {
    fn prerequisite(
        self,
        cite: &dyn Fn(&String) -> Result<Reference, String>,
    ) -> Result<Prerequisite, String> {
        let means = match (self.verified, self.verify.is_empty()) {
            (Some(subject), true) => Means::Reachd {
                subject,
                remedy: self.remedy,
                roots: self.roots,
            },
            (None, false) if self.remedy.is_empty() && self.roots.is_empty() => {
                Means::Person(self.verify)
            }
            _ => return Err("it needs either verified with its remedy, or verify".to_owned()),
        };
        let sources: Result<Vec<Reference>, String> = self.sources.iter().map(cite).collect();
        Ok(Prerequisite {
            id: self.id,
            title: self.title,
            why: self.why,
            critical: self.critical,
            clouds: self
                .clouds
                .unwrap_or_else(|| vec![Cloud::Public, Cloud::UsGovernment]),
            since: self.since,
            until: self.until,
            means,
            sources: sources?,
            note: self.note,
        })
    }
}

#[cfg(test)]
mod tests;
