//! The end of reachd, and what it said last: whether that agrees with itself.

use super::books::whole;
use super::plan::Kind;
use super::{SOON, Soak};
use crate::kit::{Exposition, http, wait};

/// What a check may have more or less of turns than its time has seconds: at its beginning, at its end, and of those
/// that passed while its last probe was running.
const TURNS_AT_THE_ENDS: u64 = 5;

/// The last that reachd said of itself.
pub(super) struct LastWords {
    pub(super) metrics: Exposition,
    /// Probes that may have ended after that.
    pub(super) unseen: u64,
}

impl Soak<'_> {
    /// Ends reachd. Meanwhile one probe is held up by the witness, so that there is time to ask what all the others
    /// came to.
    pub(super) fn end(&mut self) -> LastWords {
        self.witness.hold();
        self.reachd.daemon.signal("TERM");
        self.lived = self.begun.elapsed();
        let stops = "stopping: probes under way may finish";
        let told = wait::within(SOON, || {
            self.reachd.daemon.log().contains(stops).then_some(())
        });
        assert!(told.is_some(), "it does not stop");
        let mut former: Option<Exposition> = None;
        let mut last = None;
        while let Ok(answer) = http::get(self.reachd.address, "/metrics") {
            if answer.status != 200 {
                continue;
            }
            let metrics = Exposition::parse(&answer.body);
            let is_final = former.as_ref().is_some_and(|former| {
                in_flight(former) == 1
                    && in_flight(&metrics) == 1
                    && started(former) == started(&metrics)
            });
            // What was under way when it was last asked may have ended while it answered.
            let under_way = former
                .as_ref()
                .map_or_else(|| in_flight(&metrics), in_flight);
            let unseen = if is_final { 0 } else { under_way };
            former = Some(metrics.clone());
            last = Some(LastWords { metrics, unseen });
            if is_final {
                break;
            }
        }
        self.witness.release();
        let status = self.reachd.daemon.wait_for_end(SOON);
        assert_eq!(status.code(), Some(0), "{}", self.reachd.daemon.log());
        last.expect("it answers while probes finish")
    }

    /// Every turn was a probe or was skipped, and every probe came to a result.
    pub(super) fn agrees_with_itself(&self, last: &LastWords) {
        let LastWords { metrics, unseen } = last;
        let guests = u64::from(self.witness.requests_of_guest());
        let results = metrics.sum("reachd_probes_total", &[]);
        let accounted = whole(results) + guests + in_flight(metrics);
        let started = started(metrics);
        assert!(
            (started.saturating_sub(*unseen)..=started).contains(&accounted),
            "{started} probes started, {accounted} ended or are under way, {unseen} may be unseen; the guest asked {guests} times"
        );
        for panics in ["reachd_probe_panics_total", "reachd_web_panics_total"] {
            assert_eq!(metrics.value(panics, &[]), Some(0.0), "{panics}");
        }
        self.turns_agree(metrics, started - guests);
        let of_witness = metrics.sum("reachd_probes_total", &[("endpoint", "witness")]);
        let seen = u64::from(self.witness.requests());
        assert_eq!(whole(of_witness) + 1, seen, "with the one that is held up");
    }

    /// There were as many turns as seconds: of each check, and of each loop that took the place of another after a
    /// change, a few may be missing at the ends.
    fn turns_agree(&self, metrics: &Exposition, started: u64) {
        let checks = self.plan.checks.len();
        let changing = self.plan.count(Kind::Changing);
        let loops = count(checks + 1) + self.changes * count(changing);
        let due = count(checks + 1) * self.lived.as_secs();
        let missing = loops * TURNS_AT_THE_ENDS;
        let skipped = whole(metrics.sum("reachd_probes_skipped_total", &[]));
        let of_retried = [("service", "Retried"), ("result", "failure")];
        let retries = whole(metrics.sum("reachd_probes_total", &of_retried));
        let turns = started + skipped;
        assert!(
            (due.saturating_sub(missing)..=due + missing + retries).contains(&turns),
            "{started} probes and {skipped} skipped turns, {due} turns were due, {retries} retries at most"
        );
    }

    pub(super) fn log_is_clean(&self) {
        let log = self.reachd.daemon.log();
        for sign in ["panicked", "fault of reachd"] {
            let line = log.lines().find(|line| line.contains(sign));
            assert!(line.is_none(), "{line:?}");
        }
    }
}

fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap()
}

pub(super) fn started(metrics: &Exposition) -> u64 {
    whole(metrics.sum("reachd_scheduler_lag_seconds_count", &[]))
}

fn in_flight(metrics: &Exposition) -> u64 {
    whole(metrics.sum("reachd_probes_in_flight", &[]))
}
