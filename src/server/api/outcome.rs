//! One outcome by its id: where the exemplars of `/metrics` lead.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Run;
use crate::history::CheckHistory;
use crate::outcome::Outcome;
use crate::plan::OutcomeId;
use crate::report::Finding;
use crate::server::{Server, path, respond};

/// An outcome, and whose it is.
#[derive(Serialize)]
struct Identified<'a> {
    id: String,
    /// The id of its check.
    check: String,
    #[serde(flatten)]
    run: Run<Finding<'a>>,
}

/// `/api/v1/outcomes/{id}`: as long as it is kept.
pub(in crate::server) async fn outcome(
    State(server): State<Arc<Server>>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(id) = path.ok().and_then(|Path(id)| id.parse::<OutcomeId>().ok()) else {
        return respond::problem(
            StatusCode::BAD_REQUEST,
            "The id of an outcome has 32 hexadecimal digits.",
        );
    };
    let histories = server.history.snapshot();
    let found = histories
        .iter()
        .find(|history| history.check.key().digest() == id.check)
        .and_then(|history| Some((history, kept(history, id)?)));
    let Some((history, outcome)) = found else {
        return respond::problem(
            StatusCode::NOT_FOUND,
            "There is no such outcome, or it is not kept any more: of each check, the last 60 are.",
        );
    };
    let key = history.check.key();
    Json(Identified {
        id: id.to_string(),
        check: path::of_check(&key.service, &key.endpoint, &key.route),
        run: Run::of(outcome, Finding::from),
    })
    .into_response()
}

/// Failures first: more is kept of them.
fn kept(history: &CheckHistory, id: OutcomeId) -> Option<&Outcome> {
    let all = history.failures.iter().chain(history.recent.iter());
    let mut all = all.map(|outcome| &**outcome);
    all.find(|outcome| OutcomeId::new(id.check, outcome.started) == id)
}
