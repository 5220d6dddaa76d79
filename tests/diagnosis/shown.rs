//! The causes wherever they are shown, each as `KIND SUBJECT CRITICAL`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kit::Exposition;

pub(super) fn in_metrics(metrics: &Exposition) -> BTreeSet<String> {
    let samples = metrics.matching("reachd_cause", &[]);
    let names = samples.iter().map(|sample| {
        let label = |name: &str| sample.labels[name].as_str();
        let labels = ["cause", "subject", "critical"].map(label);
        labels.join(" ")
    });
    names.collect()
}

/// In the list of the API, or of a report.
pub(super) fn in_list(causes: &Value) -> BTreeSet<String> {
    let causes = causes.as_array().unwrap_or_else(|| panic!("{causes}"));
    let name = |cause: &Value| {
        let text = |key: &str| cause[key].as_str().unwrap_or("?").to_owned();
        format!(
            "{} {} {}",
            text("cause"),
            text("subject"),
            cause["critical"]
        )
    };
    let names: BTreeSet<String> = causes.iter().map(name).collect();
    assert_eq!(names.len(), causes.len(), "twice: {causes:?}");
    names
}

/// On the page, or in a report that is one.
pub(super) fn on_page(html: &str) -> BTreeSet<String> {
    let cards = html.split("<article ").skip(1);
    let cards = cards.filter_map(|card| card.split("</article>").next());
    let causes = cards.filter(|card| card.contains("<span class=\"kind\">"));
    let names = causes.map(|card| {
        let quoted = |name: &str| card.split_once(&format!("{name}=\""))?.1.split('"').next();
        let (class, key) = (quoted("class"), quoted("data-key"));
        let (kind, subject) = key.and_then(|key| key.split_once('/')).expect("a key");
        let critical = class.is_some_and(|class| class.contains("critical"));
        format!("{kind} {subject} {critical}")
    });
    names.collect()
}
