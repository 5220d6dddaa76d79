//! The list of features as text.

use crate::catalog::feature::Connector;
use crate::catalog::listing::{InCloud, Listed, Listing};
use crate::catalog::table;

/// The list: a feature a line, then what is retired, then what is left out.
#[must_use]
pub fn list_text(listing: &Listing) -> String {
    let (retired, present): (Vec<&Listed>, Vec<&Listed>) = listing
        .features
        .iter()
        .partition(|feature| feature.retired.is_some());
    let mut lines = vec![
        features(&present),
        format!(
            "\nThe numbers count endpoints, templates included, and wildcards (19+1) with Configuration Manager {}; \
             -: the cloud does not have the feature.\n",
            listing.configmgr_version
        ),
    ];
    if !retired.is_empty() {
        lines.push("\nRetired, selected only by name:\n".to_owned());
        lines.extend(retired.iter().map(|feature| gone(feature)));
    }
    if !listing.left_out.is_empty() {
        lines.push("\nLeft out:\n".to_owned());
        let left_out = listing.left_out.iter();
        lines.extend(left_out.map(|(name, why)| format!("  {name}: {why}\n")));
    }
    lines.concat()
}

fn features(features: &[&Listed]) -> String {
    let clouds = features.first().map_or(&[][..], |feature| &feature.clouds);
    let clouds = clouds
        .iter()
        .map(|there| there.cloud.as_str().to_uppercase());
    let head = ["FEATURE".to_owned()].into_iter().chain(clouds);
    let head = head.chain(["FROM", "TITLE"].map(str::to_owned)).collect();
    let mut rows: Vec<Vec<String>> = vec![head];
    rows.extend(features.iter().map(|feature| {
        let name = [feature.name.to_owned()].into_iter();
        let from = [from(feature.from), feature.title.to_owned()];
        name.chain(feature.clouds.iter().map(in_cloud))
            .chain(from)
            .collect()
    }));
    table::columns(&rows)
}

/// What a feature comes to in a cloud, in a few characters.
pub(in crate::catalog) fn in_cloud(there: &InCloud) -> String {
    match (there.available, there.since) {
        (true, Some(since)) => format!("{} since {since}", counted(there)),
        (true, None) => counted(there),
        (false, Some(since)) => format!("not before {since}"),
        (false, None) => "-".to_owned(),
    }
}

fn counted(there: &InCloud) -> String {
    match there.wildcards {
        0 => there.endpoints.to_string(),
        wildcards => format!("{}+{wildcards}", there.endpoints),
    }
}

/// Who connects, as one text.
pub(in crate::catalog) fn from(connectors: &[Connector]) -> String {
    let names: Vec<&str> = connectors.iter().map(|from| from.as_str()).collect();
    names.join(", ")
}

fn gone(feature: &Listed) -> String {
    let Some(retired) = feature.retired else {
        return String::new();
    };
    let (name, title) = (feature.name, feature.title);
    format!("  {name}: {title}, {}: {}\n", retired.on, retired.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Cloud, Release, features, left_out};

    #[test]
    fn every_feature_is_listed_and_so_is_what_is_none() {
        let text = list_text(&Listing::new(None, Release::NEWEST).unwrap());
        for feature in features().unwrap() {
            assert!(text.contains(&feature.name), "{}", feature.name);
            let retired = format!("\n  {}: {}, ", feature.name, feature.title);
            assert_eq!(text.contains(&retired), feature.retired.is_some());
        }
        for (name, why) in left_out().unwrap() {
            assert!(text.contains(&format!("\n  {name}: {why}\n")), "{name}");
        }
    }

    #[test]
    fn a_cloud_and_a_release_narrow_the_list() {
        let release = Release::try_from(2103).unwrap();
        let text = list_text(&Listing::new(Some(Cloud::UsGovernment), release).unwrap());
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(head, ["FEATURE", "US-GOVERNMENT", "FROM", "TITLE"]);
        let row = lines
            .find(|line| line.starts_with("tenant-attach "))
            .unwrap();
        assert!(
            row.contains("  not before 2107  service-connection-point  "),
            "{row}"
        );
    }
}
