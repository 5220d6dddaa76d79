//! Targets that others keep: real files that change in every way, and a real server that answers, fails and changes.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::kit::{Daemon, Exposition, Lab, Reachd, command, http, run_to_end, wait};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(40);

/// Long enough for files to be looked at twice, and for what was found to be gathered.
const SETTLED: Duration = Duration::from_secs(7);

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("discovery::files_change", lab, files_change),
        trial("discovery::a_thousand_targets", lab, a_thousand_targets),
        trial("discovery::servers_answer_and_fail", lab, servers),
        trial("discovery::reload", lab, reload),
        trial("discovery::microsoft_365", lab, microsoft_365),
        trial("discovery::microsoft_365_is_busy", lab, busy),
        trial("discovery::commands", lab, commands),
    ]
}

/// Everything before the sources.
const HEAD: &str = "\
global: {resolver: lab, timeout: 2s, interval: 1s}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
revocation: {mode: off}
";

fn config(lab: &Lab, name: &str, more: &str) -> PathBuf {
    lab.write(&format!("{name}.yml"), &format!("{HEAD}{more}"))
}

/// A web server whose files change.
struct Site {
    folder: PathBuf,
    web: SocketAddr,
    nginx: Daemon,
}

impl Site {
    fn start(lab: &Lab, name: &str) -> Self {
        let folder = lab.path(name);
        for part in ["www/locked", "www/slow", "www/version", "www/endpoints"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        // The hash of ALICE in kit.rs, made by `openssl passwd -apr1`.
        let passwords = "alice:$apr1$reachdlb$vhEEcWBpOI8rX7EbduwIQ/\n";
        fs::write(folder.join("passwords"), passwords).unwrap();
        let web = lab.fresh_address();
        let conf = include_str!("lab/discovery.conf")
            .replace("@folder@", folder.to_str().unwrap())
            .replace("@web@", &web.to_string());
        let conf = lab.write(&format!("{name}.conf"), &conf);
        let command = ["nginx", "-e", "stderr", "-c", conf.to_str().unwrap()];
        let mut nginx = Daemon::start(&format!("{name}-nginx"), &command, lab.dir());
        nginx.wait_for(web);
        Self { folder, web, nginx }
    }

    /// Its workers end with it only when it is told to end.
    fn stop(&mut self) {
        self.nginx.signal("TERM");
        self.nginx.wait_for_end(SOON);
    }

    fn write(&self, file: &str, content: &str) {
        put(&self.folder.join("www").join(file), content);
    }

    /// The requests for paths that begin so, without those that only looked whether somebody listens.
    fn asked(&self, path: &str) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("access.log")).unwrap_or_default();
        let is_its = |line: &&str| {
            line.split(' ')
                .nth(1)
                .is_some_and(|uri| uri.starts_with(path))
        };
        log.lines().filter(is_its).map(str::to_owned).collect()
    }
}

/// Replaces a file by a rename.
fn put(path: &Path, content: &str) {
    let part = path.with_extension("part");
    fs::write(&part, content).unwrap();
    fs::rename(&part, path).unwrap();
}

fn success(metrics: &Exposition, endpoint: &str) -> Option<f64> {
    metrics.value("reachd_probe_success", &[("endpoint", endpoint)])
}

fn up(metrics: &Exposition, kind: &str, source: &str) -> Option<f64> {
    let found = metrics.all_with(&[("kind", kind)]);
    let mut found = found.iter().filter(|sample| {
        sample.name == "reachd_discovery_up" && sample.labels["source"].ends_with(source)
    });
    found.next().map(|sample| sample.value)
}

fn not_probed(reachd: &Reachd) -> String {
    let answer = http::get(reachd.address, "/api/v1/status").unwrap();
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    answer["not_probed"].to_string()
}

fn files_change(lab: &Lab) {
    let folder = lab.path("discovery-files");
    fs::create_dir(&folder).unwrap();
    let file = |name: &str| folder.join(name);
    let config = config(
        lab,
        "discovery-files",
        "discovery: {file_sd: [discovery-files/*.yml, {files: [discovery-files/one.json], service: shop, critical: false}]}\n",
    );
    let reachd = Reachd::start(lab, "discovery-files", &config);
    let metrics = reachd.wait_for_metrics("a plan that is empty", SOON, |metrics| {
        metrics.value("reachd_checks", &[]) == Some(0.0)
    });
    assert_eq!(up(&metrics, "file_sd", "*.yml"), Some(1.0));
    assert_eq!(up(&metrics, "file_sd", "one.json"), Some(0.0));

    let first = "- targets: [\"https://web.lab.test/\"]\n  labels: {name: web, team: x, host: y, __meta_z: z}\n";
    put(&file("a.yml"), first);
    reachd.wait_for_metrics("the first target", SOON, |metrics| {
        success(metrics, "web") == Some(1.0)
    });
    let info = [
        ("endpoint", "web"),
        ("service", "default"),
        ("critical", "true"),
        ("origin", "file_sd"),
        ("team", "x"),
        ("exported_host", "y"),
        ("host", "web.lab.test"),
    ];
    let metrics = reachd.metrics();
    assert_eq!(metrics.value("reachd_endpoint_info", &info), Some(1.0));
    let count = |metrics: &Exposition| {
        let labels = [("endpoint", "web"), ("result", "success")];
        metrics.value("reachd_probes_total", &labels).unwrap()
    };
    let counted = count(&metrics);

    // Written in pieces, as some scripts do it.
    fs::write(file("one.json"), "[{\"targets\": [\"web.lab.test:443\"").unwrap();
    sleep(Duration::from_millis(300));
    fs::write(
        file("one.json"),
        "[{\"targets\": [\"web.lab.test:443\", \"nowhere.lab.test:1\"]}]",
    )
    .unwrap();
    reachd.wait_for_metrics("targets of a host and a port", SOON, |metrics| {
        success(metrics, "web.lab.test:443") == Some(1.0)
            && success(metrics, "nowhere.lab.test:1") == Some(0.0)
            && up(metrics, "file_sd", "one.json") == Some(1.0)
    });
    let shop = [
        ("service", "shop"),
        ("endpoint", "web.lab.test:443"),
        ("critical", "false"),
    ];
    assert_eq!(
        reachd.metrics().value("reachd_probe_success", &shop),
        Some(1.0)
    );

    // Broken in one file: that one keeps its set, and says where.
    fs::write(file("a.yml"), "- targets: []\n- target: [x]\n").unwrap();
    reachd.wait_for_metrics("the gauge of a broken file", SOON, |metrics| {
        up(metrics, "file_sd", "*.yml") == Some(0.0)
    });
    assert!(
        reachd
            .daemon
            .log()
            .contains("a.yml:2:3: [1].target: unknown key")
    );
    sleep(SETTLED);
    assert_eq!(success(&reachd.metrics(), "web"), Some(1.0));

    // Mended, with more that cannot be probed beside it; and a new file.
    put(
        &file("a.yml"),
        &format!(
            "{first}- {{targets: [\"https://web.lab.test/a\"], labels: {{name: lost, route: nowhere}}}}\n\
             - {{targets: [\"ftp://x/\", \"https://u:hunter2@x/\"]}}\n"
        ),
    );
    put(
        &file("b.yml"),
        "- {targets: [\"https://web.lab.test/b\"], labels: {name: web}}\n- {targets: [\"dns:web.lab.test\"], labels: {name: b}}\n",
    );
    reachd.wait_for_metrics("all files good", SOON, |metrics| {
        up(metrics, "file_sd", "*.yml") == Some(1.0) && success(metrics, "b") == Some(1.0)
    });
    let told = not_probed(&reachd);
    for expected in [
        "`nowhere`, which does not exist",
        "is there twice in its service",
        "ftp://x/",
        "target 2 of group 3",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(!told.contains("hunter2"));
    assert!(!reachd.daemon.log().contains("hunter2"));

    fs::remove_file(file("b.yml")).unwrap();
    fs::remove_file(file("one.json")).unwrap();
    reachd.wait_for_metrics("what is removed has left", SOON, |metrics| {
        ["b", "web.lab.test:443", "nowhere.lab.test:1"]
            .iter()
            .all(|name| metrics.all_with(&[("endpoint", name)]).is_empty())
    });
    let metrics = reachd.metrics();
    assert!(count(&metrics) > counted + 5.0, "it went on all the time");
    assert_eq!(metrics.value("reachd_checks", &[]), Some(1.0));
}

fn a_thousand_targets(lab: &Lab) {
    let folder = lab.path("discovery-many");
    fs::create_dir(&folder).unwrap();
    let list = |count: usize| {
        let targets: Vec<String> = (0..count).map(|n| format!("\"@nginx@:80/{n}\"")).collect();
        let targets = lab.fill(&targets.join(", "));
        format!("[{{\"targets\": [{targets}], \"labels\": {{\"__scheme__\": \"http\"}}}}]")
    };
    put(&folder.join("many.json"), &list(1000));
    let config = config(
        lab,
        "discovery-many",
        "discovery: {file_sd: [{files: [discovery-many/*.json], interval: 5s}]}\n",
    );
    let reachd = Reachd::start(lab, "discovery-many", &config);
    let all_well = |count: u32| {
        move |metrics: &Exposition| {
            let of_all = [("service", "default")];
            let count = f64::from(count);
            metrics.value("reachd_checks", &[]) == Some(count)
                && (metrics.sum("reachd_probe_success", &of_all) - count).abs() < 0.5
        }
    };
    reachd.wait_for_metrics("a thousand targets", SOON, all_well(1000));
    put(&folder.join("many.json"), &list(10));
    reachd.wait_for_metrics("ten targets", SOON, all_well(10));
    put(&folder.join("many.json"), &list(10_001));
    reachd.wait_for_metrics("too many targets", SOON, |metrics| {
        up(metrics, "file_sd", "*.json") == Some(0.0)
    });
    assert!(reachd.daemon.log().contains("at most 10000"));
    reachd.wait_for_metrics("ten targets still", SOON, all_well(10));
}

/// One target of this name.
fn named(name: &str) -> String {
    format!("[{{\"targets\": [\"https://web.lab.test/\"], \"labels\": {{\"name\": \"{name}\"}}}}]")
}

fn servers(lab: &Lab) {
    let mut site = Site::start(lab, "discovery-servers");
    let web = site.web;
    for (file, name) in [
        ("plain.json", "plain"),
        ("locked/a.json", "locked"),
        ("over.json", "over"),
    ] {
        site.write(file, &named(name));
    }
    site.write("page.html", "[]");
    let slow = format!(
        "[{{\"targets\": [\"a:1\"], \"labels\": {{\"x\": \"{}\"}}}}]",
        "y".repeat(400)
    );
    site.write("slow/a.json", &slow);
    let login = |secret: &str| {
        format!("auth: {{basic: {{username: alice, password_file: \"@dir@/secrets/{secret}\"}}}}")
    };
    let sources = [
        format!("{{url: \"http://{web}/plain.json?x=1\", refresh_interval: 1s}}"),
        format!(
            "{{url: \"http://{web}/locked/a.json\", refresh_interval: 1s, {}}}",
            login("alice")
        ),
        format!(
            "{{name: wrong, url: \"http://{web}/locked/a.json\", refresh_interval: 1s, {}}}",
            login("wrong")
        ),
        format!(
            "{{url: \"http://{web}/over.json\", refresh_interval: 90s, route: squid, service: far}}"
        ),
        format!("{{url: \"http://{web}/broken.json\", refresh_interval: 1s}}"),
        format!("{{url: \"http://{web}/page.html\", refresh_interval: 1s}}"),
        format!("{{url: \"http://{web}/slow/a.json\", refresh_interval: 1s}}"),
        format!(
            "{{url: \"http://{web}/moved.json\", refresh_interval: 1s, {}}}",
            login("alice")
        ),
        "{name: nobody, url: \"https://nowhere.lab.test/\", refresh_interval: 1s}".to_owned(),
    ];
    let config = config(
        lab,
        "discovery-servers",
        &format!(
            "proxies: {{squid: {{url: \"http://@squid@:3128\"}}}}\nroutes: [direct]\ndiscovery: {{http_sd: [{}]}}\n",
            sources.join(", ")
        ),
    );
    let reachd = Reachd::start(lab, "discovery-servers", &config);
    let expected = [
        ("plain.json", 1.0),
        ("locked/a.json", 1.0),
        ("over.json", 1.0),
        ("wrong", 0.0),
        ("broken.json", 0.0),
        ("page.html", 0.0),
        ("slow/a.json", 0.0),
        ("moved.json", 0.0),
        ("nobody", 0.0),
    ];
    reachd.wait_for_metrics("good and bad servers", SOON, |metrics| {
        expected
            .iter()
            .all(|(source, good)| up(metrics, "http_sd", source) == Some(*good))
            && ["plain", "locked", "over"]
                .iter()
                .all(|name| success(metrics, name) == Some(1.0))
    });
    let over = site.asked("/over.json");
    assert_eq!(over.len(), 1, "{over:?}");
    assert!(
        over[0].contains("squid") && over[0].ends_with("every=90"),
        "{over:?}"
    );
    assert!(site.asked("/plain.json")[0].contains("via=- every=1"));
    let log = reachd.daemon.log();
    for told in [
        "answered 401, and not 200",
        "answered 500, and not 200",
        "the content type `text/html`",
        "response/timeout (endpoint)",
        "no redirect is followed",
        "dns/nxdomain (endpoint)",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    let page = http::get(reachd.address, "/config").map(|answer| answer.body);
    for text in [log, reachd.metrics_text(), page.unwrap_or_default()] {
        assert!(!text.contains("wonderland") && !text.contains("not-the-password"));
        assert!(!text.contains("YWxpY2U6"), "{text}");
    }

    changes(&mut site, &reachd);
}

/// What is broken keeps the last good set; what is mended, and what changes, is followed.
fn changes(site: &mut Site, reachd: &Reachd) {
    site.write("plain.json", "[{\"targets\": 1}]");
    reachd.wait_for_metrics("a broken answer", SOON, |metrics| {
        up(metrics, "http_sd", "plain.json") == Some(0.0)
    });
    assert!(reachd.daemon.log().contains("the answer:1:"));
    sleep(SETTLED);
    assert_eq!(success(&reachd.metrics(), "plain"), Some(1.0));
    site.write("plain.json", &named("other"));
    reachd.wait_for_metrics("another target", SOON, |metrics| {
        success(metrics, "other") == Some(1.0)
            && metrics.all_with(&[("endpoint", "plain")]).is_empty()
            && up(metrics, "http_sd", "plain.json") == Some(1.0)
    });
    site.stop();
    reachd.wait_for_metrics("a server that is gone", SOON, |metrics| {
        up(metrics, "http_sd", "plain.json") == Some(0.0)
    });
    assert!(reachd.daemon.log().contains("connect/refused (endpoint)"));
    assert_eq!(success(&reachd.metrics(), "other"), Some(1.0));
}

fn reload(lab: &Lab) {
    let site = Site::start(lab, "discovery-reload");
    let web = site.web;
    for name in ["kept", "changed", "gone"] {
        let list = format!(
            "[{{\"targets\": [\"https://web.lab.test/\"], \"labels\": {{\"name\": \"{name}\"}}}}]"
        );
        site.write(&format!("{name}.json"), &list);
    }
    let write = |sources: &str| {
        let routes = "proxies: {squid: {url: \"http://@squid@:3128\"}}\nroutes: [direct]\n";
        config(
            lab,
            "discovery-reload",
            &format!("{routes}discovery: {{http_sd: [{sources}]}}\n"),
        )
    };
    let kept = format!("{{url: \"http://{web}/kept.json\", refresh_interval: 1h}}");
    let changed = format!("{{url: \"http://{web}/changed.json\", refresh_interval: 1h}}");
    let gone = format!("{{url: \"http://{web}/gone.json\", refresh_interval: 1h}}");
    let config = write(&[kept.as_str(), &changed, &gone].join(", "));
    let reachd = Reachd::start(lab, "discovery-reload", &config);
    let metrics = reachd.wait_for_metrics("all three", SOON, |metrics| {
        ["kept", "changed", "gone"]
            .iter()
            .all(|name| success(metrics, name) == Some(1.0))
    });
    let labels = [("endpoint", "kept"), ("result", "success")];
    let counted = metrics.value("reachd_probes_total", &labels).unwrap();
    let changed = changed.replace("1h", "1h, route: squid, service: far");
    write(&[kept.as_str(), &changed].join(", "));
    reachd.daemon.signal("HUP");
    let metrics = reachd.wait_for_metrics("the other sources", SOON, |metrics| {
        let far = [("endpoint", "changed"), ("service", "far")];
        metrics.value("reachd_probe_success", &far) == Some(1.0)
            && metrics.all_with(&[("endpoint", "gone")]).is_empty()
    });
    assert!(metrics.value("reachd_probes_total", &labels).unwrap() >= counted);
    assert_eq!(up(&metrics, "http_sd", "gone.json"), None);
    for (path, times) in [("/kept.json", 1), ("/changed.json", 2), ("/gone.json", 1)] {
        assert_eq!(site.asked(path).len(), times, "{path}");
    }
}

/// In the words of the service's documentation.
const SETS: &str = r#"[
  {"id": 1, "serviceArea": "Common", "serviceAreaDisplayName": "Microsoft 365 Common", "urls": ["web.lab.test", "*.lab.test"],
   "ips": ["192.0.2.0/24"], "tcpPorts": "443", "expressRoute": false, "category": "Allow", "required": true},
  {"id": 2, "serviceArea": "Exchange", "serviceAreaDisplayName": "Exchange Online", "urls": ["expired.lab.test"],
   "tcpPorts": "443", "expressRoute": true, "category": "Optimize", "required": true},
  {"id": 3, "serviceArea": "Skype", "serviceAreaDisplayName": "Teams", "urls": ["other.lab.test"],
   "tcpPorts": "443", "expressRoute": true, "category": "Optimize", "required": true}
]"#;

fn version(latest: &str) -> String {
    format!("{{\"instance\": \"Worldwide\", \"latest\": \"{latest}\"}}")
}

fn microsoft_365(lab: &Lab) {
    let mut site = Site::start(lab, "discovery-m365");
    let web = site.web;
    site.write("version/Worldwide", &version("2026112000"));
    site.write("endpoints/Worldwide", SETS);
    let state = lab.path("discovery-m365-state");
    let text = format!(
        "state_dir: {}\ndiscovery: {{m365: {{url: \"http://{web}/\", service_areas: [exchange], tenant: contoso}}}}\n",
        state.display()
    );
    let config = config(lab, "discovery-m365", &text);
    let kept = state.join("m365/worldwide.json");
    let start = |name: &str| {
        let reachd = Reachd::start(lab, name, &config);
        reachd.wait_for_metrics("the endpoints of the service", SOON, |metrics| {
            success(metrics, "web.lab.test") == Some(1.0)
                && success(metrics, "expired.lab.test") == Some(0.0)
        });
        reachd
    };
    // As if the last question were long ago.
    let age = || {
        let mut memory: Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
        memory["latest"][1] = 1.into();
        put(&kept, &memory.to_string());
    };
    let counts = || {
        (
            site.asked("/version/").len(),
            site.asked("/endpoints/").len(),
        )
    };

    let reachd = start("discovery-m365-first");
    let info = [
        ("endpoint", "expired.lab.test"),
        ("service", "m365-exchange"),
        ("origin", "m365"),
        ("critical", "true"),
        ("category", "Optimize"),
    ];
    let metrics = reachd.metrics();
    assert_eq!(metrics.value("reachd_endpoint_info", &info), Some(1.0));
    assert_eq!(up(&metrics, "m365", "worldwide"), Some(1.0));
    assert!(
        metrics
            .all_with(&[("endpoint", "other.lab.test")])
            .is_empty()
    );
    assert!(not_probed(&reachd).contains("*.lab.test"));
    assert_eq!(counts(), (1, 1));
    let asked = site.asked("/endpoints/")[0].clone();
    assert!(
        asked.contains("ServiceAreas=Exchange&NoIPv6=true&TenantName=contoso"),
        "{asked}"
    );
    let written = wait::within(SOON, || kept.exists().then_some(()));
    assert!(written.is_some());
    drop(reachd);

    // A start within the hour asks nothing; later, it asks for the version alone.
    drop(start("discovery-m365-again"));
    assert_eq!(counts(), (1, 1));
    age();
    let reachd = start("discovery-m365-later");
    assert!(wait::within(SOON, || (counts() == (2, 1)).then_some(())).is_some());
    sleep(Duration::from_secs(1));
    drop(reachd);
    assert_eq!(counts(), (2, 1));

    // A new version, and its endpoints.
    age();
    site.write("version/Worldwide", &version("2026112001"));
    site.write(
        "endpoints/Worldwide",
        &SETS.replace("expired.lab.test", "self-signed.lab.test"),
    );
    let reachd = Reachd::start(lab, "discovery-m365-new", &config);
    reachd.wait_for_metrics("the new endpoints", SOON, |metrics| {
        success(metrics, "self-signed.lab.test") == Some(0.0)
            && metrics
                .all_with(&[("endpoint", "expired.lab.test")])
                .is_empty()
    });
    assert_eq!(counts(), (3, 2));
    sleep(Duration::from_secs(1));
    drop(reachd);

    // Always under the same name.
    let client = fs::read_to_string(state.join("m365/client-request-id")).unwrap();
    for line in [site.asked("/version/"), site.asked("/endpoints/")].concat() {
        assert!(
            line.contains(&format!("ClientRequestId={client}")),
            "{line}"
        );
    }

    // Without a network, what was kept is probed, and the gauge says so.
    age();
    site.stop();
    let reachd = Reachd::start(lab, "discovery-m365-alone", &config);
    let metrics = reachd.wait_for_metrics("what was kept", SOON, |metrics| {
        success(metrics, "web.lab.test") == Some(1.0)
            && up(metrics, "m365", "worldwide") == Some(0.0)
    });
    let last = "reachd_discovery_last_success_timestamp_seconds";
    assert!(metrics.value(last, &[("kind", "m365")]) > Some(1e9));
}

fn busy(lab: &Lab) {
    let site = Site::start(lab, "discovery-busy");
    let text = format!(
        "state_dir: {}\ndiscovery: {{m365: {{url: \"http://{}/busy\"}}}}\n",
        lab.path("discovery-busy-state").display(),
        site.web
    );
    let config = config(lab, "discovery-busy", &text);
    for name in ["discovery-busy-first", "discovery-busy-again"] {
        let reachd = Reachd::start(lab, name, &config);
        reachd.wait_for_metrics("a service that is busy", SOON, |metrics| {
            up(metrics, "m365", "worldwide") == Some(0.0)
        });
        sleep(Duration::from_secs(1));
        assert!(
            reachd.daemon.log().contains("answered 429"),
            "{}",
            reachd.daemon.log()
        );
    }
    let asked = site.asked("/busy/");
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(
        asked[0].starts_with("429 /busy/version/Worldwide?"),
        "{asked:?}"
    );
}

fn commands(lab: &Lab) {
    let site = Site::start(lab, "discovery-commands");
    site.write(
        "a.json",
        "[{\"targets\": [\"https://expired.lab.test/\"], \"labels\": {\"critical\": \"false\"}}]",
    );
    put(
        &lab.path("discovery-commands.file.yml"),
        "- targets: [\"https://web.lab.test/\"]\n",
    );
    let web = site.web;
    let text = format!(
        "discovery: {{file_sd: [discovery-commands.file.yml, nothing.yml], http_sd: [{{url: \"http://{web}/a.json\"}}, \
         {{name: broken, url: \"http://{web}/broken.json\"}}]}}\n"
    );
    let config = config(lab, "discovery-commands", &text);
    let config = config.to_str().unwrap();

    let finished = run_to_end(command(&["config", "check", config]));
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    assert!(
        finished.stdout.contains("is valid: 1 checks"),
        "{finished:?}"
    );
    assert!(
        finished
            .stdout
            .contains("nothing.yml: there is no such file"),
        "{finished:?}"
    );
    assert!(site.asked("/a.json").is_empty());

    let finished = run_to_end(command(&[
        "check",
        "--format",
        "json",
        "--config.file",
        config,
    ]));
    assert_eq!(finished.exit_code, 1, "{finished:?}");
    let report = finished.report();
    let mut found: Vec<&str> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| check["url"].as_str())
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        ["https://expired.lab.test/", "https://web.lab.test/"]
    );
    assert!(
        finished.stderr.contains("answered 500, and not 200"),
        "{finished:?}"
    );
    assert_eq!(site.asked("/a.json").len(), 1);

    let nothing = lab.write(
        "discovery-nothing.yml",
        "discovery: {file_sd: [nothing.yml]}\n",
    );
    let finished = run_to_end(command(&[
        "check",
        "--config.file",
        nothing.to_str().unwrap(),
    ]));
    assert_eq!(finished.exit_code, 64, "{finished:?}");
    assert!(
        finished.stderr.contains("name nothing that can be probed"),
        "{finished:?}"
    );
}
