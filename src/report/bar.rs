//! The phases of a probe as a bar: one piece a step, as wide as its share of the time.

use std::time::Duration;

use super::words;
use crate::outcome::{Outcome, Peer, Phase, Timings};

/// The width of a whole bar in units of its drawing.
const WHOLE: f64 = 1000.0;

/// No piece is narrower than this, so that every step can be seen.
const LEAST: f64 = 8.0;

/// One step of a probe.
pub(crate) struct Piece {
    /// Where it begins, in thousandths of the bar.
    pub(crate) start: String,
    /// How wide it is.
    pub(crate) width: String,
    /// Its colour's name.
    pub(crate) class: &'static str,
    /// Whether this step failed.
    pub(crate) failed: bool,
    /// What was done with whom.
    pub(crate) step: String,
    /// How long it took.
    pub(crate) time: String,
}

/// The steps of an outcome, from left to right. Together they fill the bar.
pub(crate) fn pieces(outcome: &Outcome) -> Vec<Piece> {
    let failure = outcome.result.as_ref().err();
    let failed = failure.map(|failure| (failure.phase(), failure.peer));
    pieces_of(&outcome.timings, failed)
}

/// These steps, of which one failed or none.
pub(crate) fn pieces_of(timings: &Timings, failed: Option<(Phase, Peer)>) -> Vec<Piece> {
    let total = timings.total();
    let shares: Vec<f64> = timings
        .iter()
        .map(|timing| share(timing.elapsed, total))
        .collect();
    let scale = WHOLE / shares.iter().sum::<f64>().max(LEAST);

    let mut start = 0.0;
    let piece = |(timing, share): (crate::outcome::Timing, &f64)| {
        let width = share * scale;
        let piece = Piece {
            start: format!("{start:.1}"),
            width: format!("{width:.1}"),
            class: class(timing.step.phase),
            failed: failed == Some((timing.step.phase, timing.step.peer)),
            step: words::step(timing.step),
            time: words::short(timing.elapsed),
        };
        start += width;
        piece
    };
    timings.iter().zip(&shares).map(piece).collect()
}

fn share(elapsed: Duration, total: Duration) -> f64 {
    let part = elapsed.as_secs_f64() / total.as_secs_f64().max(f64::EPSILON);
    (part * WHOLE).max(LEAST)
}

/// The name of its colour.
pub(crate) fn class(phase: Phase) -> &'static str {
    match phase {
        Phase::Dns => "p-dns",
        Phase::Connect => "p-connect",
        Phase::Proxy => "p-proxy",
        Phase::Tls => "p-tls",
        Phase::Revocation => "p-revocation",
        Phase::Request => "p-request",
        Phase::Response | Phase::Hold => "p-response",
    }
}

/// A colour and its phase, for the key.
pub(crate) fn key() -> [(&'static str, &'static str); 7] {
    Phase::OF_PROBE.map(|phase| (class(phase), phase.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_pieces_fill_the_bar_and_none_vanishes() {
        for (_, outcome) in sample::results() {
            let pieces = pieces(&outcome);
            let widths: Vec<f64> = pieces
                .iter()
                .map(|piece| piece.width.parse().unwrap())
                .collect();
            assert!(
                (widths.iter().sum::<f64>() - WHOLE).abs() < 1.0,
                "{widths:?}"
            );
            assert!(
                widths.iter().all(|width| *width > LEAST / 2.0),
                "{widths:?}"
            );
            assert_eq!(
                pieces.iter().any(|piece| piece.failed),
                outcome.result.is_err()
            );
        }
    }

    #[test]
    fn a_probe_that_took_no_time_has_an_empty_bar() {
        let mut outcome = Outcome::clone(&sample::results()[0].1);
        outcome.timings = Timings::default();
        assert!(pieces(&outcome).is_empty());
        outcome
            .timings
            .add(Phase::Dns.with_endpoint(), Duration::ZERO);
        assert_eq!(pieces(&outcome)[0].width, "1000.0");
    }
}
