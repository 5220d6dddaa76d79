//! A hostile world around one daemon: all peers that mean harm at once, descriptors that run out, a disk without room, a
//! clock that is set back and forth. What each peer does to a single probe is in `scenarios/hostile-*.yml`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::kit::{Exposition, Lab, Mounted, Reachd, http, wait};
use crate::scenarios::together;
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(120);

/// How often each peer is met.
const ROUNDS: f64 = 2.0;

/// By how much more than its timeout a probe may take on a busy machine.
const SLACK_SECONDS: f64 = 10.0;

/// By how much the daemon may have grown when it is over: less than what two lists of the largest size take.
const MOST_GROWTH_KIB: u64 = 64 * 1024;

/// What it may take while it goes on: four lists of the largest size at once (`MOST_LARGE` of them are fetched at a time),
/// each in the middle of being copied into more room, and the daemon itself.
const MOST_AT_ONCE_KIB: u64 = 600 * 1024;

/// Descriptors that come and go by themselves: a scrape, a watched file, an idle process for proxy scripts.
const FEW: usize = 12;

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("hostile::all_at_once", lab, all_at_once),
        trial("hostile::no_descriptors", lab, no_descriptors),
        trial("hostile::a_clock_that_jumps", lab, clock),
        trial("hostile::no_room_for_lists", lab, no_room),
    ]
}

/// A configuration that changes under a daemon.
struct Bed<'a> {
    lab: &'a Lab,
    name: &'static str,
}

impl Bed<'_> {
    fn write(&self, config: &Value) -> PathBuf {
        let file = format!("hostile-{}.json", self.name);
        self.lab.write(&file, &config.to_string())
    }

    fn reload(&self, reachd: &Reachd, config: &Value) {
        self.write(config);
        reachd.daemon.signal("HUP");
    }
}

/// What a process takes.
#[derive(Debug)]
struct Taken {
    descriptors: usize,
    resident_kib: u64,
    most_resident_kib: u64,
}

impl Taken {
    fn by(reachd: &Reachd) -> Self {
        let process = PathBuf::from(format!("/proc/{}", reachd.daemon.id()));
        let status = fs::read_to_string(process.join("status")).unwrap();
        let kib = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            number.expect("a number of KiB").parse().unwrap()
        };
        Self {
            descriptors: fs::read_dir(process.join("fd")).unwrap().count(),
            resident_kib: kib("VmRSS:"),
            most_resident_kib: kib("VmHWM:"),
        }
    }
}

/// Endpoints that are well, asked every two seconds, and nothing else.
fn healthy(service: &str) -> Value {
    let endpoint = |number: u32| {
        json!({"name": format!("well-{number}"), "service": service, "url": format!("https://web.lab.test/?{number}"),
               "routes": ["direct"], "critical": true, "timeout": "10s", "interval": "2s"})
    };
    let endpoints: Vec<Value> = (0..5).map(endpoint).collect();
    json!({
        "global": {"interval": "3s", "timeout": "2s", "resolver": "lab"},
        "resolvers": {"lab": {"servers": ["@knot@:53"], "transport": "udp"}},
        "tls": {"ca_file": "@dir@/hostile-roots.pem"},
        "revocation": {"mode": "off"},
        "endpoints": endpoints,
    })
}

/// Both authorities of the lab in one file.
fn write_roots(lab: &Lab) {
    let roots = ["pki/root.pem", "revocation/root.pem"].map(|file| {
        let path = lab.path(file);
        fs::read_to_string(path).unwrap()
    });
    fs::write(lab.path("hostile-roots.pem"), roots.concat()).unwrap();
}

fn counted(metrics: &Exposition, labels: &[(&str, &str)]) -> f64 {
    metrics.sum("reachd_probes_total", labels)
}

const WELL: (&str, &str) = ("service", "well");

/// All peers that mean harm at once, again and again: each probe ends in time, those beside them run and succeed, and when
/// it is over, nothing is left of it.
fn all_at_once(lab: &Lab) {
    write_roots(lab);
    let bed = Bed { lab, name: "all" };
    let calm = healthy("well");
    let mut storm = calm.clone();
    let hostile = together("hostile-", lab);
    let endpoints = hostile["endpoints"].as_array().expect("endpoints");
    assert!(endpoints.len() > 145, "{} scenarios", endpoints.len());
    storm["endpoints"]
        .as_array_mut()
        .expect("endpoints")
        .extend(endpoints.iter().cloned());
    for part in ["proxies", "resolvers"] {
        for (name, settings) in hostile[part].as_object().expect("settings") {
            storm[part][name] = settings.clone();
        }
    }

    let reachd = Reachd::start(lab, "hostile-all", &bed.write(&calm));
    reachd.wait_until_ready();
    let before = Taken::by(&reachd);
    bed.reload(&reachd, &storm);
    let met = |metrics: &Exposition| {
        let all = metrics.matching("reachd_probes_total", &[]);
        let of = |endpoint: &Value| {
            let same = all.iter().filter(|sample| {
                let of = |label: &str| Some(sample.labels[label].as_str());
                of("service") == endpoint["service"].as_str()
                    && of("endpoint") == endpoint["name"].as_str()
            });
            same.map(|sample| sample.value).sum::<f64>()
        };
        endpoints.iter().map(of).fold(f64::MAX, f64::min)
    };
    let metrics = reachd.wait_for_metrics("every peer is met again and again", SOON, |metrics| {
        met(metrics) >= ROUNDS
    });
    let during = Taken::by(&reachd);
    eprintln!("before {before:?}, during {during:?}");
    assert!(during.most_resident_kib < MOST_AT_ONCE_KIB, "{during:?}");

    let mut late = Vec::new();
    for count in metrics.matching("reachd_probe_duration_seconds_count", &[]) {
        let of_check: Vec<(&str, &str)> = ["service", "endpoint", "route"]
            .map(|label| (label, count.labels[label].as_str()))
            .into();
        let sum = metrics.value("reachd_probe_duration_seconds_sum", &of_check);
        let mean = sum.expect("a sum") / count.value.max(1.0);
        let timeout = timeout_of(&storm, count.labels["endpoint"].as_str());
        if mean > timeout + SLACK_SECONDS {
            late.push(format!("{of_check:?} took {mean} s on average"));
        }
    }
    assert!(late.is_empty(), "{late:#?}");
    let failed = counted(&metrics, &[WELL, ("result", "failure")]);
    let succeeded = counted(&metrics, &[WELL, ("result", "success")]);
    let skipped = metrics.sum("reachd_probes_skipped_total", &[WELL]);
    eprintln!("beside them {succeeded} succeeded, {failed} failed, {skipped} were skipped");
    assert!(failed < 1.0, "those beside them fail");
    // A machine that is busy with the servers, too, stands still now and then.
    assert!(skipped <= succeeded / 4.0, "those beside them do not run");

    bed.reload(&reachd, &calm);
    let left = wait::within(SOON, || {
        let left = Taken::by(&reachd);
        let is_over = left.descriptors <= before.descriptors + FEW
            && left.resident_kib <= before.resident_kib + MOST_GROWTH_KIB;
        is_over.then_some(left)
    });
    let log = reachd.daemon.log();
    let Some(left) = left else {
        panic!("{:?} is left of {before:?}\n{log}", Taken::by(&reachd));
    };
    eprintln!("left {left:?}");
    assert!(
        !log.contains("panicked") && !log.contains("a fault of reachd"),
        "{log}"
    );
}

fn timeout_of(config: &Value, endpoint: &str) -> f64 {
    let endpoints = config["endpoints"].as_array().into_iter().flatten();
    let mut timeouts = endpoints
        .filter(|found| found["name"] == endpoint)
        .filter_map(|found| found["timeout"].as_str());
    let longest = timeouts.try_fold(Duration::ZERO, |longest, timeout| {
        humantime::parse_duration(timeout).map(|timeout| longest.max(timeout))
    });
    longest.unwrap().as_secs_f64().max(2.0)
}

/// Where there are no descriptors left, probes fail because of this machine, and say so; when there are some again, all is
/// well again.
fn no_descriptors(lab: &Lab) {
    write_roots(lab);
    let bed = Bed {
        lab,
        name: "descriptors",
    };
    let calm = healthy("well");
    let mut storm = calm.clone();
    for number in 0..80 {
        let silent = json!({"name": format!("silent-{number}"), "service": "silent", "url": "http://@silent@/",
                            "routes": ["direct"], "critical": false});
        storm["endpoints"]
            .as_array_mut()
            .expect("endpoints")
            .push(silent);
    }
    let reachd = Reachd::start(lab, "hostile-descriptors", &bed.write(&calm));
    reachd.wait_until_ready();
    let limit = Taken::by(&reachd).descriptors + 24;
    let status = Command::new("prlimit")
        .arg(format!("--nofile={limit}:{limit}"))
        .args(["--pid", &reachd.daemon.id().to_string()])
        .status();
    assert!(status.unwrap().success(), "prlimit");
    bed.reload(&reachd, &storm);
    let told = "this machine has nothing left for one more connection: Too many open files";
    let is_told = wait::within(SOON, || reachd.daemon.log().contains(told).then_some(()));
    assert!(is_told.is_some(), "{}", reachd.daemon.log());
    // Whoever asks for metrics may have to wait until a descriptor is free.
    let metrics = patient_metrics(&reachd, |metrics| {
        let of_machine = [
            [("phase", "connect"), ("reason", "no_route")],
            [("phase", "dns"), ("reason", "network_error")],
        ];
        let failures = "reachd_probe_failures_total";
        of_machine
            .iter()
            .any(|labels| metrics.sum(failures, labels) > 0.0)
    });
    for sample in metrics.matching("reachd_probe_failures_total", &[]) {
        let is_explained = matches!(
            (
                sample.labels["phase"].as_str(),
                sample.labels["reason"].as_str()
            ),
            ("connect", "no_route") | ("dns", "network_error") | ("request", "timeout")
        );
        assert!(is_explained, "{sample} is not what comes of it");
    }

    // The file may not even be opened for want of a descriptor; then the old plan goes on, until asked again.
    bed.write(&calm);
    let calmed = wait::within(SOON, || {
        reachd.daemon.signal("HUP");
        std::thread::sleep(Duration::from_secs(1));
        let metrics = http::get(reachd.address, "/metrics").ok()?;
        let metrics = Exposition::parse(&metrics.body);
        metrics
            .matching("reachd_probes_total", &[("service", "silent")])
            .is_empty()
            .then_some(())
    });
    assert!(calmed.is_some(), "{}", reachd.daemon.log());
    let metrics = patient_metrics(&reachd, |metrics| {
        metrics.sum("reachd_probe_success", &[WELL]) > 4.5
    });
    assert_eq!(
        metrics.value("reachd_config_last_reload_successful", &[]),
        Some(1.0)
    );
}

/// The same as `wait_for_metrics` where the server may not be able to answer.
fn patient_metrics(reachd: &Reachd, satisfy: impl Fn(&Exposition) -> bool) -> Exposition {
    let found = wait::within(SOON, || {
        let answer = http::get(reachd.address, "/metrics").ok()?;
        let metrics = Exposition::parse(&answer.body);
        satisfy(&metrics).then_some(metrics)
    });
    found.unwrap_or_else(|| panic!("not within {SOON:?}\n{}", reachd.daemon.log()))
}

/// A clock that is set back by years, ahead by decades, and right again: timers do not mind, certificates are judged by what
/// it says, and no time that anything took is less than none.
fn clock(lab: &Lab) {
    write_roots(lab);
    let bed = Bed { lab, name: "clock" };
    let dir = lab.path("hostile-clock");
    fs::create_dir(&dir).unwrap();
    let mut config = healthy("well");
    config["state_dir"] = json!(dir.join("state"));
    let expired = json!({"name": "expired", "service": "expired", "url": "https://expired.lab.test/", "routes": ["direct"],
                         "critical": true, "timeout": "10s", "interval": "1s"});
    config["endpoints"]
        .as_array_mut()
        .expect("endpoints")
        .push(expired);
    let offset = dir.join("offset");
    let set = |ahead: &str| {
        let part = dir.join("offset.part");
        fs::write(&part, ahead).unwrap();
        fs::rename(&part, &offset).unwrap();
    };
    set("+0");
    let library = fake_time();
    let reachd = Reachd::start_in(lab, "hostile-clock", &bed.write(&config), &[], |command| {
        command
            .env("LD_PRELOAD", &library)
            .env("FAKETIME_TIMESTAMP_FILE", &offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
    });
    reachd.wait_until_ready();
    // What each certificate comes to by the clock: the one of 2020, and the one until 2049.
    for (ahead, expired, well) in [
        ("+0", 0.0, 5.0),
        ("-6y", 1.0, 5.0),
        ("+24y", 0.0, 0.0),
        ("+0", 0.0, 5.0),
    ] {
        set(ahead);
        let before = counted(&reachd.metrics(), &[]);
        let metrics =
            reachd.wait_for_metrics(&format!("the clock is set {ahead}"), SOON, |metrics| {
                let successes =
                    |service| metrics.sum("reachd_probe_success", &[("service", service)]);
                let is_so = |found: f64, expected: f64| (found - expected).abs() < 0.5;
                is_so(successes("expired"), expired)
                    && is_so(successes("well"), well)
                    && counted(metrics, &[]) > before + 12.0
            });
        let negative: Vec<String> = metrics
            .all_with(&[])
            .iter()
            .filter(|sample| sample.value < 0.0 && !sample.name.contains("clock_offset"))
            .map(ToString::to_string)
            .collect();
        assert!(negative.is_empty(), "{ahead}: {negative:#?}");
        let skipped = metrics.sum("reachd_probes_skipped_total", &[]);
        assert!(skipped < 5.0, "{ahead}: {skipped} probes were skipped");
    }
    let outages = http::get(reachd.address, "/api/v1/outages").unwrap();
    let outages: Value = serde_json::from_str(&outages.body).unwrap();
    let outages = outages["outages"].as_array().expect("outages");
    assert!(outages.len() >= 3, "{outages:#?}");
    for outage in outages {
        let seconds = outage["seconds"].as_f64().expect("seconds");
        assert!(seconds >= 0.0, "{outage:#}");
    }
    let log = reachd.daemon.log();
    assert!(
        !log.contains("panicked") && !log.contains("a fault of reachd"),
        "{log}"
    );
}

/// What makes a clock say something else, wherever the system keeps it.
fn fake_time() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut found = folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .filter(|library| library.exists());
    found.next().expect("faketime is installed")
}

/// A list for which there is no room on the disk is used all the same, and that it cannot be kept is told once. So are the
/// endpoints that a service names.
fn no_room(lab: &Lab) {
    let bed = Bed { lab, name: "room" };
    let state = lab.path("hostile-room");
    fs::create_dir(&state).unwrap();
    // Room for what is small, and not for the 50,000 entries of one list.
    let _mounted = Mounted::tmpfs(&state, "512k");
    let endpoint = |name: &str| {
        json!({"name": name, "service": "kept", "url": format!("https://{name}.rev.lab.test/"), "routes": ["direct"],
               "critical": true})
    };
    let names = ["crl-long", "crl-good", "ocsp-good"];
    let config = json!({
        "state_dir": state,
        "global": {"interval": "1s", "timeout": "30s", "resolver": "lab"},
        "resolvers": {"lab": {"servers": ["@knot@:53"], "transport": "udp"}},
        "tls": {"ca_file": "@dir@/revocation/root.pem"},
        "revocation": {"mode": "require", "timeout": "30s"},
        "endpoints": names.map(endpoint),
        "discovery": {"m365": {"url": "http://m365.http.hostile.lab.test/", "routes": ["direct"]}},
    });
    let reachd = Reachd::start(lab, "hostile-room", &bed.write(&config));
    reachd.wait_for_metrics("they are used all the same", SOON, |metrics| {
        metrics.sum("reachd_probe_success", &[]) > 3.5
            && counted(metrics, &[("service", "kept")]) > 15.0
            && counted(metrics, &[("service", "m365-common")]) > 1.5
    });
    let log = reachd.daemon.log();
    let told = log
        .matches("the state directory cannot be written to")
        .count();
    assert_eq!(told, 1, "{log}");
    let told = "what the Microsoft 365 endpoints web service said cannot be kept";
    assert_eq!(log.matches(told).count(), 1, "{log}");
    assert!(!log.contains("panicked"), "{log}");
    for folder in ["revocation", "m365"] {
        let kept = fs::read_dir(state.join(folder)).unwrap().flatten();
        let unfinished = kept.filter(|file| file.path().extension() == Some("part".as_ref()));
        assert_eq!(unfinished.count(), 0, "{folder} has something half written");
    }
}
