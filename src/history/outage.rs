//! Outages: from the start of the first failed probe to the start of the first one that succeeds again.

use std::time::{Duration, SystemTime};

use super::uptime::longest_hold;
use crate::outcome::{Failure, Outcome, Step};
use crate::plan::CheckKey;

/// A time in which every probe of a check failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// Of which check.
    pub check: CheckKey,
    /// When the first failed probe started.
    pub start: SystemTime,
    /// When the first good probe after it started; where reachd did not watch in between, when the last failed one
    /// did. `None` while it lasts.
    pub end: Option<SystemTime>,
    /// When the last failed probe started.
    pub last_failed: SystemTime,
    /// The failure that came earliest on the way to the endpoint, as it last was.
    pub worst: Failure,
    /// What the last failed probe said.
    pub last_detail: String,
    /// How many probes failed.
    pub failures: u64,
    /// What the diagnosis took for its cause, if it did: the last word on it.
    pub cause: Option<OutageCause>,
}

/// What the diagnosis said of an outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutageCause {
    /// Such as `proxy_down`.
    pub cause: String,
    /// Such as the name of the proxy.
    pub subject: String,
}

/// Which outages are asked for; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutageFilter {
    /// Only of this check.
    pub check: Option<CheckKey>,
    /// Only of this service.
    pub service: Option<String>,
    /// Only over this route.
    pub route: Option<String>,
    /// Only those that last.
    pub ongoing: bool,
    /// Only those that had not ended by then.
    pub since: Option<SystemTime>,
    /// Only those with at least so many failed probes: 2 leaves the blips out.
    pub least_failures: u64,
}

/// A detail is kept up to this length, in bytes.
const MOST_DETAIL: usize = 512;

// === impl Outage ===

impl Outage {
    /// It begins with this failure.
    pub(super) fn begin(check: &CheckKey, at: SystemTime, failure: &Failure) -> Self {
        let mut worst = failure.clone();
        shorten(&mut worst.detail);
        Self {
            check: check.clone(),
            start: at,
            end: None,
            last_failed: at,
            last_detail: worst.detail.clone(),
            worst,
            failures: 1,
            cause: None,
        }
    }

    /// Another probe failed.
    pub(super) fn goes_on(&mut self, at: SystemTime, failure: &Failure) {
        self.last_failed = at;
        self.failures += 1;
        let mut failure = failure.clone();
        shorten(&mut failure.detail);
        self.last_detail.clone_from(&failure.detail);
        if way_to(&failure) < way_to(&self.worst)
            || (failure.reason, failure.peer) == (self.worst.reason, self.worst.peer)
        {
            self.worst = failure;
        }
    }

    /// A probe succeeded; long after the last failure nobody knows when the outage was over.
    pub(super) fn ended_by(mut self, outcome: &Outcome, interval: Duration) -> Self {
        let longest = Duration::from_millis(longest_hold(interval));
        let silence = outcome.started.duration_since(self.last_failed);
        let is_known = silence.is_ok_and(|silence| silence <= longest);
        self.end = Some(if is_known {
            outcome.started
        } else {
            self.last_failed
        });
        self
    }

    /// Nobody watches any more.
    pub(super) fn unwatched(mut self) -> Self {
        self.end.get_or_insert(self.last_failed);
        self
    }

    /// How long it lasted, or has lasted.
    #[must_use]
    pub fn duration(&self, now: SystemTime) -> Duration {
        let end = self.end.unwrap_or(now);
        end.duration_since(self.start).unwrap_or_default()
    }
}

// === impl OutageFilter ===

impl OutageFilter {
    /// Whether this one is asked for.
    #[must_use]
    pub fn admits(&self, outage: &Outage) -> bool {
        let Self {
            check,
            service,
            route,
            ongoing,
            since,
            least_failures,
        } = self;
        let is = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|it| it == is);
        check.as_ref().is_none_or(|check| *check == outage.check)
            && is(service, &outage.check.service)
            && is(route, &outage.check.route)
            && !(*ongoing && outage.end.is_some())
            && since.is_none_or(|since| outage.end.is_none_or(|end| end >= since))
            && outage.failures >= *least_failures
    }
}

/// How far a probe came that failed so.
fn way_to(failure: &Failure) -> usize {
    let (phase, peer) = (failure.phase(), failure.peer);
    let step = Step { phase, peer };
    let place = Step::ALL.iter().position(|one| *one == step);
    place.unwrap_or(Step::ALL.len())
}

fn shorten(detail: &mut String) {
    if detail.len() > MOST_DETAIL {
        let mut end = MOST_DETAIL - '…'.len_utf8();
        while !detail.is_char_boundary(end) {
            end -= 1;
        }
        detail.truncate(end);
        detail.push('…');
    }
}
