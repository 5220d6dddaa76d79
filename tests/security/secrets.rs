//! Every kind of secret in one daemon: whoever looks at what it shows, writes and starts finds none of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::files_below;
use crate::kit::{Lab, Reachd, http, wait};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(60);

/// In the environment of the daemon.
const VARIABLES: [(&str, &str); 3] = [
    ("SECURITY_PROXY", "swordfish-of-the-proxy"),
    ("SECURITY_TEAM", "swordfish-of-the-team"),
    ("SECURITY_SERVER", "swordfish-of-the-server"),
];

/// In a file.
const OF_FILE: &str = "not-the-password";

const CONFIG: &str = "\
global: {resolver: lab, interval: 1s, timeout: 5s}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
state_dir: state-of-secrets/below
revocation: {mode: off}
proxies:
  basic:
    url: http://squid.lab.test:3140
    auth: {basic: {username: alice, password_file: \"@dir@/secrets/wrong\"}}
  digest: {url: \"http://squid-digest.lab.test:3128\", auth: {digest: {username: alice, password: \"${SECURITY_PROXY}\"}}}
  ntlm: {url: \"http://squid-ntlm.lab.test:3128\", auth: {ntlm: {username: alice, domain: LAB, password: \"${SECURITY_PROXY}\"}}}
  told: {url: \"http://squid.lab.test:3128\", connect_headers: {X-Team: \"${SECURITY_TEAM}\"}}
  script:
    pac: {file: \"@dir@/www/pac/ways.pac\"}
    auth: {basic: {username: alice, password: \"${SECURITY_PROXY}\"}}
discovery:
  http_sd: [{name: targets, url: \"http://web.lab.test/locked\", refresh_interval: 1s, auth: {bearer: {token: \"${SECURITY_SERVER}\"}}}]
endpoints:
  - {name: web, service: site, url: \"https://web.lab.test/\"}
  - {name: gone, service: site, url: \"https://expired.lab.test/\", auth: {basic: {username: alice, password: \"${SECURITY_SERVER}\"}}}
";

pub(super) fn stay_inside(lab: &Lab) {
    let config = lab.write("secrets-inside.yml", CONFIG);
    let flags = ["--log.level", "trace"];
    let reachd = Reachd::start_in(lab, "secrets-inside", &config, &flags, |command| {
        command.envs(VARIABLES);
    });
    reachd.wait_until_ready();
    let script = wait::within(SOON, || child_with(reachd.daemon.id(), "pac-scripts"));
    let script = script.unwrap_or_else(|| panic!("no script ran:\n{}", reachd.daemon.log()));
    let state = lab.path("state-of-secrets");
    let history = wait::within(SOON, || {
        files_below(&state, "history.redb")
            .pop()
            .filter(|file| fs::metadata(file).is_ok_and(|it| it.len() > 0))
    });
    assert!(history.is_some(), "{}", reachd.daemon.log());

    let mut places = shown(&reachd);
    places.push(("the log".to_owned(), reachd.daemon.log().into_bytes()));
    let process = PathBuf::from(format!("/proc/{}", reachd.daemon.id()));
    places.push((
        "the arguments".to_owned(),
        fs::read(process.join("cmdline")).unwrap(),
    ));
    let of_script = fs::read(script.join("environ")).unwrap();
    places.push(("the environment of a script".to_owned(), of_script));
    for file in files_below(&state, "") {
        places.push((file.display().to_string(), fs::read(&file).unwrap()));
    }
    let mut secrets: Vec<String> = VARIABLES
        .iter()
        .map(|(_, secret)| (*secret).to_owned())
        .collect();
    secrets.push(OF_FILE.to_owned());
    let of_basic = |secret: &String| STANDARD.encode(format!("alice:{secret}"));
    secrets.extend(secrets.iter().map(of_basic).collect::<Vec<_>>());
    for (place, content) in &places {
        assert!(
            !content.is_empty() || place.starts_with("the environment"),
            "{place} is empty"
        );
        for secret in &secrets {
            let is_there = content
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!is_there, "{secret} is in {place}");
        }
    }
    // What is looked for can be found: the daemon has it.
    let own = fs::read(process.join("environ")).unwrap();
    assert!(own.windows(9).any(|part| part == b"swordfish"));
    for folder in [&state, &state.join("below")] {
        let mode = fs::metadata(folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
    }
}

/// Everything that the server says.
fn shown(reachd: &Reachd) -> Vec<(String, Vec<u8>)> {
    let get = |path: &str| {
        let answer = http::get(reachd.address, path).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        answer.body
    };
    let checks: Value = serde_json::from_str(&get("/api/v1/checks")).unwrap();
    let checks = checks["checks"].as_array().expect("checks");
    assert!(checks.len() >= 10, "{}", checks.len());
    let of_check = checks.iter().flat_map(|check| {
        let id = check["id"].as_str().expect("an id");
        [format!("/checks/{id}"), format!("/api/v1/checks/{id}")]
    });
    let paths = [
        "/",
        "/metrics",
        "/config",
        "/api/v1/status",
        "/api/v1/outages",
        "/api/v1/causes",
    ];
    let paths = paths.into_iter().map(str::to_owned).chain(of_check);
    paths
        .map(|path| (path.clone(), get(&path).into_bytes()))
        .collect()
}

/// The folder in /proc of a process that the daemon started with this command.
fn child_with(parent: u32, word: &str) -> Option<PathBuf> {
    let children = Path::new("/proc").read_dir().unwrap().flatten();
    children.map(|entry| entry.path()).find(|process| {
        let is_child = fs::read_to_string(process.join("status")).is_ok_and(|status| {
            status
                .lines()
                .any(|line| line == format!("PPid:\t{parent}"))
        });
        is_child
            && fs::read_to_string(process.join("cmdline")).is_ok_and(|line| line.contains(word))
    })
}
