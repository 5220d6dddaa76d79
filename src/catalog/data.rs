//! The data files, read once. They are part of the program: one that cannot be read is reachd's own fault.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cloud::{Cloud, Release};
use super::feature::{Connector, Feature, Retired, Source};
use super::written::{self, Shared};
use crate::endpoint::RevocationMode;

/// The files of these features.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("features/", $name, ".yml")))),*]
    };
}

/// One file a feature, in the order in which they are listed: what the site needs, then what clients need, then what
/// certificates need, then what is retired.
const FILES: &[(&str, &str)] = files![
    "tenant-attach",
    "url-forwarding",
    "administration-service",
    "administration-service-cmg",
    "updates-and-servicing",
    "azure-services",
    "entra-user-discovery",
    "management-point-entra",
    "cmg-connection-point",
    "cmg-client",
    "software-update-point",
    "windows-servicing",
    "microsoft365-apps",
    "edge-deployment",
    "external-notifications",
    "endpoint-analytics",
    "endpoint-analytics-client",
    "app-insights-ingestion",
    "console-cloud",
    "console-documentation-node",
    "console-push-notifications",
    "product-feedback",
    "delivery-optimization",
    "connected-cache-content",
    "intune",
    "intune-attestation",
    "intune-epm-mde",
    "intune-macos",
    "intune-management-extension",
    "intune-remote-help",
    "microsoft-store",
    "windows-autopatch",
    "windows-autopatch-wufb-ds",
    "windows-autopilot",
    "azure-pki-aia",
    "azure-pki-crl",
    "azure-pki-ocsp",
    "asset-intelligence",
    "community-hub",
    "desktop-analytics",
    "geographical-view",
];

/// The documents on which entries rest, by key.
const SOURCES: &str = include_str!("sources.yml");

/// The roots that operators use, by operator.
const ROOTS: &str = include_str!("roots.yml");

/// The names of the source table that are no features of their own, and why.
const LEFT_OUT: &str = include_str!("left-out.yml");

static CATALOG: LazyLock<Result<Catalog, DataError>> = LazyLock::new(Catalog::read);

/// A file of the built-in catalog cannot be read. Tests hold that this does not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the built-in catalog is broken, which is reachd's own fault: {file}: {problem}")]
pub struct DataError {
    /// The data file.
    pub file: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Everything that the data files say.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) features: Vec<Feature>,
    /// Every source, those too on which nothing rests.
    pub(super) sources: BTreeMap<String, Source>,
    pub(super) left_out: BTreeMap<String, String>,
}

/// A file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    feature: String,
    title: String,
    summary: String,
    from: Vec<Connector>,
    clouds: BTreeMap<Cloud, Gate>,
    #[serde(default)]
    absent: BTreeMap<Cloud, String>,
    retired: Option<Retired>,
    /// What it means where the revocation of their certificates cannot be found out.
    revocation: Option<RevocationMode>,
    /// What the entries say that do not say it themselves.
    #[serde(default)]
    defaults: BTreeMap<String, Value>,
    entries: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gate {
    since: Option<Release>,
}

/// Every feature of the catalog.
pub fn features() -> Result<&'static [Feature], &'static DataError> {
    Ok(&catalog()?.features)
}

/// What a reader may look for in vain among the features, and why it is not one: the name and the reason.
pub fn left_out() -> Result<&'static BTreeMap<String, String>, &'static DataError> {
    Ok(&catalog()?.left_out)
}

pub(super) fn catalog() -> Result<&'static Catalog, &'static DataError> {
    CATALOG.as_ref()
}

// === impl Catalog ===

impl Catalog {
    fn read() -> Result<Self, DataError> {
        let shared = shared()?;
        let read_file = |(name, text): &(&str, &str)| {
            read(text, &shared).map_err(broken(&format!("features/{name}.yml")))
        };
        Ok(Self {
            features: FILES.iter().map(read_file).collect::<Result<_, _>>()?,
            left_out: document(LEFT_OUT).map_err(broken("left-out.yml"))?,
            sources: shared.sources,
        })
    }
}

/// What the files of features refer to.
pub(super) fn shared() -> Result<Shared, DataError> {
    Ok(Shared {
        sources: document(SOURCES).map_err(broken("sources.yml"))?,
        roots: document(ROOTS).map_err(broken("roots.yml"))?,
    })
}

fn broken(file: &str) -> impl FnOnce(String) -> DataError {
    let file = file.to_owned();
    move |problem| DataError { file, problem }
}

/// Reads one file. What is wrong is told with the entry it is wrong in.
pub(super) fn read(text: &str, shared: &Shared) -> Result<Feature, String> {
    let file: File = document(text)?;
    let clouds: BTreeMap<Cloud, Option<Release>> = file
        .clouds
        .into_iter()
        .map(|(cloud, gate)| (cloud, gate.since))
        .collect();
    let entries = written::entries(file.entries, &file.defaults, &clouds, shared)?;
    let named = |key: &String| entries.iter().any(|entry| entry.sources.contains(key));
    let sources = shared.sources.iter().filter(|(key, _)| named(key));
    Ok(Feature {
        name: file.feature,
        title: file.title,
        summary: file.summary,
        from: file.from,
        clouds,
        absent: file.absent,
        retired: file.retired,
        sources: sources
            .map(|(key, source)| (key.clone(), source.clone()))
            .collect(),
        revocation: file.revocation,
        entries,
    })
}

/// The one document of a file.
pub(super) fn document<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    let [document] = documents.as_slice() else {
        return Err("it must hold one document".to_owned());
    };
    serde_json::from_value(value_of(document)?).map_err(|error| error.to_string())
}

/// The part of YAML that the data files use, as serde understands it.
fn value_of(node: &Yaml<'_>) -> Result<Value, String> {
    match node {
        Yaml::Value(Scalar::Null) => Ok(Value::Null),
        Yaml::Value(Scalar::Boolean(value)) => Ok(Value::from(*value)),
        Yaml::Value(Scalar::Integer(value)) => Ok(Value::from(*value)),
        Yaml::Value(Scalar::String(value)) => Ok(Value::from(value.as_ref())),
        Yaml::Sequence(items) => items.iter().map(value_of).collect(),
        Yaml::Mapping(pairs) => pairs
            .iter()
            .map(|(key, value)| {
                let key = key
                    .as_str()
                    .ok_or_else(|| format!("{key:?} is no text and so no key"))?;
                Ok((key.to_owned(), value_of(value)?))
            })
            .collect(),
        other => Err(format!("{other:?} has no place in a data file")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::feature::Entry;
    use super::*;

    const HEAD: &str =
        "feature: x\ntitle: X\nsummary: does x\nfrom: [console]\nclouds: {public: {since: 2002}}\n";

    /// Sources for files of tests.
    fn two_sources() -> Shared {
        let sources = "{s: {title: T, document: d, date: 2020-06}, t: {title: T, document: d, date: 2020-06}}";
        Shared {
            sources: document(sources).unwrap(),
            roots: document(ROOTS).unwrap(),
        }
    }

    fn read_x(rest: &str) -> Result<Feature, String> {
        read(&format!("{HEAD}{rest}"), &two_sources())
    }

    #[test]
    fn the_embedded_files_can_be_read() {
        let features = features().unwrap();
        assert_eq!(features.len(), FILES.len());
        for (feature, (file, _)) in features.iter().zip(FILES) {
            assert_eq!(feature.name, *file);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_entry() {
        let cases = [
            (
                "entries: [{url: 'https://a.example', colour: red}]",
                "https://a.example: unknown field `colour`",
            ),
            (
                "entries: [{url: 'https://a.example'}]",
                "https://a.example: missing field",
            ),
            ("entries: [{kind: crl}]", "an entry without url"),
            (
                "entries: [{url: 'https://a.example', critical: true, why: w, breaks: b, logs: []}]",
                "https://a.example: logs must name files, or be `undocumented`",
            ),
            (
                "entries: [{url: 'https://a.example', urls: ['https://b.example']}]",
                "either url or urls",
            ),
            (
                "defaults: {url: 'https://a.example'}\nentries: []",
                "defaults: unknown field `url`",
            ),
            ("entries: []\nentries: []", "duplicated key"),
            ("entries: [", "line"),
            ("entries: 1.5", "has no place"),
            ("entries: []\nclouds: {}", "line 7"),
            ("entries: []\n--- 1", "one document"),
        ];
        for (rest, expected) in cases {
            let problem = read_x(rest).unwrap_err();
            assert!(problem.contains(expected), "{rest}: {problem}");
        }
    }

    #[test]
    fn keys_of_sources_and_roots_must_be_known() {
        let entry =
            "entries: [{url: 'https://a.example', critical: true, why: w, breaks: b, logs: [l]";
        let problem = read_x(&format!("{entry}, sources: [u]}}]")).unwrap_err();
        assert_eq!(problem, "https://a.example: sources.yml has no source u");
        let problem = read_x(&format!("{entry}, sources: [s], roots: mars}}]")).unwrap_err();
        assert_eq!(problem, "https://a.example: roots.yml has no roots of mars");
        let feature = read_x(&format!("{entry}, sources: [s]}}]")).unwrap();
        assert_eq!(feature.sources.keys().collect::<Vec<_>>(), ["s"]);
    }

    #[test]
    fn an_entry_goes_before_the_defaults_and_names_many_urls() {
        let feature = read_x(
            "defaults: {critical: true, why: of all, breaks: b, logs: [l], sources: [s]}
entries:
  - {urls: ['https://a.example', 'https://b.example'], why: of two}
  - {url: 'https://c.example'}
",
        )
        .unwrap();
        let told: Vec<_> = feature
            .entries
            .iter()
            .map(|entry| (entry.name(), entry.why.as_str(), entry.clouds.as_slice()))
            .collect();
        let public = &[Cloud::Public][..];
        let expected = [
            ("a.example", "of two", public),
            ("b.example", "of two", public),
            ("c.example", "of all", public),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_host_that_is_required_over_both_schemes_is_named_with_its_port_over_http() {
        let feature = read_x(
            "defaults: {critical: true, why: w, breaks: b, logs: [l], sources: [s]}
entries:
  - urls: ['http://both.example', 'https://both.example', 'http://plain.example', 'http://path.example/a']
  - urls: ['https://path.example', 'http://*.wild.example', 'https://*.wild.example']
",
        )
        .unwrap();
        let names: Vec<&str> = feature.entries.iter().map(Entry::name).collect();
        let expected = [
            "both.example:80",
            "both.example",
            "plain.example",
            "path.example/a",
            "path.example",
            "*.wild.example:80",
            "*.wild.example",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_release_that_does_not_exist_is_refused() {
        let text = HEAD.replace("2002", "2001") + "entries: []";
        let problem = read(&text, &two_sources()).unwrap_err();
        assert!(problem.contains("2001 is no release"), "{problem}");
    }
}
