//! Where the catalog's redirects lead: below a required wildcard, a host is found, shown, and probed where that is
//! wanted. An unbound gives every name of the internet the address of one nginx.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::kit::{Daemon, Lab, Reachd, command, run_to_end};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(90);

const GATEWAY: &str = "asia.gateway.configmgr.manage.microsoft.com";

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![trial("redirects::below_a_required_wildcard", lab, found)]
}

/// The whole internet, on one address.
struct Internet {
    folder: PathBuf,
    nginx: Daemon,
    _unbound: Daemon,
    config: String,
}

impl Internet {
    fn start(lab: &Lab) -> Self {
        let folder = lab.path("redirects");
        fs::create_dir(&folder).unwrap();
        certify(&folder);
        link_to(&folder, GATEWAY);
        let dns = lab.fresh_address();
        let address = lab.address("internet");
        let fill = |text: &str| {
            text.replace("@folder@", folder.to_str().unwrap())
                .replace("@address@", &address.to_string())
                .replace("@dns@", &dns.ip().to_string())
                .replace("@port@", &dns.port().to_string())
        };
        let nginx = Self::nginx(lab, &fill(include_str!("lab/redirects.conf")), address);
        let conf = fill(include_str!("lab/redirects-unbound.conf"));
        let conf = lab.write("redirects-unbound.conf", &conf);
        let run = ["unbound", "-d", "-c", conf.to_str().unwrap()];
        let mut unbound = Daemon::start("redirects-unbound", &run, lab.dir());
        unbound.wait_for(dns);
        let ca = folder.join("ca.pem");
        let config = format!(
            "global: {{interval: 1s, timeout: 5s, resolver: lab}}\n\
             resolvers: {{lab: {{servers: [\"{dns}\"], transport: tcp}}}}\n\
             tls: {{ca_file: {}}}\nroutes: [direct]\nrevocation: {{mode: off}}\n\
             catalog: {{features: [tenant-attach], discover_redirects: @discover@}}\n",
            ca.display()
        );
        Self {
            folder,
            nginx,
            _unbound: unbound,
            config,
        }
    }

    fn nginx(lab: &Lab, conf: &str, address: Ipv4Addr) -> Daemon {
        let conf = lab.write("redirects-nginx.conf", conf);
        let run = ["nginx", "-e", "stderr", "-c", conf.to_str().unwrap()];
        let mut nginx = Daemon::start("redirects-nginx", &run, lab.dir());
        nginx.wait_for((address, 443));
        nginx
    }

    fn config(&self, lab: &Lab, discover: bool) -> PathBuf {
        let text = self.config.replace("@discover@", &discover.to_string());
        lab.write(&format!("redirects-{discover}.yml"), &text)
    }

    fn lead_to(&self, host: &str) {
        link_to(&self.folder, host);
        self.nginx.signal("HUP");
    }
}

fn link_to(folder: &Path, host: &str) {
    let link = format!("return 302 https://{host}/api/location;\n");
    fs::write(folder.join("link.conf"), link).unwrap();
}

/// A certificate for every name that is asked for here.
fn certify(folder: &Path) {
    let script = "set -e; openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/CN=Lab Internet' \
                  -addext keyUsage=critical,keyCertSign; \
                  openssl req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj '/CN=aka.ms'; \
                  printf 'subjectAltName=DNS:aka.ms,DNS:*.manage.microsoft.com,DNS:*.gateway.configmgr.manage.microsoft.com,DNS:elsewhere.example\\nextendedKeyUsage=serverAuth' > leaf.ext; \
                  openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile leaf.ext -out leaf.pem";
    let made = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

fn report(config: &Path) -> Value {
    let config = config.to_str().unwrap();
    let flags = ["check", "--config.file", config, "--format", "json"];
    run_to_end(command(&flags)).report()
}

fn found(lab: &Lab) {
    let internet = Internet::start(lab);

    // Shown, not probed.
    let shown = report(&internet.config(lab, false));
    let not_probed = shown["not_probed"].as_array().unwrap();
    let told = not_probed.iter().find(|entry| entry["endpoint"] == GATEWAY);
    let why = told.expect("the gateway is shown")["why"].as_str().unwrap();
    assert!(why.contains("aka.ms/configmgrgateway leads there"), "{why}");
    let of = |report: &Value| {
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["endpoint"] == GATEWAY);
        check.cloned()
    };
    assert_eq!(of(&shown), None);

    // Probed, and judged as a host of the wildcard: nobody may inspect its traffic.
    let config = internet.config(lab, true);
    let probed = of(&report(&config)).expect("the gateway is probed");
    assert_eq!(probed["origin"], "redirect");
    assert_eq!(probed["stands_in_for"], "*.manage.microsoft.com");
    assert_eq!(probed["critical"], true);
    assert_eq!(probed["url"], format!("https://{GATEWAY}/"));
    assert_eq!(probed["failure"]["reason"], "intercepted");

    // The daemon follows where the link leads.
    let reachd = Reachd::start(lab, "redirects", &config);
    reachd.wait_for_metrics("the gateway", SOON, |metrics| {
        let labels = [("endpoint", GATEWAY), ("origin", "redirect")];
        metrics.value("reachd_endpoint_info", &labels) == Some(1.0)
            && !metrics
                .matching("reachd_probe_failing", &[("endpoint", GATEWAY)])
                .is_empty()
    });
    internet.lead_to("elsewhere.example");
    reachd.wait_for_metrics("the gateway has left", SOON, |metrics| {
        metrics.all_with(&[("endpoint", GATEWAY)]).is_empty()
    });
    let elsewhere = [("endpoint", "elsewhere.example")];
    assert!(reachd.metrics().all_with(&elsewhere).is_empty());
}
