//! `reachd prerequisites`, on machines on which nothing or something of tenant attach answers, and the roll-up by service.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::isolation::in_namespace;
use crate::kit::{Finished, Lab, command, run_to_end};
use crate::suite::{SharedLab, trial};

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("prerequisites::nothing_answers", lab, nothing_answers),
        trial("prerequisites::something_answers", lab, something_answers),
        trial("prerequisites::example_of_the_documentation", lab, example),
        trial("prerequisites::services", lab, services),
        Trial::test("prerequisites::refused", || {
            refused();
            Ok(())
        }),
        Trial::test("prerequisites::markdown", || {
            markdown();
            Ok(())
        }),
        Trial::test("prerequisites::json", json),
    ]
}

/// The state of everything that reachd verifies.
fn states(report: &Value) -> BTreeMap<String, String> {
    let all = report["prerequisites"].as_array().expect("prerequisites");
    let own = all.iter().filter(|one| one["verified_by"] == "reachd");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    own.map(|one| (text(&one["id"]), text(&one["state"])))
        .collect()
}

fn told(report: &Value, id: &str) -> String {
    let mut all = report["prerequisites"].as_array().unwrap().iter();
    let one = all.find(|one| one["id"] == id).unwrap();
    format!("{}\n{}", one["seen"], one["what_to_do"])
}

/// A machine without a network, with a name server that nobody reaches, and with the lab's root only.
fn without_network(lab: &Lab, arguments: &str) -> Finished {
    let resolver = lab.write("prerequisites-resolv.conf", "nameserver 192.0.2.53\n");
    let script = format!(
        "mount --bind {} /etc/resolv.conf && exec \"$REACHD\" prerequisites {arguments}",
        resolver.display()
    );
    let root = lab.path("pki/root.pem");
    let root = root.to_str().expect("a path in UTF-8");
    in_namespace("-nm", &script, &[("SSL_CERT_FILE", root)])
}

fn nothing_answers(lab: &Lab) {
    let finished = without_network(lab, "--format json");
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    let report = finished.report();
    assert_eq!(report["verdict"], "critical");
    let expected = [
        ("administration-service", "not_verified"),
        ("clock", "not_verified"),
        ("endpoints", "not_met"),
        ("gateway", "not_verified"),
        ("proxy-idle-time", "not_verified"),
        ("revocation-hosts", "not_met"),
        ("revocation-of-the-gateway", "not_verified"),
        ("tls-inspection", "not_verified"),
        ("trust-store", "not_met"),
    ];
    let expected: BTreeMap<_, _> = expected
        .map(|(id, state)| (id.to_owned(), state.to_owned()))
        .into();
    assert_eq!(states(&report), expected);
    assert!(
        told(&report, "endpoints")
            .contains("over direct: 7 of 7 not reachable (3 critical): aka.ms"),
        "{report}"
    );
    assert!(told(&report, "proxy-idle-time").contains("`reachd prerequisites --hold` holds them"));

    // Likewise through a proxy that is not there: the fault is the proxy's.
    let proxied = in_namespace(
        "--net",
        "ip link set lo up && exec \"$REACHD\" prerequisites --format json",
        &[
            ("HTTPS_PROXY", "http://127.0.0.1:9"),
            ("HTTP_PROXY", "http://127.0.0.1:9"),
        ],
    );
    assert_eq!(proxied.exit_code, 2, "{proxied:?}");
    let told = told(&proxied.report(), "endpoints");
    assert!(told.contains("connect/refused at the proxy: "), "{told}");
}

/// Real servers answer for the revocation hosts and for the administration service, and one without the right
/// certificate for the gateway.
fn something_answers(lab: &Lab) {
    let hosts = lab.write(
        "prerequisites-hosts",
        "@nginx@ web.lab.test us.gateway.configmgr.manage.microsoft.com crl3.digicert.com crl4.digicert.com \
         ocsp.digicert.com oneocsp.microsoft.com www.microsoft.com crl.microsoft.com ocsp.msocsp.com mscrl.microsoft.com \
         www.d-trust.net root-c3-ca2-2009.ocsp.d-trust.net ctldl.windowsupdate.com\n",
    );
    let resolver = lab.write("prerequisites-lab-resolv.conf", "nameserver @knot@\n");
    let config = lab.write(
        "prerequisites.yml",
        "global: {timeout: 3s}\n\
         tls: {ca_file: \"@dir@/pki/root.pem\"}\n\
         catalog:\n\
         \x20 features: [tenant-attach]\n\
         \x20 variables: {sms_provider: web.lab.test, gateway_host: us.gateway.configmgr.manage.microsoft.com}\n",
    );
    let script = format!(
        "mount --bind {} /etc/hosts && mount --bind {} /etc/resolv.conf && \
         exec \"$REACHD\" prerequisites --hold --format json --config.file {}",
        hosts.display(),
        resolver.display(),
        config.display()
    );
    let finished = in_namespace("--mount", &script, &[]);
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    let report = finished.report();
    let states = states(&report);
    for (id, state) in [
        ("revocation-hosts", "met"),
        ("administration-service", "met"),
        ("clock", "met"),
        ("endpoints", "not_met"),
        ("gateway", "not_met"),
        ("trust-store", "not_met"),
        ("proxy-idle-time", "not_verified"),
    ] {
        assert_eq!(states[id], state, "{id}: {}", told(&report, id));
    }
    assert!(
        told(&report, "gateway").contains("us.gateway.configmgr.manage.microsoft.com: tls/"),
        "{report}"
    );
    assert!(
        told(&report, "proxy-idle-time").contains("not opened, at the endpoint"),
        "{report}"
    );
}

/// What the documentation shows is what reachd says.
fn example(lab: &Lab) {
    let page = fs::read_to_string(documentation()).unwrap();
    let (_, rest) = page
        .split_once("<!-- example -->\n```text\n")
        .expect("an example");
    let (example, _) = rest.split_once("\n```\n").expect("its end");
    let finished = without_network(lab, "");
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    let (example, said) = (timeless(example), timeless(&finished.stdout));
    assert!(
        said.starts_with(&example),
        "reachd says now:\n{said}\ninstead of:\n{example}"
    );
}

/// Without the line that tells time and version.
fn timeless(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("Started "));
    lines.collect::<Vec<_>>().join("\n")
}

fn documentation() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/prerequisites.md")
}

/// Which feature works over which route: the same in the JSON and in the text.
fn services(lab: &Lab) {
    let text = "\
global: {resolver: lab, timeout: 2s}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
endpoints:
  - {name: web, service: well, url: \"https://web.lab.test/\"}
  - {name: web, service: limping, url: \"https://web.lab.test/\"}
  - {name: minor, service: limping, url: \"https://expired.lab.test/\", critical: false}
  - {name: major, service: down, url: \"https://expired.lab.test/\"}
";
    let config = lab.write("services.yml", text);
    let config = config.to_str().expect("a path in UTF-8");
    let check = ["check", "--config.file", config];
    let report = run_to_end(command(&[&check[..], &["--format", "json"]].concat())).report();
    let services: Vec<(&Value, &Value, usize)> = report["services"]
        .as_array()
        .expect("services")
        .iter()
        .map(|one| {
            let failing = one["failing"].as_array().map_or(0, Vec::len);
            (&one["service"], &one["status"], failing)
        })
        .collect();
    let expected = [
        ("down", "critical", 1),
        ("limping", "warning", 1),
        ("well", "ok", 0),
    ];
    for ((service, status, failing), expected) in services.into_iter().zip(expected) {
        assert_eq!(
            (service.as_str(), status.as_str(), failing),
            (Some(expected.0), Some(expected.1), expected.2)
        );
    }
    let text = run_to_end(command(&check)).stdout;
    for expected in [
        "NOT WORKING  down     direct  1 critical of 1 check fails\n",
        "DEGRADED     limping  direct  1 not critical of 2 checks fails\n             fails   minor\n",
        "OK           well     direct  its one check succeeds\n",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

fn listed(more: &[&str]) -> Finished {
    run_to_end(command(
        &[&["prerequisites", "--no-probe"][..], more].concat(),
    ))
}

fn refused() {
    let cases: [(&[&str], &str); 5] = [
        (
            &["--cloud", "china"],
            "is not in the catalog for the cloud china (21Vianet)",
        ),
        (
            &["--cloud", "us-government", "--configmgr-version", "2103"],
            "nothing is available before 2107",
        ),
        (&["--configmgr-version", "2104"], "2104 is no release"),
        (&["--cloud", "mars"], "there is no cloud \"mars\""),
        (&["--hold"], "--no-probe"),
    ];
    for (arguments, why) in cases {
        let finished = listed(arguments);
        assert_eq!(finished.exit_code, 64, "{arguments:?}: {finished:?}");
        assert_eq!(finished.stdout, "", "{arguments:?}");
        assert!(finished.stderr.contains(why), "{why}: {finished:?}");
    }
}

/// Every prerequisite that a person verifies has a box to tick.
fn markdown() {
    for scope in [
        &["--cloud", "public"][..],
        &["--cloud", "us-government", "--configmgr-version", "2107"],
        &["--configmgr-version", "2002"],
    ] {
        let report = listed(&[scope, &["--format", "json"]].concat()).report();
        let finished = listed(&[scope, &["--format", "markdown"]].concat());
        assert_eq!(finished.exit_code, 0, "nothing was verified: {finished:?}");
        let all = report["prerequisites"].as_array().expect("prerequisites");
        let persons: Vec<&Value> = all
            .iter()
            .filter(|one| one["verified_by"] == "person")
            .collect();
        assert!(persons.len() >= 15, "{scope:?}: {persons:?}");
        let boxes = finished.stdout.matches("\n- [ ] ").count();
        assert_eq!(boxes, persons.len(), "{scope:?}");
        for one in persons {
            let id = format!("(`{}`", one["id"].as_str().expect("an id"));
            assert!(finished.stdout.contains(&id), "{id}: {finished:?}");
        }
    }
}

/// The fields that the documentation names, and no others.
fn json() -> Result<(), Failed> {
    let keys = |value: &Value| -> Vec<String> {
        let object = value.as_object().expect("an object");
        let mut keys: Vec<String> = object.keys().cloned().collect();
        keys.sort();
        keys
    };
    let finished = listed(&["--format", "json"]);
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    let report = finished.report();
    let head = [
        "cloud",
        "configmgr_version",
        "prerequisites",
        "probed",
        "seconds",
        "started",
        "verdict",
        "version",
    ];
    assert_eq!(keys(&report), head);
    let of_each = [
        "clouds",
        "critical",
        "id",
        "note",
        "seen",
        "since",
        "sources",
        "state",
        "title",
        "until",
        "verified_by",
        "verify",
        "what_to_do",
        "why",
    ];
    let page = fs::read_to_string(documentation())?;
    for one in report["prerequisites"].as_array().expect("prerequisites") {
        let is_persons = one["verified_by"] == "person";
        let expected: Vec<&str> = of_each
            .into_iter()
            .filter(|key| is_persons || *key != "verify")
            .collect();
        assert_eq!(keys(one), expected, "{one}");
        for source in one["sources"].as_array().expect("sources") {
            assert_eq!(keys(source), ["date", "document", "key", "title"]);
        }
        for way in one["verify"].as_array().into_iter().flatten() {
            let mut known = vec!["expect", "how", "permission", "where"];
            known.retain(|key| way.get(*key).is_some());
            assert_eq!(keys(way), known);
        }
    }
    for key in head.into_iter().chain(of_each) {
        assert!(
            page.contains(&format!("\"{key}\":")),
            "{key} is not documented"
        );
    }
    Ok(())
}
