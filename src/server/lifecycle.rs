//! How others look after reachd: is it alive, does it know enough, what is it configured to do, and read that again.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use super::respond::text;
use super::{ReloadRequest, Server};

/// Alive, which this answer proves.
pub(super) async fn healthy() -> Response {
    text(StatusCode::OK, "Healthy")
}

/// Ready once every check of a plan has run, and from then on.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    if server.history.is_ready() {
        text(StatusCode::OK, "Ready")
    } else {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not ready: some checks wait for their first probe.",
        )
    }
}

/// The configuration in force, without its secrets.
pub(super) async fn config(State(server): State<Arc<Server>>) -> String {
    let config = server.config.borrow().clone();
    config.text()
}

/// Reads the configuration again, and answers when the new plan is in force or the file was found bad.
pub(super) async fn reload(State(server): State<Arc<Server>>) -> Response {
    let Some(reloader) = &server.reload else {
        return text(
            StatusCode::FORBIDDEN,
            "Reloading over HTTP is off. Start reachd with --web.enable-lifecycle, or send it SIGHUP.",
        );
    };
    let (reply, answer) = oneshot::channel();
    if reloader.send(ReloadRequest { reply }).await.is_err() {
        return stopping();
    }
    match answer.await {
        Ok(Ok(())) => text(
            StatusCode::OK,
            "The configuration was read again, and is in force.",
        ),
        Ok(Err(problems)) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The configuration is bad; the former one stays in force.\n{problems}\n"),
        )
            .into_response(),
        Err(_) => stopping(),
    }
}

fn stopping() -> Response {
    text(StatusCode::SERVICE_UNAVAILABLE, "reachd is stopping.")
}
