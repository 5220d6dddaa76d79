//! The catalog for a person at a terminal.

use super::cloud::{Cloud, Release};
use super::feature::{Entry, Feature, Kind, Missing};
use super::{DataError, did_you_mean, features};

/// Why a feature cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShowError {
    /// The catalog itself cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is no such feature.
    #[error("the catalog has no feature \"{name}\" ({hint})")]
    UnknownFeature {
        /// As asked for.
        name: String,
        /// What there is.
        hint: String,
    },
    /// There is no such cloud.
    #[error("there is no cloud \"{name}\" ({hint})")]
    UnknownCloud {
        /// As asked for.
        name: String,
        /// What there is.
        hint: String,
    },
    /// There is no such release.
    #[error(transparent)]
    UnknownRelease(#[from] super::UnknownRelease),
    /// The cloud does not have the feature, or not with this release.
    #[error(transparent)]
    Missing(#[from] Missing),
}

/// Every feature with its clouds: for `reachd catalog list`.
pub fn list_text() -> Result<String, DataError> {
    let mut rows = vec![["FEATURE", "CLOUD", "SINCE", "ENDPOINTS", "NOTE"].map(str::to_owned)];
    for feature in features().map_err(Clone::clone)? {
        for cloud in Cloud::ALL {
            rows.push(list_row(feature, cloud));
        }
    }
    Ok(table(&rows))
}

/// One feature as a cloud with a release requires it, the newest where none is named: for
/// `reachd catalog show`.
pub fn show_text(name: &str, cloud: &str, release: Option<u16>) -> Result<String, ShowError> {
    let features = features().map_err(Clone::clone)?;
    let feature = features
        .iter()
        .find(|feature| feature.name == name)
        .ok_or_else(|| ShowError::UnknownFeature {
            name: name.to_owned(),
            hint: did_you_mean(name, features.iter().map(|feature| feature.name.as_str())),
        })?;
    let cloud = Cloud::named(cloud).ok_or_else(|| ShowError::UnknownCloud {
        name: cloud.to_owned(),
        hint: did_you_mean(cloud, Cloud::ALL.map(Cloud::as_str)),
    })?;
    let release = release.map_or(Ok(Release::NEWEST), Release::try_from)?;
    feature.check(cloud, release)?;
    Ok(shown(feature, cloud, release))
}

fn list_row(feature: &Feature, cloud: Cloud) -> [String; 5] {
    let (since, endpoints, note) = match feature.clouds.get(&cloud) {
        Some(since) => {
            let since = since.map_or_else(|| "-".to_owned(), |since| since.to_string());
            let required = feature.required(cloud, Release::NEWEST);
            let probed = required.filter(|entry| entry.kind != Kind::Wildcard);
            (since, probed.count().to_string(), feature.title.clone())
        }
        None => (
            "-".to_owned(),
            "-".to_owned(),
            "does not exist there".to_owned(),
        ),
    };
    [
        feature.name.clone(),
        cloud.to_string(),
        since,
        endpoints,
        note,
    ]
}

fn shown(feature: &Feature, cloud: Cloud, release: Release) -> String {
    let (wildcards, endpoints): (Vec<&Entry>, Vec<&Entry>) = feature
        .required(cloud, release)
        .partition(|entry| entry.kind == Kind::Wildcard);
    let all: Vec<&Entry> = wildcards.iter().chain(&endpoints).copied().collect();

    let mut lines = vec![
        format!(
            "{} ({}), cloud {cloud}, Configuration Manager {release}",
            feature.title, feature.name
        ),
        feature.summary.clone(),
        String::new(),
        overview(&endpoints),
    ];
    if !wildcards.is_empty() {
        lines.push("Required, but a wildcard names no host; these stand in for it:".to_owned());
        lines.extend(wildcards.iter().map(|entry| stand_ins(entry, &endpoints)));
        lines.push(String::new());
    }
    lines.push("What breaks, where it shows, and on what the entry rests:".to_owned());
    lines.extend(all.iter().flat_map(|entry| detail(entry)));
    lines.push("\nSources:".to_owned());
    lines.extend(cited(feature, &all));
    lines.join("\n") + "\n"
}

fn overview(endpoints: &[&Entry]) -> String {
    let mut rows = vec![["CRITICAL", "KIND", "ENDPOINT", "WHY"].map(str::to_owned)];
    rows.extend(endpoints.iter().map(|entry| {
        [
            if entry.critical { "yes" } else { "no" }.to_owned(),
            entry.kind.as_str().to_owned(),
            entry.url.as_str().to_owned(),
            entry.why.clone(),
        ]
    }));
    table(&rows)
}

fn stand_ins(wildcard: &Entry, endpoints: &[&Entry]) -> String {
    let names: Vec<&str> = endpoints
        .iter()
        .filter(|entry| entry.stands_in_for.as_deref() == Some(wildcard.name()))
        .map(|entry| entry.name())
        .collect();
    let names = if names.is_empty() {
        "not probed, for no host below it is known".to_owned()
    } else {
        names.join(", ")
    };
    format!("  {}: {names}", wildcard.url.as_str())
}

fn detail(entry: &Entry) -> Vec<String> {
    let logs = entry.logs.join(", ");
    let sources = entry.sources.join(", ");
    let needed = match (entry.since, entry.until) {
        (None, None) => String::new(),
        (Some(since), None) => format!("since {since}"),
        (None, Some(until)) => format!("until {until}"),
        (Some(since), Some(until)) => format!("from {since} until {until}"),
    };
    let hold = entry.hold.map_or_else(String::new, |hold| {
        let lasts = humantime::format_duration(hold.duration);
        format!("an idle connection must live for {lasts}")
    });
    let facts = [
        ("breaks", entry.breaks.as_str()),
        ("logs", &logs),
        ("needed", &needed),
        ("hold", &hold),
        ("note", entry.note.as_deref().unwrap_or_default()),
        ("sources", &sources),
    ];
    let known = facts.iter().filter(|(_, content)| !content.is_empty());
    let mut lines = vec![format!("  {}", entry.url.as_str())];
    lines.extend(known.map(|(label, content)| format!("    {label:<8} {content}")));
    lines
}

fn cited(feature: &Feature, entries: &[&Entry]) -> Vec<String> {
    let is_cited = |key: &String| entries.iter().any(|entry| entry.sources.contains(key));
    feature
        .sources
        .iter()
        .filter(|(key, _)| is_cited(key))
        .map(|(key, source)| {
            let (title, date, document) = (&source.title, &source.date, &source.document);
            format!("  {key}: {title}, {date}\n    {document}")
        })
        .collect()
}

/// Columns as wide as their widest cell; the last one as it comes.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_feature_in_every_cloud() {
        let text = list_text().unwrap();
        assert!(
            text.lines()
                .any(|line| line.starts_with("tenant-attach")
                    && line.contains("us-government  2107"))
        );
        assert!(
            text.lines()
                .any(|line| line.contains("china") && line.ends_with("does not exist there"))
        );
        assert_eq!(
            text.lines().count(),
            1 + features().unwrap().len() * Cloud::ALL.len()
        );
    }

    #[test]
    fn a_feature_is_shown_with_all_that_it_requires() {
        for cloud in [Cloud::Public, Cloud::UsGovernment] {
            let text = show_text("tenant-attach", cloud.as_str(), None).unwrap();
            let feature = &features().unwrap()[0];
            for entry in feature.required(cloud, Release::NEWEST) {
                for part in [entry.url.as_str(), &entry.breaks, &entry.logs.join(", ")] {
                    assert!(text.contains(part), "{cloud}: {part}");
                }
            }
        }
    }

    #[test]
    fn only_the_cloud_that_is_asked_for_is_shown() {
        let text = show_text("tenant-attach", "us-government", Some(2107)).unwrap();
        assert!(text.contains("*.manage.microsoft.us: <gateway_host>, portal.manage.microsoft.us"));
        assert!(!text.contains("*.manage.microsoft.com"));
        assert!(!text.contains("list-of-2020"));
    }

    #[test]
    fn what_cannot_be_shown_is_told() {
        let cases = [
            (
                "tenant-atach",
                "public",
                None,
                "did you mean \"tenant-attach\"?",
            ),
            (
                "tenant-attach",
                "us-goverment",
                None,
                "did you mean \"us-government\"?",
            ),
            (
                "tenant-attach",
                "mars",
                None,
                "there are: public, us-government, china",
            ),
            ("tenant-attach", "public", Some(2504), "2504 is no release"),
            (
                "tenant-attach",
                "us-government",
                Some(2103),
                "with Configuration Manager 2107",
            ),
            (
                "tenant-attach",
                "china",
                None,
                "does not exist in the cloud china (21Vianet)",
            ),
        ];
        for (feature, cloud, release, expected) in cases {
            let error = show_text(feature, cloud, release).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "bb", "c"], ["aaa", "b", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "a    bb  c\naaa  b\n");
    }
}
