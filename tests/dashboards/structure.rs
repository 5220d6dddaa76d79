//! What holds for the files alone: whoever looks at a panel finds what it means, and every name, place and link is sound.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::{all_texts, dashboards, folder, list, text};
use crate::kit::{Lab, command, run_to_end};

/// What Grafana fills by itself.
const BUILT_IN: [&str; 8] = [
    "__data",
    "__field",
    "__interval",
    "__range",
    "__rate_interval",
    "__url_time_range",
    "__value",
    "__all",
];

/// Labels that Prometheus gives, or that a query makes.
const NOT_OURS: [&str; 4] = ["job", "instance", "le", "check"];

/// Every metric of the reference with its labels. A test beside the metrics holds that the reference is right.
fn families() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let reference = fs::read_to_string(path).unwrap();
    let rows = reference.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let labels = cells[2]
            .split(',')
            .map(|label| label.trim().trim_matches('`').to_owned());
        let name = cells[0].trim_matches('`').to_owned();
        (name, (cells[1].to_owned(), labels.collect()))
    })
    .collect()
}

/// Every metric and label that a query or a legend names exists.
pub(super) fn names_exist(_lab: &Lab) {
    let families = families();
    let all_labels: BTreeSet<&str> = families
        .values()
        .flat_map(|(_, labels)| labels.iter().map(String::as_str))
        .chain(NOT_OURS)
        .collect();
    let metric = Regex::new(r"\b((?:reachd|process)_[a-z0-9_]+)(?:\{([^}]*)\})?").unwrap();
    let matcher = Regex::new(r#"([a-z0-9_]+)(?:=~|!~|!=|=)""#).unwrap();
    let grouped = Regex::new(r"\b(?:by|on|ignoring|group_left|group_right) \(([^)]*)\)").unwrap();
    let legend = Regex::new(r"\{\{(\w+)\}\}").unwrap();
    let mut wrong = Vec::new();
    for dashboard in dashboards() {
        let of_variables = dashboard.label_values();
        let queries = dashboard
            .queries()
            .into_iter()
            .map(|query| (query.of, query.expr));
        let variables = of_variables
            .into_iter()
            .map(|(metric, label)| (label, metric));
        for (of, expr) in queries.chain(variables) {
            for found in metric.captures_iter(&expr) {
                let name = &found[1];
                let base = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end));
                let histogram = base.filter(|base| {
                    families
                        .get(*base)
                        .is_some_and(|(kind, _)| kind == "histogram")
                });
                let Some((_, labels)) = families.get(histogram.unwrap_or(name)) else {
                    wrong.push(format!("{of}: there is no metric {name}"));
                    continue;
                };
                let matchers = found.get(2).map_or("", |matchers| matchers.as_str());
                for label in matcher.captures_iter(matchers) {
                    let label = &label[1];
                    if !labels.contains(label) && !NOT_OURS.contains(&label) {
                        wrong.push(format!("{of}: {name} has no label {label}"));
                    }
                }
            }
            for group in grouped.captures_iter(&expr) {
                for label in group[1]
                    .split(',')
                    .map(str::trim)
                    .filter(|label| !label.is_empty())
                {
                    if !all_labels.contains(label) {
                        wrong.push(format!("{of}: there is no label {label}"));
                    }
                }
            }
        }
        for panel in dashboard.panels() {
            for target in list(panel, "targets") {
                for label in legend.captures_iter(text(target, "legendFormat")) {
                    let in_query = text(target, "expr").contains(&label[1]);
                    if !in_query || !all_labels.contains(&label[1]) {
                        wrong.push(format!(
                            "{}: the legend names {}",
                            panel["title"], &label[1]
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever looks at a panel knows what it shows, in which unit, when it is bad, what it means that it is empty, and where to read on.
pub(super) fn panels_explain_themselves(_lab: &Lab) {
    let mut wrong = Vec::new();
    let mut uids = BTreeSet::new();
    for dashboard in dashboards() {
        let name = &dashboard.name;
        assert!(
            uids.insert(text(&dashboard.model, "uid").to_owned()),
            "{name}: its uid is another's"
        );
        assert!(!text(&dashboard.model, "description").is_empty(), "{name}");
        let mut ids = BTreeSet::new();
        for panel in list(&dashboard.model, "panels") {
            if !ids.insert(panel["id"].as_u64()) {
                wrong.push(format!("{name}: the id {} is twice", panel["id"]));
            }
        }
        for panel in dashboard.panels() {
            let defaults = &panel["fieldConfig"]["defaults"];
            let targets = list(panel, "targets");
            let never_empty = targets
                .iter()
                .all(|target| text(target, "expr").ends_with("or vector(0)"));
            let complaints = [
                (text(panel, "title").is_empty(), "no title"),
                (text(panel, "description").len() < 20, "no description"),
                (text(defaults, "unit").is_empty(), "no unit"),
                (
                    list(&defaults["thresholds"], "steps").is_empty(),
                    "no thresholds",
                ),
                (targets.is_empty(), "no query"),
                (
                    text(defaults, "noValue").is_empty() && !never_empty,
                    "does not say what it means that it is empty",
                ),
                (list(panel, "links").is_empty(), "no link to the runbook"),
            ];
            let complaints = complaints.iter().filter(|(holds, _)| *holds);
            wrong.extend(
                complaints.map(|(_, complaint)| format!("{name}: {}: {complaint}", panel["title"])),
            );
        }
    }
    assert_eq!(uids.len(), 5);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// No panel covers another, and none leaves the grid.
pub(super) fn panels_have_room(_lab: &Lab) {
    for dashboard in dashboards() {
        let mut taken = BTreeMap::new();
        for panel in list(&dashboard.model, "panels") {
            let [x, y, width, height] =
                ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a number"));
            assert!(
                width > 0 && height > 0 && x + width <= 24,
                "{}: {panel}",
                dashboard.name
            );
            for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
                let other = taken.insert(cell, &panel["title"]);
                assert_eq!(
                    other, None,
                    "{}: {} covers it",
                    dashboard.name, panel["title"]
                );
            }
        }
    }
}

/// Where links lead there is something: a dashboard, a page of the runbook, a variable, a column.
pub(super) fn links_resolve(_lab: &Lab) {
    let dashboards = dashboards();
    let uids: BTreeSet<&str> = dashboards
        .iter()
        .map(|dashboard| text(&dashboard.model, "uid"))
        .collect();
    let to_dashboard = Regex::new(r"^/d/([\w-]+)(?:\?|$)").unwrap();
    let to_runbook = Regex::new(r"^\$\{reachd\}/explain(?:/([\w/]+))?$").unwrap();
    let variable = Regex::new(r"\$\{?(\w+)").unwrap();
    let column = Regex::new(r"\$\{__data\.fields\.(\w+)\}").unwrap();
    let label = Regex::new(r"\$\{__field\.labels\.(\w+)\}").unwrap();
    let mut pages = BTreeSet::new();
    let mut wrong = Vec::new();
    for dashboard in &dashboards {
        let names = dashboard
            .variables()
            .iter()
            .map(|variable| text(variable, "name"));
        let known: BTreeSet<&str> = names.chain(BUILT_IN).collect();
        let mut texts = Vec::new();
        all_texts(&dashboard.model, &mut texts);
        for text in texts {
            for found in variable.captures_iter(text) {
                if !known.contains(&found[1]) {
                    wrong.push(format!(
                        "{}: no variable {} in {text}",
                        dashboard.name, &found[1]
                    ));
                }
            }
            if let Some(found) = to_dashboard
                .captures(text)
                .filter(|found| !uids.contains(&found[1]))
            {
                wrong.push(format!("{}: no dashboard {}", dashboard.name, &found[1]));
            }
            if let Some(page) = to_runbook.captures(text).and_then(|found| found.get(1)) {
                pages.insert(page.as_str().to_owned());
            }
        }
        for panel in dashboard.panels() {
            let written = panel.to_string();
            let exprs: String = list(panel, "targets")
                .iter()
                .map(|target| text(target, "expr"))
                .collect();
            let shown: Vec<&str> = list(panel, "transformations")
                .iter()
                .flat_map(shown_columns)
                .collect();
            for found in column.captures_iter(&written) {
                if !shown.contains(&&found[1]) {
                    wrong.push(format!(
                        "{}: {} has no column {}",
                        dashboard.name, panel["title"], &found[1]
                    ));
                }
            }
            for found in label.captures_iter(&written) {
                if !exprs.contains(&found[1]) {
                    wrong.push(format!(
                        "{}: {} has no label {}",
                        dashboard.name, panel["title"], &found[1]
                    ));
                }
            }
        }
    }
    for page in pages {
        let finished = run_to_end(command(&["explain", &page]));
        if finished.exit_code != 0 {
            wrong.push(format!("no page of the runbook for {page}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The columns that a transformation leaves.
fn shown_columns(transformation: &Value) -> Vec<&str> {
    let names = list(&transformation["options"]["include"], "names").iter();
    names.filter_map(Value::as_str).collect()
}

/// Each dashboard has a picture, which was drawn from what the file says now, and is small enough for a README.
pub(super) fn pictures_are_fresh(_lab: &Lab) {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dashboards");
    for dashboard in dashboards() {
        let name = dashboard.name;
        let file = fs::read(folder().join(format!("{name}.json"))).unwrap();
        let sum = Sha256::digest(&file)
            .iter()
            .fold(String::new(), |mut sum, byte| {
                write!(sum, "{byte:02x}").unwrap();
                sum
            });
        let drawn_from = fs::read_to_string(pictures.join(format!("{name}.sha256")));
        let drawn_from =
            drawn_from.unwrap_or_else(|error| panic!("{name} has no picture: {error}"));
        assert_eq!(
            drawn_from,
            format!("{sum}  {name}.json\n"),
            "the picture of {name} is stale: run tests/grafana/draw"
        );
        let picture = fs::read(pictures.join(format!("{name}.png"))).unwrap();
        assert!(picture.starts_with(b"\x89PNG\r\n"), "{name}");
        let width = u32::from_be_bytes(picture[16..20].try_into().unwrap());
        assert_eq!(width, 1600, "{name}");
        assert!(picture.len() < 300_000, "{name}: {} bytes", picture.len());
    }
}
