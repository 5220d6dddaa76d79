//! The daemon without its process: how it ends.

use clap::Parser;
use tempfile::TempDir;

use super::*;
use crate::app::arguments::Arguments;
use crate::metrics::Format;
use crate::outcome::RequiredRoot;
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
    let (daemon, server) = Daemon::new(Some(&file), &arguments, setup);
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

#[test]
fn a_root_whose_time_ends_while_the_daemon_runs_is_told() {
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
