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
const SOON: Duration = Duration::from_secs(45);

/// Everything before the proxies.
const HEAD: &str = "\
global: {resolver: lab, interval: 1s, timeout: 5s}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
";

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("pac::beside_a_script_that_loops", lab, beside_a_loop),
        trial("pac::a_script_that_cannot_be_interrupted", lab, hangs),
        trial("pac::one_fetch_for_all", lab, one_fetch),
        trial("pac::a_file_that_changes", lab, changes),
        trial("pac::a_server_that_comes_back", lab, comes_back),
        trial("pac::a_reload", lab, reload),
        trial("pac::nobody_asks", lab, nobody_asks),
    ]
}

/// Eight URLs for which a script loops; the checks of other routes keep their time meanwhile, and another URL of the
/// same route is answered, too.
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
         - {{name: web, url: \"https://web.lab.test/\", routes: [direct, healthy]}}\n  \
         - {{name: calm, url: \"http://web.lab.test/\", routes: [looping]}}\n{looping}"
    );
    let config = lab.write("pac-loop.yml", &config);
    let reachd = Reachd::start(lab, "pac-loop", &config);
    let probes = |metrics: &Exposition, route: &str, result: &str| {
        let labels = [("endpoint", "web"), ("route", route), ("result", result)];
        metrics.value("reachd_probes_total", &labels).unwrap_or(0.0)
    };
    // The loops take the two processes of their route for four seconds.
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
    let calm = |metrics: &Exposition| {
        let labels = [("endpoint", "calm"), ("result", "success")];
        metrics.value("reachd_probes_total", &labels).unwrap_or(0.0)
    };
    let before = calm(
        &reachd.wait_for_metrics("an answer beside the loops", SOON, |metrics| {
            calm(metrics) >= 1.0
        }),
    );
    reachd.wait_for_metrics("three more", SOON, |metrics| calm(metrics) >= before + 3.0);
}

/// What the engine cannot interrupt is killed; the same script goes on for other URLs.
fn hangs(lab: &Lab) {
    let config = format!(
        "{HEAD}proxies: {{script: {{pac: {{url: \"http://web.lab.test/pac/hang.pac\"}}}}}}\nendpoints:\n  \
         - {{name: hang, url: \"http://web.lab.test/?hang\"}}\n  \
         - {{name: web, url: \"http://web.lab.test/\"}}\n"
    );
    let config = lab.write("pac-hang.yml", &config);
    let reachd = Reachd::start(lab, "pac-hang", &config);
    let successes = |metrics: &Exposition| {
        let labels = [("endpoint", "web"), ("result", "success")];
        metrics.value("reachd_probes_total", &labels).unwrap_or(0.0)
    };
    let metrics = reachd.wait_for_metrics("the end of what hangs", SOON, |metrics| {
        let labels = [("endpoint", "hang"), ("reason", "pac_error")];
        metrics.value("reachd_probe_failing", &labels) == Some(1.0)
    });
    let before = successes(&metrics);
    assert!(before >= 1.0, "nothing else was probed meanwhile");
    reachd.wait_for_metrics("three more probes", SOON, |metrics| {
        successes(metrics) >= before + 3.0
    });
    let running = processes(&reachd);
    assert!(running.len() <= 2, "{} processes of scripts", running.len());
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
    // The processes of a script end with the plan that it belonged to.
    let mut running = processes(&reachd);
    for _ in 0..50 {
        if running.len() == 1 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
        running = processes(&reachd);
    }
    assert_eq!(running.len(), 1, "{running:?}");
    // One that a reload does not concern goes on.
    let changed = configuration(&source("ways")).replace(
        "/\"}]",
        "/\"}, {name: more, url: \"tcp://web.lab.test:443\"}]",
    );
    lab.write("pac-reload.yml", &changed);
    reachd.daemon.signal("HUP");
    reachd.wait_for_metrics("another endpoint", SOON, |metrics| {
        metrics.value("reachd_probe_success", &[("endpoint", "more")]) == Some(1.0)
    });
    let now = processes(&reachd);
    assert!(
        now.iter().any(|(id, _)| *id == running[0].0),
        "{running:?} became {now:?}"
    );
}

fn nobody_asks(lab: &Lab) {
    let config = configuration("url: \"http://web.lab.test/pac/ways.pac\"");
    let config = config.replace("interval: 1s", "interval: 1h");
    let config = lab.write("pac-idle.yml", &config);
    let reachd = Reachd::start(lab, "pac-idle", &config);
    reachd.wait_until_ready();
    reachd.wait_for_metrics("the only probe", SOON, reachable);
    let before = processes(&reachd);
    assert_eq!(before.len(), 1, "one URL takes one process");
    thread::sleep(Duration::from_secs(3));
    assert_eq!(processes(&reachd), before, "its process woke up");
}

/// The processes of scripts, each with how often its threads were switched to.
fn processes(reachd: &Reachd) -> Vec<(u32, String)> {
    let parent = format!("PPid:\t{}", reachd.daemon.id());
    let running = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let folder = entry.unwrap().path();
        let id = folder.file_name()?.to_str()?.parse().ok()?;
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let command = fs::read_to_string(folder.join("cmdline")).ok()?;
        let is_one = status.lines().any(|line| line == parent) && command.contains("pac-scripts");
        is_one.then(|| (id, switches(&folder.join("task"))))
    });
    running.collect()
}

fn switches(tasks: &Path) -> String {
    let tasks = fs::read_dir(tasks).unwrap().flatten();
    let status = tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    let lines = status.flat_map(|status| {
        let lines = status.lines().filter(|line| line.contains("ctxt_switches"));
        lines.collect::<Vec<_>>().join(" ").into_bytes()
    });
    String::from_utf8(lines.collect()).unwrap()
}
