//! The explanations: a list of them, and each by its name, so that a runbook's link leads somewhere when the internet is
//! what is down.

use askama::Template;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::render;
use crate::explain::{Meaning, Topic, every_meaning, meanings};

/// How long a name may be, in bytes; those that there are, are shorter.
const LONGEST_NAME: usize = 100;

#[derive(Template)]
#[template(path = "explanations.html")]
struct List {
    families: Vec<Family>,
}

/// Causes, alerts, or the reasons of a phase.
struct Family {
    id: String,
    heading: String,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    what: &'static str,
    owner: &'static str,
}

#[derive(Template)]
#[template(path = "explanation.html")]
struct One {
    name: String,
    meanings: Vec<Meaning>,
}

/// No explanation has the name.
#[derive(Template)]
#[template(path = "unexplained.html")]
struct Unknown {
    nearest: Option<String>,
}

/// `/explain`: every cause, reason and alert.
pub(in crate::server) async fn explanations() -> Response {
    render(&List {
        families: families(),
    })
}

/// `/explain/{name}`: what it means, what likely causes it, what to do and who can mend it.
pub(in crate::server) async fn explanation(path: Result<Path<String>, PathRejection>) -> Response {
    let name = path.map_or_else(|_| String::new(), |Path(name)| name);
    let found = match name.len() {
        ..=LONGEST_NAME => meanings(&name).map_err(|unknown| unknown.nearest().map(str::to_owned)),
        _ => Err(None),
    };
    match found {
        Ok(meanings) => {
            let name = title(&meanings);
            render(&One { name, meanings })
        }
        Err(nearest) => (StatusCode::NOT_FOUND, render_unknown(nearest)).into_response(),
    }
}

/// In its own spelling, for nothing of the request is repeated; what reasons of several phases have in common is their
/// name without the phase.
fn title(meanings: &[Meaning]) -> String {
    let names = || meanings.iter().map(|meaning| meaning.name.as_str());
    let first = names().next().unwrap_or_default();
    let common = if names().all(|name| name == first) {
        first
    } else {
        first.split_once('/').map_or(first, |(_, reason)| reason)
    };
    common.to_owned()
}

fn render_unknown(nearest: Option<String>) -> Response {
    render(&Unknown { nearest })
}

/// Reasons by their phase, which is the part of the name before the slash. A reason's page has all that it means; the list has
/// what it means at the endpoint, where it can have both peers, for that is met more often.
fn families() -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for Meaning {
        name,
        topic,
        explanation,
        ..
    } in every_meaning()
    {
        let phase = name.split_once('/').map_or("", |(phase, _)| phase);
        let (id, heading) = match topic {
            Topic::Cause => (
                "causes",
                "Causes: what many checks have in common".to_owned(),
            ),
            Topic::Reason => (phase, format!("Reasons of the phase {phase}")),
            Topic::Alert => ("alerts", "Alerts of the Prometheus rules".to_owned()),
        };
        if families.last().is_none_or(|family| family.id != id) {
            families.push(Family {
                id: id.to_owned(),
                heading,
                entries: Vec::new(),
            });
        }
        let entry = Entry {
            name,
            what: explanation.what,
            owner: explanation.owner,
        };
        if let Some(entries) = families.last_mut().map(|family| &mut family.entries) {
            match entries.last_mut().filter(|last| last.name == entry.name) {
                Some(last) => *last = entry,
                None => entries.push(entry),
            }
        }
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_explanation_is_in_the_list_once() {
        let page = List {
            families: families(),
        }
        .render()
        .unwrap();
        let mut names: Vec<String> = every_meaning().map(|meaning| meaning.name).collect();
        names.dedup();
        assert!(names.len() > 80, "{names:?}");
        for name in names {
            let link = format!("href=\"/explain/{name}\"");
            assert_eq!(page.matches(&link).count(), 1, "{name}");
        }
    }
}
