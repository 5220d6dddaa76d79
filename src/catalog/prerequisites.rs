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
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn all() -> &'static [Prerequisite] {
        PREREQUISITES.as_ref().unwrap()
    }

    fn ids(scope: &str) -> Vec<String> {
        let needed = prerequisites(&Scope::parse(scope).unwrap()).unwrap();
        needed.into_iter().map(|one| one.id).collect()
    }

    #[test]
    fn ids_are_unique_and_no_text_is_empty() {
        let mut seen = HashSet::new();
        for one in all() {
            let id = &one.id;
            assert!(seen.insert(id), "{id} is there twice");
            assert!(
                id.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{id}"
            );
            let mut texts = vec![&one.title, &one.why];
            texts.extend(&one.note);
            match &one.means {
                Means::Reachd { remedy, roots, .. } => {
                    assert!(!remedy.is_empty(), "{id}");
                    texts.extend(remedy.iter().chain(roots));
                }
                Means::Person(ways) => {
                    for way in ways {
                        texts.extend([&way.how, &way.expect]);
                        texts.extend(&way.permission);
                        let needs_permission =
                            matches!(way.place, Place::Graph | Place::AdministrationService);
                        assert!(
                            !needs_permission || way.permission.is_some(),
                            "{id}: {way:?}"
                        );
                        assert!(
                            way.place != Place::Graph || way.how.starts_with("GET <graph>/"),
                            "{id}: only what reads, {way:?}"
                        );
                    }
                }
            }
            for text in texts {
                assert!(text.trim().len() > 3, "{id}: {text:?}");
            }
            assert!(!one.clouds.is_empty(), "{id}");
            if let (Some(since), Some(until)) = (one.since, one.until) {
                assert!(since <= until, "{id}");
            }
        }
    }

    #[test]
    fn everything_rests_on_a_dated_source_and_every_source_is_used() {
        let mut used = HashSet::new();
        for one in all() {
            assert!(!one.sources.is_empty(), "{}", one.id);
            for Reference {
                key,
                title,
                document,
                date,
            } in &one.sources
            {
                used.insert(key.as_str());
                let is_dated = date.len() >= "2026-11".len()
                    && date.split('-').all(|part| part.parse::<u16>().is_ok());
                assert!(
                    is_dated && !title.is_empty() && !document.is_empty(),
                    "{key}"
                );
            }
        }
        let own: File = document(FILE).unwrap();
        for key in own.sources.keys() {
            assert!(used.contains(key.as_str()), "nothing rests on {key}");
            let shared = &catalog().unwrap().sources;
            assert!(!shared.contains_key(key), "{key} is in sources.yml, too");
        }
    }

    #[test]
    fn reachd_looks_at_each_subject_once() {
        let subjects: Vec<Subject> = all()
            .iter()
            .filter_map(|one| match one.means {
                Means::Reachd { subject, .. } => Some(subject),
                Means::Person(_) => None,
            })
            .collect();
        assert_eq!(subjects, Subject::ALL);
    }

    #[test]
    fn releases_and_clouds_gate() {
        let cases = [
            (
                "2010",
                vec!["user-discovery-both"],
                vec!["user-discovery", "cloud-only-user"],
            ),
            (
                "2103",
                vec!["user-discovery", "dotnet-4-5"],
                vec!["user-discovery-both"],
            ),
            (
                "2107",
                vec!["dotnet-4-6-2", "supported-release"],
                vec!["intune-rbac-mode"],
            ),
            (
                "2207",
                vec!["cloud-only-user", "intune-rbac-mode"],
                vec!["supported-release"],
            ),
            (
                "public",
                vec!["proxy-idle-time", "public-cloud"],
                vec!["us-government-cloud", "provider-iis"],
            ),
            (
                "us-government",
                vec!["us-government-cloud"],
                vec!["proxy-idle-time", "public-cloud"],
            ),
        ];
        for (scope, there, absent) in cases {
            let ids = ids(scope);
            for id in there {
                assert!(ids.iter().any(|one| one == id), "{scope} has no {id}");
            }
            for id in absent {
                assert!(all().iter().any(|one| one.id == id), "there is no {id}");
                assert!(!ids.iter().any(|one| one == id), "{scope} has {id}");
            }
        }
    }

    #[test]
    fn the_calls_go_to_the_cloud() {
        let of = |scope: &str| {
            format!(
                "{:?}",
                prerequisites(&Scope::parse(scope).unwrap()).unwrap()
            )
        };
        assert!(of("public").contains("GET https://graph.microsoft.com/v1.0/subscribedSkus"));
        assert!(of("us-government").contains("GET https://graph.microsoft.us/v1.0/subscribedSkus"));
        assert!(!of("us-government").contains("<graph>"));
    }

    #[test]
    fn where_tenant_attach_is_not_there_nothing_is_needed() {
        for (scope, why) in [
            ("china", "does not exist in the cloud china (21Vianet)"),
            ("us-government@2103", "nothing is available before 2107"),
            ("1910", "nothing is available before 2002"),
        ] {
            let error = prerequisites(&Scope::parse(scope).unwrap()).unwrap_err();
            assert!(error.to_string().contains(why), "{scope}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_id() {
        let head = "sources: {s: {title: T, document: d, date: 2020-06}}\nprerequisites:\n";
        let one = "id: x, title: T, why: w, critical: true";
        let way = "verify: [{where: log, how: h, expect: e}]";
        for (rest, expected) in [
            (format!("{one}, sources: [s]"), "x: it needs either"),
            (
                format!("{one}, {way}, verified: clock, sources: [s]"),
                "x: it needs either",
            ),
            (
                format!("{one}, {way}, sources: [t]"),
                "x: there is no source t",
            ),
            (
                format!("{one}, {way}, colour: red, sources: [s]"),
                "unknown field `colour`",
            ),
            (
                format!("{one}, verified: nothing, sources: [s]"),
                "unknown variant `nothing`",
            ),
        ] {
            let problem = read(&format!("{head}  - {{{rest}}}\n"), &BTreeMap::new()).unwrap_err();
            assert!(problem.contains(expected), "{rest}: {problem}");
        }
    }

    #[test]
    fn the_documentation_lists_what_a_person_verifies() {
        let mut table = "| Prerequisite | Critical | Where one looks | Needed | Sources |\n|---|---|---|---|---|\n".to_owned();
        for one in all() {
            let Means::Person(ways) = &one.means else {
                continue;
            };
            let mut places: Vec<&str> = ways.iter().map(|way| way.place.title()).collect();
            places.dedup();
            let release = |word: &str, release: Option<Release>| {
                release.map(|release| format!("{word} {release}"))
            };
            let cloud = match one.clouds.as_slice() {
                [cloud] => Some(cloud.to_string()),
                _ => None,
            };
            let needed: Vec<String> = [
                release("since", one.since),
                release("until", one.until),
                cloud,
            ]
            .into_iter()
            .flatten()
            .collect();
            let sources: Vec<String> = one
                .sources
                .iter()
                .map(|source| format!("{} ({})", source.title, source.date))
                .collect();
            let critical = if one.critical { "yes" } else { "no" };
            let row = [
                format!("{} (`{}`)", one.title, one.id),
                critical.to_owned(),
                places.join(", "),
                needed.join(", "),
                sources.join("; "),
            ];
            table.push_str(&format!("| {} |\n", row.join(" | ")));
        }
        let page = include_str!("../../docs/prerequisites.md");
        let (_, rest) = page
            .split_once("<!-- prerequisites of persons -->\n")
            .unwrap();
        let (documented, _) = rest.split_once("<!-- end -->").unwrap();
        assert_eq!(
            documented, table,
            "docs/prerequisites.md should have:\n{table}"
        );
    }
}
