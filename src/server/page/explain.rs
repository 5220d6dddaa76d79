//! The explanations: a list of them, and each by its name, so that a runbook's link leads somewhere when the internet is
//! what is down.

use askama::Template;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::render;
use crate::explain::{Meaning, every_meaning, meanings};

/// How long a name may be, in bytes; those that there are, are shorter.
const LONGEST_NAME: usize = 100;

#[derive(Template)]
#[template(path = "explanations.html")]
struct List {
    families: Vec<Family>,
}

/// Causes, or the reasons of a phase.
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

/// `/explain`: every cause and reason.
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
            // Its own spelling: nothing of the request is repeated.
            let mut names: Vec<&str> = meanings.iter().map(|it| it.name.as_str()).collect();
            names.dedup();
            let name = names.join(", ");
            render(&One { name, meanings })
        }
        Err(nearest) => (StatusCode::NOT_FOUND, render_unknown(nearest)).into_response(),
    }
}

fn render_unknown(nearest: Option<String>) -> Response {
    render(&Unknown { nearest })
}

/// By the part of the name before the slash, which is the phase. A reason's page has all that it means; the list has
/// the first of it.
fn families() -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for Meaning {
        name, explanation, ..
    } in every_meaning()
    {
        let phase = name.split_once('/').map(|(phase, _)| phase);
        let id = phase.unwrap_or("causes");
        if families.last().is_none_or(|family| family.id != id) {
            families.push(Family {
                id: id.to_owned(),
                heading: phase.map_or("Causes: what many checks have in common".to_owned(), |it| {
                    format!("Reasons of the phase {it}")
                }),
                entries: Vec::new(),
            });
        }
        let entries = families.last_mut().map(|family| &mut family.entries);
        let is_new = |it: &&mut Vec<Entry>| it.last().is_none_or(|last| last.name != name);
        if let Some(entries) = entries.filter(is_new) {
            entries.push(Entry {
                name,
                what: explanation.what,
                owner: explanation.owner,
            });
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
