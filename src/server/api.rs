//! The API: the same objects as the JSON report of `reachd check`, with what the history adds. docs/api.md is its
//! reference.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::standing::{Counts, State, roll_up};
use super::{Server, path, respond};
use crate::history::CheckHistory;
use crate::outcome::{Outcome, Peer, Phase, RootStanding, Timings};
use crate::report::{Finding, HoldFinding, NotProbed, ServiceReport, Subject, Verdict, rfc3339};

#[derive(Serialize)]
struct Status<'a> {
    version: &'static str,
    #[serde(serialize_with = "rfc3339")]
    started: SystemTime,
    uptime_seconds: f64,
    ready: bool,
    #[serde(flatten)]
    overall: Judged,
    services: Vec<ServiceStatus<'a>>,
    not_probed: Vec<NotProbed<'a>>,
    trust_store: &'a [RootStanding],
}

#[derive(Serialize)]
struct ServiceStatus<'a> {
    #[serde(flatten)]
    rolled_up: ServiceReport<'a>,
    #[serde(flatten)]
    judged: Judged,
}

/// Counted checks and the verdict on them.
#[derive(Serialize)]
struct Judged {
    verdict: Option<Verdict>,
    message_id: Option<u16>,
    counts: Counts,
}

#[derive(Serialize)]
struct Checks<'a> {
    checks: Vec<CheckStatus<'a>>,
}

/// A check as it stands. What only an outcome can tell is absent before the first.
#[derive(Serialize)]
struct CheckStatus<'a> {
    id: String,
    #[serde(flatten)]
    subject: Subject<'a>,
    interval_seconds: f64,
    timeout_seconds: f64,
    state: State,
    since: Option<Timestamp>,
    recent: Recent,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<HoldStatus<'a>>,
    #[serde(flatten)]
    latest: Option<Run<Finding<'a>>>,
}

/// What is asked of an idle connection, and how the latest one fared.
#[derive(Serialize)]
struct HoldStatus<'a> {
    for_seconds: f64,
    interval_seconds: f64,
    #[serde(flatten)]
    latest: Option<HoldFinding<'a>>,
}

#[derive(Serialize)]
struct Timestamp(#[serde(serialize_with = "rfc3339")] SystemTime);

/// How the outcomes that are kept went.
#[derive(Serialize)]
struct Recent {
    outcomes: usize,
    failures: usize,
}

/// A check with what is kept of it, the latest first.
#[derive(Serialize)]
struct CheckInFull<'a> {
    #[serde(flatten)]
    status: CheckStatus<'a>,
    outcomes: Vec<Run<Brief<'a>>>,
    failures: Vec<Run<Finding<'a>>>,
}

/// One run, and what is told of it.
#[derive(Serialize)]
struct Run<T> {
    #[serde(serialize_with = "rfc3339")]
    started: SystemTime,
    seconds: f64,
    #[serde(flatten)]
    told: T,
}

/// What is told of each of many outcomes.
#[derive(Serialize)]
struct Brief<'a> {
    success: bool,
    failure: Option<BriefFailure>,
    phases: &'a Timings,
}

#[derive(Serialize)]
struct BriefFailure {
    phase: Phase,
    peer: Peer,
    reason: &'static str,
}

/// `/api/v1/status`: how things stand, in figures.
pub(super) async fn status(Shared(server): Shared<Arc<Server>>) -> Response {
    let histories = server.history.snapshot();
    let not_probed = Arc::clone(&server.not_probed.borrow());
    let trust_store = Arc::clone(&server.trust_store.borrow());
    let counts = Counts::by_service_and_route(&histories);
    let services = roll_up(&histories).into_iter().map(|rolled_up| {
        let counts = counts.get(&(rolled_up.service, rolled_up.route));
        ServiceStatus {
            judged: Judged::from(counts.copied().unwrap_or_default()),
            rolled_up,
        }
    });
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        started: server.started,
        uptime_seconds: server.started.elapsed().unwrap_or_default().as_secs_f64(),
        ready: server.history.is_ready(),
        overall: Judged::from(Counts::of(&histories)),
        services: services.collect(),
        not_probed: not_probed.iter().map(NotProbed::from).collect(),
        trust_store: &trust_store,
    })
    .into_response()
}

/// `/api/v1/checks`: every check with its latest outcome.
pub(super) async fn checks(Shared(server): Shared<Arc<Server>>) -> Response {
    let histories = server.history.snapshot();
    let checks = histories.iter().map(CheckStatus::from).collect();
    Json(Checks { checks }).into_response()
}

/// `/api/v1/checks/{service}/{endpoint}/{route}`: one check with all that is kept of it.
pub(super) async fn check(
    Shared(server): Shared<Arc<Server>>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    let history = path::to_check(path).and_then(|key| server.history.of(&key));
    let Some(history) = history else {
        return respond::api_error(
            StatusCode::NOT_FOUND,
            "The plan in force has no such check.",
        );
    };
    Json(CheckInFull {
        status: CheckStatus::from(&history),
        outcomes: history
            .recent
            .iter()
            .rev()
            .map(|outcome| Run::of(outcome, Brief::from))
            .collect(),
        failures: history
            .failures
            .iter()
            .rev()
            .map(|outcome| Run::of(outcome, Finding::from))
            .collect(),
    })
    .into_response()
}

/// `/api/v1/causes`: what is inferred from many outcomes.
pub(super) async fn causes(Shared(server): Shared<Arc<Server>>) -> Response {
    let causes = Arc::clone(&server.causes.borrow());
    Json(&*causes).into_response()
}

// === conversions ===

impl From<Counts> for Judged {
    fn from(counts: Counts) -> Self {
        let verdict = counts.verdict();
        Self {
            verdict,
            message_id: verdict.map(Verdict::message_id),
            counts,
        }
    }
}

impl<'a> From<&'a CheckHistory> for CheckStatus<'a> {
    fn from(history: &'a CheckHistory) -> Self {
        let subject = Subject::from(&*history.check);
        Self {
            id: path::of_check(subject.service, subject.endpoint, subject.route),
            subject,
            interval_seconds: history.check.interval.as_secs_f64(),
            timeout_seconds: history.check.timeout.as_secs_f64(),
            state: State::of(history),
            since: history.since.map(Timestamp),
            recent: Recent {
                outcomes: history.recent.len(),
                failures: history
                    .recent
                    .iter()
                    .filter(|outcome| outcome.result.is_err())
                    .count(),
            },
            hold: history.check.endpoint.hold.map(|hold| HoldStatus {
                for_seconds: hold.duration.as_secs_f64(),
                interval_seconds: hold.interval.as_secs_f64(),
                latest: history.hold.as_deref().map(HoldFinding::from),
            }),
            latest: history
                .latest()
                .map(|outcome| Run::of(outcome, Finding::from)),
        }
    }
}

impl<T> Run<T> {
    fn of<'a>(outcome: &'a Outcome, tell: impl FnOnce(&'a Outcome) -> T) -> Self {
        Self {
            started: outcome.started,
            seconds: outcome.duration.as_secs_f64(),
            told: tell(outcome),
        }
    }
}

impl<'a> From<&'a Outcome> for Brief<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        Self {
            success: outcome.result.is_ok(),
            failure: outcome.result.as_ref().err().map(|failure| BriefFailure {
                phase: failure.phase(),
                peer: failure.peer,
                reason: failure.reason.as_str(),
            }),
            phases: &outcome.timings,
        }
    }
}
