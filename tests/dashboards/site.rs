//! The site that the dashboards show: endpoints at the end of long lines, the reachd that probes them, and a Prometheus
//! that scrapes it.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::kit::{Daemon, Lab, Reachd};

use super::line::Line;

/// The hosts of the site with the days that their certificates have left.
const HOSTS: [(&str, i32); 6] = [
    ("gateway", 82),
    ("sign-in", 61),
    ("graph", 25),
    ("admin-service", 9),
    ("notifications", 74),
    ("legacy-console", -3),
];

/// Whose certificate names a list that should have been replaced yesterday.
const LATE_LIST: &str = "notifications";

/// How fast everything happens.
pub(super) struct Pace {
    pub(super) probe: &'static str,
    pub(super) hold: &'static str,
    pub(super) derived: &'static str,
    pub(super) scrape: &'static str,
}

/// The lines by what is at their end. Each can be slow, or down.
pub(super) struct Lines {
    pub(super) gateway: Line,
    pub(super) cloud: Line,
    pub(super) content: Line,
    pub(super) corp: Line,
    pub(super) branch: Line,
}

/// The site. It ends with the value.
pub(super) struct Site {
    pub(super) lines: Lines,
    pub(super) reachd: Reachd,
    _nginx: Daemon,
}

impl Site {
    /// Starts all of it; every line is up.
    pub(super) fn start(lab: &Lab, name: &str, pace: &Pace) -> Self {
        let dir = lab.path(&format!("dashboards-{name}"));
        fs::create_dir(&dir).unwrap();
        for (host, days_left) in HOSTS {
            issue(lab, &dir, host, days_left);
        }
        late_list(lab, &dir);
        let hosts = port(lab);
        let conf = include_str!("nginx.conf")
            .replace("@site@", dir.to_str().expect("a path in UTF-8"))
            .replace("@hosts@", &hosts.to_string());
        let conf = lab.write(&format!("dashboards-{name}/nginx.conf"), &conf);
        let command = ["nginx", "-e", "stderr", "-c", conf.to_str().unwrap()];
        let mut nginx = Daemon::start(&format!("dashboards-{name}-nginx"), &command, lab.dir());
        let endpoints = lab.address("nginx-revocation");
        nginx.wait_for((endpoints, hosts));

        let line = |at: Ipv4Addr, to: u16, delay: u64| {
            Line::new((at, port(lab)).into(), (at, to).into(), delay)
        };
        let squid = lab.address("squid");
        let lines = Lines {
            gateway: line(endpoints, hosts, 19),
            cloud: line(endpoints, hosts, 12),
            content: line(endpoints, 443, 7),
            corp: line(squid, 3128, 3),
            branch: line(squid, 3443, 11),
        };
        let config = include_str!("site.yml")
            .replace("@interval@", pace.probe)
            .replace("@hold@", pace.hold)
            .replace("@derived@", pace.derived)
            .replace("@state@", &format!("dashboards-{name}/state"))
            .replace("@hosts@", &hosts.to_string());
        let config = [
            ("@gateway@", &lines.gateway),
            ("@cloud@", &lines.cloud),
            ("@content@", &lines.content),
            ("@corp@", &lines.corp),
            ("@branch@", &lines.branch),
        ]
        .iter()
        .fold(config, |config, (name, line)| {
            config.replace(name, &line.address.port().to_string())
        });
        fs::create_dir(dir.join("state")).unwrap();
        let config = lab.write(&format!("dashboards-{name}/reachd.yml"), &config);
        let reachd = Reachd::start(lab, &format!("dashboards-{name}"), &config);
        reachd.wait_until_ready();
        Self {
            lines,
            reachd,
            _nginx: nginx,
        }
    }
}

/// A Prometheus that scrapes; `instances` has the name of each target and where it is.
pub(super) fn prometheus(
    lab: &Lab,
    storage: &Path,
    scrape: &str,
    instances: &[(&str, SocketAddr)],
) -> (Daemon, SocketAddr) {
    let targets = instances
        .iter()
        .fold(String::new(), |mut targets, (name, address)| {
            writeln!(
                targets,
                "      - {{targets: [\"{address}\"], labels: {{instance: \"{name}\"}}}}"
            )
            .unwrap();
            targets
        });
    let config = include_str!("prometheus.yml")
        .replace("@scrape@", scrape)
        .replace("@targets@", targets.trim_end());
    let config = lab.write("dashboards-prometheus.yml", &config);
    let listener =
        TcpListener::bind((lab.address("prometheus"), 0)).expect("an address of the lab");
    let address = listener.local_addr().expect("a bound listener");
    drop(listener);
    let flags = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", storage.display()),
        format!("--web.listen-address={address}"),
    ];
    let flags = flags.each_ref().map(String::as_str);
    let command = [&["prometheus"][..], &flags].concat();
    let mut prometheus = Daemon::start("dashboards-prometheus", &command, lab.dir());
    prometheus.wait_for(address);
    (prometheus, address)
}

/// Issues the certificate of a host, by the authority of tests/lab/revocation.sh.
fn issue(lab: &Lab, dir: &Path, host: &str, days_left: i32) {
    let name = format!("{host}.rev.lab.test");
    let list = if host == LATE_LIST { "late" } else { "good" };
    let leaf = dir.join(format!("{name}.leaf"));
    let made = "openssl req -x509 -new -config ca.cnf -key leaf.key -CA inter.ca -CAkey inter.key -days 90";
    let mut openssl = days_before(90 - days_left, made);
    openssl
        .args(["-subj", &format!("/CN={name}"), "-addext"])
        .arg(format!("subjectAltName = DNS:{name}"))
        .arg("-addext")
        .arg(format!(
            "crlDistributionPoints = URI:http://crl.rev.lab.test/{list}.crl"
        ))
        .arg("-out")
        .arg(&leaf);
    run(lab, &mut openssl);
    let chain =
        [leaf, lab.path("revocation/inter.ca")].map(|path| fs::read_to_string(path).unwrap());
    fs::write(dir.join(format!("{name}.pem")), chain.concat()).unwrap();
}

/// Publishes a list that was to be replaced a day ago.
fn late_list(lab: &Lab, dir: &Path) {
    for (file, text) in [("index.txt", ""), ("crlnumber", "01\n")] {
        fs::write(dir.join(file), text).unwrap();
    }
    let settings = fs::read_to_string(lab.path("revocation/ca.cnf")).unwrap();
    let own = |name: &str| dir.join(name).display().to_string();
    let settings = settings
        .replace("= index.txt", &format!("= {}", own("index.txt")))
        .replace(
            "crlnumber = crlnumber",
            &format!("crlnumber = {}", own("crlnumber")),
        );
    fs::write(dir.join("ca.cnf"), settings).unwrap();
    let made = "openssl ca -gencrl -cert inter.ca -keyfile inter.key -crldays 7";
    let mut openssl = days_before(8, made);
    openssl.args(["-config", &own("ca.cnf"), "-out", &own("late.list")]);
    run(lab, &mut openssl);
    let mut convert = Command::new("openssl");
    convert
        .args(["crl", "-in", &own("late.list"), "-outform", "DER"])
        .args(["-out", "crl/late.crl"]);
    run(lab, &mut convert);
}

/// A command for which today is some days ago (or ahead).
fn days_before(days: i32, command: &str) -> Command {
    let mut faketime = Command::new("faketime");
    faketime.args(["-f", &format!("{:+}d", -days)]);
    faketime.args(command.split(' '));
    faketime
}

/// Runs it where the authority's files are.
fn run(lab: &Lab, command: &mut Command) {
    let output = command
        .current_dir(lab.path("revocation"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// A port that nobody else of the run takes, on whatever address.
fn port(lab: &Lab) -> u16 {
    lab.fresh_address().port()
}

/// How long anything of the site may take until it is seen.
pub(super) const SOON: Duration = Duration::from_secs(90);
