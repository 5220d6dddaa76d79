//! A proxy and a server that stop and start while the daemon looks.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::shown::{in_list, in_metrics, on_page};
use crate::kit::{Daemon, Finished, Lab, Reachd, as_squid, command, http, run_to_end, wait};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(30);

const INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_millis(1500);

/// What a busy machine may be late.
const SLACK: Duration = Duration::from_secs(3);

const HEAD: &str = "\
global: {interval: 5s, timeout: 1500ms, retry_interval: 1s, resolver: lab}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
revocation: {mode: off}
";

/// Thirty checks behind one proxy, which dies and comes back: one cause, and never another.
pub(super) fn a_proxy_stops(lab: &Lab) {
    let mut squid = Squid::new(lab);
    let running = squid.start(lab);
    let mut text = format!(
        "{HEAD}proxies: {{corp: {{url: \"http://{}\"}}}}\nroutes: [corp]\nendpoints:\n",
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
    assert_eq!(in_metrics(&reachd.metrics()), BTreeSet::new());

    drop(running);
    let down = BTreeSet::from(["proxy_down corp true".to_owned()]);
    let (seen, after) = watch_until(&reachd, INTERVAL + TIMEOUT + SLACK, |now| *now == down);
    assert!(after.is_some(), "{seen:?}\n{}", reachd.daemon.log());
    // Until every check has failed more than once.
    let (seen, _) = watch_until(&reachd, 2 * INTERVAL + SLACK, |_| false);
    assert_eq!(seen, down, "{}", reachd.daemon.log());
    shows_thirty_checks(&reachd, &down);
    reports_it(&config, &down);

    let running = squid.start(lab);
    let (seen, after) = watch_until(&reachd, INTERVAL + TIMEOUT + SLACK, BTreeSet::is_empty);
    assert!(after.is_some(), "{seen:?}\n{}", reachd.daemon.log());
    // Nor is it told as many smaller ones meanwhile.
    let (later, _) = watch_until(&reachd, INTERVAL + SLACK, |_| false);
    let told: BTreeSet<String> = seen.union(&later).cloned().collect();
    assert!(told.is_subset(&down), "{told:?}\n{}", reachd.daemon.log());
    let log = reachd.daemon.log();
    assert_eq!(log.matches("cause=proxy_down").count(), 2, "{log}");
    assert_eq!(on_page(&get(&reachd, "/")), BTreeSet::new());
    drop(running);
}

fn shows_thirty_checks(reachd: &Reachd, down: &BTreeSet<String>) {
    let api: Value = serde_json::from_str(&get(reachd, "/api/v1/causes")).unwrap();
    assert_eq!(in_list(&api), *down);
    assert_eq!(api[0]["supporting"], 30);
    assert_eq!(api[0]["evidence"].as_array().unwrap().len(), 30);
    assert_eq!(api[0]["evidence"][0]["supports"], true);
    assert!(api[0]["explanation"]["do"].is_array());
    let page = get(reachd, "/");
    assert_eq!(on_page(&page), *down, "{page}");
    assert!(page.contains("30 checks"), "{page}");
    // No failure is left over that the cause would not explain.
    assert!(!page.contains("What else fails"), "{page}");
}

fn reports_it(config: &std::path::Path, down: &BTreeSet<String>) {
    let check = |format: &str| -> Finished {
        let config = config.to_str().expect("a path in UTF-8");
        let arguments = ["check", "--config.file", config, "--format", format];
        run_to_end(command(&arguments))
    };
    assert_eq!(in_list(&check("json").report()["causes"]), *down);
    assert_eq!(on_page(&check("html").stdout), *down);
    let text = check("text").stdout;
    assert!(
        text.contains("\nCAUSE: proxy_down corp (critical)\n"),
        "{text}"
    );
    assert!(text.contains("30 checks say so"), "{text}");
}

/// Without a proxy: the server itself, which is never taken for a fault of one of the routes.
pub(super) fn a_server_stops(lab: &Lab) {
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
        "{HEAD}proxies: {{corp: {{url: \"http://squid.lab.test:3128\"}}}}\nroutes: [direct, corp]\nendpoints:\n\
         \x20 - {{name: own, service: s, url: \"http://{address}/\"}}\n\
         \x20 - {{name: other, service: s, url: \"https://web.lab.test/\"}}\n"
    );
    let config = lab.write("a-server-stops.yml", &text);
    let nginx = start("causes-nginx-1");
    let reachd = Reachd::start(lab, "a-server-stops", &config);
    reachd.wait_until_ready();
    assert_eq!(in_metrics(&reachd.metrics()), BTreeSet::new());
    drop(nginx);
    let down = BTreeSet::from(["endpoint_down own true".to_owned()]);
    let (seen, after) = watch_until(&reachd, SOON, |now| *now == down);
    assert!(after.is_some(), "{seen:?}\n{}", reachd.daemon.log());
    assert_eq!(seen, down, "{}", reachd.daemon.log());
    let nginx = start("causes-nginx-2");
    let (_, after) = watch_until(&reachd, INTERVAL + TIMEOUT + SLACK, BTreeSet::is_empty);
    assert!(after.is_some(), "{}", reachd.daemon.log());
    drop(nginx);
}

fn get(reachd: &Reachd, path: &str) -> String {
    http::get(reachd.address, path).unwrap().body
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
        let now = in_metrics(&reachd.metrics());
        let is_it = satisfied(&now);
        seen.extend(now);
        is_it.then(|| start.elapsed())
    });
    (seen, done)
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
        let text = include_str!("../lab/causes-squid.conf");
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
