//! Connections that are held idle: who cuts them, when, and how that is told. `check --hold` runs all at once.

use std::fmt::Write;
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use socket2::SockRef;

use crate::kit::{Finished, Lab, Reachd, command, http, run_to_end};
use crate::suite::{SharedLab, trial};

/// How long connections must live that somebody cuts: longer than any of the lab's idle time-outs.
const LONG: &str = "{for: 6s, interval: 1m}";

/// How long connections must live that nobody cuts.
const SHORT: &str = "{for: 1s, interval: 1m}";

/// A word of the report for one hold: `held`, or `phase/peer/reason`; and how long it lived, in seconds.
struct Expected {
    name: &'static str,
    endpoint: &'static str,
    route: &'static str,
    hold: &'static str,
    result: &'static str,
    lived: Option<(f64, f64)>,
}

/// Every way in which an idle connection can end, over every kind of way.
const HOLDS: &[Expected] = &[
    Expected {
        name: "lives",
        endpoint: "url: \"https://web.lab.test/\"",
        route: "direct",
        hold: SHORT,
        result: "held",
        lived: Some((1.0, 2.0)),
    },
    Expected {
        name: "lives-over-http2-server",
        endpoint: "url: \"https://h2.lab.test/\"",
        route: "direct",
        hold: SHORT,
        result: "held",
        lived: Some((1.0, 2.0)),
    },
    Expected {
        name: "lives-as-tls",
        endpoint: "url: \"tls://web.lab.test:443\"",
        route: "squid",
        hold: SHORT,
        result: "held",
        lived: Some((1.0, 2.0)),
    },
    Expected {
        name: "lives-over-tls-to-the-proxy",
        endpoint: "url: \"https://web.lab.test/\"",
        route: "squid-tls",
        hold: SHORT,
        result: "held",
        lived: Some((1.0, 2.0)),
    },
    Expected {
        name: "lives-over-socks",
        endpoint: "url: \"tcp://web.lab.test:443\"",
        route: "dante",
        hold: "{for: 2s, interval: 1m, keep_alive: 1s}",
        result: "held",
        lived: Some((2.0, 3.0)),
    },
    Expected {
        name: "cut-by-the-proxy",
        endpoint: "url: \"https://web.lab.test/\"",
        route: "squid",
        hold: LONG,
        result: "hold/proxy/closed_early",
        lived: Some((1.9, 5.5)),
    },
    Expected {
        name: "cut-by-the-proxy-although-kept-alive",
        endpoint: "url: \"tcp://web.lab.test:443\"",
        route: "squid",
        hold: "{for: 6s, interval: 1m, keep_alive: 1s}",
        result: "hold/proxy/closed_early",
        lived: Some((1.9, 5.5)),
    },
    Expected {
        name: "cut-by-the-proxy-over-tls",
        endpoint: "url: \"https://web.lab.test/\"",
        route: "squid-tls",
        hold: LONG,
        result: "hold/proxy/closed_early",
        lived: Some((1.9, 5.5)),
    },
    Expected {
        name: "cut-on-a-direct-way",
        endpoint: "url: \"https://hello-late.lab.test:7443/\"",
        route: "direct",
        hold: LONG,
        result: "hold/endpoint/closed_early",
        lived: Some((2.5, 4.0)),
    },
    Expected {
        name: "farewell-of-the-server",
        endpoint: "url: \"https://web.lab.test:7443/\"",
        route: "direct",
        hold: LONG,
        result: "hold/endpoint/closed_early",
        lived: Some((1.5, 3.0)),
    },
    Expected {
        name: "farewell-of-the-server-over-the-proxy",
        endpoint: "url: \"https://web.lab.test:7443/\"",
        route: "squid",
        hold: LONG,
        result: "hold/endpoint/closed_early",
        lived: Some((1.5, 3.0)),
    },
    Expected {
        name: "reset",
        endpoint: "url: \"tcp://@reset@\"",
        route: "direct",
        hold: LONG,
        result: "hold/endpoint/reset",
        lived: Some((0.9, 2.0)),
    },
    Expected {
        name: "never-opened",
        endpoint: "critical: false, url: \"tcp://nobody.lab.test:443\"",
        route: "direct",
        hold: LONG,
        result: "connect/endpoint/refused",
        lived: None,
    },
];

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("holds::every_end", lab, every_end),
        trial("holds::not_asked_for", lab, not_asked_for),
        trial("holds::forgotten_by_a_firewall", lab, firewall),
        trial("holds::lost_although_kept_alive", lab, lost),
        trial("holds::beside_probes", lab, beside_probes),
        trial("holds::sigterm_does_not_wait", lab, sigterm),
    ]
}

fn every_end(lab: &Lab) {
    let reset = resets_after(Duration::from_secs(1));
    let endpoints = HOLDS.iter().fold(String::new(), |mut text, expected| {
        let Expected {
            name,
            endpoint,
            route,
            hold,
            ..
        } = expected;
        let endpoint = endpoint.replace("@reset@", &reset);
        writeln!(
            text,
            "  - {{name: {name}, {endpoint}, routes: [{route}], hold: {hold}}}"
        )
        .unwrap();
        text
    });
    let config = lab.write("holds.yml", &configuration(&endpoints));
    let config = config.to_str().expect("a path in UTF-8");
    let start = Instant::now();
    let finished = check(&["--config.file", config, "--hold", "--format", "json"]);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(9), "all at once: {took:?}");
    let report = finished.report();
    let mut wrong = String::new();
    for Expected {
        name,
        result,
        lived,
        ..
    } in HOLDS
    {
        let hold = hold_of(&report, name);
        let seconds = hold["seconds"].as_f64();
        let as_long = match (seconds, lived) {
            (Some(seconds), Some((least, most))) => (*least..=*most).contains(&seconds),
            (seconds, lived) => seconds.is_none() && lived.is_none(),
        };
        if result_of(hold) != *result || !as_long {
            writeln!(wrong, "{name}: expected {result}, {lived:?}: {hold:#}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(finished.exit_code, 1, "a hold is not critical");
    assert_eq!(hold_of(&report, "lives")["observed"]["http"]["status"], 200);
    let detail = &hold_of(&report, "farewell-of-the-server")["failure"]["detail"];
    assert!(detail.to_string().contains("close_notify"), "{detail}");
}

/// Without `--hold`, the report only mentions that there are holds.
fn not_asked_for(lab: &Lab) {
    let endpoint = "  - {name: web, url: \"https://web.lab.test/\", hold: {for: 3m}}\n";
    let config = lab.write("not-held.yml", &configuration(endpoint));
    let config = config.to_str().expect("a path in UTF-8");
    let finished = check(&["--config.file", config]);
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    assert!(
        finished.stdout.contains("Not held: 1 idle connection."),
        "{finished:?}"
    );
    let json = check(&["--config.file", config, "--format", "json"]);
    assert!(!json.stdout.contains("hold"), "{json:?}");

    let without = lab.write(
        "no-holds.yml",
        &configuration("  - {name: a, url: \"tcp://a:1\"}\n"),
    );
    let without = without.to_str().expect("a path in UTF-8");
    let finished = check(&["--config.file", without, "--hold"]);
    assert_eq!(finished.exit_code, 64, "{finished:?}");
}

/// A firewall that forgets idle flows after two seconds and says nothing: a connection that looks open is gone.
/// TCP keep-alive keeps it.
fn firewall(lab: &Lab) {
    let endpoints = "  - {name: forgotten, @url@, hold: {for: 4s, interval: 1m}}\n  \
                     - {name: kept-alive, @url@, hold: {for: 4s, interval: 1m, keep_alive: 1s}}\n";
    let report = behind_firewall(lab, "firewall", endpoints, "true");
    let forgotten = hold_of(&report, "forgotten");
    assert_eq!(
        result_of(forgotten),
        "hold/endpoint/timeout",
        "{forgotten:#}"
    );
    assert_eq!(
        result_of(hold_of(&report, "kept-alive")),
        "held",
        "{report:#}"
    );
}

/// Where nothing comes through any more, keep-alive finds that out before the time is up.
fn lost(lab: &Lab) {
    let endpoints = "  - {name: lost, @url@, hold: {for: 12s, interval: 1m, keep_alive: 1s}}\n";
    let cut = "sleep 1.5; ip netns exec firewall nft insert rule inet forgetful through drop";
    let report = behind_firewall(lab, "lost", endpoints, cut);
    let lost = hold_of(&report, "lost");
    assert_eq!(result_of(lost), "hold/endpoint/timeout", "{lost:#}");
    let seconds = lost["seconds"].as_f64().expect("it stood");
    assert!((2.0..9.0).contains(&seconds), "{lost:#}");
}

/// Holds connections to a server behind a firewall (conntrack, which forgets after two seconds and picks nothing up
/// in the middle), in a network of their own, while something happens. The hold fails, and nothing else.
fn behind_firewall(lab: &Lab, name: &str, endpoints: &str, meanwhile: &str) -> Value {
    let write = |file: &str, text: &str| {
        let path = lab.write(&format!("{name}{file}"), text);
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    let rules = write(
        ".nft",
        "table inet forgetful {\n chain through {\n  type filter hook forward priority 0; policy drop;\n  \
         ct state established accept\n  ct state new tcp flags & (syn | ack) == syn accept\n }\n}\n",
    );
    let nginx = format!(
        "daemon off; master_process off; user root; pid @dir@/{name}.pid; error_log stderr warn;\n\
         events {{}}\nhttp {{ access_log off; server {{ listen 198.18.2.2:443 ssl; \
         ssl_certificate @dir@/pki/good.pem; ssl_certificate_key @dir@/pki/good.key; \
         location / {{ return 200 ok; }} }} }}\n"
    );
    let nginx = write(".conf", &nginx);
    let url = "url: \"https://198.18.2.2/\", tls: {server_name: web.lab.test}";
    let head = "global: {timeout: 1500ms}\ntls: {ca_file: \"@dir@/pki/root.pem\"}\nendpoints:\n";
    let config = write(
        ".yml",
        &format!("{head}{}", endpoints.replace("@url@", url)),
    );
    let script = format!(
        "set -e; mount -t tmpfs none /run; ip link set lo up
         ip netns add firewall; ip netns add server; ip -n server link set lo up
         ip link add out type veth peer name in netns firewall
         ip -n firewall link add out type veth peer name in netns server
         ip addr add 198.18.1.1/24 dev out; ip link set out up
         ip -n firewall addr add 198.18.1.2/24 dev in; ip -n firewall link set in up
         ip -n firewall addr add 198.18.2.1/24 dev out; ip -n firewall link set out up
         ip -n server addr add 198.18.2.2/24 dev in; ip -n server link set in up
         ip route add default via 198.18.1.2; ip -n server route add default via 198.18.2.1
         ip netns exec firewall nft -f {rules}
         ip netns exec firewall sysctl -qw net.ipv4.ip_forward=1 \
             net.netfilter.nf_conntrack_tcp_timeout_established=2 net.netfilter.nf_conntrack_tcp_loose=0
         ip netns exec server nginx -e stderr -c {nginx} &
         for _ in $(seq 50); do ip netns exec server ss -ltn | grep -q :443 && break; sleep 0.1; done
         ({meanwhile}) &
         code=0; $REACHD check --config.file {config} --hold --format json || code=$?
         exit $code"
    );
    let mut unshare = Command::new("unshare");
    // All of it ends with the first process of a namespace of its own.
    let namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child"];
    unshare
        .args(namespaces)
        .args(["sh", "-c", &script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("REACHD", env!("CARGO_BIN_EXE_reachd"));
    let finished = run_to_end(unshare);
    assert_eq!(finished.exit_code, 1, "{finished:?}");
    finished.report()
}

/// The daemon: holds have series of their own and are on the page; probes go on as if there were none.
fn beside_probes(lab: &Lab) {
    let holds = "  - {name: cut, url: \"https://web.lab.test:7443/\", hold: {for: 5s, interval: 1m}}\n  \
                 - {name: lives, url: \"https://web.lab.test/\", hold: {for: 2s, interval: 6s}}\n";
    let text = configuration(holds).replace("global: {", "global: {concurrency: 1, interval: 1s, ");
    let config = lab.write("beside-probes.yml", &text);
    let reachd = Reachd::start(lab, "beside-probes", &config);
    reachd.wait_until_ready();
    assert!(
        reachd
            .metrics()
            .matching("reachd_hold_success", &[])
            .is_empty()
    );
    let soon = Duration::from_secs(40);
    let metrics = reachd.wait_for_metrics("both holds", soon, |metrics| {
        metrics.matching("reachd_hold_success", &[]).len() == 2
    });
    let (cut, lives) = ([("endpoint", "cut")], [("endpoint", "lives")]);
    assert_eq!(metrics.value("reachd_hold_success", &lives), Some(1.0));
    assert!(
        metrics
            .value("reachd_hold_seconds", &lives)
            .is_some_and(|seconds| seconds >= 2.0)
    );
    assert_eq!(metrics.value("reachd_hold_success", &cut), Some(0.0));
    let why = [
        ("endpoint", "cut"),
        ("phase", "hold"),
        ("peer", "endpoint"),
        ("reason", "closed_early"),
    ];
    assert_eq!(metrics.value("reachd_hold_failing", &why), Some(1.0));
    // A single probe at once, and none waited for a hold: each second has its probe.
    assert!(metrics.matching("reachd_probe_failing", &[]).is_empty());
    assert_eq!(metrics.value("reachd_probes_skipped_total", &[]), Some(0.0));
    let page = http::get(reachd.address, "/checks/default/cut/direct").unwrap();
    assert!(
        page.body.contains("by the endpoint: hold/closed_early"),
        "{}",
        page.body
    );
    let overview = http::get(reachd.address, "/").unwrap();
    assert!(
        overview.body.contains("idle connection closed after"),
        "{}",
        overview.body
    );
    let last_run = "reachd_hold_last_run_timestamp_seconds";
    assert_eq!(metrics.matching(last_run, &[]).len(), 2);
    assert!(
        reachd
            .daemon
            .log()
            .contains("an idle connection was not held")
    );
}

/// A connection that is held for minutes does not hold up the end, nor readiness.
fn sigterm(lab: &Lab) {
    let endpoint = "  - {name: web, url: \"https://web.lab.test/\", hold: {for: 3m}}\n";
    let config = lab.write("held-at-the-end.yml", &configuration(endpoint));
    let mut reachd = Reachd::start(lab, "held-at-the-end", &config);
    reachd.wait_until_ready();
    thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    reachd.daemon.signal("TERM");
    let status = reachd.daemon.wait_for_end(Duration::from_secs(2));
    assert_eq!(status.code(), Some(0), "{}", reachd.daemon.log());
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(
        !reachd.daemon.log().contains("aborted"),
        "{}",
        reachd.daemon.log()
    );
}

// === what is held, and what came of it ===

fn configuration(endpoints: &str) -> String {
    format!(
        "global: {{timeout: 1500ms, resolver: lab}}\n\
         resolvers: {{lab: {{servers: [\"@knot@:53\"], transport: udp}}}}\n\
         tls: {{ca_file: \"@dir@/pki/root.pem\"}}\n\
         proxies:\n\
         \x20 squid: {{url: \"http://squid.lab.test:3128\"}}\n\
         \x20 squid-tls: {{url: \"https://squid.lab.test:3443\", tls: {{ca_file: \"@dir@/pki/proxy-root.pem\"}}}}\n\
         \x20 dante: {{url: \"socks5h://dante.lab.test:1080\"}}\n\
         routes: [direct]\n\
         endpoints:\n{endpoints}"
    )
}

fn check(arguments: &[&str]) -> Finished {
    run_to_end(command(&[&["check"], arguments].concat()))
}

fn hold_of<'a>(report: &'a Value, endpoint: &str) -> &'a Value {
    let mut checks = report["checks"].as_array().expect("checks").iter();
    let check = checks.find(|check| check["endpoint"] == endpoint);
    &check.unwrap_or_else(|| panic!("{endpoint} is not in {report:#}"))["hold"]
}

/// `held`, or `phase/peer/reason`.
fn result_of(hold: &Value) -> String {
    if hold["success"] == true {
        return "held".to_owned();
    }
    let failure = &hold["failure"];
    let parts = ["phase", "peer", "reason"].map(|key| failure[key].as_str().unwrap_or("?"));
    parts.join("/")
}

/// Where connections are accepted and, after a while, reset.
fn resets_after(delay: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                thread::sleep(delay);
                // With a linger of zero, closing sends RST instead of FIN.
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).ok();
            });
        }
    });
    address.to_string()
}
