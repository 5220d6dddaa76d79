//! The API: the same objects as the JSON report of `reachd check`, with what the history adds. docs/api.md is its
//! reference.

mod outcome;
mod past;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
pub(super) use outcome::outcome;
pub(super) use past::outages;
use past::{LatenciesTold, OutageTold, UptimeTold};
use serde::Serialize;

use super::selection::{self, BadQuery, Selection};
use super::standing::{Counts, State, roll_up};
use super::{Place, Server, path, respond};
use crate::explain::{Meaning, every_meaning};
use crate::history::{CheckHistory, OutageFilter};
use crate::outcome::{Outcome, Peer, Phase, RootStanding, Timings};
use crate::report::{Finding, HoldFinding, NotProbed, ServiceReport, Subject, Verdict, rfc3339};

/// The API as OpenAPI describes it.
const OPENAPI: &str = include_str!("openapi.json");

/// How many checks an answer has at most.
const MOST_CHECKS: usize = 1000;

/// How many checks can be skipped.
const MOST_OFFSET: usize = 1_000_000;

/// How many outages are told with their check.
const OUTAGES_OF_CHECK: usize = 20;

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

/// A service over all of its routes, and over each.
#[derive(Serialize)]
struct ServiceInFull<'a> {
    service: &'a str,
    #[serde(flatten)]
    judged: Judged,
    routes: Vec<RouteStatus<'a>>,
}

#[derive(Serialize)]
struct RouteStatus<'a> {
    route: &'a str,
    #[serde(flatten)]
    judged: Judged,
}

#[derive(Serialize)]
struct Services<'a> {
    services: Vec<ServiceInFull<'a>>,
}

/// Some of the checks that were asked for.
#[derive(Serialize)]
struct Checks<'a> {
    /// How many there are.
    total: usize,
    checks: Vec<CheckStatus<'a>>,
}

/// What reachd knows of causes and reasons.
#[derive(Serialize)]
struct Explanations {
    explanations: Vec<Meaning>,
}

/// Which checks are asked for, and which part of them.
#[derive(Debug)]
struct Question {
    selection: Selection,
    limit: usize,
    offset: usize,
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
pub(super) struct Timestamp(#[serde(serialize_with = "rfc3339")] SystemTime);

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
    uptime: Vec<UptimeTold>,
    latency: Vec<LatenciesTold>,
    outages: Vec<OutageTold<'a>>,
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

/// What clients are told whenever something changed.
#[derive(Serialize)]
pub(super) struct Pulse {
    change: u64,
    #[serde(flatten)]
    judged: Judged,
    causes: usize,
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

/// `/api/v1/services`: each service as a whole and over each route.
pub(super) async fn services(Shared(server): Shared<Arc<Server>>) -> Response {
    let histories = server.history.snapshot();
    let counts: Vec<_> = Counts::by_service_and_route(&histories)
        .into_iter()
        .collect();
    let services = counts.chunk_by(|((one, _), _), ((other, _), _)| one == other);
    let services = services.filter_map(|routes| {
        let ((service, _), _) = routes.first()?;
        Some(ServiceInFull {
            service,
            judged: Judged::from(routes.iter().map(|(_, counts)| *counts).sum::<Counts>()),
            routes: routes
                .iter()
                .map(|((_, route), counts)| RouteStatus {
                    route,
                    judged: Judged::from(*counts),
                })
                .collect(),
        })
    });
    Json(Services {
        services: services.collect(),
    })
    .into_response()
}

/// `/api/v1/checks`: the checks that are asked for, each with its latest outcome.
pub(super) async fn checks(Shared(server): Shared<Arc<Server>>, uri: Uri) -> Response {
    let question = match Question::of(&uri) {
        Ok(question) => question,
        Err(BadQuery(words)) => return respond::problem(StatusCode::BAD_REQUEST, words),
    };
    let mut histories = server.history.snapshot();
    histories.retain(|history| question.selection.takes(history));
    let asked = histories.iter().skip(question.offset).take(question.limit);
    Json(Checks {
        total: histories.len(),
        checks: asked.map(CheckStatus::from).collect(),
    })
    .into_response()
}

/// `/api/v1/checks/{service}/{endpoint}/{route}`: one check with all that is kept of it.
pub(super) async fn check(
    Shared(server): Shared<Arc<Server>>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    let key = path::to_check(path);
    let known = key.and_then(|key| Some((server.history.of(&key)?, key)));
    let Some((history, key)) = known else {
        return respond::problem(
            StatusCode::NOT_FOUND,
            "The plan in force has no such check.",
        );
    };
    let now = SystemTime::now();
    let filter = OutageFilter {
        check: Some(key.clone()),
        ..OutageFilter::default()
    };
    let outages = server.history.outages(&filter, OUTAGES_OF_CHECK);
    let uptime = server.history.uptime(&key, now);
    Json(CheckInFull {
        status: CheckStatus::from(&history),
        uptime: uptime.iter().flatten().map(UptimeTold::from).collect(),
        latency: LatenciesTold::of(&server.history, &key, now),
        outages: outages
            .iter()
            .map(|outage| OutageTold::new(outage, now))
            .collect(),
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
    Json(causes.as_slice()).into_response()
}

/// `/api/v1/explanations`: what every cause, reason and alert means.
pub(super) async fn explanations() -> Response {
    let explanations = every_meaning().collect();
    Json(Explanations { explanations }).into_response()
}

/// `/api/v1/openapi.json`: the API described for programs.
pub(super) async fn description(Extension(place): Extension<Place>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    let text = OPENAPI.replacen("@version@", env!("CARGO_PKG_VERSION"), 1);
    // A server's URL ends without the slash with which paths begin, and is never empty.
    let server = place.path("/");
    let server = server.strip_suffix('/').filter(|prefix| !prefix.is_empty());
    (kind, text.replacen("@server@", server.unwrap_or("/"), 1)).into_response()
}

// === impl Pulse ===

impl Pulse {
    /// How things stand now.
    pub(super) fn of(server: &Server) -> Self {
        Self {
            change: *server.changes.subscribe().borrow(),
            judged: Judged::from(Counts::of(&server.history.snapshot())),
            causes: server.causes.borrow().len(),
        }
    }

    pub(super) fn json(&self) -> Arc<str> {
        // Figures and names have no way to fail.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

// === impl Question ===

impl Question {
    fn of(uri: &Uri) -> Result<Self, BadQuery> {
        let mut question = Self {
            selection: Selection::default(),
            limit: MOST_CHECKS,
            offset: 0,
        };
        for (key, value) in selection::pairs(uri) {
            match key.as_str() {
                "limit" => {
                    question.limit = number_within(&value, 1..=MOST_CHECKS)
                        .ok_or(BadQuery("`limit` is a number from 1 to 1000."))?;
                }
                "offset" => {
                    question.offset = number_within(&value, 0..=MOST_OFFSET)
                        .ok_or(BadQuery("`offset` is a number from 0 to 1000000."))?;
                }
                _ if question.selection.take(&key, &value)? => {}
                _ => {
                    return Err(BadQuery(
                        "The query has only q, state, service, route, limit and offset.",
                    ));
                }
            }
        }
        Ok(question)
    }
}

/// Whether anything in the API could be asked so.
#[cfg(any(test, fuzzing))]
pub(super) fn is_question(uri: &Uri) -> bool {
    Question::of(uri).is_ok() || past::question(uri).is_ok()
}

/// A number as it is written in a query: digits only.
fn number_within(value: &str, bounds: RangeInclusive<usize>) -> Option<usize> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|_| is_plain)?;
    bounds.contains(&number).then_some(number)
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
                failures: history.recent.failed(),
            },
            hold: history
                .check
                .endpoint
                .hold
                .as_deref()
                .map(|hold| HoldStatus {
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
