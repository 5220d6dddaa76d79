//! Answers that are the same everywhere: refusals, and the headers that every answer has. Nothing of the request is
//! repeated in them.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What browsers are told: nothing from elsewhere, no script or style within a page, no frame, nobody is told
/// where one came from, and pages of other sites embed nothing.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// The media type of what went wrong (RFC 9457).
const PROBLEM: &str = "application/problem+json";

/// What went wrong, as the API tells it.
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
    let kind = [(header::CONTENT_TYPE, PROBLEM)];
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
    if is_api(uri) {
        problem(status, line)
    } else {
        text(status, line)
    }
}

/// Below whatever prefix, of which the layers around all paths know nothing.
fn is_api(uri: &Uri) -> bool {
    uri.path().contains("/api/")
}

/// Gives what the layers around all paths refuse the form of every other refusal, and leaves the rest as it is.
pub(super) async fn in_one_form(uri: Uri, response: Response) -> Response {
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_refusal || is_told(&uri, &response) {
        return response;
    }
    let told = refusal(&uri, status, words(status));
    let (mut parts, _) = response.into_parts();
    let (kind, body) = told.into_parts();
    // What the layer wants the client to do may stand in its headers.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(kind.headers);
    Response::from_parts(parts, body)
}

/// Whether whoever answered has said in its own words what is wrong.
fn is_told(uri: &Uri, response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    match kind.map(HeaderValue::as_bytes) {
        None => false,
        Some(kind) if is_api(uri) => kind == PROBLEM.as_bytes(),
        Some(_) => response.status() != StatusCode::PAYLOAD_TOO_LARGE,
    }
}

fn words(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "This takes a login.",
        StatusCode::FORBIDDEN => "What a page of another site asks for is refused.",
        StatusCode::PAYLOAD_TOO_LARGE => "No path takes a body of this length.",
        StatusCode::TOO_MANY_REQUESTS => "This is asked for too often.",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            "The answer did not come in time."
        }
        _ => "The request is refused.",
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

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::middleware::map_response;
    use axum::routing::get;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use serde_json::{Value, json};
    use tower_http::timeout::TimeoutLayer;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_refused_as_everything_else() {
        let router = Router::new()
            .route("/api/v1/stuck", get(pending::<()>))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                Duration::from_secs(30),
            ))
            .layer(map_response(in_one_form));
        let request = Request::get("/api/v1/stuck").body(Body::empty()).unwrap();
        let service = TowerToHyperService::new(router);
        let response = service.call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM);
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        let told: Value = serde_json::from_slice(&body).unwrap();
        let detail = "The answer did not come in time.";
        let expected = json!({"title": "Service Unavailable", "status": 503, "detail": detail});
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn what_a_layer_wants_stays() {
        let (api, page): (Uri, Uri) = ("/api/v1/status".parse().unwrap(), "/".parse().unwrap());
        let login = |kind: Option<&'static str>| {
            let mut response = StatusCode::UNAUTHORIZED.into_response();
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
            if let Some(kind) = kind {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            response
        };
        for (uri, kind, expected) in [
            (&api, None, PROBLEM),
            (&api, Some("text/plain"), PROBLEM),
            (&page, None, "text/plain; charset=utf-8"),
            (&page, Some("text/html"), "text/html"),
        ] {
            let response = in_one_form(uri.clone(), login(kind)).await;
            assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Basic");
            assert_eq!(response.headers()[header::CONTENT_TYPE], expected);
        }
    }
}
