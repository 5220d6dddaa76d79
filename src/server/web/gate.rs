//! Who is let through to the routes, in the exporters' order: is the configuration good, is there a token left, and
//! who is it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Keeper;
use crate::server::respond::refusal;

/// Answers whoever is not to be let through.
pub(crate) async fn guard(
    State(keeper): State<Arc<Keeper>>,
    request: Request,
    next: Next,
) -> Response {
    let standing = keeper.standing();
    let in_force = standing.last;
    if !standing.is_good {
        return refusal(
            request.uri(),
            StatusCode::INTERNAL_SERVER_ERROR,
            "The web configuration of reachd has become bad; its log says why.",
        );
    }
    if in_force
        .limiter
        .as_ref()
        .is_some_and(|limiter| !limiter.takes())
    {
        return refusal(
            request.uri(),
            StatusCode::TOO_MANY_REQUESTS,
            "More requests came than the web configuration allows.",
        );
    }
    let authorization = request.headers().get(header::AUTHORIZATION);
    if in_force.logins.admit(authorization).await {
        return next.run(request).await;
    }
    let mut response = refusal(
        request.uri(),
        StatusCode::UNAUTHORIZED,
        "Log in with a user and the password of the web configuration.",
    );
    let challenge = HeaderValue::from_static("Basic");
    let headers = response.headers_mut();
    headers.insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Adds the headers that are configured, whatever the answer is.
pub(crate) async fn with_configured_headers(
    State(keeper): State<Arc<Keeper>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    keeper.standing().last.add_headers(response.headers_mut());
    response
}
