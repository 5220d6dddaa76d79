//! The log of changes, line by line.

use std::io;

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::outcome::{DnsReason, TlsReason};
use crate::plan::fixture::{self, expired, failure, success};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The lines logged by `work`.
fn logged(work: impl FnOnce()) -> Vec<String> {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(captured.clone())
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = captured.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

fn logged_after(outcomes: &[Arc<Outcome>]) -> Vec<String> {
    let check = fixture::check("site", "gateway", "https://gateway.example/");
    let log = StateLog::default();
    log.planned(&fixture::plan([&check]));
    let watcher = log.watch(&check);
    logged(|| {
        for outcome in outcomes {
            watcher.observed(outcome);
        }
    })
}

#[test]
fn equal_outcomes_are_logged_once() {
    let lines = logged_after(&[expired(1), expired(2), expired(3), expired(4)]);
    assert_eq!(
        lines,
        [
            "WARN not reachable service=site endpoint=gateway route=direct \
             url=https://gateway.example/ phase=tls peer=endpoint reason=\"expired\" \
             detail=what came back duration=1.002s"
        ]
    );
}

#[test]
fn a_check_that_works_is_not_worth_a_line() {
    assert!(logged_after(&[success(1), success(2)]).is_empty());
}

#[test]
fn every_change_is_logged() {
    let lines = logged_after(&[
        success(1),
        expired(2),
        failure(3, TlsReason::Timeout),
        failure(4, DnsReason::Timeout),
        success(5),
        success(6),
        expired(7),
    ]);
    let starts = [
        "WARN not reachable ",
        "WARN still not reachable, ",
        "WARN still not reachable, ",
        "INFO reachable again ",
        "WARN not reachable ",
    ];
    assert_eq!(lines.len(), starts.len(), "{lines:#?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(
        lines[3].contains("phase=dns") && lines[3].contains("reason=\"timeout\""),
        "{}",
        lines[3]
    );
}

#[test]
fn a_late_outcome_of_a_former_definition_is_not_logged() {
    let former = fixture::check("site", "moved", "https://former.example/");
    let moved = fixture::check("site", "moved", "https://moved.example/");
    let gone = fixture::check("site", "gone", "https://gone.example/");
    let log = StateLog::default();
    log.planned(&fixture::plan([&former, &gone]));
    let (late, removed) = (log.watch(&former), log.watch(&gone));
    let lines = logged(|| {
        late.observed(&success(1));
        removed.observed(&success(1));
        log.planned(&fixture::plan([&moved]));
        let watcher = log.watch(&moved);
        watcher.observed(&success(2));
        late.observed(&expired(3));
        removed.observed(&expired(3));
        watcher.observed(&success(4));
    });
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn a_reload_leaves_the_watcher_of_what_did_not_change_in_place() {
    let before = fixture::check("site", "kept", "https://kept.example/");
    let same = fixture::check("site", "kept", "https://kept.example/");
    let log = StateLog::default();
    log.planned(&fixture::plan([&before]));
    let watcher = log.watch(&before);
    log.planned(&fixture::plan([&same]));
    let lines = logged(|| watcher.observed(&expired(1)));
    assert_eq!(lines.len(), 1, "{lines:#?}");
}

#[test]
fn a_reload_forgets_only_what_has_left() {
    let kept = fixture::check("site", "kept", "https://kept.example/");
    let gone = fixture::check("site", "gone", "https://gone.example/");
    let log = StateLog::default();
    log.planned(&fixture::plan([&gone, &kept]));
    let lines = logged(|| {
        log.watch(&kept).observed(&expired(1));
        log.watch(&gone).observed(&expired(1));
        log.planned(&fixture::plan([&kept]));
        let mended = fixture::check("site", "kept", "https://mended.example/");
        log.planned(&fixture::plan([&mended]));
        log.watch(&mended).observed(&success(2));
        log.planned(&fixture::plan([&gone, &mended]));
        log.watch(&gone).observed(&expired(3));
    });
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(lines[2].starts_with("INFO reachable again"), "{}", lines[2]);
    assert!(lines[3].starts_with("WARN not reachable"), "{}", lines[3]);
}

#[test]
fn changes_of_holds_are_logged_apart_from_those_of_probes() {
    let check = fixture::with_hold(&fixture::check(
        "site",
        "gateway",
        "https://gateway.example/",
    ));
    let log = StateLog::default();
    log.planned(&fixture::plan([&check]));
    let (probes, holds) = (log.watch(&check), log.watch(&check));
    let lines = logged(|| {
        holds.held(&fixture::held(1));
        holds.held(&fixture::cut(2));
        probes.observed(&success(3));
        holds.held(&fixture::cut(4));
        holds.held(&fixture::never_held(5, TlsReason::Timeout));
        holds.held(&fixture::held(6));
    });
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(
        lines[0],
        "WARN an idle connection was not held service=site endpoint=gateway route=direct \
         url=https://gateway.example/ phase=hold peer=proxy reason=\"closed_early\" \
         detail=it was closed held=4s"
    );
    assert!(
        lines[1].contains("still not held") && lines[1].contains("phase=tls"),
        "{lines:#?}"
    );
    assert!(
        lines[2].starts_with("INFO an idle connection is held again "),
        "{lines:#?}"
    );
}
