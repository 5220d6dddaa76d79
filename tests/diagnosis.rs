//! One fault, one cause: real proxies, resolvers and servers that fail in every way that the diagnosis knows, alone and
//! in pairs, and a proxy that is stopped and started while the daemon looks.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::kit::{
    Daemon, Exposition, Finished, Lab, Reachd, as_squid, command, http, run_to_end, wait,
};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(30);

const INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_millis(1500);

/// What a busy machine may be late.
const SLACK: Duration = Duration::from_secs(3);

const HEAD: &str = "\
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}, dead: {servers: [\"@nobody@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
revocation: {mode: off}
";

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    let mut trials: Vec<Trial> = CASES.iter().map(|case| of_case(case, lab)).collect();
    trials.push(trial(
        "diagnosis::revocation_blocked",
        lab,
        revocation_blocked,
    ));
    trials.push(trial("diagnosis::a_proxy_stops", lab, a_proxy_stops));
    trials.push(trial("diagnosis::a_server_stops", lab, a_server_stops));
    trials
}

/// One round of `reachd check`, and the causes that it must name.
struct Case {
    name: &'static str,
    /// Below HEAD.
    config: &'static str,
    flags: &'static [&'static str],
    /// Kind and subject.
    causes: &'static [(&'static str, &'static str)],
}

const CASES: &[Case] = &[
    Case {
        name: "all_is_well",
        config: "
global: {timeout: 1500ms, resolver: lab}
proxies: {corp: {url: \"http://squid.lab.test:3128\"}}
routes: [direct, corp]
endpoints:
  - {name: a, service: s, url: \"https://web.lab.test/\"}
  - {name: b, service: s, url: \"http://web.lab.test/\"}
",
        flags: &[],
        causes: &[],
    },
    Case {
        name: "dead_proxy_and_dead_endpoint",
        config: "
global: {timeout: 1500ms, resolver: lab}
proxies: {corp: {url: \"http://nobody.lab.test:3128\"}}
routes: [direct, corp]
endpoints:
  - {name: a, service: s, url: \"https://web.lab.test/\"}
  - {name: b, service: s, url: \"http://web.lab.test/\"}
  - {name: gone, service: s, url: \"https://nobody.lab.test/\"}
",
        flags: &[],
        causes: &[("proxy_down", "corp"), ("endpoint_down", "gone")],
    },
    Case {
        name: "one_endpoint_is_no_dead_proxy",
        config: "
global: {timeout: 1500ms, resolver: lab}
proxies: {corp: {url: \"http://nobody.lab.test:3128\"}}
routes: [corp]
endpoints:
  - {name: a, service: s, url: \"https://web.lab.test/\"}
",
        flags: &[],
        causes: &[("endpoint_down", "a")],
    },
    Case {
        name: "wrong_credentials",
        config: "
global: {timeout: 1500ms, resolver: lab}
proxies: {corp: {url: \"http://squid.lab.test:3140\", auth: {basic: {username: alice, password_file: \"@dir@/secrets/wrong\"}}}}
routes: [direct, corp]
endpoints:
  - {name: a, service: s, url: \"https://web.lab.test/\"}
  - {name: b, service: s, url: \"http://web.lab.test/\"}
",
        flags: &[],
        causes: &[("proxy_authentication", "corp")],
    },
    Case {
        name: "denied_by_policy",
        config: "
global: {timeout: 1500ms, resolver: lab}
proxies: {corp: {url: \"http://squid.lab.test:3128\"}}
routes: [corp]
endpoints:
  - {name: a, service: s, url: \"https://web.lab.test/\"}
  - {name: inside, service: s, url: \"https://inside.lab.test/\"}
",
        flags: &[],
        causes: &[("proxy_policy", "corp")],
    },
    Case {
        name: "the_proxy_gets_nowhere",
        config: "
global: {timeout: 5s, resolver: lab}
proxies: {corp: {url: \"http://squid.lab.test:3128\"}}
routes: [corp]
endpoints:
  - {name: a, service: s, url: \"https://nobody.lab.test/\"}
  - {name: b, service: s, url: \"https://nobody.lab.test:444/\"}
",
        flags: &[],
        causes: &[("proxy_upstream", "corp")],
    },
    Case {
        name: "resolver_down_while_a_proxied_route_works",
        config: "
global: {timeout: 1500ms, resolver: dead}
proxies: {corp: {url: \"http://@squid@:3128\"}}
routes: [direct, corp]
endpoints:
  - {name: a, service: s, url: \"https://web.lab.test/\"}
  - {name: b, service: s, url: \"http://expired.lab.test/\"}
",
        flags: &[],
        causes: &[("resolver_down", "dead")],
    },
    Case {
        name: "inspection_on_some_hosts_only",
        config: "
global: {timeout: 3s, resolver: lab}
proxies: {corp: {url: \"http://squid.lab.test:3170\", bypass: [\"web.lab.test:8443\"]}}
routes: [corp]
endpoints:
  - {name: own, service: s, url: \"https://web.lab.test:8443/\", expect: {chain: {roots: [\"@root-sha256@\"]}}}
  - {name: inspected, service: s, url: \"https://web.lab.test/\", expect: {chain: {roots: [\"@root-sha256@\"]}}}
",
        flags: &[],
        causes: &[("tls_inspection", "corp")],
    },
    Case {
        name: "expired_certificate",
        config: "
global: {timeout: 1500ms, resolver: lab}
endpoints:
  - {name: old, service: s, url: \"https://expired.lab.test/\"}
  - {name: a, service: s, url: \"https://web.lab.test/\"}
",
        flags: &[],
        causes: &[("certificate_expiring", "old")],
    },
    Case {
        name: "one_route_only",
        config: "
global: {timeout: 3s, resolver: lab}
proxies: {corp: {url: \"http://squid.lab.test:3128\"}}
routes: [direct, corp]
endpoints:
  - {name: hidden, service: s, url: \"http://only-the-proxy-knows.lab.test/\"}
  - {name: a, service: s, url: \"https://web.lab.test/\"}
",
        flags: &[],
        causes: &[("route_only", "direct")],
    },
    Case {
        name: "endpoint_down",
        config: "
global: {timeout: 3s, resolver: lab}
proxies: {corp: {url: \"http://squid.lab.test:3128\"}}
routes: [direct, corp]
endpoints:
  - {name: gone, service: s, url: \"https://nobody.lab.test/\"}
  - {name: a, service: s, url: \"https://web.lab.test/\"}
",
        flags: &[],
        causes: &[("endpoint_down", "gone")],
    },
    Case {
        name: "idle_connections_cut",
        config: "
global: {timeout: 1500ms, resolver: lab}
proxies: {corp: {url: \"http://squid.lab.test:3128\"}}
routes: [direct, corp]
endpoints:
  - {name: gateway, service: s, url: \"https://web.lab.test/\", hold: {for: 6s, interval: 1m}}
",
        flags: &["--hold"],
        causes: &[("idle_timeout", "corp")],
    },
];

/// Lists of a host that the proxy denies; the endpoint itself is fine.
const REVOCATION: &str = "\
global: {timeout: 5s, resolver: lab}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/revocation/root.pem\"}
revocation: {mode: report, timeout: 3s, methods: [crl], route: corp}
proxies: {corp: {url: \"http://squid.lab.test:3128\"}}
endpoints:
  - {name: a, service: s, url: \"https://crl-blocked.rev.lab.test/\", routes: [direct]}
";

fn of_case(case: &'static Case, lab: &SharedLab) -> Trial {
    let lab = SharedLab::clone(lab);
    Trial::test(format!("diagnosis::{}", case.name), move || {
        let lab = lab.get().expect("the lab runs before its tests");
        let config = lab.write(
            &format!("{}.yml", case.name),
            &format!("{HEAD}{}", case.config),
        );
        let found = causes_of(&check(&config, "json", case.flags).report());
        let mut expected: Vec<String> = case
            .causes
            .iter()
            .map(|(kind, subject)| format!("{kind} {subject}"))
            .collect();
        expected.sort();
        assert_eq!(found, expected);
        Ok(())
    })
}

/// The endpoint is reachable; only its lists are not.
fn revocation_blocked(lab: &Lab) {
    let config = lab.write("revocation-cause.yml", REVOCATION);
    let report = check(&config, "json", &[]).report();
    assert_eq!(causes_of(&report), ["revocation_blocked corp"]);
    assert_eq!(report["causes"][0]["critical"], false);
    let words = report["causes"][0]["evidence"][0]["words"].as_str();
    assert!(words.unwrap().contains("inside.lab.test"), "{words:?}");
}

fn check(config: &Path, format: &str, flags: &[&str]) -> Finished {
    let config = config.to_str().expect("a path in UTF-8");
    let own = ["check", "--config.file", config, "--format", format];
    run_to_end(command(&[&own[..], flags].concat()))
}

/// Kind and subject of each, in order.
fn causes_of(report: &Value) -> Vec<String> {
    let causes = report["causes"]
        .as_array()
        .unwrap_or_else(|| panic!("{report}"));
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap().to_owned();
    let name = |cause: &Value| format!("{} {}", text(cause, "cause"), text(cause, "subject"));
    let mut names: Vec<String> = causes.iter().map(name).collect();
    names.sort();
    names
}

fn of_metrics(metrics: &Exposition) -> BTreeSet<String> {
    let samples = metrics.matching("reachd_cause", &[]);
    let names = samples.iter().map(|sample| {
        let label = |name: &str| sample.labels[name].as_str();
        format!(
            "{} {} {}",
            label("cause"),
            label("subject"),
            label("critical")
        )
    });
    names.collect()
}

/// A squid of the test's own.
struct Squid {
    address: SocketAddr,
    config: PathBuf,
    runs: usize,
}

impl Squid {
    fn new(lab: &Lab) -> Self {
        let address = lab.fresh_address();
        let text = include_str!("lab/causes-squid.conf");
        let config = lab.write(
            "causes-squid.conf",
            &text.replace("@listen@", &address.to_string()),
        );
        Self {
            address,
            config,
            runs: 0,
        }
    }

    fn start(&mut self, lab: &Lab) -> Daemon {
        self.runs += 1;
        let name = format!("causes{}x{}", std::process::id(), self.runs);
        let config = self.config.to_str().expect("a path in UTF-8");
        let whole = as_squid(&["squid", "-N", "-n", &name, "-f", config]);
        let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
        let mut squid = Daemon::start(&format!("causes-squid-{}", self.runs), &whole, lab.dir());
        squid.wait_for(self.address);
        squid
    }
}

/// Everything that was ever shown while it was waited for.
fn watch_until(
    reachd: &Reachd,
    deadline: Duration,
    satisfied: impl Fn(&BTreeSet<String>) -> bool,
) -> (BTreeSet<String>, Option<Duration>) {
    let start = Instant::now();
    let mut seen = BTreeSet::new();
    let done = wait::within(deadline, || {
        let now = of_metrics(&reachd.metrics());
        let is_it = satisfied(&now);
        seen.extend(now);
        is_it.then(|| start.elapsed())
    });
    (seen, done)
}

/// Thirty checks behind one proxy, which dies and comes back: one cause, and never another.
fn a_proxy_stops(lab: &Lab) {
    let mut squid = Squid::new(lab);
    let running = squid.start(lab);
    let mut text = format!(
        "{HEAD}global: {{interval: 5s, timeout: 1500ms, retry_interval: 1s, resolver: lab}}\n\
         proxies: {{corp: {{url: \"http://{}\"}}}}\nroutes: [corp]\nendpoints:\n",
        squid.address
    );
    for number in 1..=30 {
        writeln!(
            text,
            "  - {{name: e{number:02}, service: s, url: \"https://web.lab.test/status/200?{number}\"}}"
        )
        .unwrap();
    }
    text.push_str(
        "  - {name: beside, service: s, url: \"https://web.lab.test/\", routes: [direct]}\n",
    );
    let config = lab.write("a-proxy-stops.yml", &text);
    let reachd = Reachd::start(lab, "a-proxy-stops", &config);
    reachd.wait_until_ready();
    assert_eq!(of_metrics(&reachd.metrics()), BTreeSet::new());

    drop(running);
    let down = BTreeSet::from(["proxy_down corp true".to_owned()]);
    let (seen, after) = watch_until(&reachd, INTERVAL + TIMEOUT + SLACK, |now| *now == down);
    assert!(after.is_some(), "{seen:?}\n{}", reachd.daemon.log());
    // Until every check has failed more than once.
    let (seen, _) = watch_until(&reachd, 2 * INTERVAL + SLACK, |_| false);
    assert_eq!(seen, down, "{}", reachd.daemon.log());
    let api = http::get(reachd.address, "/api/v1/causes").unwrap().body;
    let api: Value = serde_json::from_str(&api).unwrap();
    assert_eq!(api.as_array().unwrap().len(), 1);
    assert_eq!(
        (&api[0]["cause"], &api[0]["subject"]),
        (&"proxy_down".into(), &"corp".into())
    );
    assert_eq!(
        (&api[0]["supporting"], &api[0]["critical"]),
        (&30.into(), &true.into())
    );
    assert_eq!(api[0]["evidence"].as_array().unwrap().len(), 30);
    assert_eq!(api[0]["evidence"][0]["supports"], true);
    assert!(api[0]["explanation"]["do"].is_array());

    let report = check(&config, "json", &[]).report();
    assert_eq!(causes_of(&report), ["proxy_down corp"]);
    let text = check(&config, "text", &[]).stdout;
    assert!(
        text.contains("\nCAUSE: proxy_down corp (critical)\n"),
        "{text}"
    );
    assert!(text.contains("30 checks say so"), "{text}");

    let running = squid.start(lab);
    let (seen, after) = watch_until(&reachd, INTERVAL + TIMEOUT + SLACK, BTreeSet::is_empty);
    assert!(after.is_some(), "{seen:?}\n{}", reachd.daemon.log());
    // Nor is it told as many smaller ones meanwhile.
    let (later, _) = watch_until(&reachd, INTERVAL + SLACK, |_| false);
    let told: BTreeSet<String> = seen.union(&later).cloned().collect();
    assert!(told.is_subset(&down), "{told:?}\n{}", reachd.daemon.log());
    let log = reachd.daemon.log();
    assert_eq!(log.matches("cause=proxy_down").count(), 2, "{log}");
    drop(running);
}

/// Without a proxy: the server itself.
fn a_server_stops(lab: &Lab) {
    let address = lab.fresh_address();
    let conf = format!(
        "daemon off; master_process off; user root; pid @dir@/causes-nginx.pid; error_log stderr warn;\n\
         events {{}}\nhttp {{ access_log off; server {{ listen {address}; location / {{ return 200 ok; }} }} }}\n"
    );
    let conf = lab.write("causes-nginx.conf", &conf);
    let start = |name: &str| {
        let run = ["nginx", "-e", "stderr", "-c", conf.to_str().unwrap()];
        let mut nginx = Daemon::start(name, &run, lab.dir());
        nginx.wait_for(address);
        nginx
    };
    let text = format!(
        "{HEAD}global: {{interval: 5s, timeout: 1500ms, retry_interval: 1s, resolver: lab}}\n\
         proxies: {{corp: {{url: \"http://squid.lab.test:3128\"}}}}\nroutes: [direct, corp]\nendpoints:\n\
         \x20 - {{name: own, service: s, url: \"http://{address}/\"}}\n\
         \x20 - {{name: other, service: s, url: \"https://web.lab.test/\"}}\n"
    );
    let config = lab.write("a-server-stops.yml", &text);
    let nginx = start("causes-nginx-1");
    let reachd = Reachd::start(lab, "a-server-stops", &config);
    reachd.wait_until_ready();
    assert_eq!(of_metrics(&reachd.metrics()), BTreeSet::new());
    drop(nginx);
    let down = BTreeSet::from(["endpoint_down own true".to_owned()]);
    let (seen, after) = watch_until(&reachd, SOON, |now| *now == down);
    assert!(after.is_some(), "{seen:?}\n{}", reachd.daemon.log());
    let nginx = start("causes-nginx-2");
    let (_, after) = watch_until(&reachd, INTERVAL + TIMEOUT + SLACK, BTreeSet::is_empty);
    assert!(after.is_some(), "{}", reachd.daemon.log());
    drop(nginx);
}
