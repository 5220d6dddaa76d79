//! Targets and labels as users of Prometheus write them.

use super::*;

/// Labels by name.
type Labels<'a> = &'a [(&'a str, &'a str)];

/// Endpoints of these targets.
pub(in crate::discovery) fn found(targets: &[&str]) -> Found {
    listed(targets, &[])
}

fn listed(targets: &[&str], labels: &[(&str, &str)]) -> Found {
    let group = TargetGroup {
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    endpoints(&[group], &TargetDefaults::default(), Origin::FileSd).unwrap()
}

fn one(target: &str, labels: &[(&str, &str)]) -> EndpointSettings {
    let found = listed(&[target], labels);
    assert_eq!(found.not_probed, []);
    found.endpoints.into_iter().next().unwrap()
}

fn why(target: &str, labels: &[(&str, &str)]) -> String {
    let found = listed(&[target], labels);
    assert!(found.endpoints.is_empty());
    let [not_probed] = found.not_probed.as_slice() else {
        panic!("{found:?}");
    };
    format!("{}: {}", not_probed.endpoint, not_probed.why)
}

#[test]
fn targets_are_urls_or_hosts() {
    let cases: [(&str, Labels<'_>, &str); 11] = [
        ("https://a.example/x?y=1", &[], "https://a.example/x?y=1"),
        (
            "https://a.example",
            &[("__scheme__", "http")],
            "https://a.example/",
        ),
        ("a.example:8443", &[], "https://a.example:8443/"),
        ("a.example", &[("__scheme__", "")], "https://a.example/"),
        (
            "a.example",
            &[("__scheme__", "http"), ("__metrics_path__", "/m")],
            "http://a.example/m",
        ),
        (
            "a.example:1",
            &[("__metrics_path__", "m")],
            "https://a.example:1/m",
        ),
        (
            "a.example:1",
            &[("__scheme__", "tcp"), ("__metrics_path__", "/m")],
            "tcp://a.example:1",
        ),
        (
            "[2001:db8::1]:636",
            &[("__scheme__", "tls")],
            "tls://[2001:db8::1]:636",
        ),
        ("tls://a.example:1", &[], "tls://a.example:1"),
        ("dns:a.example", &[], "dns:a.example"),
        ("dns:53", &[("__scheme__", "tcp")], "tcp://dns:53"),
    ];
    for (target, labels, url) in cases {
        let settings = one(target, labels);
        assert_eq!(settings.endpoint.target.to_string(), url, "{target}");
        let (name, _) = target.split_once('?').unwrap_or((target, ""));
        assert_eq!(settings.endpoint.name, name);
    }
}

#[test]
fn labels_say_what_the_endpoint_is() {
    let settings = one(
        "a.example:1",
        &[
            ("name", "first"),
            ("service", "shop"),
            ("critical", "false"),
            ("route", "direct, corp,direct"),
            ("team", "x"),
            ("url", "u"),
            ("__meta_datacenter", "y"),
            ("__param_module", "z"),
        ],
    );
    let endpoint = &settings.endpoint;
    assert_eq!((&*endpoint.name, &*endpoint.service), ("first", "shop"));
    assert!(!endpoint.critical);
    assert_eq!(settings.overrides.routes.unwrap(), ["direct", "corp"]);
    let labels: Vec<(&str, &str)> = endpoint
        .labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(labels, [("exported_url", "u"), ("team", "x")]);
    assert!(one("a.example", &[]).endpoint.critical);
}

#[test]
fn what_cannot_be_probed_says_why() {
    let cases: [(&str, Labels<'_>, &str); 8] = [
        (
            "https://u:hunter2@a.example/",
            &[],
            "target 1 of group 1: file_sd: credentials",
        ),
        (
            "ftp://a.example/",
            &[],
            "ftp://a.example/: file_sd: the URL must begin with",
        ),
        (
            "a.example:99999",
            &[],
            "a.example:99999: file_sd: not a valid URL",
        ),
        (
            "a",
            &[("critical", "yes")],
            "a: file_sd: the label `critical`",
        ),
        (
            "a",
            &[("route", "direct,,corp")],
            "a: file_sd: the label `route`",
        ),
        (
            "a",
            &[("service", "a b")],
            "a: file_sd: the label `service`",
        ),
        (
            "a",
            &[("__scheme__", "gopher")],
            "a: file_sd: the label `__scheme__`",
        ),
        ("a", &[("0x", "v")], "a: file_sd: the name of a label"),
    ];
    for (target, labels, expected) in cases {
        let told = why(target, labels);
        assert!(told.starts_with(expected), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    let many: Vec<String> = (0..11).map(|number| format!("l{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "v")).collect();
    assert!(why("a", &many).contains("at most 10 labels"));
    let long = "a".repeat(256);
    assert!(why(&long, &[]).contains("its name is longer"));
}

#[test]
fn the_number_of_targets_is_bounded() {
    let group = |count| TargetGroup {
        targets: (0..count).map(|number| format!("h{number}:1")).collect(),
        labels: BTreeMap::default(),
    };
    let endpoints = |count| {
        let groups = [group(count)];
        endpoints(&groups, &TargetDefaults::default(), Origin::HttpSd)
    };
    assert_eq!(
        endpoints(MOST_TARGETS).unwrap().endpoints.len(),
        MOST_TARGETS
    );
    assert!(
        endpoints(MOST_TARGETS + 1)
            .unwrap_err()
            .contains("at most 10000")
    );
}

#[test]
fn json_says_where_it_is_wrong() {
    let good = br#"[{"targets": ["a:1"], "labels": null}, {"targets": []}]"#;
    assert_eq!(groups_in_json("f.json", good).unwrap().len(), 2);
    let cases: [(&[u8], &str); 4] = [
        (
            b"[{\"targets\":\n 1}]",
            "f.json:2:2: invalid type, expected a sequence",
        ),
        (
            b"[{\"targets\": []",
            "f.json:1:15: EOF while parsing an object",
        ),
        (
            b"[{\"target\": []}]",
            "f.json:1:10: unknown field `target`, expected `targets` or `labels`",
        ),
        (
            b"[{\"targets\": \"https://u:hush@h.example/\"}]",
            "f.json:1:40: invalid type, expected a sequence",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(groups_in_json("f.json", json).unwrap_err(), expected);
    }
}
