//! systemd around the daemon: its sockets, and what it is told.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;

use super::{CONFIG, SOON, utf8};
use crate::kit::{Daemon, Lab, Reachd, command, http, run_to_end, wait};
use crate::suite::{SharedLab, trial};

pub(super) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("web::sockets_of_systemd", lab, sockets),
        trial("web::systemd_is_told", lab, told),
    ]
}

/// Two sockets, of TCP and of Unix, which systemd's own tool opens and hands over with the first client.
fn sockets(lab: &Lab) {
    let config = lab.write("web-sockets.yml", CONFIG);
    let address = lab.fresh_address();
    let listen = format!("--listen={address}");
    let path = lab.path("web.socket");
    let local = format!("--listen={}", path.display());
    let line = [
        "systemd-socket-activate",
        &listen,
        &local,
        "--fdname=tcp:local",
        env!("CARGO_BIN_EXE_reachd"),
        "run",
        "--web.systemd-socket",
        "--config.file",
        utf8(&config),
    ];
    let mut reachd = Daemon::start("web-sockets", &line, lab.dir());
    reachd.wait_for(address);
    let answered = wait::within(SOON, || http::get(address, "/-/healthy").ok());
    assert_eq!(
        answered.map(|answer| answer.status),
        Some(200),
        "{}",
        reachd.log()
    );
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--max-time", "20", "--unix-socket", utf8(&path)])
        .arg("http://reachd/-/healthy");
    let local = run_to_end(curl);
    assert_eq!(local.stdout, "Healthy\n", "{local:?}\n{}", reachd.log());

    let line = [
        "run",
        "--web.systemd-socket",
        "--config.file",
        utf8(&config),
    ];
    let refused = run_to_end(command(&line));
    assert_eq!(refused.exit_code, 64, "{refused:?}");
    assert!(refused.stderr.contains("no socket"), "{refused:?}");
    let both = [&line[..], &["--web.listen-address", "127.0.0.1:0"]].concat();
    assert_eq!(run_to_end(command(&both)).exit_code, 64);
}

/// What a service manager hears from the start to the end.
fn told(lab: &Lab) {
    let path = lab.path("notify.socket");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(SOON)).unwrap();
    let config = lab.write("web-told.yml", CONFIG);
    let mut reachd = Reachd::start_in(lab, "web-told", &config, &[], |command| {
        command
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "1000000");
    });
    let hear = |expected: &str| {
        let mut heard = Vec::new();
        // The watchdog is fed in between, however long it takes.
        for _ in 0..100 {
            let mut message = [0; 1024];
            let length = manager
                .recv(&mut message)
                .unwrap_or_else(|error| panic!("{expected} ({error}) after {heard:#?}"));
            let message = String::from_utf8_lossy(&message[..length]).into_owned();
            if message.starts_with(expected) {
                return message;
            }
            heard.push(message);
        }
        panic!("{expected} was not heard: {heard:#?}");
    };
    hear("STATUS=probing 1 check\n");
    hear("READY=1\n");
    for _ in 0..3 {
        hear("WATCHDOG=1\n");
    }
    reachd.daemon.signal("HUP");
    let reloading = hear("RELOADING=1\n");
    let at = reloading.trim_end().split_once("MONOTONIC_USEC=");
    let at = at.and_then(|(_, at)| at.parse::<u64>().ok());
    assert!(at.is_some_and(|at| at > 0), "{reloading}");
    hear("READY=1\n");
    std::fs::write(&config, "nonsense: {}\n").unwrap();
    reachd.daemon.signal("HUP");
    hear("RELOADING=1\n");
    hear("STATUS=the configuration was not reloaded");
    hear("READY=1\n");
    hear("WATCHDOG=1\n");
    reachd.daemon.signal("TERM");
    hear("STOPPING=1\n");
    let ended = reachd.daemon.wait_for_end(Duration::from_secs(30));
    assert!(ended.success());
}
