//! What the certificates of endpoints name becomes endpoints: probed by itself, failing by itself while caches still
//! hide it from the service, and gone when no certificate names it any more.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::kit::{Daemon, Exposition, Lab, Reachd, http};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(90);

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("derived::appear_fail_alone_and_leave", lab, life),
        trial("derived::go_the_way_of_revocation", lab, other_way),
        trial("derived::are_not_wanted", lab, unwanted),
        trial("derived::leave_when_nobody_looks", lab, turned_off),
    ]
}

/// An authority, and a web server with a certificate of it.
struct Site {
    folder: PathBuf,
    web: SocketAddr,
    published: SocketAddr,
    responder: SocketAddr,
    nginx: Daemon,
    openssl: Daemon,
}

impl Site {
    fn start(lab: &Lab, name: &str) -> Self {
        let folder = lab.path(name);
        let [web, published] = [(); 2].map(|()| lab.fresh_address());
        let responder = SocketAddr::new(web.ip(), free_port());
        let script = lab.write(&format!("{name}.sh"), include_str!("lab/derived.sh"));
        let made = Command::new("sh")
            .arg(script)
            .arg(&folder)
            .arg(published.ip().to_string())
            .args([published.port(), responder.port()].map(|port| port.to_string()))
            .status()
            .unwrap();
        assert!(made.success());
        fs::copy(folder.join("first.pem"), folder.join("served.pem")).unwrap();
        let conf = include_str!("lab/derived.conf")
            .replace("@folder@", folder.to_str().unwrap())
            .replace("@web@", &web.to_string())
            .replace("@published@", &published.to_string());
        let conf = lab.write(&format!("{name}.conf"), &conf);
        let command = ["nginx", "-e", "stderr", "-c", conf.to_str().unwrap()];
        let mut nginx = Daemon::start(&format!("{name}-nginx"), &command, lab.dir());
        nginx.wait_for(web);
        let openssl = respond(lab, name, &folder, responder);
        Self {
            folder,
            web,
            published,
            responder,
            nginx,
            openssl,
        }
    }

    /// An endpoint of this web server, and everything before it.
    fn config(&self, more: &str) -> String {
        let (web, ca) = (self.web, self.folder.join("ca.pem"));
        format!(
            "global: {{interval: 1s, timeout: 5s}}\ntls: {{ca_file: {}}}\n{more}\n\
             endpoints: [{{name: web, service: site, url: \"https://{web}/\"}}]\n",
            ca.display()
        )
    }

    fn list(&self) -> String {
        format!("{}/first.crl", self.published)
    }

    fn certificate(&self) -> String {
        format!("{}/ca.crt", self.published)
    }

    fn responder(&self) -> String {
        self.responder.to_string()
    }
}

fn respond(lab: &Lab, name: &str, folder: &std::path::Path, at: SocketAddr) -> Daemon {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (ca, key, index) = (file("ca.pem"), file("ca.key"), file("index.txt"));
    let port = at.port().to_string();
    let command = [
        "openssl",
        "ocsp",
        "-port",
        &port,
        "-index",
        &index,
        "-CA",
        &ca,
        "-rsigner",
        &ca,
        "-rkey",
        &key,
        "-nmin",
        "60",
        "-ignore_err",
    ];
    let name = format!("{name}-openssl");
    let mut openssl = Daemon::start(&name, &command, lab.dir());
    // A connection that asks nothing would hold it for ever.
    let log = lab.path(&format!("{name}.log"));
    let waits = || fs::read_to_string(&log).unwrap().contains("waiting for");
    openssl.wait_until(waits);
    openssl
}

/// One that is free on every address, for openssl listens on all.
fn free_port() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn success(metrics: &Exposition, endpoint: &str) -> Option<f64> {
    let labels = [("service", "site"), ("endpoint", endpoint)];
    metrics.value("reachd_probe_success", &labels)
}

fn fails(metrics: &Exposition, endpoint: &str, phase: &str, reason: &str) -> bool {
    let labels = [("endpoint", endpoint), ("phase", phase), ("reason", reason)];
    metrics.value("reachd_probe_failing", &labels) == Some(1.0)
}

fn life(lab: &Lab) {
    let mut site = Site::start(lab, "derived");
    let config = site.config("revocation: {mode: require, methods: [crl], derived_interval: 1s}");
    let config = lab.write("derived.yml", &config);
    let reachd = Reachd::start(lab, "derived", &config);
    let derived = [site.list(), site.certificate(), site.responder()];

    reachd.wait_for_metrics("all that the certificate names, well", SOON, |metrics| {
        derived
            .iter()
            .all(|name| success(metrics, name) == Some(1.0))
    });
    let metrics = reachd.metrics();
    for (name, critical) in derived.iter().zip(["true", "false", "false"]) {
        let labels = [
            ("service", "site"),
            ("endpoint", name),
            ("route", "direct"),
            ("origin", "certificate"),
            ("critical", critical),
        ];
        assert_eq!(
            metrics.value("reachd_endpoint_info", &labels),
            Some(1.0),
            "{name}"
        );
    }
    let checks: Value =
        serde_json::from_str(&http::get(reachd.address, "/api/v1/checks").unwrap().body).unwrap();
    let told = checks["checks"].as_array().unwrap();
    assert_eq!(
        told.iter().filter(|check| check["derived"] == true).count(),
        3
    );

    // The service does not notice yet: what it needs is in the cache.
    fs::write(site.folder.join("www/first.crl"), "<html>blocked</html>").unwrap();
    fs::write(site.folder.join("www/ca.crt"), "<html>blocked</html>").unwrap();
    drop(site.openssl);
    let [list, certificate, responder] = &derived;
    reachd.wait_for_metrics("each failure by itself", SOON, |metrics| {
        fails(metrics, list, "revocation", "malformed")
            && fails(metrics, certificate, "revocation", "malformed")
            && fails(metrics, responder, "connect", "refused")
    });
    assert_eq!(success(&reachd.metrics(), "web"), Some(1.0));

    site.openssl = respond(lab, "derived-again", &site.folder, site.responder);
    reachd.wait_for_metrics("the responder is back", SOON, |metrics| {
        success(metrics, responder) == Some(1.0)
    });

    // Another certificate names another list, and nothing else.
    fs::copy(
        site.folder.join("second.pem"),
        site.folder.join("served.pem"),
    )
    .unwrap();
    site.nginx.signal("HUP");
    let second = format!("{}/second.crl", site.published);
    reachd.wait_for_metrics("what is named no more has left", SOON, |metrics| {
        success(metrics, &second) == Some(1.0)
            && derived
                .iter()
                .all(|name| metrics.all_with(&[("endpoint", name)]).is_empty())
    });
}

/// Who no longer looks for revocation wants to hear nothing of its hosts.
fn turned_off(lab: &Lab) {
    let site = Site::start(lab, "derived-turned-off");
    let config = |mode: &str| {
        let section = format!("revocation: {{mode: {mode}, derived_interval: 1s}}");
        lab.write("derived-turned-off.yml", &site.config(&section))
    };
    let reachd = Reachd::start(lab, "derived-turned-off", &config("report"));
    let checks = |count: f64| {
        reachd.wait_for_metrics("so many checks", SOON, |metrics| {
            metrics.value("reachd_checks", &[]) == Some(count)
        });
    };
    checks(4.0);
    config("off");
    reachd.daemon.signal("HUP");
    checks(1.0);
}

/// What Windows fetches leaves by a way of its own; nothing is listening at the end of this one.
fn other_way(lab: &Lab) {
    let site = Site::start(lab, "derived-way");
    let nobody = lab.fresh_address();
    let config = site.config(&format!(
        "proxies: {{system: {{url: \"http://{nobody}\"}}}}\nroutes: [direct]\n\
         revocation: {{route: system, derived_interval: 1s}}"
    ));
    let config = lab.write("derived-way.yml", &config);
    let reachd = Reachd::start(lab, "derived-way", &config);
    reachd.wait_for_metrics("the proxy's failure", SOON, |metrics| {
        [site.list(), site.certificate(), site.responder()]
            .iter()
            .all(|name| {
                let labels = [
                    ("endpoint", name.as_str()),
                    ("route", "system"),
                    ("critical", "false"),
                    ("phase", "connect"),
                    ("peer", "proxy"),
                    ("reason", "refused"),
                ];
                metrics.value("reachd_probe_failing", &labels) == Some(1.0)
            })
    });
    assert_eq!(success(&reachd.metrics(), "web"), Some(1.0));
}

fn unwanted(lab: &Lab) {
    let site = Site::start(lab, "derived-off");
    for (name, section) in [
        ("derived-off", "{derived_interval: off}"),
        ("derived-mode-off", "{mode: off, derived_interval: 1s}"),
    ] {
        let config = site.config(&format!("revocation: {section}"));
        let config = lab.write(&format!("{name}.yml"), &config);
        let reachd = Reachd::start(lab, name, &config);
        reachd.wait_for_metrics("some probes", SOON, |metrics| {
            metrics.value(
                "reachd_probes_total",
                &[("endpoint", "web"), ("result", "success")],
            ) >= Some(5.0)
        });
        assert_eq!(
            reachd.metrics().value("reachd_checks", &[]),
            Some(1.0),
            "{name}"
        );
    }
}
