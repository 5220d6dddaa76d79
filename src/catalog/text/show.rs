//! One feature in full as text.

use super::list::from;
use crate::catalog::need::Need;
use crate::catalog::sheet::Sheet;
use crate::catalog::table::{self, yes_or_no};
use crate::endpoint::Inspection;

/// The overview first, then the wildcards, what is not probed, and every entry with what it rests on.
#[must_use]
pub fn show_text(sheet: &Sheet) -> String {
    let mut lines = head(sheet);
    lines.push(overview(sheet));
    let wildcards: Vec<String> = sheet.wildcards().map(stand_ins).collect();
    if !wildcards.is_empty() {
        lines.push("Required, but a wildcard names no host; these stand in for it:".to_owned());
        lines.extend(wildcards);
        lines.push(String::new());
    }
    let not_probed: Vec<String> = sheet
        .not_probed()
        .map(|(need, why)| format!("  {}: {why}", need.name))
        .collect();
    if !not_probed.is_empty() {
        lines.push("Not probed:".to_owned());
        lines.extend(not_probed);
        lines.push(String::new());
    }
    lines.push("What breaks, where it shows, and on what the entry rests:".to_owned());
    let all = sheet.wildcards().chain(sheet.endpoints());
    lines.extend(all.flat_map(detail));
    lines.push("\nSources:".to_owned());
    lines.extend(sheet.sources.iter().map(|source| {
        let (key, title, date) = (source.key, source.title, source.date);
        format!("  {key}: {title}, {date}\n    {}", source.document)
    }));
    lines.join("\n") + "\n"
}

fn head(sheet: &Sheet) -> Vec<String> {
    let since = sheet
        .since
        .map_or_else(String::new, |since| format!(" (there since {since})"));
    let mut lines = vec![
        format!(
            "{} ({}), cloud {}, Configuration Manager {}{since}",
            sheet.title, sheet.feature, sheet.cloud, sheet.configmgr_version
        ),
        sheet.summary.to_owned(),
        format!("Connects from: {}", from(sheet.from)),
    ];
    if let Some(retired) = sheet.retired {
        lines.push(format!("Retired, {}: {}", retired.on, retired.why));
    }
    lines.push(String::new());
    lines
}

fn overview(sheet: &Sheet) -> String {
    let mut rows = vec![["CRITICAL", "KIND", "ENDPOINT", "WHY"].map(str::to_owned)];
    rows.extend(sheet.endpoints().map(|need| {
        [
            yes_or_no(need.critical),
            need.kind.as_str().to_owned(),
            need.url.clone(),
            need.why.to_owned(),
        ]
    }));
    table::columns(&rows)
}

fn stand_ins(wildcard: &Need<'_>) -> String {
    let names = if wildcard.stand_ins.is_empty() {
        "none".to_owned()
    } else {
        wildcard.stand_ins.join(", ")
    };
    format!("  {}: {names}", wildcard.url)
}

fn detail(need: &Need<'_>) -> Vec<String> {
    let facts = facts(need);
    let known = facts.iter().filter(|(_, content)| !content.is_empty());
    let mut lines = vec![format!("  {}", need.url)];
    lines.extend(known.map(|(label, content)| format!("    {label:<8} {content}")));
    lines
}

/// Everything that is to be said of an entry, empty where nothing is.
pub(in crate::catalog) fn facts(need: &Need<'_>) -> [(&'static str, String); 10] {
    let needed = match (need.since, need.until) {
        (None, None) => String::new(),
        (Some(since), None) => format!("since {since}"),
        (None, Some(until)) => format!("until {until}"),
        (Some(since), Some(until)) => format!("from {since} until {until}"),
    };
    let hold = need.hold.as_ref().map_or_else(String::new, |hold| {
        format!("an idle connection must live for {hold}")
    });
    let inspection = match need.inspection {
        Inspection::Unsupported => "must not be inspected by a proxy".to_owned(),
        Inspection::Tolerated => String::new(),
    };
    let meaning = need.meaning.iter();
    let meaning: Vec<String> = meaning
        .map(|(status, meaning)| format!("{status}: {meaning}"))
        .collect();
    let status: Vec<String> = need.status.iter().map(u16::to_string).collect();
    let sources: Vec<String> = need
        .sources
        .iter()
        .map(|source| format!("{} ({})", source.key, source.date))
        .collect();
    let route = need.route.map_or("", |route| route.as_str());
    [
        ("breaks", need.breaks.to_owned()),
        ("logs", need.logs.join(", ")),
        ("needed", needed),
        ("route", route.to_owned()),
        ("status", status.join(", ")),
        ("meaning", meaning.join(" ")),
        ("hold", hold),
        ("tls", inspection),
        ("note", need.note.unwrap_or_default().to_owned()),
        ("sources", sources.join(", ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixture::{scope, small};
    use crate::catalog::{AskError, Cloud, Scope, features};

    #[test]
    fn everything_is_said_of_an_entry() {
        let sheet = Sheet::of(small(), &scope("public@2503")).unwrap();
        let text = show_text(&sheet);
        for expected in [
            "Small (small), cloud public, Configuration Manager 2503 (there since 2002)\n",
            "Connects from: console, client\n",
            "\nyes       endpoint  https://aka.ms/link            It is needed.\n",
            "  https://*.wild.example: <region>.wild.example, plain.wild.example\n",
            "  https://*-inner.other.example: none\n",
            "\nNot probed:\n  <region>.wild.example: set catalog.variables.region\n",
            "  *-inner.other.example: no host below it is documented\n",
            "  https://aka.ms/link\n    breaks   Everything.\n    logs     a.log\n    hold     an idle connection must live for 3m\n",
            "    tls      must not be inspected by a proxy\n",
            "  https://later.example\n    breaks   Everything.\n    logs     a.log\n    needed   since 2503\n",
            "    sources  old (2020-06), new (2026-06-08)\n",
            "  old: An old list, 2020-06\n    d/old.md\n",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }

    #[test]
    fn every_feature_can_be_shown_where_it_is() {
        for cloud in Cloud::ALL {
            let scope = scope(cloud.as_str());
            for feature in features().unwrap() {
                if scope.check(feature).is_err() {
                    continue;
                }
                let text = show_text(&Sheet::new(&feature.name, &scope).unwrap());
                for entry in feature.required(cloud, scope.release) {
                    for part in [entry.url.as_str(), &entry.breaks, &entry.logs.join(", ")] {
                        assert!(text.contains(part), "{} {cloud}: {part}", feature.name);
                    }
                }
                assert_eq!(text.contains("Retired, "), feature.retired.is_some());
            }
        }
    }

    #[test]
    fn what_cannot_be_shown_is_told() {
        let show = |feature: &str, scope: Result<Scope, AskError>| {
            let error = scope.and_then(|scope| Sheet::new(feature, &scope));
            error.unwrap_err().to_string()
        };
        for (feature, side, expected) in [
            ("tenant-atach", "public", "did you mean \"tenant-attach\"?"),
            (
                "tenant-attach",
                "us-government@2103",
                "nothing is available before 2107: Tenant attach came to the cloud us-government with",
            ),
            (
                "tenant-attach",
                "china",
                "is not in the catalog for the cloud china (21Vianet)",
            ),
            (
                "wildcard-standin",
                "public",
                "its hosts stand in for the wildcards",
            ),
        ] {
            let error = show(feature, Scope::parse(side));
            assert!(error.contains(expected), "{error}");
        }
    }
}
