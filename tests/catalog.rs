//! The commands of the catalog: what they print, their exit codes, and that the programs for which they export take it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::kit::{Daemon, Finished, Lab, as_squid, command, http, run_to_end};
use crate::suite::{SharedLab, trial};

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        Trial::test("commands::catalog_exit_codes", exit_codes),
        Trial::test("commands::catalog_json", json),
        Trial::test("commands::catalog_page", page),
        trial("commands::catalog_of_a_configuration", lab, configuration),
        trial("commands::catalog_for_squid", lab, squid),
        trial("commands::catalog_for_prometheus", lab, prometheus),
    ]
}

fn catalog(arguments: &str) -> Finished {
    let words: Vec<&str> = ["catalog"]
        .into_iter()
        .chain(arguments.split(' '))
        .collect();
    run_to_end(command(&words))
}

fn exit_codes() -> Result<(), Failed> {
    for (arguments, expected, told) in [
        ("list", 0, ""),
        ("lint", 0, ""),
        ("show tenant-attach --cloud us-government", 0, ""),
        (
            "show tenant-attach --cloud us-government --configmgr-version 2103",
            64,
            "nothing is available before 2107",
        ),
        (
            "show tenant-attach --cloud china",
            64,
            "is not in the catalog for the cloud china",
        ),
        ("show tenant-atach", 64, "did you mean \"tenant-attach\"?"),
        (
            "show tenant-attach --variable gateway=x",
            64,
            "has a variable \"gateway\"",
        ),
        (
            "show tenant-attach --variable gateway_host",
            64,
            "expected NAME=VALUE",
        ),
        (
            "list --cloud mars",
            64,
            "--cloud: there is no cloud \"mars\"",
        ),
        ("diff public public@2603", 0, ""),
        ("diff 2103 us-government@2107", 1, ""),
        ("diff public 2104", 64, "2104: 2104 is no release"),
        (
            "diff public china --feature no",
            64,
            "the catalog has no feature \"no\"",
        ),
        ("diff public", 64, "<B>"),
        ("export --format allowlist", 0, ""),
        ("export --format csv", 0, ""),
        ("export --format pdf", 64, "allowlist"),
        ("export", 64, "--format"),
        (
            "export --format csv --feature tenant-attach --cloud china",
            64,
            "is not in the catalog for the cloud china",
        ),
    ] {
        let finished = catalog(arguments);
        if finished.exit_code != expected || !finished.stderr.contains(told) {
            return Err(format!("{arguments}: {finished:?}").into());
        }
        if finished.stdout.is_empty() != (expected == 64) {
            return Err(format!("{arguments}: {finished:?}").into());
        }
    }
    Ok(())
}

fn json() -> Result<(), Failed> {
    let answer = |arguments: &str| -> Result<Value, Failed> {
        let finished = catalog(&format!("{arguments} --format json"));
        serde_json::from_str(&finished.stdout)
            .map_err(|error| format!("{arguments}: {error}: {finished:?}").into())
    };
    let list = answer("list --cloud us-government --configmgr-version 2107")?;
    let feature = &list["features"][0];
    assert_eq!(feature["name"], "tenant-attach");
    assert_eq!(feature["from"][0], "service-connection-point");
    assert_eq!(feature["clouds"][0]["since"], 2107);
    assert_eq!(feature["clouds"][0]["available"], true);
    assert!(list["left_out"]["wildcard-standin"].is_string());

    let show = answer("show tenant-attach")?;
    assert_eq!(show["configmgr_version"], 2603);
    let entries = show["entries"].as_array().ok_or("entries")?;
    let wildcard = entries.iter().find(|entry| entry["kind"] == "wildcard");
    let wildcard = wildcard.ok_or("a wildcard")?;
    assert_eq!(wildcard["host"], "*.manage.microsoft.com");
    assert_eq!(wildcard["port"], 443);
    assert_eq!(wildcard["stand_ins"][0], "<gateway_host>");
    assert_eq!(wildcard["sources"][0]["date"], "2021-08-02");

    let diff = answer("diff us-government@2103 us-government@2107 --feature tenant-attach")?;
    assert_eq!(diff["from"], "us-government@2103");
    assert_eq!(
        diff["features"][0]["added"][0]["name"],
        "aka.ms/configmgrgateway"
    );
    Ok(())
}

/// The features, the cloud, the variables and the overrides are the configuration's, and flags go before them.
fn configuration(lab: &Lab) {
    let file = lab.write(
        "catalog.yml",
        "catalog:\n\
         \x20 cloud: us-government\n\
         \x20 features: [tenant-attach]\n\
         \x20 variables: {gateway_host: fef.manage.microsoft.us}\n\
         \x20 overrides: {dc.services.visualstudio.com: {enabled: false}, aka.ms: {critical: false}}\n",
    );
    let file = file.to_str().expect("a path in UTF-8");
    let export = |more: &str| catalog(&format!("export --config.file {file} --format {more}"));
    let of_file = export("allowlist");
    assert_eq!(of_file.exit_code, 0, "{of_file:?}");
    for expected in [
        "cloud us-government.",
        "\nfef.manage.microsoft.us            443  # tenant-attach (critical);",
        "\n#   dc.services.visualstudio.com (tenant-attach): turned off in the configuration\n",
    ] {
        assert!(of_file.stdout.contains(expected), "{expected}: {of_file:?}");
    }
    let csv = export("csv");
    assert!(
        csv.stderr
            .contains("not exported: dc.services.visualstudio.com"),
        "{csv:?}"
    );
    let other = export("allowlist --feature url-forwarding --cloud public");
    assert!(
        other.stdout.contains("cloud public.") && !other.stdout.contains("fef."),
        "{other:?}"
    );

    let bare = lab.write(
        "no-catalog.yml",
        "endpoints: [{name: web, url: \"https://web.lab.test/\"}]\n",
    );
    let bare = bare.to_str().expect("a path in UTF-8");
    let refused = catalog(&format!("export --config.file {bare} --format csv"));
    assert_eq!((refused.exit_code, refused.stdout.as_str()), (64, ""));
    assert!(
        refused.stderr.contains("it has no section `catalog`"),
        "{refused:?}"
    );
}

/// squid takes the lists as they are, and allows what is in them by name and port, and nothing else.
fn squid(lab: &Lab) {
    let exported = catalog("export --format squid");
    assert_eq!(exported.exit_code, 0, "{exported:?}");
    fs::write(lab.path("reachd.acl"), &exported.stdout).unwrap();
    let names = [
        "aka.ms",
        "us.gateway.configmgr.manage.microsoft.com",
        "payloadprod7.blob.core.windows.net",
        "payloadprod.blob.core.windows.net",
        "crl3.digicert.com",
    ];
    let hosts: Vec<String> = names
        .iter()
        .map(|name| format!("@nginx@ {name}\n"))
        .collect();
    lab.write("squid-acl-hosts", &hosts.concat());
    let conf = lab.write("squid-acl.conf", include_str!("lab/squid-acl.conf"));
    let conf = conf.to_str().expect("a path in UTF-8");

    let mut parse = Command::new("squid");
    parse.args(["-k", "parse", "-f", conf]);
    let parsed = run_to_end(parse);
    assert_eq!(parsed.exit_code, 0, "{parsed:?}");
    for word in ["WARNING", "ERROR", "FATAL"] {
        assert!(!parsed.stderr.contains(word), "{word}: {}", parsed.stderr);
    }

    let name = format!("acl{}", std::process::id());
    let whole = as_squid(&["squid", "-N", "-n", &name, "-f", conf]);
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    let mut daemon = Daemon::start("squid-acl", &whole, lab.dir());
    let proxy: SocketAddr = (lab.address("squid"), 3190).into();
    daemon.wait_for(proxy);
    let nginx = lab.fill("@nginx@:443");
    for (host, status) in [
        ("aka.ms:443", 200),
        ("us.gateway.configmgr.manage.microsoft.com:443", 200),
        ("payloadprod7.blob.core.windows.net:443", 200),
        ("payloadprod.blob.core.windows.net:443", 403),
        ("payloadprod7.blob.core.windows.net.evil.example:443", 403),
        ("aka.ms:8443", 403),
        ("crl3.digicert.com:443", 403),
        ("aka.ms.evil.example:443", 403),
        ("evil-aka.ms:443", 403),
        ("notmanage.microsoft.com:443", 403),
        (nginx.as_str(), 403),
    ] {
        assert_eq!(connect(proxy, host), status, "{host}");
    }
    let get = |url: &str| http::get(proxy, url).map(|answer| answer.status);
    assert_eq!(get("http://crl3.digicert.com/").ok(), Some(200));
    assert_eq!(get("http://aka.ms/").ok(), Some(403));
}

/// The status of a CONNECT.
fn connect(proxy: SocketAddr, host: &str) -> u16 {
    let mut stream = TcpStream::connect(proxy).expect("squid listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a time");
    write!(stream, "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("squid reads");
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .expect("squid answers");
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or_default()
}

/// Prometheus discovers every target, and asks the blackbox exporter for it with its module.
fn prometheus(lab: &Lab) {
    let exported = catalog("export --format file_sd --cloud us-government");
    assert_eq!(exported.exit_code, 0, "{exported:?}");
    let template =
        "not exported: <gateway_host> 443 (tenant-attach): give --variable gateway_host=...";
    assert!(exported.stderr.contains(template), "{}", exported.stderr);
    fs::write(lab.path("catalog-targets.json"), &exported.stdout).unwrap();
    let config = lab.write(
        "prometheus-file-sd.yml",
        include_str!("lab/prometheus-file-sd.yml"),
    );
    let config = config.to_str().expect("a path in UTF-8");

    let mut check = Command::new("promtool");
    check.args(["check", "config", config]);
    let checked = run_to_end(check);
    assert_eq!(checked.exit_code, 0, "{checked:?}");

    let mut discover = Command::new("promtool");
    discover.args([
        "check",
        "service-discovery",
        "--timeout=3s",
        config,
        "reachability",
    ]);
    let discovered = run_to_end(discover);
    assert_eq!(discovered.exit_code, 0, "{discovered:?}");
    let found: Value = serde_json::from_str(&discovered.stdout).expect("JSON of promtool");
    let found = found.as_array().expect("targets");
    let groups: Value = serde_json::from_str(&exported.stdout).expect("JSON of reachd");
    let targets = groups.as_array().expect("groups").iter();
    let targets: usize = targets
        .map(|group| group["targets"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(found.len(), targets);
    let link = "https://aka.ms/configmgrgateway";
    let link = found
        .iter()
        .map(|target| &target["labels"])
        .find(|labels| labels["instance"] == link)
        .expect("the link is a target");
    for (label, value) in [
        ("__param_module", "reachd_http_follow"),
        ("__param_target", "https://aka.ms/configmgrgateway"),
        ("cloud", "us-government"),
        ("critical", "true"),
        ("service", "tenant-attach"),
    ] {
        assert_eq!(link[label], value, "{link}");
    }
}

/// What the page shows of commands is what they print; a line of three dots stands for any number of lines.
fn page() -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/catalog-commands.md");
    let page = fs::read_to_string(path)?;
    let shown = shown(&page);
    if shown.len() < 8 {
        return Err(format!("the page shows {} commands only", shown.len()).into());
    }
    for (line, expected) in shown {
        let line = line.strip_prefix("reachd ").ok_or("a command of reachd")?;
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let finished = run_to_end(command(&arguments));
        let printed = format!("{}{}", finished.stdout, finished.stderr);
        if !agree(&expected, &printed) {
            return Err(format!(
                "$ reachd {line}\n{printed}\nand not\n{}",
                expected.join("\n")
            )
            .into());
        }
    }
    Ok(())
}

/// The commands of a page, each with the lines that follow it.
fn shown(page: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| in_block) {
            commands.push((command.to_owned(), Vec::new()));
        } else if in_block && let Some((_, expected)) = commands.last_mut() {
            expected.push(line.to_owned());
        }
    }
    commands
}

fn agree(expected: &[String], printed: &str) -> bool {
    let printed: Vec<&str> = printed.lines().collect();
    let mut rest = printed.as_slice();
    let mut parts = expected.split(|line| line == "...").enumerate();
    let last = parts.clone().count() - 1;
    parts.all(|(number, part)| {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        let at = match (number == 0, number == last) {
            (true, true) => (rest == part).then_some(0),
            (true, false) => rest.starts_with(&part).then_some(0),
            (false, true) => rest.ends_with(&part).then(|| rest.len() - part.len()),
            (false, false) => (0..=rest.len()).find(|at| rest[*at..].starts_with(&part)),
        };
        at.is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}
