//! Proxy scripts in the daemon, over time: one that loops beside one that does not, one that changes, and none that
//! anybody asks.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::kit::{Exposition, Lab, Reachd};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(20);

/// Everything before the proxies.
const HEAD: &str = "\
global: {resolver: lab, interval: 1s, timeout: 5s}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
";

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("pac::beside_a_script_that_loops", lab, beside_a_loop),
        trial("pac::one_fetch_for_all", lab, one_fetch),
        trial("pac::a_file_that_changes", lab, changes),
        trial("pac::a_server_that_comes_back", lab, comes_back),
        trial("pac::a_reload", lab, reload),
        trial("pac::nobody_asks", lab, nobody_asks),
    ]
}

/// Eight URLs for which a script loops; the checks of other routes keep their time meanwhile.
fn beside_a_loop(lab: &Lab) {
    let mut looping = String::new();
    for number in 0..8 {
        writeln!(
            looping,
            "  - {{name: loop-{number}, url: \"http://web.lab.test/?loop={number}\", routes: [looping]}}"
        )
        .unwrap();
    }
    let config = format!(
        "{HEAD}proxies:\n  looping: {{pac: {{url: \"http://web.lab.test/pac/loop.pac\"}}}}\n  \
         healthy: {{pac: {{url: \"http://web.lab.test/pac/ways.pac\"}}}}\nendpoints:\n  \
         - {{name: web, url: \"https://web.lab.test/\", routes: [direct, healthy]}}\n{looping}"
    );
    let config = lab.write("pac-loop.yml", &config);
    let reachd = Reachd::start(lab, "pac-loop", &config);
    let probes = |metrics: &Exposition, route: &str, result: &str| {
        let labels = [("endpoint", "web"), ("route", route), ("result", result)];
        metrics.value("reachd_probes_total", &labels).unwrap_or(0.0)
    };
    // The loops take the two threads of their route for four seconds.
    let metrics = reachd.wait_for_metrics("four probes of each", SOON, |metrics| {
        ["direct", "healthy"]
            .iter()
            .all(|route| probes(metrics, route, "success") >= 4.0)
    });
    for route in ["direct", "healthy"] {
        assert!(probes(&metrics, route, "failure") < 1.0, "{route}");
        let labels = [("endpoint", "web"), ("route", route)];
        let sum = metrics.value("reachd_probe_duration_seconds_sum", &labels);
        let count = metrics.value("reachd_probe_duration_seconds_count", &labels);
        let mean = sum.unwrap() / count.unwrap();
        assert!(mean < 0.5, "{route}: {mean} s a probe beside the loops");
    }
    reachd.wait_for_metrics("every loop stopped", SOON, |metrics| {
        (0..8).all(|number| {
            let name = format!("loop-{number}");
            let labels = [("endpoint", name.as_str()), ("reason", "pac_error")];
            metrics.value("reachd_probe_failing", &labels) == Some(1.0)
        })
    });
}

/// Many checks need the script at once, and again; its server is asked once.
fn one_fetch(lab: &Lab) {
    let mut config = format!(
        "{HEAD}proxies: {{script: {{pac: {{url: \"http://web.lab.test/pac/direct.pac\"}}}}}}\nendpoints:\n"
    );
    for number in 0..50 {
        writeln!(
            config,
            "  - {{name: web-{number}, url: \"http://web.lab.test/\"}}"
        )
        .unwrap();
    }
    let config = lab.write("pac-fetch.yml", &config);
    let reachd = Reachd::start(lab, "pac-fetch", &config);
    reachd.wait_for_metrics("three probes of each", SOON, |metrics| {
        (0..50).all(|number| {
            let name = format!("web-{number}");
            let labels = [("endpoint", name.as_str()), ("result", "success")];
            metrics.value("reachd_probes_total", &labels) >= Some(3.0)
        })
    });
    let fetches = fs::read_to_string(lab.path("fetches.log")).unwrap();
    assert_eq!(fetches.lines().count(), 1, "{fetches}");
}

/// One endpoint over a script.
fn configuration(source: &str) -> String {
    format!(
        "{HEAD}proxies: {{script: {{pac: {{{source}}}}}}}\n\
         endpoints: [{{name: web, url: \"https://web.lab.test/\"}}]\n"
    )
}

const GOOD: &str = "function FindProxyForURL() { return \"PROXY squid.lab.test:3128\"; }";

fn reachable(metrics: &Exposition) -> bool {
    metrics.value("reachd_probe_success", &[("endpoint", "web")]) == Some(1.0)
}

fn fails_for(reason: &str) -> impl Fn(&Exposition) -> bool {
    move |metrics| {
        let labels = [("endpoint", "web"), ("reason", reason)];
        metrics.value("reachd_probe_failing", &labels) == Some(1.0)
    }
}

fn changes(lab: &Lab) {
    let script = lab.write("changes.pac", GOOD);
    let config = lab.write("pac-file.yml", &configuration("file: changes.pac"));
    let reachd = Reachd::start(lab, "pac-file", &config);
    reachd.wait_for_metrics("the script", SOON, reachable);
    fs::write(&script, "function FindProxyForURL() { return nobody; }").unwrap();
    reachd.wait_for_metrics("the broken script", SOON, fails_for("pac_error"));
    fs::remove_file(&script).unwrap();
    reachd.wait_for_metrics("no script", SOON, fails_for("pac_unavailable"));
    fs::write(&script, GOOD).unwrap();
    reachd.wait_for_metrics("the mended script", SOON, reachable);
}

/// Why a script cannot be had is remembered for some seconds only.
fn comes_back(lab: &Lab) {
    let served = lab.path("www/pac/comes-back.pac");
    let source = "url: \"http://web.lab.test/pac/comes-back.pac\"";
    let config = lab.write("pac-back.yml", &configuration(source));
    let reachd = Reachd::start(lab, "pac-back", &config);
    reachd.wait_for_metrics("no script", SOON, fails_for("pac_unavailable"));
    fs::write(served, GOOD).unwrap();
    reachd.wait_for_metrics("the script", SOON, reachable);
}

fn reload(lab: &Lab) {
    let source = |script: &str| format!("url: \"http://web.lab.test/pac/{script}.pac\"");
    let config = lab.write("pac-reload.yml", &configuration(&source("ways")));
    let reachd = Reachd::start(lab, "pac-reload", &config);
    reachd.wait_for_metrics("the script", SOON, reachable);
    for _ in 0..3 {
        lab.write("pac-reload.yml", &configuration(&source("exception")));
        reachd.daemon.signal("HUP");
        reachd.wait_for_metrics("the other script", SOON, fails_for("pac_error"));
        lab.write("pac-reload.yml", &configuration(&source("ways")));
        reachd.daemon.signal("HUP");
        reachd.wait_for_metrics("the first script", SOON, reachable);
    }
    // The threads of a script end with the plan that it belonged to.
    let threads = threads(&reachd);
    assert!(threads.len() <= 2, "{} threads of scripts", threads.len());
}

fn nobody_asks(lab: &Lab) {
    let config = configuration("url: \"http://web.lab.test/pac/ways.pac\"");
    let config = config.replace("interval: 1s", "interval: 1h");
    let config = lab.write("pac-idle.yml", &config);
    let reachd = Reachd::start(lab, "pac-idle", &config);
    reachd.wait_until_ready();
    reachd.wait_for_metrics("the only probe", SOON, reachable);
    let before = threads(&reachd);
    assert_eq!(before.len(), 1, "one URL takes one thread");
    thread::sleep(Duration::from_secs(3));
    assert_eq!(threads(&reachd), before, "its thread woke up");
}

/// How often each thread of scripts was switched to.
fn threads(reachd: &Reachd) -> Vec<String> {
    let tasks = Path::new("/proc").join(reachd.daemon.id().to_string());
    let tasks = fs::read_dir(tasks.join("task")).unwrap();
    let of_scripts = tasks.filter_map(|task| {
        let task = task.unwrap().path();
        let name = fs::read_to_string(task.join("comm")).ok()?;
        let status = fs::read_to_string(task.join("status")).ok()?;
        let switches = status.lines().filter(|line| line.contains("ctxt_switches"));
        (name.trim() == "pac").then(|| switches.collect::<Vec<_>>().join(" "))
    });
    of_scripts.collect()
}
