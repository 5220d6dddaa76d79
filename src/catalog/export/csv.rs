//! Everything that the catalog knows, as RFC 4180 has it: for spreadsheets.

use super::Export;
use crate::catalog::ask::AskError;
use crate::catalog::cloud::Release;
use crate::catalog::feature::RouteChoice;
use crate::catalog::need::Need;
use crate::catalog::table::yes_or_no;

const COLUMNS: [&str; 28] = [
    "feature",
    "cloud",
    "configmgr_version",
    "from",
    "name",
    "url",
    "host",
    "port",
    "protocol",
    "kind",
    "critical",
    "why",
    "breaks",
    "logs",
    "since",
    "until",
    "stands_in_for",
    "stand_ins",
    "follow_redirects",
    "inspection",
    "hold",
    "status",
    "route",
    "missing_variables",
    "not_probed",
    "sources",
    "date",
    "note",
];

/// One record an entry; a template that is not filled is one too. Several values in one field stand on lines of
/// their own.
pub(super) fn written(export: &Export) -> Result<String, AskError> {
    let unwritable = |error: String| AskError::Unwritable(error);
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let records = export.needs.iter().map(|need| record(export, need));
    writer
        .write_record(COLUMNS)
        .map_err(|error| unwritable(error.to_string()))?;
    for record in records {
        writer
            .write_record(record)
            .map_err(|error| unwritable(error.to_string()))?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| unwritable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| unwritable(error.to_string()))
}

fn record(export: &Export, need: &Need<'static>) -> [String; COLUMNS.len()] {
    let or_empty = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let status: Vec<String> = need.status.iter().map(u16::to_string).collect();
    let from: Vec<&str> = need.from.iter().map(|from| from.as_str()).collect();
    let sources: Vec<&str> = need.sources.iter().map(|source| source.key).collect();
    let release = |release: Option<Release>| release.map_or_else(String::new, |it| it.to_string());
    [
        need.feature.to_owned(),
        export.scope.cloud.to_string(),
        export.scope.release.to_string(),
        from.join("\n"),
        need.name.clone(),
        need.url.clone(),
        need.address.host.clone(),
        need.address.port.to_string(),
        need.address.protocol.as_str().to_owned(),
        need.kind.as_str().to_owned(),
        yes_or_no(need.critical),
        need.why.to_owned(),
        need.breaks.to_owned(),
        need.logs.join("\n"),
        release(need.since),
        release(need.until),
        or_empty(need.stands_in_for),
        need.stand_ins.join("\n"),
        yes_or_no(need.follow_redirects),
        need.inspection.as_str().to_owned(),
        or_empty(need.hold.as_deref()),
        status.join("\n"),
        or_empty(need.route.map(RouteChoice::as_str)),
        need.missing_variables.join("\n"),
        or_empty(need.not_probed.as_deref()),
        sources.join("\n"),
        need.date().to_owned(),
        or_empty(need.note),
    ]
}
