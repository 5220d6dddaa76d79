//! The explanations: a list of them, and each by its name, so that a runbook's link leads somewhere when the internet is
//! what is down.

use askama::Template;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::render;
use crate::explain::{Explanation, Meaning, all, explain_cause, meanings};
use crate::outcome::{CauseKind, Phase};

/// How long a name may be, in bytes; those that there are, are shorter.
const LONGEST_NAME: usize = 100;

#[derive(Template)]
#[template(path = "explanations.html")]
struct List {
    families: Vec<Family>,
}

/// Causes, or the reasons of a phase.
struct Family {
    id: &'static str,
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

fn families() -> Vec<Family> {
    let causes = CauseKind::ALL.iter().map(|kind| {
        let Explanation { what, owner, .. } = explain_cause(*kind);
        let name = kind.as_str().to_owned();
        Entry { name, what, owner }
    });
    let mut families = vec![Family {
        id: "causes",
        heading: "Causes: what many checks have in common".to_owned(),
        entries: causes.collect(),
    }];
    let mut phase: Option<Phase> = None;
    for (reason, _, explanation) in all() {
        if phase != Some(reason.phase()) {
            phase = Some(reason.phase());
            families.push(Family {
                id: reason.phase().as_str(),
                heading: format!("Reasons of the phase {}", reason.phase()),
                entries: Vec::new(),
            });
        }
        let name = reason.to_string();
        let family = families.last_mut().map(|family| &mut family.entries);
        // Its page has all that it means; the list the first of it.
        if let Some(entries) = family.filter(|it| it.last().is_none_or(|last| last.name != name)) {
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
        for (reason, ..) in all() {
            let link = format!("href=\"/explain/{reason}\"");
            assert_eq!(page.matches(&link).count(), 1, "{reason}");
        }
        for kind in CauseKind::ALL {
            let link = format!("href=\"/explain/{kind}\"");
            assert_eq!(page.matches(&link).count(), 1, "{kind}");
        }
    }
}
