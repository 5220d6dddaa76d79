//! A difference as text and as Markdown.

use super::{Change, Changed, Changes, Difference};
use crate::catalog::need::Need;
use crate::catalog::table::{self, code};

/// A block a feature, a line an entry: `-` first side only, `+` second side only, `~` both, but not alike.
#[must_use]
pub fn diff_text(difference: &Difference) -> String {
    let Difference { from, to, features } = difference;
    if features.is_empty() {
        return format!("{from} and {to} need the same\n");
    }
    let mut lines = vec![format!("--- {from}"), format!("+++ {to}")];
    lines.extend(features.iter().flat_map(block));
    lines.push(String::new());
    lines.push(summary(features));
    lines.join("\n") + "\n"
}

/// The same as one table.
#[must_use]
pub fn diff_markdown(difference: &Difference) -> String {
    let Difference { from, to, features } = difference;
    if features.is_empty() {
        return format!("`{from}` and `{to}` need the same.\n");
    }
    let mut rows = vec![["Feature", "Endpoint", "Change", "More"].map(str::to_owned)];
    for changes in features {
        let one_sided = |needs: &[Need<'_>], word: &str| -> Vec<[String; 4]> {
            let row = |need: &Need<'_>| row(changes, &need.url, word, kind(need));
            needs.iter().map(row).collect()
        };
        rows.extend(one_sided(&changes.removed, "removed"));
        rows.extend(one_sided(&changes.added, "added"));
        let both = changes.changed.iter();
        rows.extend(both.map(|changed| row(changes, &changed.url, "changed", told(&changed.what))));
    }
    let (table, summary) = (table::markdown(&rows), summary(features));
    format!("From `{from}` to `{to}`: {summary}.\n\n{table}")
}

fn block(changes: &Changes) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!("{} ({})", changes.title, changes.feature),
    ];
    let missing = [("-", &changes.not_in_to), ("+", &changes.not_in_from)];
    lines.extend(missing.into_iter().filter_map(|(sign, why)| {
        let why = why.as_ref()?;
        Some(format!("{sign} all of it: {why}"))
    }));
    lines.extend(signed(&changes.removed, '-'));
    lines.extend(signed(&changes.added, '+'));
    let both = changes.changed.iter();
    lines.extend(both.map(|Changed { url, what }| format!("~ {url}  {}", told(what))));
    lines
}

fn signed(needs: &[Need<'_>], sign: char) -> impl Iterator<Item = String> {
    needs
        .iter()
        .map(move |need| format!("{sign} {}  {}", need.url, kind(need)))
}

fn kind(need: &Need<'_>) -> String {
    let critical = if need.critical { ", critical" } else { "" };
    format!("{}{critical}", need.kind.as_str())
}

fn told(what: &[Change]) -> String {
    let changes: Vec<String> = what
        .iter()
        .map(|Change { key, from, to }| format!("{key}: {from} -> {to}"))
        .collect();
    changes.join(", ")
}

fn row(changes: &Changes, url: &str, word: &str, more: String) -> [String; 4] {
    [code(changes.feature), code(url), word.to_owned(), more]
}

fn summary(features: &[Changes]) -> String {
    let [mut added, mut removed, mut changed] = [0; 3];
    for changes in features {
        added += changes.added.len();
        removed += changes.removed.len();
        changed += changes.changed.len();
    }
    let (count, s) = (features.len(), if features.len() == 1 { "" } else { "s" });
    format!("{added} added, {removed} removed, {changed} changed, in {count} feature{s}")
}
