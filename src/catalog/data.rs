//! The data files, read once. They are part of the program: one that cannot be read is reachd's own fault.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cloud::{Cloud, Release};
use super::feature::{Entry, Feature, RootSet, Source};
use crate::endpoint::RevocationMode;

/// One file a feature, in the order in which they are listed.
const FILES: &[(&str, &str)] = &[("tenant-attach.yml", include_str!("tenant-attach.yml"))];

/// The roots that operators use, by operator.
const ROOTS: &str = include_str!("roots.yml");

static FEATURES: LazyLock<Result<Vec<Feature>, DataError>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(file, text)| {
            read(text).map_err(|problem| DataError {
                file: (*file).to_owned(),
                problem,
            })
        })
        .collect()
});

/// A file of the built-in catalog cannot be read. Tests hold that this does not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the built-in catalog is broken, which is reachd's own fault: {file}: {problem}")]
pub struct DataError {
    /// The data file.
    pub file: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A file as written, but for its entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    feature: String,
    title: String,
    summary: String,
    clouds: BTreeMap<Cloud, Gate>,
    #[serde(default)]
    absent: BTreeMap<Cloud, String>,
    sources: BTreeMap<String, Source>,
    /// The operator whose roots its endpoints have.
    roots: Option<String>,
    /// What it means where the revocation of their certificates cannot be found out.
    revocation: Option<RevocationMode>,
    entries: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gate {
    since: Release,
}

/// Every feature of the catalog.
pub fn features() -> Result<&'static [Feature], &'static DataError> {
    FEATURES.as_deref()
}

/// Reads one file. What is wrong is told with the entry it is wrong in.
pub(super) fn read(text: &str) -> Result<Feature, String> {
    let file: File = document(text)?;
    let roots = file.roots.as_deref().map(roots_of).transpose()?;
    let clouds = file.clouds.into_iter();
    Ok(Feature {
        name: file.feature,
        title: file.title,
        summary: file.summary,
        clouds: clouds.map(|(cloud, gate)| (cloud, gate.since)).collect(),
        absent: file.absent,
        sources: file.sources,
        roots,
        revocation: file.revocation,
        entries: file
            .entries
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()?,
    })
}

fn roots_of(operator: &str) -> Result<RootSet, String> {
    let mut sets: BTreeMap<String, RootSet> = document(ROOTS)?;
    let set = sets.remove(operator);
    set.ok_or_else(|| format!("roots.yml has no roots of {operator}"))
}

/// The one document of a file.
fn document<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    let [document] = documents.as_slice() else {
        return Err("it must hold one document".to_owned());
    };
    serde_json::from_value(value_of(document)?).map_err(|error| error.to_string())
}

fn entry(value: Value) -> Result<Entry, String> {
    let url = value["url"]
        .as_str()
        .unwrap_or("an entry without url")
        .to_owned();
    serde_json::from_value(value).map_err(|error| format!("{url}: {error}"))
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
    use super::*;

    const HEAD: &str = "feature: x\ntitle: X\nsummary: does x\nclouds: {public: {since: 2002}}\n\
                        sources: {s: {title: T, document: d, date: 2020-06}}\n";

    #[test]
    fn the_embedded_files_can_be_read() {
        let features = features().unwrap();
        assert_eq!(features.len(), FILES.len());
        for (feature, (file, _)) in features.iter().zip(FILES) {
            assert_eq!(format!("{}.yml", feature.name), *file);
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
            ("entries: []\nentries: []", "duplicated key"),
            ("entries: [", "line"),
            ("entries: 1.5", "has no place"),
            ("entries: []\nclouds: {}", "line 7"),
            ("entries: []\n--- 1", "one document"),
        ];
        for (rest, expected) in cases {
            let problem = read(&format!("{HEAD}{rest}")).unwrap_err();
            assert!(problem.contains(expected), "{rest}: {problem}");
        }
    }

    #[test]
    fn a_release_that_does_not_exist_is_refused() {
        let text = HEAD.replace("2002", "2001") + "entries: []";
        assert!(read(&text).unwrap_err().contains("2001 is no release"));
    }
}
