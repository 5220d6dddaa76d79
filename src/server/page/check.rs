//! The page of one check: how it stands, its last probe step by step with everything that was seen, and how it went
//! before.

use std::time::{Duration, SystemTime};

use askama::Template;

use super::bar::{self, Piece};
use super::words::{self, Moment, long, short};
use crate::history::CheckHistory;
use crate::outcome::{CertificateSeen, InterceptionSeen, Observed, Outcome, PathSeen, TlsSeen};
use crate::report::{FailureReport, HoldResult, Subject};
use crate::server::standing::State;

/// Seconds until a browser asks again.
const REFRESH: u32 = 15;

/// The height of the highest column in the row of recent outcomes.
const COLUMN: f64 = 40.0;

#[derive(Template)]
#[template(path = "check.html")]
pub(super) struct CheckPage<'a> {
    refresh: u32,
    rendered: Moment,
    subject: Subject<'a>,
    stands_in_for: Option<&'a str>,
    state: &'static str,
    word: &'static str,
    headline: &'static str,
    since: Option<Moment>,
    interval: String,
    timeout: String,
    resolver: &'a str,
    latest: Option<Latest<'a>>,
    hold: Option<HeldIdle<'a>>,
    columns: Vec<Column>,
    recent_tally: String,
    failures: Vec<PastFailure<'a>>,
}

/// The last probe.
struct Latest<'a> {
    at: Moment,
    time: String,
    via: &'static str,
    failure: Option<FailureReport<'a>>,
    pieces: Vec<Piece>,
    not_run: Vec<(String, &'static str)>,
    observed: &'a Observed,
    handshakes: Vec<Handshake<'a>>,
    clock: Option<String>,
    interception: Option<String>,
}

/// The idle connection, as far as the endpoint has one.
struct HeldIdle<'a> {
    wanted: String,
    interval: String,
    latest: Option<LatestHold<'a>>,
}

/// How the latest one fared.
struct LatestHold<'a> {
    at: Moment,
    words: String,
    failure: Option<FailureReport<'a>>,
}

/// A TLS handshake.
struct Handshake<'a> {
    peer: &'static str,
    agreed: String,
    /// By which the certificate is trusted; empty where it is not.
    path: String,
    root: Option<&'a PathSeen>,
    certificates: Vec<Certificate<'a>>,
}

struct Certificate<'a> {
    seen: &'a CertificateSeen,
    names: String,
    from: Moment,
    until: Moment,
    out_of_date: bool,
}

/// One outcome in the row of recent ones.
struct Column {
    x: usize,
    y: String,
    height: String,
    class: &'static str,
    title: String,
}

/// A failure that is kept.
struct PastFailure<'a> {
    at: Moment,
    reason: String,
    peer: &'static str,
    detail: &'a str,
    time: String,
}

impl<'a> CheckPage<'a> {
    pub(super) fn new(history: &'a CheckHistory, now: SystemTime) -> Self {
        let check = &history.check;
        let (state, word, headline) = match State::of(history) {
            State::Waiting => ("waiting", "WAITING", "Waiting for its first probe"),
            State::Succeeding => ("ok", "OK", "Reachable"),
            State::Failing if check.endpoint.critical => {
                ("critical", "FAIL", "Not reachable, and critical")
            }
            State::Failing => ("warning", "FAIL", "Not reachable, but not critical"),
        };
        let failed = history
            .recent
            .iter()
            .filter(|outcome| outcome.result.is_err())
            .count();
        Self {
            refresh: REFRESH,
            rendered: Moment::new(now, now),
            subject: Subject::from(&**check),
            stands_in_for: check.endpoint.stands_in_for.as_deref(),
            state,
            word,
            headline,
            since: history.since.map(|since| Moment::new(since, now)),
            interval: long(check.interval),
            timeout: long(check.timeout),
            resolver: check.resolver.name(),
            latest: history.latest().map(|outcome| Latest::new(outcome, now)),
            hold: HeldIdle::new(history, now),
            columns: columns(&history.recent),
            recent_tally: format!(
                "{} of the last {} failed",
                failed,
                words::counted(history.recent.len(), "probe")
            ),
            failures: history
                .failures
                .iter()
                .rev()
                .filter_map(|outcome| PastFailure::new(outcome, now))
                .collect(),
        }
    }
}

impl<'a> Latest<'a> {
    fn new(outcome: &'a Outcome, now: SystemTime) -> Self {
        let not_run = outcome.not_run.iter();
        let interception = outcome.observed.interception.as_ref();
        Self {
            at: Moment::new(outcome.started, now),
            time: short(outcome.duration),
            via: words::via(outcome.via),
            failure: outcome.result.as_ref().err().map(FailureReport::from),
            pieces: bar::pieces(outcome),
            not_run: not_run
                .map(|entry| (words::step(entry.step), words::why(entry.why)))
                .collect(),
            observed: &outcome.observed,
            handshakes: outcome
                .observed
                .tls
                .iter()
                .map(|seen| Handshake::new(seen, now))
                .collect(),
            clock: outcome.observed.clock_offset_seconds.map(clock),
            interception: interception.map(InterceptionSeen::words),
        }
    }
}

impl<'a> HeldIdle<'a> {
    fn new(history: &'a CheckHistory, now: SystemTime) -> Option<Self> {
        let hold = history.check.endpoint.hold?;
        let latest = history.hold.as_deref();
        let latest = latest.and_then(|outcome| HoldResult::new(&history.check, outcome));
        Some(Self {
            wanted: long(hold.duration),
            interval: long(hold.interval),
            latest: latest.map(|result| LatestHold {
                at: Moment::new(result.finding.started, now),
                words: result.words(),
                failure: result.finding.failure,
            }),
        })
    }
}

impl<'a> Handshake<'a> {
    fn new(seen: &'a TlsSeen, now: SystemTime) -> Self {
        let path = seen.path.iter();
        let path: Vec<&str> = path
            .map(|certificate| certificate.subject.as_str())
            .collect();
        Self {
            peer: seen.peer.as_str(),
            agreed: seen.agreed(),
            path: path.join(" → "),
            root: seen.root(),
            certificates: seen
                .certificates
                .iter()
                .map(|seen| Certificate::new(seen, now))
                .collect(),
        }
    }
}

impl<'a> Certificate<'a> {
    fn new(seen: &'a CertificateSeen, now: SystemTime) -> Self {
        Self {
            seen,
            names: seen.names.join(", "),
            from: Moment::new(seen.not_before, now),
            until: Moment::new(seen.not_after, now),
            out_of_date: now < seen.not_before || now > seen.not_after,
        }
    }
}

impl<'a> PastFailure<'a> {
    fn new(outcome: &'a Outcome, now: SystemTime) -> Option<Self> {
        let failure = outcome.result.as_ref().err()?;
        Some(Self {
            at: Moment::new(outcome.started, now),
            reason: failure.reason.to_string(),
            peer: failure.peer.as_str(),
            detail: &failure.detail,
            time: short(outcome.duration),
        })
    }
}

/// Recent outcomes from left to right, the higher the longer. The root keeps short ones visible beside a long one.
fn columns(recent: &[std::sync::Arc<Outcome>]) -> Vec<Column> {
    let longest = recent
        .iter()
        .map(|outcome| outcome.duration)
        .max()
        .unwrap_or(Duration::ZERO);
    let longest = longest.as_secs_f64().max(f64::EPSILON);
    let column = |(index, outcome): (usize, &std::sync::Arc<Outcome>)| {
        let height = ((outcome.duration.as_secs_f64() / longest).sqrt() * COLUMN).max(2.0);
        let said = match &outcome.result {
            Ok(()) => "OK".to_owned(),
            Err(failure) => failure.reason.to_string(),
        };
        let at = humantime::format_rfc3339_seconds(outcome.started);
        Column {
            x: index * 10,
            y: format!("{:.1}", COLUMN - height),
            height: format!("{height:.1}"),
            class: if outcome.result.is_ok() {
                "ok"
            } else {
                "critical"
            },
            title: format!("{at}: {said}, {}", short(outcome.duration)),
        }
    };
    recent.iter().enumerate().map(column).collect()
}

/// How the endpoint's clock differs from ours. Its header counts whole seconds, so that less is nothing.
fn clock(offset: f64) -> String {
    match offset {
        ..-1.0 => format!("{:.0} s behind ours", -offset),
        ..=1.0 => "agrees with ours".to_owned(),
        _ => format!("{offset:.0} s ahead of ours"),
    }
}
