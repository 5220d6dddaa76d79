//! The API against its own description: the same paths, and answers of just the shape that is described.

use serde_json::Value;

use super::{Running, history};
use crate::plan::OutcomeId;

/// What the answer has that the schema does not describe, or the other way round.
fn differences(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(&reference[1..]).unwrap();
        return differences(document, target, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let mut found = choices
            .iter()
            .map(|choice| differences(document, choice, value, at));
        let none_fits = found.all(|differences| !differences.is_empty());
        return none_fits
            .then(|| format!("{at}: fits no choice: {value}"))
            .into_iter()
            .collect();
    }
    let mut found = Vec::new();
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_allowed = |allowed: &Value| {
        allowed == kind || (allowed == "number" && kind == "integer") || allowed.is_null()
    };
    let allowed = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(is_allowed),
        one => is_allowed(one),
    };
    if !allowed {
        found.push(format!("{at}: {kind} instead of {}", schema["type"]));
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|all| !all.contains(value))
    {
        found.push(format!("{at}: {value} is not among {}", schema["enum"]));
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{at}/{index}");
                found.extend(differences(document, &schema["items"], item, &at));
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let at = format!("{at}/{name}");
                match schema["properties"].get(name) {
                    Some(schema) => found.extend(differences(document, schema, field, &at)),
                    None if schema["properties"].is_null() => {}
                    None => found.push(format!("{at}: is not described")),
                }
            }
            for name in schema["required"].as_array().into_iter().flatten() {
                if !fields.contains_key(name.as_str().unwrap()) {
                    found.push(format!("{at}/{name}: is missing"));
                }
            }
        }
        _ => {}
    }
    found
}

#[tokio::test]
async fn answers_are_what_the_description_says() {
    let history = history();
    let check = &history.snapshot()[0];
    let latest = check.latest().unwrap();
    let id = OutcomeId::new(check.check.key().digest(), latest.started);
    let of_latest = format!("/api/v1/outcomes/{id}");
    let server = Running::new(history, false).await;
    let document = server.json("/api/v1/openapi.json").await;
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let cases = [
        ("/api/v1/status", "Status"),
        ("/api/v1/services", "Services"),
        ("/api/v1/checks", "Checks"),
        ("/api/v1/checks?state=failing&limit=2", "Checks"),
        ("/api/v1/checks/site/admin-service/direct", "CheckInFull"),
        ("/api/v1/checks/site/waiting/direct", "CheckInFull"),
        ("/api/v1/causes", "Causes"),
        ("/api/v1/outages", "Outages"),
        ("/api/v1/explanations", "Explanations"),
        (of_latest.as_str(), "IdentifiedOutcome"),
        ("/api/v1/checks?state=broken", "Problem"),
        ("/api/v1/nothing", "Problem"),
    ];
    for (path, name) in cases {
        let schema = &document["components"]["schemas"][name];
        assert!(schema.is_object(), "{name}");
        let answer = server.json(path).await;
        let found = differences(&document, schema, &answer, "");
        assert!(found.is_empty(), "{path}: {found:#?}");
    }
}

#[tokio::test]
async fn every_path_is_described() {
    let server = Running::new(history(), false).await;
    let document = server.json("/api/v1/openapi.json").await;
    let routes = include_str!("../../server.rs").split(".route(").skip(1);
    let routes = routes.filter_map(|route| route.split('"').nth(1));
    let mut routes: Vec<String> = routes
        .filter(|path| path.starts_with("/api/"))
        .map(|path| path.replace("{*rest}", "{endpoint}/{route}"))
        .collect();
    routes.sort_unstable();
    let described: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(routes.iter().collect::<Vec<_>>(), described);
}

#[tokio::test]
async fn checks_are_filtered_and_counted() {
    let server = Running::new(history(), false).await;
    let cases = [
        ("", 12, 12),
        ("?state=failing", 6, 6),
        ("?service=site&route=direct", 3, 3),
        ("?q=graph", 2, 2),
        ("?limit=5", 12, 5),
        ("?limit=5&offset=10", 12, 2),
        ("?offset=1000", 12, 0),
    ];
    for (query, total, shown) in cases {
        let answer = server.json(&format!("/api/v1/checks{query}")).await;
        assert_eq!(answer["total"], total, "{query}");
        assert_eq!(answer["checks"].as_array().unwrap().len(), shown, "{query}");
    }
    for query in [
        "limit=0",
        "limit=1001",
        "limit=%2B5",
        "offset=-1",
        "stat=failing",
    ] {
        let answer = server.get(&format!("/api/v1/checks?{query}")).await;
        assert_eq!(answer.status(), "400", "{query}");
        assert!(answer.has("content-type: application/problem+json"));
    }
}
