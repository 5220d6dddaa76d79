//! How checks fared over the last thirty days: uptime, latency and outages.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Timestamp, number_within};
use crate::history::{History, Latencies, LatencyPoint, Outage, OutageFilter, Uptime, Window};
use crate::outcome::{Peer, Phase};
use crate::plan::CheckKey;
use crate::server::selection::{self, BadQuery};
use crate::server::{Server, path, respond};

/// How many outages an answer has at most.
const MOST_OUTAGES: usize = 1000;

/// How many outages an answer has where nothing is said.
const OUTAGES: usize = 100;

#[derive(Serialize)]
struct Outages<'a> {
    outages: Vec<OutageTold<'a>>,
}

/// A time in which every probe of a check failed.
#[derive(Serialize)]
pub(super) struct OutageTold<'a> {
    check: String,
    #[serde(flatten)]
    key: &'a CheckKey,
    start: Timestamp,
    end: Option<Timestamp>,
    seconds: f64,
    failures: u64,
    worst: Worst<'a>,
    cause: Option<CauseTold<'a>>,
}

/// The failure that came earliest on the way.
#[derive(Serialize)]
struct Worst<'a> {
    phase: Phase,
    peer: Peer,
    reason: &'static str,
    detail: &'a str,
}

#[derive(Serialize)]
struct CauseTold<'a> {
    cause: &'a str,
    subject: &'a str,
}

/// How a check fared in a window that ends now.
#[derive(Serialize)]
pub(super) struct UptimeTold {
    window: &'static str,
    ratio: Option<f64>,
    succeeded_seconds: f64,
    failed_seconds: f64,
    unknown_seconds: f64,
}

/// How long the phases of a check took in a window that ends with the slot of now.
#[derive(Serialize)]
pub(super) struct LatenciesTold {
    window: &'static str,
    slot_seconds: f64,
    points: Vec<PointTold>,
}

/// A slot in which there were probes.
#[derive(Serialize)]
struct PointTold {
    from: Timestamp,
    probes: u16,
    failures: u16,
    #[serde(flatten)]
    latency: Option<LatencyTold>,
}

/// Of the probes that succeeded.
#[derive(Serialize)]
struct LatencyTold {
    mean_seconds: f64,
    max_seconds: f64,
    phases: Vec<PhaseTold>,
}

#[derive(Serialize)]
struct PhaseTold {
    phase: Phase,
    seconds: f64,
}

/// `/api/v1/outages`: the latest first.
pub(in crate::server) async fn outages(Shared(server): Shared<Arc<Server>>, uri: Uri) -> Response {
    let (filter, limit) = match question(&uri) {
        Ok(question) => question,
        Err(BadQuery(words)) => return respond::problem(StatusCode::BAD_REQUEST, words),
    };
    let outages = server.history.outages(&filter, limit);
    let now = SystemTime::now();
    Json(Outages {
        outages: outages
            .iter()
            .map(|outage| OutageTold::new(outage, now))
            .collect(),
    })
    .into_response()
}

pub(super) fn question(uri: &Uri) -> Result<(OutageFilter, usize), BadQuery> {
    let (mut filter, mut limit) = (OutageFilter::default(), OUTAGES);
    for (key, value) in selection::pairs(uri) {
        match (key.as_str(), value.as_str()) {
            ("service", _) => filter.service = Some(value).filter(|name| !name.is_empty()),
            ("route", _) => filter.route = Some(value).filter(|name| !name.is_empty()),
            ("ongoing", "true") => filter.ongoing = true,
            ("ongoing", "false") => filter.ongoing = false,
            ("ongoing", _) => return Err(BadQuery("`ongoing` is true or false.")),
            ("limit", _) => {
                limit = number_within(&value, 1..=MOST_OUTAGES)
                    .ok_or(BadQuery("`limit` is a number from 1 to 1000."))?;
            }
            _ => {
                return Err(BadQuery(
                    "The query has only service, route, ongoing and limit.",
                ));
            }
        }
    }
    Ok((filter, limit))
}

impl<'a> OutageTold<'a> {
    pub(super) fn new(outage: &'a Outage, now: SystemTime) -> Self {
        let (key, worst) = (&outage.check, &outage.worst);
        Self {
            check: path::of_check(&key.service, &key.endpoint, &key.route),
            key,
            start: Timestamp(outage.start),
            end: outage.end.map(Timestamp),
            seconds: outage.duration(now).as_secs_f64(),
            failures: outage.failures,
            worst: Worst {
                phase: worst.phase(),
                peer: worst.peer,
                reason: worst.reason.as_str(),
                detail: &worst.detail,
            },
            cause: outage.cause.as_ref().map(|cause| CauseTold {
                cause: &cause.cause,
                subject: &cause.subject,
            }),
        }
    }
}

impl From<&Uptime> for UptimeTold {
    fn from(uptime: &Uptime) -> Self {
        let seconds = |duration: Duration| duration.as_secs_f64();
        Self {
            window: uptime.window.as_str(),
            ratio: uptime.ratio,
            succeeded_seconds: seconds(uptime.succeeded),
            failed_seconds: seconds(uptime.failed),
            unknown_seconds: seconds(uptime.unknown),
        }
    }
}

impl LatenciesTold {
    /// Of every window for which they are kept.
    pub(super) fn of(history: &History, key: &CheckKey, now: SystemTime) -> Vec<Self> {
        let windows = Window::ALL.into_iter();
        let kept = windows.filter_map(|window| history.latencies(key, window, now));
        kept.map(Self::from).collect()
    }
}

impl From<Latencies> for LatenciesTold {
    fn from(latencies: Latencies) -> Self {
        Self {
            window: latencies.window.as_str(),
            slot_seconds: latencies.slot.as_secs_f64(),
            points: latencies.points.into_iter().map(PointTold::from).collect(),
        }
    }
}

impl From<LatencyPoint> for PointTold {
    fn from(point: LatencyPoint) -> Self {
        Self {
            from: Timestamp(point.from),
            probes: point.probes,
            failures: point.failures,
            latency: point.latency.map(|latency| LatencyTold {
                mean_seconds: latency.mean.as_secs_f64(),
                max_seconds: latency.max.as_secs_f64(),
                phases: latency
                    .phases
                    .iter()
                    .map(|(phase, time)| PhaseTold {
                        phase: *phase,
                        seconds: time.as_secs_f64(),
                    })
                    .collect(),
            }),
        }
    }
}
