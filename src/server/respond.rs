//! Answers that are the same everywhere: refusals, and the headers that every answer has. Nothing of the request is
//! repeated in them.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What browsers are told: nothing from elsewhere, no script or style within a page, no frame, and nobody is told where one came from.
const SECURITY_HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// What went wrong, as the API tells it (RFC 9457).
#[derive(Serialize)]
struct Problem {
    title: &'static str,
    status: u16,
    detail: &'static str,
}

/// Text for people and scripts, a line.
pub(super) fn text(status: StatusCode, line: &'static str) -> Response {
    (status, format!("{line}\n")).into_response()
}

/// A refusal by the API.
pub(super) fn problem(status: StatusCode, detail: &'static str) -> Response {
    let problem = Problem {
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail,
    };
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, Json(problem)).into_response()
}

pub(super) async fn not_found(uri: Uri) -> Response {
    refusal(
        &uri,
        StatusCode::NOT_FOUND,
        "There is nothing at this path.",
    )
}

pub(super) async fn method_not_allowed(uri: Uri) -> Response {
    refusal(
        &uri,
        StatusCode::METHOD_NOT_ALLOWED,
        "This path does not take this method; the header Allow names those that it takes.",
    )
}

pub(super) fn refusal(uri: &Uri, status: StatusCode, line: &'static str) -> Response {
    if uri.path().starts_with("/api/") {
        problem(status, line)
    } else {
        text(status, line)
    }
}

/// Adds what every answer has. Whoever knows better how long its answer keeps has said so already.
pub(super) async fn with_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
