//! The dashboards as their files say, with their queries as Grafana sends them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A dashboard and where it is.
pub(super) struct Dashboard {
    /// The name of the file without `.json`.
    pub(super) name: String,
    pub(super) model: Value,
}

/// Something that a dashboard asks Prometheus.
pub(super) struct Query {
    /// Dashboard, panel and letter, for who reads a failure.
    pub(super) of: String,
    pub(super) expr: String,
    /// Asked over time, and not for the end of it alone.
    pub(super) over_time: bool,
}

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

/// All of them, by name.
pub(super) fn dashboards() -> Vec<Dashboard> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension() == Some("json".as_ref()) {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            found.push(Dashboard {
                name: name.expect("a name in UTF-8").to_owned(),
                model: serde_json::from_str(&text).unwrap(),
            });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// The items of a list of the model; none where there is no list.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// A text of the model; empty where there is none.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Every text of the model, however deep.
pub(super) fn all_texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| all_texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| all_texts(field, found)),
        _ => {}
    }
}

impl Dashboard {
    /// The panels that show something, without the titles of rows.
    pub(super) fn panels(&self) -> impl Iterator<Item = &Value> {
        let panels = list(&self.model, "panels").iter();
        panels.filter(|panel| panel["type"] != "row")
    }

    pub(super) fn variables(&self) -> &[Value] {
        list(&self.model["templating"], "list")
    }

    /// What its panels and annotations ask.
    pub(super) fn queries(&self) -> Vec<Query> {
        let of_panels = self.panels().flat_map(|panel| {
            list(panel, "targets").iter().map(|target| Query {
                of: format!(
                    "{}: {} {}",
                    self.name,
                    panel["title"],
                    text(target, "refId")
                ),
                expr: text(target, "expr").to_owned(),
                over_time: target["range"] == true,
            })
        });
        let annotations = list(&self.model["annotations"], "list").iter();
        let of_annotations = annotations.map(|annotation| Query {
            of: format!("{}: {}", self.name, annotation["name"]),
            expr: text(annotation, "expr").to_owned(),
            over_time: true,
        });
        of_panels.chain(of_annotations).collect()
    }

    /// Metric and label of each variable that has the values of a label.
    pub(super) fn label_values(&self) -> Vec<(String, String)> {
        let queries = self
            .variables()
            .iter()
            .map(|variable| text(&variable["query"], "query"));
        let inner =
            queries.filter_map(|query| query.strip_prefix("label_values(")?.strip_suffix(')'));
        inner
            .filter_map(|inner| inner.rsplit_once(", "))
            .map(|(metric, label)| (metric.to_owned(), label.to_owned()))
            .collect()
    }
}

/// A query with its variables filled as Grafana fills them. `chosen` has the values of variables; of others, it is all.
pub(super) fn interpolated(expr: &str, chosen: &[(&str, &[&str])]) -> String {
    let mut filled = expr
        .replace("$__rate_interval", "10s")
        .replace("$__range", "120s");
    for variable in ["service", "endpoint", "route", "instance"] {
        let values = chosen.iter().find(|(name, _)| *name == variable);
        let values = values.map_or(&[][..], |(_, values)| values);
        let escaped: Vec<String> = values.iter().map(|value| escape(value)).collect();
        let value = match &escaped[..] {
            [] => ".*".to_owned(),
            [one] => one.clone(),
            several => format!("({})", several.join("|")),
        };
        filled = filled.replace(&format!("${variable}"), &value);
    }
    filled
}

/// Grafana escapes for the regular expression, and for the string around it.
fn escape(value: &str) -> String {
    value.chars().fold(String::new(), |mut escaped, character| {
        if r"\$^*{}[]'+?.()|".contains(character) {
            escaped.push_str(r"\\");
        }
        escaped.push(character);
        escaped
    })
}
