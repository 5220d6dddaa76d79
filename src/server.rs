//! What reachd tells over HTTP: the status page, the metrics, the API, and the switches of its life cycle. It only
//! reads what observers know; no request makes a probe. Who may ask for it, and how it is encrypted, is said by the web
//! configuration file.

mod api;
mod changes;
mod connections;
mod events;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod heartbeat;
mod hosts;
mod lifecycle;
mod listening;
mod metrics;
mod page;
mod path;
mod place;
mod respond;
mod selection;
mod standing;
mod supervised;
#[cfg(test)]
mod tests;
mod web;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self::events::Events;
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{get, post};
use axum::{Extension, Router};
pub use changes::Changes;
pub use connections::serve;
pub use heartbeat::Heartbeat;
pub use hosts::HostFlag;
pub use listening::Listener;
pub use place::{PathFlag, Place};
use tokio::sync::{mpsc, oneshot, watch};
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
pub use web::WebFile;

use self::hosts::{Hosts, only_own};
use self::web::{guard, with_configured_headers};
use crate::catalog::NotProbed;
use crate::config::ShownConfig;
use crate::diagnosis::Cause;
use crate::history::History;
use crate::metrics::Metrics;
use crate::outcome::RootStanding;
use crate::plan::Shard;

/// No path takes a body; what is sent nevertheless ends here, in bytes.
const REQUEST_BODY_LIMIT: usize = 4 * 1024;

/// How long an answer may take to begin.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What the server shows, and whom it asks to reload.
#[derive(Debug, Clone)]
pub struct Server {
    /// Shown on `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Shown on the page and by the API.
    pub history: Arc<History>,
    /// When something changes that is shown.
    pub changes: Changes,
    /// The effective configuration as YAML, without secrets: shown on `/config`.
    pub config: watch::Receiver<ShownConfig>,
    /// What the plan in force requires but does not probe.
    pub not_probed: watch::Receiver<Arc<Vec<NotProbed>>>,
    /// What is inferred from many outcomes.
    pub causes: watch::Receiver<Arc<Vec<Cause>>>,
    /// How the roots stand that the catalog requires.
    pub trust_store: watch::Receiver<Arc<Vec<RootStanding>>>,
    /// Who reloads the configuration; `None` unless `--web.enable-lifecycle` allows to ask for it.
    pub reload: Option<mpsc::Sender<ReloadRequest>>,
    /// When reachd started.
    pub started: SystemTime,
    /// Which of several reachd this is that share the checks.
    pub shard: Option<Shard>,
}

/// By what way clients come in.
#[derive(Debug, Default)]
pub struct Front {
    /// TLS, logins, headers and the rate limit; plain HTTP for everybody without it.
    pub web: Option<WebFile>,
    /// At which paths the server answers.
    pub place: Place,
    /// By which names clients know the server; any that nobody else can have where there are none.
    pub hosts: Vec<HostFlag>,
    /// Beats while the server lives.
    pub heartbeat: Heartbeat,
}

/// Somebody asks for the configuration to be read again, and waits for what comes of it.
#[derive(Debug)]
pub struct ReloadRequest {
    /// Told whether the new plan is in force, or all that is wrong with the file.
    pub reply: oneshot::Sender<Result<(), String>>,
}

/// Every path, within the bounds that hold for all of them.
fn router(server: Arc<Server>, events: Events, place: Place, hosts: Hosts) -> Router {
    let keeper = hosts.keeper.clone();
    let mut router = place
        .clone()
        .around(routes(server))
        // A page on another site that somebody happens to look at must not reload us.
        .layer(CsrfLayer::new())
        .layer(RequestBodyLimitLayer::new(REQUEST_BODY_LIMIT))
        .layer(from_fn_with_state(Arc::new(hosts), only_own));
    if let Some(keeper) = &keeper {
        router = router.layer(from_fn_with_state(Arc::clone(keeper), guard));
    }
    router = router
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(map_response(respond::in_one_form))
        .layer(CompressionLayer::new())
        .layer(map_response(respond::with_security_headers))
        .layer(Extension(events))
        .layer(Extension(place));
    match keeper {
        Some(keeper) => router.layer(from_fn_with_state(keeper, with_configured_headers)),
        None => router,
    }
}

fn routes(server: Arc<Server>) -> Router {
    Router::new()
        .route("/", get(page::overview))
        .route("/checks/{service}/{*rest}", get(page::check))
        .route("/explain", get(page::explanations))
        .route("/explain/{*name}", get(page::explanation))
        .route("/assets/style.css", get(page::style))
        .route("/assets/page.js", get(page::script))
        .route("/assets/icon.svg", get(page::icon))
        .route("/metrics", get(metrics::metrics))
        .route("/api/v1/status", get(api::status))
        .route("/api/v1/checks", get(api::checks))
        .route("/api/v1/checks/{service}/{*rest}", get(api::check))
        .route("/api/v1/causes", get(api::causes))
        .route("/api/v1/services", get(api::services))
        .route("/api/v1/outages", get(api::outages))
        .route("/api/v1/outcomes/{id}", get(api::outcome))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/explanations", get(api::explanations))
        .route("/api/v1/openapi.json", get(api::description))
        .route("/config", get(lifecycle::config))
        .route("/-/healthy", get(lifecycle::healthy))
        .route("/-/ready", get(lifecycle::ready))
        .route("/-/reload", post(lifecycle::reload))
        .fallback(respond::not_found)
        .method_not_allowed_fallback(respond::method_not_allowed)
        .with_state(server)
}
