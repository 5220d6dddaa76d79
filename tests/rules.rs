//! The alerts end to end: a real Prometheus with the rules that are delivered, a real Alertmanager with the routes that are
//! delivered, and one notification for a dead proxy, however many checks are behind it.

mod files;
mod receiver;

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;
use regex::{Captures, Regex};
use serde_json::Value;

use self::receiver::{Notification, Receiver};
use crate::kit::{Daemon, Lab, Reachd, as_squid, http, wait};
use crate::suite::{SharedLab, trial};

/// How long anything may take that is waited for.
const SOON: Duration = Duration::from_secs(120);

/// What comes although it should not has come by then: longer than Alertmanager waits with a group.
const LATER: Duration = Duration::from_secs(12);

/// How many checks are behind the proxy.
const CHECKS: usize = 8;

/// Of the rules' `for` and `keep_firing_for`, a minute is this many seconds: nothing else of them is changed.
const SECONDS_A_MINUTE: u32 = 3;

/// What Alertmanager's configuration is given in place of what is delivered.
const SUBSTITUTIONS: [(&str, &str); 2] = [
    ("group_wait: 30s", "group_wait: 3s"),
    ("group_interval: 5m", "group_interval: 5s"),
];

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![trial(
        "rules::a_dead_proxy_is_one_notification",
        lab,
        a_dead_proxy_is_one_notification,
    )]
}

/// Those that need no lab.
pub(crate) fn of_files() -> Vec<Trial> {
    files::trials()
}

fn a_dead_proxy_is_one_notification(lab: &Lab) {
    let mut squid = Squid::new(lab);
    let running = squid.start(lab);
    let config = lab.write("alerted.yml", &configuration(squid.address));
    let reachd = Reachd::start(lab, "alerted", &config);
    reachd.wait_until_ready();
    let watched = Watched::start(lab, &reachd);
    watched.wait_for(
        "every check to succeed",
        "reachd_probe_success == 1",
        CHECKS + 1,
    );

    drop(running);
    let explained = "ALERTS{alertname=\"ReachdCriticalEndpointDown\", alertstate=\"firing\", cause=\"proxy_down\"}";
    watched.wait_for("every endpoint's alert, with its cause", explained, CHECKS);
    watched.wait_for(
        "the service to be down",
        "service_route:reachd_service_status:max == 2",
        1,
    );
    watched.wait_until_muted(CHECKS);
    watched.wait_for_notifications(1);
    watched.assert_texts();
    thread::sleep(LATER);
    // What a cause explained needs no alert of the service, that would have to be muted until its last check has recovered.
    let of_service = "ALERTS{alertname=\"ReachdServiceDown\"}";
    watched.wait_for("no alert of the service", of_service, 0);
    let told = watched.receiver.received();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_is_of_cause(&told[0], "firing");
    let link = format!("http://{}/explain/proxy_down", reachd.address);
    let annotations = &told[0].body["alerts"][0]["annotations"];
    assert_eq!(annotations["runbook_url"], link.as_str());

    let running = squid.start(lab);
    watched.wait_for_notifications(2);
    thread::sleep(LATER);
    let told = watched.receiver.received();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_is_of_cause(&told[1], "resolved");
    drop(running);
}

fn configuration(proxy: SocketAddr) -> String {
    let mut text = format!(
        "global: {{interval: 2s, timeout: 1500ms, retry_interval: 1s, resolver: lab}}\n\
         resolvers: {{lab: {{servers: [\"@knot@:53\"], transport: udp}}}}\n\
         tls: {{ca_file: \"@dir@/pki/root.pem\"}}\nrevocation: {{mode: off}}\n\
         proxies: {{corp: {{url: \"http://{proxy}\"}}}}\nroutes: [corp]\nendpoints:\n\
         \x20 - {{name: beside, service: s, url: \"https://web.lab.test/\", routes: [direct]}}\n"
    );
    for number in 1..=CHECKS {
        let url = format!("https://web.lab.test/status/200?{number}");
        writeln!(text, "  - {{name: e{number}, service: s, url: \"{url}\"}}").unwrap();
    }
    text
}

/// One alert, the cause, by the receiver of what is critical.
fn assert_is_of_cause(told: &Notification, status: &str) {
    let Notification { path, body } = told;
    assert_eq!(
        (path.as_str(), &body["status"]),
        ("/on-call", &status.into())
    );
    let alerts = body["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "{body:#}");
    let label = |name: &str| alerts[0]["labels"][name].as_str().unwrap_or_default();
    let names = [
        "alertname",
        "cause",
        "subject",
        "critical",
        "severity",
        "site",
    ];
    assert_eq!(
        names.map(label),
        [
            "ReachdCause",
            "proxy_down",
            "corp",
            "true",
            "critical",
            "lab"
        ]
    );
    let description = alerts[0]["annotations"]["description"].as_str().unwrap();
    assert!(
        description.contains("The proxy cannot be reached or used"),
        "{description}"
    );
    assert!(description.contains("\n1. "), "{description}");
}

/// A reachd that a Prometheus watches, whose alerts an Alertmanager sends to a receiver.
struct Watched {
    prometheus: Daemon,
    prometheus_address: SocketAddr,
    alertmanager: Daemon,
    alertmanager_address: SocketAddr,
    receiver: Receiver,
}

impl Watched {
    fn start(lab: &Lab, reachd: &Reachd) -> Self {
        let [receiver_address, alertmanager_address, prometheus_address] =
            [(); 3].map(|()| free_port(lab.address("prometheus")));
        let receiver = Receiver::start(receiver_address);
        let config = alertmanager_configuration(receiver_address);
        let alertmanager = start(
            lab,
            "prometheus-alertmanager",
            alertmanager_address,
            &lab.write("alerted-alertmanager.yml", &config),
            &["--storage.path=@folder@", "--cluster.listen-address="],
        );
        let rules = shortened_rules(lab);
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{site: lab}}}}\n\
             rule_files: [\"{}/*.yml\"]\n\
             alerting: {{alertmanagers: [{{static_configs: [{{targets: [\"{alertmanager_address}\"]}}]}}]}}\n\
             scrape_configs: [{{job_name: reachd, static_configs: [{{targets: [\"{}\"]}}]}}]\n",
            rules.display(),
            reachd.address
        );
        let prometheus = start(
            lab,
            "prometheus",
            prometheus_address,
            &lab.write("alerted-prometheus.yml", &config),
            &[
                "--storage.tsdb.path=@folder@",
                "--rules.alert.resend-delay=1s",
            ],
        );
        Self {
            prometheus,
            prometheus_address,
            alertmanager,
            alertmanager_address,
            receiver,
        }
    }

    /// Until the query has so many series.
    fn wait_for(&self, what: &str, query: &str, series: usize) {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("/api/v1/query?query={encoded}");
        let mut seen = Value::Null;
        let found = wait::within(SOON, || {
            seen = ask(self.prometheus_address, &path)?;
            let results = seen["data"]["result"].as_array()?;
            (results.len() == series).then_some(())
        });
        assert!(
            found.is_some(),
            "{what}: {seen:#}\n{}",
            self.prometheus.log()
        );
    }

    /// Until Alertmanager knows so many alerts that it tells nobody of, and one that it does.
    fn wait_until_muted(&self, alerts: usize) {
        let mut seen = Value::Null;
        let found = wait::within(SOON, || {
            seen = ask(self.alertmanager_address, "/api/v2/alerts")?;
            let all = seen.as_array()?;
            let is_muted = |alert: &&Value| alert["status"]["state"] == "suppressed";
            let muted = all.iter().filter(is_muted).count();
            (muted == alerts && all.len() == alerts + 1).then_some(())
        });
        let log = self.alertmanager.log();
        assert!(
            found.is_some(),
            "{alerts} alerts should be muted: {seen:#}\n{log}"
        );
    }

    fn wait_for_notifications(&self, number: usize) {
        let told = wait::within(SOON, || {
            (self.receiver.received().len() >= number).then_some(())
        });
        let log = self.alertmanager.log();
        assert!(told.is_some(), "{:#?}\n{log}", self.receiver.received());
    }

    /// The texts of all alerts that fire or wait are filled.
    fn assert_texts(&self) {
        let answer = ask(self.prometheus_address, "/api/v1/alerts").expect("the alerts");
        let alerts = answer["data"]["alerts"].as_array().unwrap();
        assert!(alerts.len() > CHECKS, "{answer:#}");
        for alert in alerts {
            let texts = alert["annotations"].as_object().unwrap();
            assert_eq!(texts.len(), 3, "{alert:#}");
            for text in texts.values().map(|text| text.as_str().unwrap()) {
                assert!(
                    !text.is_empty() && !text.contains("error expanding"),
                    "{alert:#}"
                );
            }
        }
    }
}

fn ask(server: SocketAddr, path: &str) -> Option<Value> {
    let answer = http::get(server, path).ok()?;
    serde_json::from_str(&answer.body).ok()
}

fn start(lab: &Lab, program: &str, address: SocketAddr, config: &Path, flags: &[&str]) -> Daemon {
    let name = format!("alerted-{program}");
    let folder = lab.path(&format!("{name}-data"));
    let own = [
        program.to_owned(),
        format!("--config.file={}", config.display()),
        format!("--web.listen-address={address}"),
    ];
    let flags = flags.iter();
    let flags = flags.map(|flag| flag.replace("@folder@", folder.to_str().unwrap()));
    let command: Vec<String> = own.into_iter().chain(flags).collect();
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut daemon = Daemon::start(&name, &command, lab.dir());
    daemon.wait_for(address);
    daemon
}

/// Copies of the rules that are delivered, in a folder of their own.
fn shortened_rules(lab: &Lab) -> PathBuf {
    let folder = lab.path("alerted-rules");
    fs::create_dir(&folder).unwrap();
    let wait = Regex::new(r"(?m)^(\s+(?:for|keep_firing_for): )(\d+)([mh])$").unwrap();
    let seconds = |found: &Captures<'_>| {
        let number: u32 = found[2].parse().unwrap();
        let minutes = if &found[3] == "h" {
            60 * number
        } else {
            number
        };
        format!("{}{}s", &found[1], minutes * SECONDS_A_MINUTE)
    };
    for file in files::rule_files() {
        let text = fs::read_to_string(&file).unwrap();
        let text = wait.replace_all(&text, seconds);
        fs::write(folder.join(file.file_name().unwrap()), &*text).unwrap();
    }
    folder
}

/// The configuration that is delivered, but for the receivers, and sooner.
fn alertmanager_configuration(receiver: SocketAddr) -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/deploy/alertmanager/alertmanager.yml"
    );
    let text = fs::read_to_string(path).unwrap();
    let (mut text, receivers) = text.split_once("\nreceivers:\n").map_or_else(
        || panic!("no receivers at the end of {path}"),
        |(text, receivers)| (text.to_owned(), receivers),
    );
    for (delivered, sooner) in SUBSTITUTIONS {
        assert!(text.contains(delivered), "{delivered}");
        text = text.replace(delivered, sooner);
    }
    text.push_str("\nreceivers:\n");
    let names = receivers
        .lines()
        .filter_map(|line| line.strip_prefix("  - name: "));
    for name in names {
        let webhook = format!("webhook_configs: [{{url: \"http://{receiver}/{name}\"}}]");
        writeln!(text, "  - {{name: {name}, {webhook}}}").unwrap();
    }
    text
}

/// A port of an address that is the lab's own, so that nobody takes it meanwhile.
fn free_port(address: Ipv4Addr) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).expect("an address of the lab");
    listener.local_addr().expect("a bound listener")
}

/// The proxy that is stopped and started.
struct Squid {
    address: SocketAddr,
    config: PathBuf,
    runs: usize,
}

impl Squid {
    fn new(lab: &Lab) -> Self {
        let address = lab.fresh_address();
        let text = include_str!("lab/causes-squid.conf");
        let text = text.replace("@listen@", &address.to_string());
        let config = lab.write(
            "alerted-squid.conf",
            &text.replace("causes.log", "alerted.log"),
        );
        Self {
            address,
            config,
            runs: 0,
        }
    }

    fn start(&mut self, lab: &Lab) -> Daemon {
        self.runs += 1;
        let name = format!("alerted{}x{}", std::process::id(), self.runs);
        let config = self.config.to_str().expect("a path in UTF-8");
        let whole = as_squid(&["squid", "-N", "-n", &name, "-f", config]);
        let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
        let mut squid = Daemon::start(&format!("alerted-squid-{}", self.runs), &whole, lab.dir());
        squid.wait_for(self.address);
        squid
    }
}
