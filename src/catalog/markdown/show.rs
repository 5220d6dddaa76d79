//! One feature in full as Markdown.

use crate::catalog::need::Need;
use crate::catalog::sheet::Sheet;
use crate::catalog::table::{self, code, plain, yes_or_no};
use crate::catalog::text::{facts, from};

/// A heading, a table of the entries, what is not probed, and the sources.
#[must_use]
pub fn show_markdown(sheet: &Sheet) -> String {
    let mut parts = vec![head(sheet), entries(sheet)];
    let not_probed: Vec<String> = sheet
        .not_probed()
        .map(|(need, why)| format!("- {}: {}\n", code(&need.name), plain(why)))
        .collect();
    if !not_probed.is_empty() {
        parts.push(format!("## Not probed\n\n{}", not_probed.concat()));
    }
    let sources = sheet.sources.iter().map(|source| {
        let (key, title, date) = (code(source.key), source.title, source.date);
        format!("- {key}: {title}, {date} ({})\n", code(source.document))
    });
    parts.push(format!("## Sources\n\n{}", sources.collect::<String>()));
    parts.join("\n")
}

fn head(sheet: &Sheet) -> String {
    let (title, feature) = (sheet.title, code(sheet.feature));
    let (cloud, release) = (sheet.cloud, sheet.configmgr_version);
    let mut lines = vec![format!(
        "# {title} ({feature}), cloud {cloud}, Configuration Manager {release}\n\n{}\n\nConnects from: {}\n",
        sheet.summary,
        from(sheet.from)
    )];
    if let Some(retired) = sheet.retired {
        lines.push(format!("\nRetired, {}: {}\n", retired.on, retired.why));
    }
    lines.concat()
}

fn entries(sheet: &Sheet) -> String {
    let head = ["Endpoint", "Kind", "Critical", "Why", "More"].map(str::to_owned);
    let rows = sheet.entries.iter().map(row);
    table::markdown(&[head].into_iter().chain(rows).collect::<Vec<_>>())
}

fn row(need: &Need<'_>) -> [String; 5] {
    let stand_ins: Vec<String> = need.stand_ins.iter().map(|name| code(name)).collect();
    let mut more: Vec<String> = facts(need)
        .into_iter()
        .filter(|(_, content)| !content.is_empty())
        .map(|(label, content)| format!("**{label}** {}", plain(&content)))
        .collect();
    if !stand_ins.is_empty() {
        more.insert(0, format!("**stand-ins** {}", stand_ins.join(", ")));
    }
    [
        code(&need.url),
        need.kind.as_str().to_owned(),
        yes_or_no(need.critical),
        plain(need.why),
        more.join("<br>"),
    ]
}
