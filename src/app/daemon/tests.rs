//! The daemon without its process: how it ends.

use std::fmt::Write as _;

use clap::Parser;
use tempfile::TempDir;

use super::*;
use crate::app::arguments::Arguments;
use crate::metrics::Format;
use crate::outcome::RequiredRoot;
use crate::plan::fixture::success;
use crate::platform::ListeningSocket;
use crate::server::Front;

/// A configuration with one check that nothing answers, on this machine.
fn configured() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reachd.yml");
    let text = "endpoints:\n  - {name: nobody, url: \"tcp://127.0.0.1:9\"}\n";
    std::fs::write(&file, text).unwrap();
    (dir, file)
}

fn arguments() -> DaemonArguments {
    Arguments::parse_from(["reachd"]).daemon
}

/// What a daemon comes to whose server is this.
fn ended_with(
    serve: impl FnOnce(Server, CancellationToken) -> Result<Serving, Fault>,
) -> Result<(), Fault> {
    let (_dir, file) = configured();
    let arguments = arguments();
    let setup = Setup::load(Some(&file), None).unwrap();
    let runtime = probing_runtime(1).unwrap();
    let (daemon, server) = {
        let _in_runtime = runtime.enter();
        Daemon::new(Some(&file), &arguments, setup)
    };
    live(&runtime, daemon, |stop| serve(server, stop))
}

#[test]
fn a_daemon_ends_well_when_it_is_told_to() {
    let ended = ended_with(|server, stop| {
        stop.cancel();
        Serving::start(Vec::new(), server, Front::default(), stop)
    });
    assert!(ended.is_ok(), "{ended:?}");
}

#[test]
fn a_daemon_whose_server_panics_ends_with_a_fault() {
    let ended = ended_with(|_, stop| Serving::on_thread(stop, || panic!("a fault in the server")));
    assert!(matches!(ended, Err(Fault::Internal(_))), "{ended:?}");
}

#[tokio::test]
async fn a_root_whose_time_ends_while_the_daemon_runs_is_told() {
    let (_dir, file) = configured();
    let arguments = arguments();
    let setup = Setup::load(Some(&file), None).unwrap();
    let (mut daemon, server) = Daemon::new(Some(&file), &arguments, setup);
    let now = SystemTime::now();
    let root = |not_after| RequiredRoot {
        root: "some root".to_owned(),
        sha256: "ab".repeat(32),
        store: "system".to_owned(),
        validity: Some((SystemTime::UNIX_EPOCH, not_after)),
        bundled: true,
    };
    let shown = || server.trust_store.borrow()[0].state;
    daemon.setup.trust_store = vec![root(now + Duration::from_secs(60))];
    daemon.judge_roots();
    assert_eq!(shown(), RootState::Present);
    daemon.setup.trust_store = vec![root(now - Duration::from_secs(1))];
    daemon.judge_roots();
    assert_eq!(shown(), RootState::Expired);
    let pieces: Vec<_> = daemon.metrics.exposition(Format::Text).collect();
    let metrics = String::from_utf8(pieces.concat()).unwrap();
    assert!(metrics.contains("state=\"expired\""), "{metrics}");
    assert!(!metrics.contains("state=\"present\""), "{metrics}");
}

/// Ten thousand checks, of which those have another timeout whose number this divides.
fn many(changed: usize) -> String {
    let mut text = "metrics: {histograms: service}\nendpoints:\n".to_owned();
    for number in 0..10_000 {
        let timeout = if number % changed == 0 { 6 } else { 7 };
        let _ = writeln!(
            text,
            "  - {{name: e{number}, url: \"tcp://127.0.0.1:9\", timeout: {timeout}s}}"
        );
    }
    text
}

#[test]
fn a_reload_of_one_in_a_hundred_touches_no_other_check() {
    let (_dir, file) = configured();
    std::fs::write(&file, many(usize::MAX)).unwrap();
    let former = Setup::load(Some(&file), None).unwrap();
    let (metrics, history) = (Metrics::new(), History::default());
    let observers: [&dyn Observer; 2] = [&metrics, &history];
    for observer in observers {
        observer.planned(&former.plan);
        for check in &former.plan.checks {
            observer.watch(check).observed(&success(1));
        }
    }
    std::fs::write(&file, many(100)).unwrap();
    let heritage = former.heritage(&Arc::default());
    let setup = Setup::succeeding(&heritage, Some(&file)).unwrap();
    let checks = former.plan.checks.iter().zip(&setup.plan.checks);
    let changed = checks.filter(|(former, check)| !Arc::ptr_eq(former, check));
    // The first had the shorter timeout before.
    assert_eq!(changed.count(), 99);
    for observer in observers {
        observer.planned(&setup.plan);
    }
    let histories = history.snapshot();
    let known = histories.iter().filter(|known| known.latest().is_some());
    assert_eq!(known.count(), 9_901);
    let pieces: Vec<_> = metrics.exposition(Format::Text).collect();
    let text = String::from_utf8(pieces.concat()).unwrap();
    let lines = |start: &str, end: &str| {
        let lines = text.lines();
        let found = lines.filter(|line| line.starts_with(start) && line.ends_with(end));
        found.count()
    };
    assert_eq!(lines("reachd_probe_success{", " 1"), 9_901);
    // Counters are the key's, and outlive what is known of a former definition.
    assert_eq!(
        lines("reachd_probes_total{", "result=\"success\"} 1"),
        10_000
    );
}

#[cfg(unix)]
#[test]
fn a_daemon_whose_listener_cannot_be_served_ends_with_a_fault() {
    let ended = ended_with(|server, stop| {
        // What is no socket cannot be waited for.
        let file = std::fs::File::open("Cargo.toml").unwrap();
        let listener = std::net::TcpListener::from(std::os::fd::OwnedFd::from(file));
        listener.set_nonblocking(true).unwrap();
        let sockets = vec![ListeningSocket::Tcp(listener)];
        Serving::start(sockets, server, Front::default(), stop)
    });
    assert!(matches!(ended, Err(Fault::Internal(_))), "{ended:?}");
}
