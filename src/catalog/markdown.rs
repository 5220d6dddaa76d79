//! The entries of a feature as a Markdown table, for `docs/catalog.md`.

use super::feature::{Entry, Feature};

/// One row an entry, in the order of the data file.
#[must_use]
pub fn markdown_table(feature: &Feature) -> String {
    let mut text =
        "| Endpoint | Clouds | Kind | Critical | Why | Sources |\n|---|---|---|---|---|---|\n"
            .to_owned();
    text.extend(feature.entries.iter().map(|entry| row(feature, entry)));
    text
}

fn row(feature: &Feature, entry: &Entry) -> String {
    let clouds: Vec<&str> = entry.clouds.iter().map(|cloud| cloud.as_str()).collect();
    let sources: Vec<String> = entry
        .sources
        .iter()
        .map(|key| match feature.sources.get(key) {
            Some(source) => format!("{key} ({})", source.date),
            None => key.clone(),
        })
        .collect();
    format!(
        "| `{}` | {} | {} | {} | {} | {} |\n",
        entry.url.as_str(),
        clouds.join(", "),
        entry.kind.as_str(),
        if entry.critical { "yes" } else { "no" },
        entry.why,
        sources.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::features;
    use super::*;

    /// On failure, put what is printed as "right" between the two comments of the page.
    #[test]
    fn the_page_holds_the_table_of_every_feature() {
        let page = include_str!("../../docs/catalog.md");
        for feature in features().unwrap() {
            let begin = format!("<!-- entries of {} -->\n", feature.name);
            let rest = page.split_once(&begin).map(|(_, rest)| rest);
            let (written, _) = rest
                .and_then(|rest| rest.split_once("<!-- end -->"))
                .unwrap_or_else(|| panic!("docs/catalog.md has no section {begin}"));
            assert_eq!(written.trim(), markdown_table(feature).trim());
        }
    }
}
