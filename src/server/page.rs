//! The status page: rendered here from what the history knows. The templates escape everything that they are given;
//! the script only renews what is there.

mod chart;
mod check;
mod explain;
mod latency;
mod matrix;
mod overview;
mod past;
mod services;

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use tracing::error;

use self::check::CheckPage;
pub(super) use self::explain::{explanation, explanations};
use self::latency::Span;
use self::overview::{Overview, Shown};
use self::past::Past;
use super::respond::text;
use super::selection::{self, Selection};
use super::{Server, path};

/// The look of all pages.
const STYLE: &str = include_str!("../../templates/style.css");

/// What keeps the pages up to date.
const SCRIPT: &str = include_str!("../../templates/page.js");

/// The mark in the browser's tab.
const ICON: &str = include_str!("../../templates/icon.svg");

/// How long browsers keep the look, in seconds; a new version of reachd may bring a new one.
const KEEP_ASSETS: &str = "max-age=300";

/// `/`: the verdict, what is wrong and why, and the checks that are asked for.
pub(super) async fn overview(State(server): State<Arc<Server>>, uri: Uri) -> Response {
    let histories = server.history.snapshot();
    let not_probed = Arc::clone(&server.not_probed.borrow());
    let causes = Arc::clone(&server.causes.borrow());
    let trust_store = Arc::clone(&server.trust_store.borrow());
    let query = selection::pairs(&uri);
    let page = query.iter().find(|(key, _)| key == "page");
    let page = page.and_then(|(_, number)| number.parse().ok());
    render(&Overview::new(&Shown {
        histories: &histories,
        causes: &causes,
        not_probed: &not_probed,
        trust_store: &trust_store,
        selection: &Selection::lenient(&query),
        page: page.unwrap_or(1),
        now: SystemTime::now(),
        shard: server.shard,
    }))
}

/// `/checks/{service}/{endpoint}/{route}`: one check with everything that its probes saw.
pub(super) async fn check(
    State(server): State<Arc<Server>>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Response {
    let key = path::to_check(path);
    let known = key.and_then(|key| Some((server.history.of(&key)?, key)));
    let Some((history, key)) = known else {
        return text(
            StatusCode::NOT_FOUND,
            "The plan in force has no such check.",
        );
    };
    let (causes, now) = (Arc::clone(&server.causes.borrow()), SystemTime::now());
    let page = CheckPage::new(&history, now)
        .with_causes(&causes, now)
        .with_past(Past::of(&server.history, &key, now));
    let latencies = match Span::asked(&selection::pairs(&uri)) {
        Span::Probes => None,
        Span::Over(window) => server.history.latencies(&key, window, now),
    };
    render(&match &latencies {
        Some(latencies) => page.with_latencies(latencies),
        None => page,
    })
}

/// `/assets/style.css`.
pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// `/assets/page.js`.
pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// `/assets/icon.svg`.
pub(super) async fn icon() -> Response {
    asset("image/svg+xml", ICON)
}

fn asset(kind: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, KEEP_ASSETS),
    ];
    (headers, content).into_response()
}

fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            error!(%error, "a page could not be rendered");
            text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The page could not be rendered; the log says why.",
            )
        }
    }
}

#[cfg(test)]
mod tests;
