//! Reload and end, both under load: no counter is lost, and nothing that goes leaves a trace.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::kit::{Daemon, Exposition, Lab, Reachd, http, wait};
use crate::suite::{SharedLab, trial};

/// The pace of everything here.
const INTERVAL: &str = "1s";

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(45);

/// How long the daemon may take to end, whatever it is doing.
const DRAIN: Duration = Duration::from_secs(5);

/// How many checks make the load.
const LOAD: usize = 100;

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("lifecycle::reload_keeps_what_did_not_change", lab, reload),
        trial("lifecycle::reload_over_http", lab, reload_over_http),
        trial("lifecycle::reload_over_http_is_off", lab, reload_is_off),
        trial("lifecycle::workers_are_told_to_wait", lab, workers),
        trial("lifecycle::sigterm_under_load", lab, sigterm),
        trial("lifecycle::sigint_ends_too", lab, sigint),
        trial("lifecycle::sigterm_during_a_reload", lab, |lab| {
            ends_during_a_reload(lab, "TERM");
        }),
        trial("lifecycle::sigint_during_a_reload", lab, |lab| {
            ends_during_a_reload(lab, "INT");
        }),
    ]
}

fn reload(lab: &Lab) {
    let load = load("late-answer");
    let with = |more: &str| configuration(&format!("{}{load}{more}", kept_by("reload")));
    let goes = "  - {name: goes, service: some, url: \"https://expired.lab.test/\"}\n";
    let comes = "  - {name: comes, service: some, url: \"https://web.lab.test/\"}\n";
    let config = lab.write("reload.yml", &with(goes));
    let reachd = Reachd::start(lab, "reload", &config);
    reachd.wait_until_ready();
    let before = reachd.wait_for_metrics("three probes of everything kept", SOON, |metrics| {
        kept(metrics) >= 3.0
    });
    assert!(!before.all_with(&[("endpoint", "goes")]).is_empty());

    lab.write("reload.yml", &with(comes));
    reachd.daemon.signal("HUP");
    let after = reachd.wait_for_metrics("the new check", SOON, |metrics| {
        let comes = [("endpoint", "comes")];
        metrics.value("reachd_probe_success", &comes) == Some(1.0)
    });
    let left = after.all_with(&[("endpoint", "goes")]);
    assert!(left.is_empty(), "what is left of a removed check: {left:?}");
    assert_nothing_fell(&before, &after);
    assert_eq!(reload_successful(&after), Some(1.0));

    fs::write(&config, "global: {intervall: 1s}\n").unwrap();
    reachd.daemon.signal("HUP");
    let broken = reachd.wait_for_metrics("the failed reload", SOON, |metrics| {
        reload_successful(metrics) == Some(0.0)
    });
    assert_nothing_fell(&after, &broken);
    reachd.wait_for_metrics("the old plan running on", SOON, |metrics| {
        kept(metrics) >= kept(&broken) + 2.0
    });

    lab.write("reload.yml", &with(comes));
    reachd.daemon.signal("HUP");
    reachd.wait_for_metrics("the reload of the mended file", SOON, |metrics| {
        reload_successful(metrics) == Some(1.0)
    });
    agrees_with_the_server(&reachd, &lab.path("counted.log"), "by=reload");
}

fn reload_over_http(lab: &Lab) {
    let config = lab.write("reload-http.yml", &configuration(WEB));
    let flags = ["--web.enable-lifecycle"];
    let reachd = Reachd::start_with(lab, "reload-http", &config, &flags);
    reachd.wait_until_ready();
    let renamed = WEB.replace("web,", "renamed,");
    lab.write("reload-http.yml", &configuration(&renamed));
    let answer = http::post(reachd.address, "/-/reload").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let ready = http::get(reachd.address, "/-/ready").unwrap();
    assert_eq!(ready.status, 200, "it was ready before the reload");
    reachd.wait_for_metrics("the renamed check", SOON, |metrics| {
        !metrics.all_with(&[("endpoint", "renamed")]).is_empty()
            && metrics.all_with(&[("endpoint", "web")]).is_empty()
    });
    fs::write(&config, "endpoints: 7\n").unwrap();
    let answer = http::post(reachd.address, "/-/reload").unwrap();
    assert!(answer.status >= 400, "a broken file: {answer:?}");
    assert!(
        !reachd
            .metrics()
            .all_with(&[("endpoint", "renamed")])
            .is_empty()
    );
}

fn reload_is_off(lab: &Lab) {
    let config = lab.write("no-reload-http.yml", &configuration(WEB));
    let reachd = Reachd::start(lab, "no-reload-http", &config);
    let answer = http::post(reachd.address, "/-/reload").unwrap();
    assert!((400..500).contains(&answer.status), "{answer:?}");
}

fn sigterm(lab: &Lab) {
    // Half of the load is always in the middle of a probe, and would be for longer than the end may take.
    let load = [load("late-answer"), load("silent")].concat();
    let endpoints = format!("{}{load}", kept_by("sigterm"));
    let config = lab.write("sigterm.yml", &configuration(&endpoints));
    let mut reachd = Reachd::start(lab, "sigterm", &config);
    let mut last = reachd.wait_for_metrics("two probes of everything kept", SOON, |metrics| {
        kept(metrics) >= 2.0 && metrics.sum("reachd_probes_in_flight", &[]) >= 1.0
    });
    let start = Instant::now();
    reachd.daemon.signal("TERM");
    // As long as it answers, every answer is whole and no counter falls.
    let mut scrapes = 0;
    while let Ok(answer) = http::get(reachd.address, "/metrics") {
        if answer.status == 200 {
            let metrics = Exposition::parse(&answer.body);
            assert_nothing_fell(&last, &metrics);
            last = metrics;
            scrapes += 1;
        }
        assert!(start.elapsed() < DRAIN, "it still answers");
    }
    assert!(scrapes > 0, "nothing could be scraped after the signal");
    let status = reachd.daemon.wait_for_end(DRAIN);
    let took = start.elapsed();
    assert_eq!(status.code(), Some(0), "{}", reachd.daemon.log());
    assert!(took < DRAIN, "it took {took:?}");
    let log = fs::read_to_string(lab.path("counted.log")).unwrap();
    let requests = log
        .lines()
        .filter(|line| line.contains("by=sigterm"))
        .count();
    let requests = f64::from(u32::try_from(requests).unwrap());
    let probes = kept(&last);
    // One that was under way at the last scrape has been counted since.
    let unseen = last.sum("reachd_probes_in_flight", &[]).min(1.0);
    assert!(
        (0.0..=unseen).contains(&(requests - probes)),
        "{requests} requests, {probes} counted at the end"
    );
}

fn sigint(lab: &Lab) {
    let config = lab.write("sigint.yml", &configuration(WEB));
    let mut reachd = Reachd::start(lab, "sigint", &config);
    reachd.daemon.signal("INT");
    let status = reachd.daemon.wait_for_end(DRAIN);
    assert_eq!(status.code(), Some(0), "{}", reachd.daemon.log());
}

/// What a reload cannot change is said, and not passed over.
fn workers(lab: &Lab) {
    let with = |workers| {
        let global = format!("global: {{workers: {workers}, ");
        configuration(WEB).replacen("global: {", &global, 1)
    };
    let config = lab.write("workers.yml", &with(1));
    let flags = ["--web.enable-lifecycle"];
    let reachd = Reachd::start_with(lab, "workers", &config, &flags);
    let reload = |workers| {
        lab.write("workers.yml", &with(workers));
        let answer = http::post(reachd.address, "/-/reload").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        reachd.daemon.log().matches("global.workers").count()
    };
    assert_eq!(reload(1), 0, "{}", reachd.daemon.log());
    assert_eq!(reload(2), 1, "{}", reachd.daemon.log());
    assert_eq!(reload(1), 1, "{}", reachd.daemon.log());
}

/// A reload that hangs, as on a mount whose server is gone, holds up no end.
fn ends_during_a_reload(lab: &Lab, signal: &str) {
    let name = format!("reload-{signal}");
    let secret = lab.path(&format!("secrets/{name}"));
    fs::write(&secret, "wonderland\n").unwrap();
    let proxy = format!(
        "proxies: {{squid: {{url: \"http://squid.lab.test:3140\", \
         auth: {{basic: {{username: alice, password_file: \"@dir@/secrets/{name}\"}}}}}}}}\n"
    );
    let text = format!("{proxy}{}", configuration(WEB));
    let config = lab.write(&format!("{name}.yml"), &text);
    let mut reachd = Reachd::start_with(lab, &name, &config, &["--web.enable-lifecycle"]);

    // Whoever opens a file on which another has a lease waits for that one, for 45 s at the most (fcntl(2)).
    let path = secret.to_str().expect("a path in UTF-8");
    let lease = "open(my $file, '+<', $ARGV[0]) or die; $SIG{IO} = 'IGNORE'; \
                 fcntl($file, 1024, 1) or die; open(my $held, '>', \"$ARGV[0].held\"); sleep 60";
    let mut holder = Daemon::start(&name, &["perl", "-e", lease, path], lab.dir());
    holder.wait_until(|| Path::new(&format!("{path}.held")).exists());
    reachd.daemon.signal("HUP");
    let address = reachd.address;
    let asking = thread::spawn(move || http::post(address, "/-/reload"));
    thread::sleep(Duration::from_millis(500));

    let start = Instant::now();
    reachd.daemon.signal(signal);
    let status = reachd.daemon.wait_for_end(DRAIN);
    let took = start.elapsed();
    assert_eq!(status.code(), Some(0), "{}", reachd.daemon.log());
    assert!(took < DRAIN, "it took {took:?}");
    let answer = asking.join().unwrap().unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");
}

// === what is probed ===

const WEB: &str = "  - {name: web, service: some, url: \"https://web.lab.test/\"}\n";

/// The check whose requests the server counts, apart from those of other tests.
fn kept_by(test: &str) -> String {
    format!("  - {{name: kept, service: kept, url: \"http://web.lab.test/counted?by={test}\"}}\n")
}

fn configuration(endpoints: &str) -> String {
    format!(
        "global: {{interval: {INTERVAL}, timeout: {INTERVAL}, resolver: lab}}\n\
         resolvers: {{lab: {{servers: [\"@knot@:53\"], transport: udp}}}}\n\
         tls: {{ca_file: \"@dir@/pki/root.pem\"}}\n\
         endpoints:\n{endpoints}"
    )
}

/// Many endpoints with the same fault.
fn load(fault: &str) -> String {
    (0..LOAD).fold(String::new(), |mut endpoints, number| {
        let url = format!("http://{fault}.fault.lab.test/");
        let endpoint = format!("{{name: {fault}-{number}, service: load, url: \"{url}\"}}");
        writeln!(endpoints, "  - {endpoint}").unwrap();
        endpoints
    })
}

// === what is seen ===

/// How often the check ran whose requests the server counts.
fn kept(metrics: &Exposition) -> f64 {
    metrics.sum("reachd_probes_total", &[("endpoint", "kept")])
}

fn reload_successful(metrics: &Exposition) -> Option<f64> {
    metrics.value("reachd_config_last_reload_successful", &[])
}

/// No counter of a check that is there before and after has a lower value after.
fn assert_nothing_fell(before: &Exposition, after: &Exposition) {
    let counters = |metrics: &Exposition| -> BTreeMap<String, f64> {
        let names = ["reachd_probes_total", "reachd_probe_failures_total"];
        let counts = "reachd_probe_duration_seconds_count";
        let samples = names
            .iter()
            .chain([&counts])
            .flat_map(|name| metrics.matching(name, &[]));
        let removed = |sample: &&crate::kit::Sample| sample.labels["endpoint"] != "goes";
        samples
            .filter(removed)
            .map(|sample| {
                let labels: Vec<_> = sample.labels.iter().collect();
                (format!("{}{labels:?}", sample.name), sample.value)
            })
            .collect()
    };
    let (before, after) = (counters(before), counters(after));
    for (series, value) in before {
        let now = after.get(&series).copied();
        assert!(
            now.is_some_and(|now| now >= value),
            "{series} was {value} and is {now:?}"
        );
    }
}

/// The server counted as many requests as reachd counted probes, but for one that is just under way.
fn agrees_with_the_server(reachd: &Reachd, log: &Path, which: &str) {
    let mut counts = (0.0, 0.0);
    let agrees = wait::within(SOON, || {
        let log = fs::read_to_string(log).unwrap_or_default();
        let lines = log.lines().filter(|line| line.contains(which)).count();
        let requests = f64::from(u32::try_from(lines).unwrap());
        counts = (requests, kept(&reachd.metrics()));
        let (requests, probes) = counts;
        // A request under way makes the two differ for a moment, a lost count for ever.
        ((requests - probes).abs() < 0.5).then_some(())
    });
    let (requests, probes) = counts;
    assert!(
        agrees.is_some(),
        "{requests} requests at the server, {probes} probes counted"
    );
}
