//! How a check fared over an hour, a day, a week and thirty days, and when it was out.

use std::time::SystemTime;

use super::latency::words_of;
use crate::history::{Bar, History, Outage, OutageFilter, Uptime};
use crate::plan::CheckKey;
use crate::report::words::long;

/// How many bars a stretch of time has.
const BARS: usize = 60;

/// From one bar to the next.
const STEP: usize = 10;

/// How many outages are shown, the latest first; the API has more.
const OUTAGES: usize = 20;

/// A stretch of time that ends now.
pub(super) struct Stretch {
    pub(super) words: &'static str,
    /// `99.95 %`
    pub(super) share: String,
    pub(super) width: usize,
    pub(super) bars: Vec<Part>,
}

/// A part of it.
pub(super) struct Part {
    pub(super) x: usize,
    pub(super) class: &'static str,
    pub(super) title: String,
}

/// A time in which every probe failed.
pub(super) struct PastOutage {
    pub(super) began: String,
    pub(super) ended: String,
    pub(super) lasted: String,
    pub(super) worst: String,
    pub(super) peer: &'static str,
    pub(super) cause: String,
}

/// What the history knows beyond the last outcomes.
#[derive(Default)]
pub(super) struct Past {
    pub(super) uptime: Vec<Stretch>,
    pub(super) outages: Vec<PastOutage>,
}

impl Past {
    pub(super) fn of(history: &History, key: &CheckKey, now: SystemTime) -> Self {
        let filter = OutageFilter {
            check: Some(key.clone()),
            ..OutageFilter::default()
        };
        let uptime = history.uptime(key, now);
        let uptime = uptime.into_iter().flatten();
        let outages = history.outages(&filter, OUTAGES);
        Self {
            uptime: uptime
                .map(|uptime| {
                    let bars = history.bars(key, uptime.window, BARS, now);
                    Stretch::new(&uptime, &bars)
                })
                .collect(),
            outages: outages
                .iter()
                .map(|outage| PastOutage::new(outage, now))
                .collect(),
        }
    }
}

impl Stretch {
    fn new(uptime: &Uptime, bars: &[Bar]) -> Self {
        Self {
            words: words_of(uptime.window),
            share: uptime.ratio.map_or("unknown".to_owned(), percent),
            width: BARS * STEP,
            bars: bars.iter().enumerate().map(Part::new).collect(),
        }
    }
}

impl Part {
    fn new((index, bar): (usize, &Bar)) -> Self {
        let (succeeded, failed) = (bar.succeeded.as_secs_f64(), bar.failed.as_secs_f64());
        let known = succeeded + failed;
        let (class, words) = match (succeeded > 0.0, failed > 0.0) {
            (false, false) => ("u-none", "unknown".to_owned()),
            (true, false) => ("u-ok", "reachable".to_owned()),
            (false, true) => ("u-failed", "failing".to_owned()),
            (true, true) => (
                "u-part",
                format!("{} reachable", percent(succeeded / known)),
            ),
        };
        let from = humantime::format_rfc3339_seconds(bar.from);
        Self {
            x: index * STEP,
            class,
            title: format!("from {from}: {words}"),
        }
    }
}

/// Never rounded up to what would say that nothing failed.
fn percent(ratio: f64) -> String {
    let percent = (ratio * 10_000.0).floor() / 100.0;
    if ratio < 1.0 {
        format!("{percent:.2} %")
    } else {
        "100 %".to_owned()
    }
}

impl PastOutage {
    fn new(outage: &Outage, now: SystemTime) -> Self {
        let worst = &outage.worst;
        let said = |at: SystemTime| humantime::format_rfc3339_seconds(at).to_string();
        Self {
            began: said(outage.start),
            ended: outage.end.map_or("lasts".to_owned(), said),
            lasted: long(outage.duration(now)),
            worst: worst.reason.to_string(),
            peer: worst.peer.as_str(),
            cause: outage.cause.as_ref().map_or("–".to_owned(), |cause| {
                format!("{} {}", cause.cause, cause.subject)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_never_failed_has_all_of_the_time() {
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.999_999), "99.99 %");
        assert_eq!(percent(0.5), "50.00 %");
    }
}
