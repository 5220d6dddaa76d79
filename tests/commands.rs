//! The commands as an administrator types them: exit codes, reports, mistakes.

use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::kit::{Finished, Lab, command, run_to_end, run_to_end_with};
use crate::suite::{SharedLab, trial};

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("commands::exit_0_all_reachable", lab, all_reachable),
        trial("commands::exit_1_only_not_critical", lab, only_not_critical),
        trial("commands::exit_2_critical", lab, critical),
        trial("commands::exit_64_configuration", lab, bad_configuration),
        trial("commands::exit_64_usage", lab, bad_usage),
        trial("commands::daemon_refuses_bad_configuration", lab, refuses),
        trial("commands::text_report", lab, text_report),
        trial("commands::verbose_report", lab, verbose_report),
        trial("commands::trust_store", lab, trust_store),
        trial("commands::filters", lab, filters),
        trial("commands::secrets_never_print", lab, secrets),
        Trial::test("commands::proxies_of_winhttp", proxies_of_winhttp),
        trial(
            "commands::proxies_of_environment",
            lab,
            proxies_of_environment,
        ),
        trial("commands::proxies_pac", lab, proxies_pac),
        trial("commands::proxies_pac_fails", lab, proxies_pac_fails),
        Trial::test("commands::readme", readme),
    ]
}

/// Everything before the endpoints.
const HEAD: &str = "\
global: {resolver: lab, timeout: 2s}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
endpoints:
";

const WEB: &str = "  - {name: web, service: site, url: \"https://web.lab.test/\"}\n";
const EXPIRED: &str = "  - {name: expired, service: site, url: \"https://expired.lab.test/\"}\n";
const MINOR: &str =
    "  - {name: minor, service: other, url: \"https://expired.lab.test/\", critical: false}\n";

fn all_reachable(lab: &Lab) {
    verdict(lab, "exit-0", WEB, 0, 11410);
}

fn only_not_critical(lab: &Lab) {
    verdict(lab, "exit-1", &[WEB, MINOR].concat(), 1, 11411);
}

fn critical(lab: &Lab) {
    verdict(lab, "exit-2", &[WEB, MINOR, EXPIRED].concat(), 2, 11412);
}

fn verdict(lab: &Lab, name: &str, endpoints: &str, exit_code: i32, message_id: u16) {
    let finished = check(lab, name, endpoints, &["--format", "json"]);
    assert_eq!(finished.exit_code, exit_code, "{finished:?}");
    assert_eq!(finished.report()["message_id"], message_id);
}

/// Every mistake at once, each with its place, and nothing on stdout.
fn bad_configuration(lab: &Lab) {
    let endpoints = "  - {name: web, url: \"https://web.lab.test/\", critcal: true}\n  - {name: gone}\n\
                     catalog: {features: [tenant-atach]}\n";
    let finished = check(lab, "exit-64", endpoints, &[]);
    assert_eq!(finished.exit_code, 64, "{finished:?}");
    assert_eq!(finished.stdout, "");
    let of_file = |place: &str| format!("exit-64.yml:{place}");
    let catalog = of_file("7:22: catalog.features[0]: the catalog has no feature \"tenant-atach\"");
    let of_endpoints = [of_file("5:47"), of_file("6:"), "critical".to_owned()];
    for expected in of_endpoints.into_iter().chain([catalog]) {
        assert!(
            finished.stderr.contains(&expected),
            "{expected}: {finished:?}"
        );
    }
}

fn bad_usage(_: &Lab) {
    let mistakes: [&[&str]; 4] = [
        &["check", "--no-such-flag"],
        &["no-such-command"],
        &["check", "--format", "no-such-format"],
        &["check", "--config.file", "/no/such/file.yml"],
    ];
    for arguments in mistakes {
        let finished = run_to_end(command(arguments));
        assert_eq!(finished.exit_code, 64, "{arguments:?}: {finished:?}");
        assert_eq!(finished.stdout, "", "{arguments:?}");
        assert!(!finished.stderr.is_empty(), "{arguments:?}");
    }
}

fn refuses(lab: &Lab) {
    let config = lab.write("daemon-64.yml", "endpoints: [{name: web}]\n");
    let config = config.to_str().expect("a path in UTF-8");
    let address = lab.fresh_address().to_string();
    let arguments = [
        "run",
        "--config.file",
        config,
        "--web.listen-address",
        &address,
    ];
    let finished = run_to_end(command(&arguments));
    assert_eq!(finished.exit_code, 64, "{finished:?}");
}

/// The chain from the leaf to the root, on request.
fn verbose_report(lab: &Lab) {
    let finished = check(lab, "verbose", WEB, &["--verbose"]);
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    let root = lab.fill("SHA-256 @root-sha256@").replace(':', "");
    for expected in [
        "TLS with the endpoint: TLSv1.3",
        "X25519",
        "1. CN=*.lab.test",
        "issued by CN=Lab Intermediate",
        "ECDSA P-256, signed with ecdsa-with-SHA256",
        "Trusted by way of CN=*.lab.test -> CN=Lab Intermediate -> CN=Lab Root",
        &format!(
            "SHA-256 {}",
            root.trim_start_matches("SHA-256 ").to_lowercase()
        ),
    ] {
        assert!(
            finished.stdout.contains(expected),
            "{expected}: {finished:?}"
        );
    }
    let terse = check(lab, "terse", WEB, &[]);
    assert!(!terse.stdout.contains("Trusted by"), "{terse:?}");
}

/// A trust store that lacks what the catalog needs is told, and changes no verdict.
fn trust_store(lab: &Lab) {
    let endpoints = format!("{WEB}catalog: {{features: [tenant-attach]}}\n");
    let only = ["--endpoint", "web"];
    let finished = check(lab, "trust-store", &endpoints, &only);
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    for expected in [
        "WARNING: trust store: 7 of 7 roots",
        "DigiCert Global Root G2 is missing, although Mozilla's set has it",
    ] {
        assert!(
            finished.stdout.contains(expected),
            "{expected}: {finished:?}"
        );
    }
    let json = [&only[..], &["--format", "json"]].concat();
    let finished = check(lab, "trust-store-json", &endpoints, &json);
    let roots = finished.report()["trust_store"].clone();
    assert_eq!(roots.as_array().map(Vec::len), Some(7), "{roots}");
    assert_eq!(roots[0]["state"], "missing");
}

/// A report that a stranger understands: what failed, where, why, and what to do.
fn text_report(lab: &Lab) {
    let finished = check(lab, "text", &[WEB, EXPIRED].concat(), &[]);
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    for expected in ["web", "expired", "tls", "expired.lab.test", "11412"] {
        assert!(
            finished.stdout.contains(expected),
            "{expected}: {finished:?}"
        );
    }
    let is_bare = !finished.stdout.contains('\u{1b}');
    assert!(is_bare, "no colours where there is no terminal");
}

fn filters(lab: &Lab) {
    let endpoints = [WEB, MINOR, EXPIRED].concat();
    let filters: [(&[&str], &[&str]); 4] = [
        (&["--endpoint", "web"], &["web"]),
        (&["--service", "site"], &["expired", "web"]),
        (
            &["--service", "site", "--endpoint", "expired"],
            &["expired"],
        ),
        (&["--route", "direct"], &["expired", "minor", "web"]),
    ];
    for (filter, expected) in filters {
        let arguments = [filter, &["--format", "json"]].concat();
        let report = check(lab, "filters", &endpoints, &arguments).report();
        let checks = report["checks"].as_array().expect("checks").iter();
        let mut names: Vec<&str> = checks
            .filter_map(|check| check["endpoint"].as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{filter:?}");
    }
}

fn secrets(lab: &Lab) {
    let config = lab.write(
        "secrets.yml",
        "global: {resolver: lab}\n\
         resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}\n\
         proxies:\n\
         \x20 squid:\n\
         \x20   url: http://squid.lab.test:3140\n\
         \x20   auth: {basic: {username: alice, password_file: \"@dir@/secrets/wrong\"}}\n\
         endpoints:\n\
         \x20 - {name: web, url: \"https://web.lab.test/\"}\n",
    );
    let config = config.to_str().expect("a path in UTF-8");
    let commands: [&[&str]; 4] = [
        &["check", "--config.file", config],
        &["check", "--format", "json", "--config.file", config],
        &["config", "show", "--config.file", config],
        &["config", "check", config],
    ];
    for arguments in commands {
        let finished = run_to_end(command(arguments));
        let printed = format!("{}{}", finished.stdout, finished.stderr);
        assert!(!printed.is_empty(), "{arguments:?}");
        // The password, and what Basic makes of it.
        for secret in ["not-the-password", "YWxpY2U6bm90LXRoZS1wYXNzd29yZA"] {
            assert!(!printed.contains(secret), "{arguments:?}: {printed}");
        }
    }
}

/// What Windows says in another language becomes a configuration that reachd takes.
fn proxies_of_winhttp() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let french = "\r\nParam\u{e8}tres de proxy WinHTTP actuels :\r\n\r\n    Serveur(s) proxy :  proxy.corp.example:8080\r\n    \
                  Liste de contournement     :  <local>;169.254/16\r\n\r\n";
    let input = folder.path().join("french.txt");
    fs::write(&input, french)?;
    let shown = run_to_end_with(command(&["proxies"]), fs::File::open(&input)?);
    assert_eq!(shown.exit_code, 0, "{shown:?}");
    for expected in [
        "url: http://proxy.corp.example:8080",
        "[\"<local>\"]",
        "`169.254/16`",
    ] {
        assert!(shown.stdout.contains(expected), "{expected}: {shown:?}");
    }
    let config = folder.path().join("proxies.yml");
    let endpoints = "endpoints: [{name: web, url: \"https://web.lab.test/\"}]\n";
    fs::write(&config, format!("{}{endpoints}", shown.stdout))?;
    let config = config.to_str().ok_or("a path in UTF-8")?;
    let taken = run_to_end(command(&["config", "show", "--config.file", config]));
    assert_eq!(taken.exit_code, 0, "{taken:?}");

    fs::write(&input, "The term 'netsh' is not recognized")?;
    let refused = run_to_end_with(command(&["proxies"]), fs::File::open(&input)?);
    assert_eq!((refused.exit_code, refused.stdout.as_str()), (64, ""));
    assert!(
        refused.stderr.contains("expected the output of"),
        "{refused:?}"
    );
    Ok(())
}

fn proxies_of_environment(_: &Lab) {
    let mut with_login = command(&["proxies"]);
    with_login
        .env(
            "HTTPS_PROXY",
            "http://alice:hunter2@proxy.corp.example:3128",
        )
        .env("NO_PROXY", "corp.example");
    let shown = run_to_end(with_login);
    assert_eq!(shown.exit_code, 0, "{shown:?}");
    let printed = format!("{}{}", shown.stdout, shown.stderr);
    assert!(!printed.contains("hunter2"), "{printed}");
    for expected in [
        "username: alice",
        "password: ${REACHD_PROXY_PASSWORD}",
        "*.corp.example",
    ] {
        assert!(shown.stdout.contains(expected), "{expected}: {shown:?}");
    }
    let mut bad = command(&["proxies"]);
    bad.env("HTTPS_PROXY", "socks4://alice:hunter2@proxy:1");
    let refused = run_to_end(bad);
    assert_eq!(refused.exit_code, 64, "{refused:?}");
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
}

const SCRIPT: &str = "\
function FindProxyForURL(url, host) {
  alert('asked for ' + host);
  if (isPlainHostName(host)) return 'DIRECT';
  if (host == 'odd.example') return 'SOCKS4 a:1080';
  if (host == 'bad.example') return nobody;
  return 'PROXY proxy.example; HTTPS proxy.example; QUIC q:1';
}
";

/// What a script answers, and what it means.
fn proxies_pac(lab: &Lab) {
    let script = lab.write("command.pac", SCRIPT);
    let script = script.to_str().expect("a path in UTF-8");
    let urls = [
        "https://Web.example:8443/path",
        "tcp://cm01:443",
        "http://web.example/x?y",
    ];
    let shown = run_to_end(command(&[&["proxies", "pac", script][..], &urls].concat()));
    assert_eq!(shown.exit_code, 0, "{shown:?}");
    let expected = "\
https://web.example:8443/path
  asked    FindProxyForURL(\"https://web.example:8443/\", \"web.example\")
  answer   \"PROXY proxy.example; HTTPS proxy.example; QUIC q:1\"
  1        http://proxy.example:80 (used)
  2        https://proxy.example:443 (only with failover: true)
  3        error: `QUIC q:1`: expected PROXY, HTTP, HTTPS, SOCKS, SOCKS5 or DIRECT (only with failover: true)
  alert    asked for web.example
tcp://cm01:443
  asked    FindProxyForURL(\"https://cm01/\", \"cm01\")
  answer   \"DIRECT\"
  1        direct (used)
  alert    asked for cm01
http://web.example/x?y
  asked    FindProxyForURL(\"http://web.example/x?y\", \"web.example\")
";
    assert!(shown.stdout.starts_with(expected), "{}", shown.stdout);

    let nginx = lab.fill("http://@nginx@/pac/exception.pac");
    let fetched = run_to_end(command(&["proxies", "pac", &nginx, "https://web.example/"]));
    assert_eq!(fetched.exit_code, 1, "{fetched:?}");
    assert!(
        fetched.stdout.contains("error    line 6: ReferenceError"),
        "{fetched:?}"
    );
}

fn proxies_pac_fails(lab: &Lab) {
    let script = lab.write("failing-command.pac", SCRIPT);
    let script = script.to_str().expect("a path in UTF-8");
    for (url, told) in [
        ("https://odd.example/", "SOCKS version 4"),
        ("https://bad.example/", "error    line 5: ReferenceError"),
    ] {
        let shown = run_to_end(command(&["proxies", "pac", script, "https://cm01/", url]));
        assert_eq!(shown.exit_code, 1, "{shown:?}");
        assert!(shown.stdout.contains(told), "{shown:?}");
    }
    let missing = lab.fill("http://@nginx@/pac/missing.pac");
    for arguments in [
        ["/nowhere/proxy.pac", "https://web.example/"],
        [&missing, "https://web.example/"],
        [script, "web.example"],
        [script, "dns:web.example"],
        [script, "https://alice:hunter2@web.example/"],
    ] {
        let refused = run_to_end(command(&[&["proxies", "pac"][..], &arguments].concat()));
        let code = (refused.exit_code, refused.stdout.as_str());
        assert_eq!(code, (64, ""), "{refused:?}");
        assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    }
}

/// Every command that the README shows is one that reachd understands.
fn readme() -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let commands = shown_commands(&fs::read_to_string(path)?);
    if commands.is_empty() {
        return Err("the README shows no command of reachd".into());
    }
    for shown in commands {
        let arguments: Vec<&str> = shown.iter().map(String::as_str).collect();
        let only_looks_up = match arguments.as_slice() {
            ["explain" | "completions", ..] | ["catalog", "list" | "show" | "lint", ..] => true,
            ["config", rest @ ..] => rest == ["schema"],
            _ => false,
        };
        // With --help everything before it is parsed, and nothing is done.
        let help: &[&str] = if only_looks_up { &[] } else { &["--help"] };
        let finished = run_to_end(command(&[&arguments, help].concat()));
        if finished.exit_code != 0 {
            return Err(format!("{shown:?}: {}", finished.stderr).into());
        }
    }
    Ok(())
}

/// The arguments of each `reachd …` and `cargo run … -- …` in the README's blocks of commands.
fn shown_commands(text: &str) -> Vec<Vec<String>> {
    let mut in_block = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            in_block = matches!(language, "sh" | "console" | "shell" | "bash");
            continue;
        }
        if !in_block {
            continue;
        }
        let line = line.trim().trim_start_matches("$ ");
        let line = line
            .split(['|', '>', '#', '&', ';'])
            .next()
            .unwrap_or_default();
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match words.first().map(String::as_str) {
            Some("reachd" | "./reachd" | "target/release/reachd") => {
                commands.push(words[1..].to_vec());
            }
            Some("cargo") if words.get(1).is_some_and(|word| word == "run") => {
                let own = words.iter().position(|word| word == "--");
                commands.push(own.map_or(Vec::new(), |at| words[at + 1..].to_vec()));
            }
            _ => {}
        }
    }
    commands
}

fn check(lab: &Lab, name: &str, endpoints: &str, more: &[&str]) -> Finished {
    let config = lab.write(&format!("{name}.yml"), &format!("{HEAD}{endpoints}"));
    let config = config.to_str().expect("a path in UTF-8");
    run_to_end(command(
        &[&["check", "--config.file", config], more].concat(),
    ))
}
