//! The processes that get Kerberos tickets, over time: one for each identity, none when reachd has ended, and a KDC that
//! says nothing for a while.

use std::fs;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::kit::{Exposition, Lab, Reachd, wait};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(45);

/// Longer than the library of Kerberos waits for a silent KDC, and than reachd waits for the library.
const OUTAGE_ENDS_WITHIN: Duration = Duration::from_secs(60);

/// Everything before the endpoints.
const HEAD: &str = "\
global: {resolver: lab, interval: 1s, timeout: 900ms}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
proxies:
  keytab: {url: \"http://squid-negotiate.lab.test:3128\", auth: {negotiate: {principal: svc-reachd@LAB.TEST, \
keytab: \"@dir@/krb5/svc-reachd.keytab\"}}}
  cache: {url: \"http://squid-negotiate.lab.test:3128\", auth: {negotiate: {credential_cache: \
\"@dir@/krb5/good.cache\"}}}
";

/// The child of reachd that gets tickets, by what it was started with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Helper {
    arguments: Vec<String>,
    process: u32,
}

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("logins::one_helper_for_each_identity", lab, life),
        trial("logins::no_helper_outlives_a_kill", lab, killed),
        trial("logins::a_kdc_that_is_silent_for_a_while", lab, outage),
    ]
}

fn life(lab: &Lab) {
    let config = lab.write("helpers.yml", &configuration(&["keytab", "cache"], 4));
    let mut reachd = Reachd::start(lab, "helpers", &config);
    wait_for_successes(&reachd, 8);
    let before = helpers(&reachd);
    let arguments: Vec<Vec<&str>> = before
        .iter()
        .map(|helper| helper.arguments.iter().map(String::as_str).collect())
        .collect();
    let program = "/proc/self/exe";
    let expected = [
        vec![program, "kerberos-tokens"],
        vec![
            program,
            "kerberos-tokens",
            "--principal",
            "svc-reachd@LAB.TEST",
        ],
    ];
    assert_eq!(arguments, expected);

    lab.write("helpers.yml", &configuration(&["keytab"], 3));
    reachd.daemon.signal("HUP");
    reachd.wait_for_metrics("the shorter plan", SOON, |metrics| checks(metrics) == 3);
    let [goes, stays] = &before[..] else {
        panic!("two helpers: {before:?}")
    };
    wait_for_end(goes);
    let done = successes(&reachd.metrics());
    reachd.wait_for_metrics("probes after the reload", SOON, |metrics| {
        successes(metrics) >= done + 6.0
    });
    assert_eq!(helpers(&reachd), before[1..], "its tickets were kept");

    reachd.daemon.signal("TERM");
    reachd.daemon.wait_for_end(SOON);
    wait_for_end(stays);
}

fn killed(lab: &Lab) {
    let config = lab.write("helper-killed.yml", &configuration(&["keytab"], 1));
    let mut reachd = Reachd::start(lab, "helper-killed", &config);
    wait_for_successes(&reachd, 1);
    let left = helpers(&reachd);
    assert_eq!(left.len(), 1, "{left:?}");
    reachd.daemon.signal("KILL");
    reachd.daemon.wait_for_end(SOON);
    wait_for_end(&left[0]);
}

/// Many checks of one identity, of which none must need a process of its own.
fn outage(lab: &Lab) {
    let answers = Arc::new(AtomicBool::new(false));
    let kdc = relay((lab.address("kdc"), 88).into(), lab, &answers);
    let there = format!("kdc = {}:88", lab.address("kdc"));
    let conf = fs::read_to_string(lab.path("krb5/krb5.conf")).unwrap();
    assert!(conf.contains(&there), "{conf}");
    let conf = conf.replace(&there, &format!("kdc = {kdc}"));
    let conf = lab.write("krb5/relayed.conf", &conf);
    let config = lab.write("kdc-outage.yml", &configuration(&["keytab"], 20));
    let reachd = Reachd::start_in(lab, "kdc-outage", &config, &[], |command| {
        command.env("KRB5_CONFIG", &conf);
    });
    reachd.wait_for_metrics("failures of every check", SOON, |metrics| {
        let labels = [("reason", "credentials_unavailable")];
        let failures = metrics.matching("reachd_probe_failures_total", &labels);
        failures.iter().filter(|sample| sample.value > 0.0).count() >= 20
    });
    let during = helpers(&reachd);
    assert_eq!(during.len(), 1, "{during:?}");
    answers.store(true, Ordering::Relaxed);
    reachd.wait_for_metrics("the end of the outage", OUTAGE_ENDS_WITHIN, |metrics| {
        all_succeed(metrics, 20)
    });
    assert_eq!(helpers(&reachd).len(), 1);
}

/// Some checks over each of the proxies.
fn configuration(routes: &[&str], count: usize) -> String {
    let routes = routes.join(", ");
    let endpoint = |number| {
        format!("  - {{name: web-{number}, url: \"tcp://web.lab.test:443\", routes: [{routes}]}}\n")
    };
    let endpoints: String = (0..count).map(endpoint).collect();
    format!("{HEAD}endpoints:\n{endpoints}")
}

/// What comes before a KDC, and as long as it does not answer takes every question and says nothing.
fn relay(to: SocketAddr, lab: &Lab, answers: &Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind(lab.fresh_address()).unwrap();
    let address = listener.local_addr().unwrap();
    let answers = Arc::clone(answers);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let answers = answers.load(Ordering::Relaxed);
            thread::spawn(move || {
                if answers {
                    pass(client, to)
                } else {
                    swallow(client)
                }
            });
        }
    });
    address
}

fn pass(client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(to)?;
    let (mut asking, mut asked) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut asking, &mut asked));
    let (mut answering, mut answered) = (server, client);
    io::copy(&mut answering, &mut answered).map(drop)
}

fn swallow(mut client: TcpStream) -> io::Result<()> {
    while client.read(&mut [0; 512])? > 0 {}
    Ok(())
}

fn wait_for_successes(reachd: &Reachd, count: usize) {
    reachd.wait_for_metrics("logins", SOON, |metrics| all_succeed(metrics, count));
    let done = successes(&reachd.metrics());
    reachd.wait_for_metrics("more logins", SOON, |metrics| {
        successes(metrics) >= done + 2.0
    });
}

fn all_succeed(metrics: &Exposition, count: usize) -> bool {
    let results = metrics.matching("reachd_probe_success", &[]);
    results.len() == count && results.iter().all(|result| result.value > 0.5)
}

fn checks(metrics: &Exposition) -> usize {
    metrics.matching("reachd_probe_success", &[]).len()
}

fn successes(metrics: &Exposition) -> f64 {
    metrics.sum("reachd_probes_total", &[("result", "success")])
}

/// The children of reachd.
fn helpers(reachd: &Reachd) -> Vec<Helper> {
    let parent = format!("PPid:\t{}\n", reachd.daemon.id());
    let mut helpers = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().map_while(Result::ok) {
        let Some(process) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if status.contains(&parent) {
            let arguments = arguments(process);
            helpers.push(Helper { arguments, process });
        }
    }
    helpers.sort();
    helpers
}

/// Empty for one that has ended.
fn arguments(process: u32) -> Vec<String> {
    let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).into_owned();
    words.split_terminator('\0').map(str::to_owned).collect()
}

fn wait_for_end(helper: &Helper) {
    let ended = wait::within(SOON, || {
        (arguments(helper.process) != helper.arguments).then_some(())
    });
    assert!(ended.is_some(), "{helper:?} does not end");
}
