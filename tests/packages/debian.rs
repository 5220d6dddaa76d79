//! The Debian package on a machine of its own: it installs, starts, reloads, upgrades, and goes; its unit's
//! sandbox is the real one.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::machine::Machine;
use super::{ROOT, run_tool, trial};
use crate::kit::{Finished, run_to_end_within};

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("packages::debian", whole_life)]
}

/// How long packing may take: it is compressed beside other tests.
const PACK_WITHIN: Duration = Duration::from_secs(240);

const HEALTHY: &str = "curl --silent --fail --max-time 5 http://127.0.0.1:9797/-/healthy";

/// What an administrator writes: a dead proxy with a login, and a script, so that reachd reads a secret and starts a process.
const CONFIGURATION: &str = "\
state_dir: /var/lib/reachd
global: {interval: 1s, timeout: 1s}
proxies:
  corp:
    url: http://127.0.0.1:1
    auth: {basic: {username: svc, password_file: /run/credentials/reachd.service/secret_corp}}
  script: {pac: {file: /etc/reachd/proxy.pac}}
routes: [corp, script]
endpoints:
  - {name: before, url: \"http://web.invalid/\"}
";

fn whole_life() {
    let packages = TempDir::new().unwrap();
    let first = pack(packages.path());
    no_error_of_lintian(&first);
    newer(&first, packages.path());

    let machine = Machine::boot(packages.path());
    machine.must("dpkg --install /files/first.deb");
    machine.must("systemd-analyze verify reachd.service");
    machine.must("systemd-analyze security --threshold=15 reachd.service");
    machine.must("systemctl is-enabled --quiet reachd && systemctl is-active --quiet reachd");
    machine.must("reachd config check /etc/reachd/reachd.yml");
    machine.wait_until(HEALTHY);

    configure(&machine);
    serves_what_is_configured(&machine);
    comes_back(&machine);
    is_watched(&machine);
    stays_down_with_a_wrong_configuration(&machine);
    upgrades(&machine);
    leaves_the_port_to_systemd(&machine);
    goes(&machine);
}

/// Every secret is read, although root alone may, and the process of the proxy script works under the sandbox.
fn configure(machine: &Machine) {
    machine.must(&format!(
        "test \"$(stat -c %a:%U /etc/reachd/secrets)\" = 700:root
        echo s3cret >/etc/reachd/secrets/corp
        chmod 600 /etc/reachd/secrets/corp
        echo 'function FindProxyForURL(url, host) {{ return \"PROXY 127.0.0.1:1\"; }}' >/etc/reachd/proxy.pac
        cat >/etc/reachd/reachd.yml <<'END'\n{CONFIGURATION}END
        systemctl restart reachd"
    ));
    for route in ["corp", "script"] {
        machine.wait_until(&format!(
            "curl --silent http://127.0.0.1:9797/metrics | grep 'reachd_probe_failing.*route=\"{route}\".*peer=\"proxy\",reason=\"refused\"'"
        ));
    }
    machine.wait_until(
        "curl --silent http://127.0.0.1:9797/metrics | grep process_start_time_seconds",
    );
    machine.wait_until("reachd healthcheck --ready");
    // As root, a check by hand reads the secrets of the service that runs.
    machine.must(
        "code=0; reachd check --config.file /etc/reachd/reachd.yml || code=$?; test $code = 2",
    );
    // The user has no name in any file, and the state is its alone.
    machine.must(
        "test \"$(stat -c %a /var/lib/private/reachd)\" = 700
        test -s /var/lib/reachd/history.redb
        ! grep reachd /etc/passwd
        ! systemctl show --property User reachd | grep root",
    );
}

fn serves_what_is_configured(machine: &Machine) {
    machine.must(
        "sed -i 's/name: before/name: after/' /etc/reachd/reachd.yml
        systemctl reload reachd",
    );
    machine.wait_until("curl --silent http://127.0.0.1:9797/metrics | grep 'endpoint=\"after\"'");
}

fn comes_back(machine: &Machine) {
    let before = machine.must("systemctl show --property MainPID --value reachd");
    machine.must("systemctl kill --signal KILL --kill-whom main reachd");
    machine.wait_until(&format!(
        "{HEALTHY} && test \"$(systemctl show --property MainPID --value reachd)\" != {before}"
    ));
}

/// A reachd that does not get along, here because it is stopped, is killed and started again.
fn is_watched(machine: &Machine) {
    let before = machine.must(
        "mkdir -p /etc/systemd/system/reachd.service.d
        printf '[Service]\\nWatchdogSec=10s\\n' >/etc/systemd/system/reachd.service.d/test.conf
        systemctl daemon-reload
        systemctl restart reachd
        systemctl show --property MainPID --value reachd",
    );
    machine.must("systemctl kill --signal STOP --kill-whom main reachd");
    machine.wait_until(&format!(
        "{HEALTHY} && test \"$(systemctl show --property MainPID --value reachd)\" != {before}"
    ));
    machine.must(
        "journalctl --unit reachd | grep 'Watchdog timeout'
        rm -r /etc/systemd/system/reachd.service.d
        systemctl daemon-reload",
    );
}

fn stays_down_with_a_wrong_configuration(machine: &Machine) {
    machine.must(
        "cp /etc/reachd/reachd.yml /root/good.yml
        echo 'no_such_key: 1' >>/etc/reachd/reachd.yml
        ! systemctl restart reachd",
    );
    // It is not tried again, though the exit code is a failure.
    machine.wait_until("systemctl is-failed --quiet reachd");
    machine.must("test \"$(systemctl show --property ExecMainStatus --value reachd)\" = 64");
    machine.must("journalctl --unit reachd | grep no_such_key");
    machine.must("cp /root/good.yml /etc/reachd/reachd.yml; systemctl restart reachd");
    machine.wait_until(HEALTHY);
}

/// The newer package brings another configuration; the changed one stays.
fn upgrades(machine: &Machine) {
    let before = machine.must("systemctl show --property MainPID --value reachd");
    machine.must("dpkg --force-confdef --force-confold --install /files/newer.deb");
    machine.wait_until(HEALTHY);
    machine.must(&format!(
        "test \"$(systemctl show --property MainPID --value reachd)\" != {before}
        dpkg-query --show --showformat '${{Version}}' reachd | grep 99.0.0
        cmp /root/good.yml /etc/reachd/reachd.yml
        grep newer /etc/reachd/reachd.yml.dpkg-dist"
    ));
}

fn goes(machine: &Machine) {
    machine.must(
        "dpkg --remove reachd
        ! systemctl is-active --quiet reachd
        test ! -e /usr/bin/reachd
        cmp /root/good.yml /etc/reachd/reachd.yml
        test -s /etc/reachd/secrets/corp
        test -s /var/lib/private/reachd/history.redb",
    );
    machine.must(
        "rm /etc/reachd/proxy.pac
        dpkg --purge reachd
        ls -d /etc/reachd /etc/default/reachd /var/lib/reachd /var/lib/private/reachd /etc/systemd/system/*/reachd.* && exit 1
        ! dpkg-query --show reachd",
    );
}

/// systemd holds the port, so that the first scrape starts reachd instead of being refused.
fn leaves_the_port_to_systemd(machine: &Machine) {
    machine.must(
        "systemctl stop reachd
        cp /usr/share/doc/reachd/examples/reachd.socket /etc/systemd/system/
        cp /etc/default/reachd /root/default
        echo REACHD_ARGS=--web.systemd-socket >>/etc/default/reachd
        systemctl daemon-reload
        systemd-analyze verify reachd.socket
        systemctl enable --now reachd.socket
        ! systemctl is-active --quiet reachd.service",
    );
    machine.must(HEALTHY);
    machine.must("systemctl is-active --quiet reachd.service");
    machine.must(
        "systemctl disable --now reachd.socket
        systemctl stop reachd
        rm /etc/systemd/system/reachd.socket
        cp /root/default /etc/default/reachd
        systemctl daemon-reload
        systemctl start reachd",
    );
}

/// The package of the program of this test run, at `first.deb` in the folder.
fn pack(folder: &Path) -> PathBuf {
    let target = TempDir::new().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_reachd")).parent().unwrap();
    symlink(programs, target.path().join("release")).unwrap();
    let package = folder.join("first.deb");
    let tools = Path::new(ROOT).join("target/tools/bin");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut build = Command::new(Path::new(ROOT).join("deploy/debian/build"));
    build
        .args(["--no-build", "--offline", "--fast", "--output"])
        .arg(&package)
        .env("CARGO_TARGET_DIR", target.path())
        .env("PATH", format!("{}:{path}", tools.display()));
    succeeds(&run_to_end_within(PACK_WITHIN, build, Stdio::null()));
    package
}

/// The same as version 99.0.0, with another configuration.
fn newer(package: &Path, folder: &Path) {
    let unpacked = TempDir::new().unwrap();
    let mut script = Command::new("sh");
    script
        .args([
            "-ec",
            "dpkg-deb --raw-extract $0 $1/tree
            sed -i 's/^Version:.*/Version: 99.0.0-1/' $1/tree/DEBIAN/control
            echo '# newer' >>$1/tree/etc/reachd/reachd.yml
            rm -f $1/tree/DEBIAN/md5sums
            dpkg-deb --root-owner-group -Znone --build $1/tree $2",
        ])
        .arg(package)
        .arg(unpacked.path())
        .arg(folder.join("newer.deb"));
    succeeds(&run_to_end_within(PACK_WITHIN, script, Stdio::null()));
}

fn no_error_of_lintian(package: &Path) {
    let package = package.to_str().expect("a path in UTF-8");
    run_tool("lintian", &["--fail-on", "error", "--allow-root", package]);
}

fn succeeds(finished: &Finished) {
    assert_eq!(finished.exit_code, 0, "{finished:#?}");
}
