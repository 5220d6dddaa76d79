//! The list of features as Markdown.

use crate::catalog::listing::{Listed, Listing};
use crate::catalog::table::{self, code};
use crate::catalog::text::{from, in_cloud};

/// One row a feature, and one for each that is left out.
#[must_use]
pub fn list_markdown(listing: &Listing) -> String {
    let first = listing.features.first();
    let clouds = first.map_or(&[][..], |feature| &feature.clouds);
    let clouds = clouds.iter().map(|there| there.cloud.to_string());
    let head = ["Feature".to_owned()].into_iter().chain(clouds);
    let head = head.chain(["From", "Title"].map(str::to_owned)).collect();
    let mut rows: Vec<Vec<String>> = vec![head];
    rows.extend(listing.features.iter().map(row));
    let mut text = table::markdown(&rows);
    if !listing.left_out.is_empty() {
        let mut rows = vec![["Left out", "Why"].map(str::to_owned)];
        let left_out = listing.left_out.iter();
        rows.extend(left_out.map(|(name, why)| [code(name), why.clone()]));
        text.push('\n');
        text.push_str(&table::markdown(&rows));
    }
    text
}

fn row(feature: &Listed) -> Vec<String> {
    let title = match feature.retired {
        Some(retired) => format!(
            "{} (retired, {}: {})",
            feature.title, retired.on, retired.why
        ),
        None => feature.title.to_owned(),
    };
    let name = [code(feature.name)].into_iter();
    name.chain(feature.clouds.iter().map(in_cloud))
        .chain([from(feature.from), title])
        .collect()
}
