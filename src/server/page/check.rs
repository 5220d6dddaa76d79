//! The page of one check: how it stands, its last probe step by step with everything that was seen, and how it went
//! before.

use std::time::SystemTime;

use askama::Template;

use super::latency::LatencyShown;
use super::past::{Past, PastOutage, Stretch};
use crate::diagnosis::{Cause, Says};
use crate::history::{CheckHistory, Latencies};
use crate::outcome::{
    CertificateSeen, InterceptionSeen, Observed, Outcome, PathSeen, RevocationSeen,
    RevocationState, TlsSeen,
};
use crate::report::bar::{self, Piece};
use crate::report::causes::CauseCard;
use crate::report::words::{self, Moment, long, short};
use crate::report::{FailureReport, HoldResult, Subject};
use crate::server::standing::State;

/// Seconds until a browser asks again.
const REFRESH: u32 = 15;

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
    causes: Vec<CauseCard<'a>>,
    uptime: Vec<Stretch>,
    outages: Vec<PastOutage>,
    latency: Option<LatencyShown>,
    key: [(&'static str, &'static str); 7],
    failures: Vec<PastFailure<'a>>,
}

/// The last probe.
struct Latest<'a> {
    at: Moment,
    time: String,
    via: &'static str,
    failure: Option<FailureReport<'a>>,
    warnings: Vec<FailureReport<'a>>,
    pieces: Vec<Piece>,
    not_run: Vec<(String, &'static str)>,
    observed: &'a Observed,
    handshakes: Vec<Handshake<'a>>,
    revocation: Vec<Asked<'a>>,
    clock: Option<String>,
    interception: Option<String>,
}

/// What one method said of one certificate.
struct Asked<'a> {
    seen: &'a RevocationSeen,
    state: &'static str,
    until: Option<Moment>,
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

/// A failure that is kept.
struct PastFailure<'a> {
    at: Moment,
    time: String,
    told: FailureReport<'a>,
    pieces: Vec<Piece>,
    addresses: Vec<String>,
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
            causes: Vec::new(),
            uptime: Vec::new(),
            outages: Vec::new(),
            latency: LatencyShown::of_probes(history),
            key: bar::key(),
            failures: history
                .failures
                .iter()
                .rev()
                .filter_map(|outcome| PastFailure::new(outcome, now))
                .collect(),
        }
    }
}

impl<'a> CheckPage<'a> {
    /// Adds how it fared before the last outcomes.
    pub(super) fn with_past(mut self, past: Past) -> Self {
        self.uptime = past.uptime;
        self.outages = past.outages;
        self
    }

    /// Shows the means of a window instead of the last probes.
    pub(super) fn with_latencies(mut self, latencies: &Latencies) -> Self {
        self.latency = Some(LatencyShown::of_means(latencies));
        self
    }

    /// Says of what bigger fault its failure is a part.
    pub(super) fn with_causes(mut self, causes: &'a [Cause], now: SystemTime) -> Self {
        let Subject {
            service,
            endpoint,
            route,
            ..
        } = self.subject;
        let speaks_for = |cause: &&Cause| {
            cause.evidence.iter().any(|evidence| {
                let check = &evidence.check;
                evidence.says == Says::Supports
                    && (check.service.as_str(), check.endpoint.as_str()) == (service, endpoint)
                    && check.route == route
            })
        };
        let parts = causes.iter().filter(speaks_for);
        self.causes = parts
            .map(|cause| CauseCard::new(cause, now, |_, _, _| String::new()))
            .collect();
        self
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
            warnings: outcome.warnings.iter().map(FailureReport::from).collect(),
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
            revocation: outcome
                .observed
                .revocation
                .iter()
                .map(|seen| Asked::new(seen, now))
                .collect(),
            clock: outcome.observed.clock_offset_seconds.map(clock),
            interception: interception.map(InterceptionSeen::words),
        }
    }
}

impl<'a> Asked<'a> {
    fn new(seen: &'a RevocationSeen, now: SystemTime) -> Self {
        Self {
            seen,
            state: match seen.state {
                RevocationState::Good | RevocationState::NotOffered => "ok",
                RevocationState::Revoked => "critical",
                _ => "warning",
            },
            until: seen.next_update.map(|at| Moment::new(at, now)),
        }
    }
}

impl<'a> HeldIdle<'a> {
    fn new(history: &'a CheckHistory, now: SystemTime) -> Option<Self> {
        let hold = history.check.endpoint.hold.as_deref()?;
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
            time: short(outcome.duration),
            told: FailureReport::from(failure),
            pieces: bar::pieces(outcome),
            addresses: outcome
                .observed
                .connects
                .iter()
                .map(|connect| connect.address.to_string())
                .collect(),
        })
    }
}

/// How the endpoint's clock differs from ours. Its header counts whole seconds, so that less is nothing.
fn clock(offset: f64) -> String {
    match offset {
        ..-1.0 => format!("{:.0} s behind ours", -offset),
        ..=1.0 => "agrees with ours".to_owned(),
        _ => format!("{offset:.0} s ahead of ours"),
    }
}
