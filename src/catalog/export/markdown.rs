//! What has to be let through, as a table to read.

use super::Export;
use crate::catalog::table::{self, code, plain, prefixed, yes_or_no};

/// A row an entry, templates as they are written.
pub(super) fn written(export: &Export) -> String {
    let head = ["Host", "Port", "Feature", "Kind", "Critical", "Why", "Date"].map(str::to_owned);
    let rows = export.needs.iter().map(|need| {
        [
            code(&need.address.host),
            need.address.service(),
            code(need.feature),
            need.kind.as_str().to_owned(),
            yes_or_no(need.critical),
            plain(need.why),
            need.date().to_owned(),
        ]
    });
    let rows: Vec<_> = [head].into_iter().chain(rows).collect();
    let mut parts = vec![
        format!("{}\n\n", export.head().join("\n")),
        table::markdown(&rows),
    ];
    for (title, lines) in export.not_in_here() {
        let lines: Vec<String> = lines.iter().map(|line| plain(line)).collect();
        parts.push(format!("\n{title}\n\n{}", prefixed("- ", &lines)));
    }
    parts.concat()
}
