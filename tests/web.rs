//! The web server as others meet it: TLS, client certificates, logins and limits with curl, everything that changes while
//! it runs, and a real Prometheus, nginx and systemd's tools around it.

mod front;
mod health;
mod service;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::kit::{Daemon, Finished, Lab, Reachd, command, http, run_to_end, wait};
use crate::suite::{SharedLab, trial};

/// What reachd probes while it is looked at.
pub(crate) const CONFIG: &str = r#"
global: {interval: 1s, resolver: lab}
resolvers: {lab: {servers: ["@knot@:53"], transport: udp}}
tls: {ca_file: "@dir@/pki/root.pem"}
endpoints:
  - {name: web, service: some, url: "https://web.lab.test/"}
"#;

/// Of "wonderland".
const HASH: &str = "$2b$04$AQUBAgMEBQYHCAkKCwwNDuL8psxDtkasFlkF3vVwIZrjvxcy6YYYq";

/// How long a change of a file may take until it is seen, on a machine that has more to do.
const SOON: Duration = Duration::from_secs(40);

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    let own = vec![
        trial("web::clients_show_certificates", lab, certificates),
        trial("web::versions_and_ciphers", lab, versions),
        trial("web::a_certificate_is_renewed", lab, renewed),
        trial("web::users_come_and_go", lab, users),
        trial("web::requests_are_limited", lab, limited),
        trial("web::bad_files_are_refused", lab, refused),
        trial("web::prometheus_scrapes_over_tls", lab, prometheus),
        trial("web::clients_that_cannot_be_accepted", lab, accept_errors),
    ];
    [
        own,
        front::trials(lab),
        health::trials(lab),
        service::trials(lab),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A reachd with a web configuration file of its own.
pub(crate) struct Served {
    pub(crate) reachd: Reachd,
    pub(crate) file: PathBuf,
}

impl Served {
    pub(crate) fn new(lab: &Lab, name: &str, web: &str) -> Self {
        let config = lab.write(&format!("web-{name}.yml"), CONFIG);
        let file = lab.write(&format!("web-{name}.web.yml"), web);
        let flags = ["--web.config.file", utf8(&file)];
        let reachd = Reachd::start_with(lab, &format!("web-{name}"), &config, &flags);
        Self { reachd, file }
    }

    /// `curl https://reachd.lab.test:PORT/PATH`, with the lab's root as the one that is trusted.
    fn curl(&self, lab: &Lab, path: &str, more: &[&str]) -> Finished {
        curl_at("https", lab, self.reachd.address, path, more)
    }

    /// Asks until curl fares as expected.
    fn wait_for(&self, lab: &Lab, path: &str, more: &[&str], expected: &str) {
        let mut last = None;
        let seen = wait::within(SOON, || {
            let finished = self.curl(lab, path, more);
            let fits = verdict(&finished) == expected;
            last = Some(finished);
            fits.then_some(())
        });
        let log = self.reachd.daemon.log();
        assert!(seen.is_some(), "{more:?}: not {expected}: {last:?}\n{log}");
    }
}

/// `curl`, with the status and the version of HTTP in a last line.
fn curl_at(scheme: &str, lab: &Lab, address: SocketAddr, path: &str, more: &[&str]) -> Finished {
    let port = address.port();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20"])
        .args(["--write-out", "\n%{http_code} %{http_version}"])
        .arg("--cacert")
        .arg(lab.path("pki/root.pem"))
        .arg("--resolve")
        .arg(format!("reachd.lab.test:{port}:{}", address.ip()))
        .args(more)
        .arg(format!("{scheme}://reachd.lab.test:{port}{path}"));
    run_to_end(curl)
}

/// `200 2`, or that there was no answer.
fn verdict(finished: &Finished) -> String {
    match (finished.exit_code, finished.stdout.lines().last()) {
        (0, Some(line)) => line.to_owned(),
        // The sender of a refused certificate may learn of it at its next read (56) or write (55), or of a closed
        // connection (52).
        (35 | 52 | 55 | 56, _) => "refused".to_owned(),
        (code, _) => format!("curl: {code}"),
    }
}

pub(crate) fn utf8(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The flags of curl that show a certificate of the lab.
fn showing(lab: &Lab, name: &str) -> [String; 4] {
    let file = |extension: &str| utf8(&lab.path(&format!("pki/{name}.{extension}"))).to_owned();
    [
        "--cert".to_owned(),
        file("pem"),
        "--key".to_owned(),
        file("key"),
    ]
}

const TLS: &str =
    "tls_server_config: {cert_file: pki/good.pem, key_file: pki/good.key, @more@}\n@rest@";

fn tls(more: &str, rest: &str) -> String {
    TLS.replace("@more@", more).replace("@rest@", rest)
}

fn certificates(lab: &Lab) {
    let by = |policy: &str, more: &str| {
        let more = format!("client_auth_type: {policy}, {more}");
        tls(&more, "")
    };
    let authority = "client_ca_file: pki/client-ca.pem";
    let served = Served::new(lab, "clients", &by("RequireAndVerifyClientCert", authority));
    let (own, strange) = (showing(lab, "client"), showing(lab, "wrong-client"));
    let (own, strange) = (
        own.each_ref().map(String::as_str),
        strange.each_ref().map(String::as_str),
    );
    let expect = |expected: [&str; 3]| {
        for (shown, expected) in [&own[..], &strange, &[]].into_iter().zip(expected) {
            served.wait_for(lab, "/-/healthy", shown, expected);
        }
    };
    let change = |policy: &str, more: &str| fs::write(&served.file, by(policy, more)).unwrap();
    expect(["200 2", "refused", "refused"]);
    let name = "client_allowed_sans: [reachd.lab.test]";
    change(
        "RequireAndVerifyClientCert",
        &format!("{authority}, client_allowed_sans: [prometheus.lab.test]"),
    );
    expect(["refused", "refused", "refused"]);
    change(
        "RequireAndVerifyClientCert",
        &format!("{authority}, {name}"),
    );
    expect(["200 2", "refused", "refused"]);
    change("VerifyClientCertIfGiven", authority);
    served.wait_for(lab, "/-/healthy", &[], "200 2");
    expect(["200 2", "refused", "200 2"]);
    change("RequireAnyClientCert", name);
    served.wait_for(lab, "/-/healthy", &strange, "200 2");
    expect(["200 2", "200 2", "refused"]);
    change("RequestClientCert", "");
    expect(["200 2", "200 2", "200 2"]);
}

fn versions(lab: &Lab) {
    let served = Served::new(lab, "versions", &tls("min_version: TLS13", ""));
    let old = ["--tls-max", "1.2"];
    served.wait_for(lab, "/metrics", &[], "200 2");
    served.wait_for(lab, "/metrics", &["--http1.1"], "200 1.1");
    served.wait_for(lab, "/metrics", &old, "refused");
    let suites =
        "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP384]";
    let plain = "http_server_config: {http2: false}\n";
    fs::write(&served.file, tls(suites, plain)).unwrap();
    served.wait_for(lab, "/metrics", &old, "200 1.1");
    let with = |suite: &'static str| [&old[..], &["--ciphers", suite]].concat();
    let good = with("ECDHE-ECDSA-AES128-GCM-SHA256");
    served.wait_for(lab, "/metrics", &good, "200 1.1");
    let other = with("ECDHE-ECDSA-AES256-GCM-SHA384");
    served.wait_for(lab, "/metrics", &other, "refused");
    served.wait_for(lab, "/metrics", &["--curves", "P-256"], "refused");
    served.wait_for(lab, "/metrics", &["--curves", "P-384"], "200 1.1");
}

/// A certificate and its key, replaced one after the other as tools do it.
fn renewed(lab: &Lab) {
    let web = "tls_server_config: {cert_file: renewed.pem, key_file: renewed.key}";
    let install = |name: &str| {
        for extension in ["pem", "key"] {
            let fresh = lab.path(&format!("renewed.{extension}.new"));
            fs::copy(lab.path(&format!("pki/{name}.{extension}")), &fresh).unwrap();
            fs::rename(&fresh, lab.path(&format!("renewed.{extension}"))).unwrap();
        }
    };
    install("expired");
    let served = Served::new(lab, "renewed", web);
    served.wait_for(lab, "/metrics", &[], "curl: 60");
    install("good");
    served.wait_for(lab, "/metrics", &[], "200 2");
    // A key of another certificate is bad, and what was there before goes on to say so.
    fs::copy(lab.path("pki/expired.key"), lab.path("renewed.key")).unwrap();
    served.wait_for(lab, "/metrics", &[], "500 2");
    install("good");
    served.wait_for(lab, "/metrics", &[], "200 2");
    let log = served.reachd.daemon.log();
    assert!(
        log.contains("the key is not that of the certificate"),
        "{log}"
    );
}

fn users(lab: &Lab) {
    let with = |users: &str| format!("basic_auth_users:\n{users}");
    let alice = format!("  alice: {HASH}\n");
    let both = format!("{alice}  bob: {HASH}\n");
    let served = Served::new(lab, "users", &tls("", &with(&both)));
    let log_in = |user: &'static str| ["--user", user];
    for path in ["/metrics", "/", "/-/healthy", "/-/ready", "/api/v1/events"] {
        served.wait_for(lab, path, &[], "401 2");
    }
    served.wait_for(lab, "/metrics", &log_in("alice:wonderland"), "200 2");
    served.wait_for(lab, "/metrics", &log_in("bob:wonderland"), "200 2");
    served.wait_for(lab, "/metrics", &log_in("alice:Wonderland"), "401 2");
    served.wait_for(lab, "/metrics", &log_in("carol:wonderland"), "401 2");
    let asked = served.curl(lab, "/metrics", &["--include"]);
    assert!(
        asked.stdout.contains("www-authenticate: Basic"),
        "{asked:?}"
    );
    let headers = "http_server_config: {headers: {Strict-Transport-Security: max-age=60}}\n";
    let alone = tls("", &format!("{headers}{}", with(&alice)));
    fs::write(&served.file, &alone).unwrap();
    served.wait_for(lab, "/metrics", &log_in("bob:wonderland"), "401 2");
    served.wait_for(lab, "/metrics", &log_in("alice:wonderland"), "200 2");
    let shown = served.curl(lab, "/-/healthy", &["--include"]);
    assert!(
        shown
            .stdout
            .contains("strict-transport-security: max-age=60"),
        "{shown:?}"
    );
    // What is bad lets nobody in, and least of all without a login.
    for bad in [
        "",
        "{}",
        "basic_auth_users:\n",
        &tls("", "basic_auth_users: {alice: x}"),
    ] {
        fs::write(&served.file, bad).unwrap();
        served.wait_for(lab, "/metrics", &log_in("alice:wonderland"), "500 2");
        served.wait_for(lab, "/-/healthy", &[], "500 2");
        fs::write(&served.file, &alone).unwrap();
        served.wait_for(lab, "/metrics", &log_in("alice:wonderland"), "200 2");
    }
    let log = served.reachd.daemon.log();
    assert!(log.contains("this is no bcrypt hash"), "{log}");
    assert!(!log.contains("wonderland") && !log.contains(HASH), "{log}");
}

fn limited(lab: &Lab) {
    let web = "rate_limit: {interval: 1h, burst: 2}";
    let served = Served::new(lab, "limited", web);
    let ask = || {
        http::get(served.reachd.address, "/-/healthy")
            .unwrap()
            .status
    };
    assert_eq!([ask(), ask(), ask(), ask()], [200, 200, 429, 429]);
    fs::write(&served.file, "rate_limit: {interval: 0}").unwrap();
    let lifted = wait::within(SOON, || (ask() == 200 && ask() == 200).then_some(()));
    assert!(lifted.is_some(), "{}", served.reachd.daemon.log());
}

/// All mistakes at once, before anything listens.
fn refused(lab: &Lab) {
    let web = lab.write(
        "web-refused.web.yml",
        "tls_server_config:\n  cert_file: pki/good.pem\n  key_file: pki/expired.key\n  min_version: TLS10\nbasic_auth_users:\n  a: b\n",
    );
    let config = lab.write("web-refused.yml", CONFIG);
    let address = lab.fresh_address().to_string();
    let (web, config) = (utf8(&web), utf8(&config));
    let flags = ["--config.file", config, "--web.config.file", web];
    let run = [&["run", "--web.listen-address", &address], &flags[..]].concat();
    let checks = ["config", "check", "--web.config.file", web];
    for arguments in [&run[..], &checks] {
        let finished = run_to_end(command(arguments));
        assert_eq!(finished.exit_code, 64, "{finished:?}");
        assert_eq!(finished.stdout, "");
        for expected in [":3:13: tls_server_config.key_file:", ":4:16: ", ":6:6: "] {
            assert!(
                finished.stderr.contains(expected),
                "{expected}: {finished:?}"
            );
        }
    }
    let good = lab.write(
        "web-good.web.yml",
        &tls("", &format!("basic_auth_users: {{a: {HASH}}}")),
    );
    let arguments = ["config", "check", config, "--web.config.file", utf8(&good)];
    let finished = run_to_end(command(&arguments));
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    assert!(
        finished.stdout.contains("1 user may log in"),
        "{finished:?}"
    );
    for bad in [
        ["--web.route-prefix", "reachd"],
        ["--web.telemetry-path", "/api"],
    ] {
        let run = [
            &[
                "run",
                "--web.listen-address",
                &address,
                "--config.file",
                config,
            ][..],
            &bad,
        ]
        .concat();
        let finished = run_to_end(command(&run));
        assert_eq!(finished.exit_code, 64, "{finished:?}");
        assert!(finished.stderr.contains(bad[0]), "{finished:?}");
    }
}

/// The real one, with everything at once.
fn prometheus(lab: &Lab) {
    let clients = "client_ca_file: pki/client-ca.pem, client_auth_type: RequireAndVerifyClientCert, \
                   client_allowed_sans: [reachd.lab.test]";
    let users = format!("basic_auth_users: {{prometheus: {HASH}}}\n");
    let served = Served::new(lab, "prometheus", &tls(clients, &users));
    let config = lab.write(
        "web-prometheus.scrape.yml",
        &format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: reachd\n    scheme: https\n    basic_auth: \
             {{username: prometheus, password_file: '@dir@/secrets/alice'}}\n    tls_config: {{ca_file: \
             '@dir@/pki/root.pem', cert_file: '@dir@/pki/client.pem', key_file: '@dir@/pki/client.key', server_name: \
             reachd.lab.test}}\n    static_configs: [{{targets: ['{}']}}]\n",
            served.reachd.address
        ),
    );
    let address = lab.fresh_address();
    let data = lab.path("web-tsdb");
    let flags = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", data.display()),
        format!("--web.listen-address={address}"),
    ];
    let flags = flags.each_ref().map(String::as_str);
    let line = [&["prometheus"][..], &flags].concat();
    let mut prometheus = Daemon::start("web-prometheus", &line, lab.dir());
    prometheus.wait_for(address);
    let up = wait::within(SOON, || {
        let query = "/api/v1/query?query=up%20%2B%20on()%20reachd_checks";
        let answer = http::get(address, query).ok()?;
        let answer: Value = serde_json::from_str(&answer.body).ok()?;
        (answer["data"]["result"][0]["value"][1] == "2").then_some(())
    });
    let logs = [prometheus.log(), served.reachd.daemon.log()];
    assert!(up.is_some(), "{logs:#?}");
}

/// Without a file descriptor left for them, clients wait; they are served as soon as there is one.
fn accept_errors(lab: &Lab) {
    let config = lab.write("web-accept.yml", CONFIG);
    let address = lab.fresh_address();
    let listen = address.to_string();
    let program = env!("CARGO_BIN_EXE_reachd");
    let line = [
        "prlimit",
        "--nofile=64:64",
        "--",
        program,
        "run",
        "--config.file",
        utf8(&config),
        "--web.listen-address",
        &listen,
    ];
    let mut reachd = Daemon::start("web-accept", &line, lab.dir());
    reachd.wait_for(address);
    let clients: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let noticed = wait::within(SOON, || {
        let log = reachd.log();
        log.contains("cannot accept clients").then_some(())
    });
    assert!(noticed.is_some(), "{}", reachd.log());
    drop(clients);
    let counted = wait::within(SOON, || {
        let answer = http::get(address, "/metrics").ok()?;
        let mut lines = answer.body.lines();
        let count = lines.find_map(|line| line.strip_prefix("reachd_web_accept_errors_total "))?;
        (count.parse::<f64>().ok()? >= 1.0).then_some(())
    });
    assert!(counted.is_some(), "{}", reachd.log());
    assert!(
        reachd.log().contains("accepts clients again"),
        "{}",
        reachd.log()
    );
}
