//! What is written of an outage and of a timeline: JSON, which stays readable for the next version and for people.

use serde::{Deserialize, Serialize};

use super::outage::{Outage, OutageCause};
use super::time::{from_millis, millis};
use super::uptime::Timeline;
use crate::outcome::{Failure, FailureReason, Peer};
use crate::plan::CheckKey;

/// Times in milliseconds since 1970.
#[derive(Serialize, Deserialize)]
struct OutageRow {
    service: String,
    endpoint: String,
    route: String,
    start: u64,
    end: Option<u64>,
    last_failed: u64,
    phase: String,
    peer: String,
    reason: String,
    detail: String,
    last_detail: String,
    failures: u64,
    cause: Option<String>,
    subject: Option<String>,
}

/// By what an outage is found: those of one check do not begin at the same time.
pub(super) type OutageId = (u64, String);

pub(super) fn id_of(outage: &Outage) -> OutageId {
    (millis(outage.start), key_text(&outage.check))
}

/// The three names as one text, which no name can be mistaken in.
pub(super) fn key_text(key: &CheckKey) -> String {
    let CheckKey {
        service,
        endpoint,
        route,
    } = key;
    serde_json::json!([service, endpoint, route]).to_string()
}

pub(super) fn key_of(text: &str) -> Option<CheckKey> {
    let (service, endpoint, route) = serde_json::from_str(text).ok()?;
    Some(CheckKey {
        service,
        endpoint,
        route,
    })
}

pub(super) fn outage_bytes(outage: &Outage) -> Vec<u8> {
    let Outage {
        check,
        start,
        end,
        last_failed,
        worst,
        last_detail,
        failures,
        cause,
    } = outage;
    let CheckKey {
        service,
        endpoint,
        route,
    } = check.clone();
    let row = OutageRow {
        service,
        endpoint,
        route,
        start: millis(*start),
        end: end.map(millis),
        last_failed: millis(*last_failed),
        phase: worst.phase().as_str().to_owned(),
        peer: worst.peer.as_str().to_owned(),
        reason: worst.reason.as_str().to_owned(),
        detail: worst.detail.clone(),
        last_detail: last_detail.clone(),
        failures: *failures,
        cause: cause.as_ref().map(|cause| cause.cause.clone()),
        subject: cause.as_ref().map(|cause| cause.subject.clone()),
    };
    // Strings and numbers always become JSON.
    serde_json::to_vec(&row).unwrap_or_default()
}

/// `None` for one that this version cannot read, such as one for a reason that a later version has.
pub(super) fn outage_of(bytes: &[u8]) -> Option<Outage> {
    let row: OutageRow = serde_json::from_slice(bytes).ok()?;
    let is_named = |reason: &FailureReason| {
        (reason.phase().as_str(), reason.as_str()) == (&row.phase, &row.reason)
    };
    let peer = [Peer::Proxy, Peer::Endpoint];
    let cause = match (row.cause, row.subject) {
        (Some(cause), Some(subject)) => Some(OutageCause { cause, subject }),
        _ => None,
    };
    Some(Outage {
        check: CheckKey {
            service: row.service,
            endpoint: row.endpoint,
            route: row.route,
        },
        start: from_millis(row.start),
        end: row.end.map(from_millis),
        last_failed: from_millis(row.last_failed),
        worst: Failure {
            reason: FailureReason::all().find(is_named)?,
            peer: peer.into_iter().find(|peer| peer.as_str() == row.peer)?,
            detail: row.detail,
        },
        last_detail: row.last_detail,
        failures: row.failures,
        cause,
    })
}

pub(super) fn timeline_bytes(timeline: &Timeline) -> Vec<u8> {
    serde_json::to_vec(timeline).unwrap_or_default()
}

/// `None` for one that is not as this version writes it.
pub(super) fn timeline_of(bytes: &[u8]) -> Option<Timeline> {
    let timeline: Timeline = serde_json::from_slice(bytes).ok()?;
    timeline.is_sound().then_some(timeline)
}
