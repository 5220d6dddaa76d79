//! Selections from the built-in catalog, and from a small one where the built-in has no such case.

mod features;

use std::collections::BTreeMap;

use super::select::select_from;
use super::*;
use crate::config::{CatalogSelection, Located, Location, Position, Problems};
use crate::endpoint::{Inspection, StatusRule, Target};

const SMALL: &str = "
feature: gateway
title: Gateway
summary: A small feature with templates and gates.
clouds: {public: {since: 2002}}
absent: {us-government: not there, china: not there}
from: [console]
entries:
  - {url: 'https://<prefix>.<region>.cloudapp.example', clouds: [public], kind: endpoint, critical: true, why: w, breaks: b, logs: [l], sources: [internet-endpoints]}
  - {url: 'https://old.example', clouds: [public], kind: endpoint, critical: true, why: w, breaks: b, logs: [l], sources: [internet-endpoints], until: 2107}
  - {url: 'https://new.example', clouds: [public], kind: endpoint, critical: true, why: w, breaks: b, logs: [l], sources: [internet-endpoints], since: 2111}
  - {url: 'https://*.wild.example', clouds: [public], kind: wildcard, critical: true, why: w, breaks: b, logs: [l], sources: [internet-endpoints]}
";

fn at(field: &str) -> Location {
    let lines = [
        "cloud",
        "version",
        "features[0]",
        "features[1]",
        "variables",
        "overrides",
    ];
    let line = lines
        .iter()
        .position(|name| field.starts_with(name))
        .unwrap_or(98)
        + 1;
    Location {
        file: "reachd.yml".to_owned(),
        position: Some(Position { line, column: 3 }),
        field: format!("catalog.{field}"),
    }
}

fn located<T>(field: &str, value: T) -> Located<T> {
    Located {
        value,
        at: at(field),
    }
}

fn selection(cloud: &str) -> CatalogSelection {
    CatalogSelection {
        cloud: located("cloud", cloud.to_owned()),
        configmgr_version: None,
        features: vec![located("features[0]", "tenant-attach".to_owned())],
        variables: BTreeMap::new(),
        overrides: BTreeMap::new(),
        discover_redirects: false,
    }
}

fn with_variable(mut selection: CatalogSelection, name: &str, value: &str) -> CatalogSelection {
    let value = located(&format!("variables.{name}"), value.to_owned());
    selection.variables.insert(name.to_owned(), value);
    selection
}

fn with_override(mut selection: CatalogSelection, key: &str, value: Overrides) -> CatalogSelection {
    let value = located(&format!("overrides.{key}"), value);
    selection.overrides.insert(key.to_owned(), value);
    selection
}

fn names(selected: &Selected) -> Vec<&str> {
    selected
        .endpoints
        .iter()
        .map(|(endpoint, _)| endpoint.name.as_str())
        .collect()
}

fn endpoint<'a>(selected: &'a Selected, name: &str) -> &'a (Endpoint, Overrides) {
    let mut endpoints = selected.endpoints.iter();
    endpoints
        .find(|(endpoint, _)| endpoint.name == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

fn messages(problems: &Problems) -> Vec<String> {
    problems.0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_public_cloud_needs_the_documented_hosts() {
    let selected = select(&selection("public")).unwrap();
    let mut critical: Vec<&str> = selected
        .endpoints
        .iter()
        .filter(|(endpoint, _)| endpoint.critical)
        .map(|(endpoint, _)| endpoint.name.as_str())
        .collect();
    critical.sort_unstable();
    assert_eq!(
        critical,
        [
            "aka.ms",
            "aka.ms/configmgrgateway",
            "crl3.digicert.com",
            "crl4.digicert.com",
            "go.microsoft.com",
            "ocsp.digicert.com",
            "oneocsp.microsoft.com",
            "www.microsoft.com/pkiops",
        ]
    );
    assert_eq!(selected.endpoints.len(), 18);
    for (endpoint, overrides) in &selected.endpoints {
        assert_eq!(endpoint.service, "tenant-attach");
        assert_eq!(endpoint.cloud.as_deref(), Some("public"));
        assert_eq!(*overrides, Overrides::default());
        assert!(!endpoint.name.contains(['*', '<']), "{}", endpoint.name);
    }
}

#[test]
fn certificate_checks_go_over_plain_http() {
    let selected = select(&selection("us-government")).unwrap();
    for name in [
        "crl3.digicert.com",
        "ocsp.digicert.com",
        "www.microsoft.com/pkiops",
    ] {
        let Target::Http(url) = &endpoint(&selected, name).0.target else {
            panic!("{name} is no URL");
        };
        assert_eq!(
            (url.scheme(), url.port_or_known_default()),
            ("http", Some(80))
        );
    }
}

#[test]
fn only_the_link_to_the_gateway_is_followed() {
    let selected = select(&selection("public")).unwrap();
    let followed: Vec<&str> = selected
        .endpoints
        .iter()
        .filter(|(endpoint, _)| endpoint.expectation.max_redirects > 0)
        .map(|(endpoint, _)| endpoint.name.as_str())
        .collect();
    assert_eq!(followed, ["aka.ms/configmgrgateway"]);
}

#[test]
fn wildcards_are_represented_and_an_unknown_gateway_is_told() {
    for (cloud, wildcard, stand_in) in [
        (
            "public",
            "*.manage.microsoft.com",
            "us.gateway.configmgr.manage.microsoft.com",
        ),
        (
            "us-government",
            "*.manage.microsoft.us",
            "portal.manage.microsoft.us",
        ),
    ] {
        let selected = select(&selection(cloud)).unwrap();
        let (endpoint, _) = endpoint(&selected, stand_in);
        assert_eq!(endpoint.stands_in_for.as_deref(), Some(wildcard));
        assert!(!endpoint.critical);
        let [missing] = selected.not_probed.as_slice() else {
            panic!("{:?}", selected.not_probed);
        };
        assert_eq!(missing.endpoint, "<gateway_host>");
        assert!(
            missing
                .why
                .starts_with("set catalog.variables.gateway_host. ")
        );
        assert!(missing.why.contains("GenericUploadWorker.log"));
    }
}

#[test]
fn the_tenants_own_gateway_is_critical_and_probed_once() {
    let host = "us.gateway.configmgr.manage.microsoft.com";
    let selected = select(&with_variable(selection("public"), "gateway_host", host)).unwrap();
    assert!(endpoint(&selected, host).0.critical);
    assert_eq!(
        names(&selected)
            .iter()
            .filter(|name| **name == host)
            .count(),
        1
    );
    assert!(selected.not_probed.is_empty());

    let other = "asia.gateway.configmgr.manage.microsoft.com";
    let selected = select(&with_variable(selection("public"), "gateway_host", other)).unwrap();
    assert!(endpoint(&selected, other).0.critical);
    assert!(!endpoint(&selected, host).0.critical);
}

#[test]
fn a_variable_must_fit() {
    for (name, value, expected) in [
        (
            "gateway_host",
            "https://us.gateway.configmgr.manage.microsoft.com",
            "cannot be a part of a host name",
        ),
        (
            "gateway_host",
            "gateway.example",
            "gateway.example is not a host of *.manage.microsoft.com",
        ),
        ("gatewayhost", "us", "did you mean \"gateway_host\"?"),
    ] {
        let problems = select(&with_variable(selection("public"), name, value)).unwrap_err();
        let messages = messages(&problems);
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(
            messages[0].starts_with("reachd.yml:5:3: catalog.variables"),
            "{messages:?}"
        );
        assert!(messages[0].contains(expected), "{messages:?}");
    }
}

#[test]
fn china_has_no_tenant_attach() {
    let problems = select(&selection("china")).unwrap_err();
    let messages = messages(&problems);
    assert_eq!(messages.len(), 1);
    let start = "reachd.yml:3:3: catalog.features[0]: Tenant attach is not in the catalog for the cloud china (21Vianet): ";
    assert!(messages[0].starts_with(start), "{messages:?}");
}

#[test]
fn the_us_government_cloud_has_it_since_2107() {
    for (version, is_there) in [(2103, false), (2107, true), (2603, true)] {
        let mut selection = selection("us-government");
        selection.configmgr_version = Some(located("version", version));
        let result = select(&selection);
        assert_eq!(result.is_ok(), is_there, "{version}");
        if let Err(problems) = result {
            let messages = messages(&problems);
            assert!(messages[0].starts_with("reachd.yml:2:3: catalog.version: Tenant attach came to the cloud us-government with Configuration Manager 2107, and this is 2103"), "{messages:?}");
        }
    }
}

#[test]
fn every_problem_is_found_at_once() {
    let mut selection = with_variable(selection("publik"), "prefix", "falls");
    selection.configmgr_version = Some(located("version", 2504));
    selection.features = vec![
        located("features[0]", "tenant-atach".to_owned()),
        located("features[1]", "tenant-attach".to_owned()),
    ];
    let messages = messages(&select(&selection).unwrap_err());
    let expected = [
        (
            "reachd.yml:1:3: catalog.cloud: ",
            "did you mean \"public\"?",
        ),
        ("reachd.yml:2:3: catalog.version: ", "2503 is the nearest"),
        (
            "reachd.yml:3:3: catalog.features[0]: ",
            "did you mean \"tenant-attach\"?",
        ),
        (
            "reachd.yml:5:3: catalog.variables.prefix: ",
            "there are: cmg, ",
        ),
    ];
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for (message, (start, end)) in messages.iter().zip(expected) {
        assert!(
            message.starts_with(start) && message.contains(end),
            "{message}"
        );
    }
}

#[test]
fn a_feature_is_named_once() {
    let mut selection = selection("public");
    selection
        .features
        .push(located("features[1]", "tenant-attach".to_owned()));
    let messages = messages(&select(&selection).unwrap_err());
    assert!(messages[0].contains("named twice"), "{messages:?}");
}

#[test]
fn overrides_are_found_by_name_before_host() {
    let critical = |value| Overrides {
        critical: Some(value),
        ..Overrides::default()
    };
    let disabled = Overrides {
        enabled: Some(false),
        ..Overrides::default()
    };
    let written = with_override(selection("public"), "aka.ms", critical(false));
    let written = with_override(written, "www.microsoft.com", critical(false));
    let written = with_override(written, "www.microsoft.com/pkiops", disabled);
    let selected = select(&written).unwrap();
    let overrides = |name: &str| endpoint(&selected, name).1.clone();
    assert_eq!(overrides("aka.ms"), critical(false));
    assert_eq!(overrides("aka.ms/configmgrgateway"), Overrides::default());
    let both = Overrides {
        enabled: Some(false),
        ..critical(false)
    };
    assert_eq!(overrides("www.microsoft.com/pkiops"), both);
}

#[test]
fn an_override_that_matches_nothing_is_a_problem() {
    let written = with_override(
        selection("public"),
        "crl3.digicert.org",
        Overrides::default(),
    );
    let written = with_override(written, "<gateway_host>", Overrides::default());
    let messages = messages(&select(&written).unwrap_err());
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("is not probed") && messages[0].contains("gateway_host. "));
    assert!(messages[1].contains("did you mean \"crl3.digicert.com\"?"));
}

#[test]
fn a_wildcard_without_a_probed_stand_in_is_told() {
    let mut written = selection("us-government");
    for host in [
        "portal.manage.microsoft.us",
        "enrollment.manage.microsoft.us",
    ] {
        let disabled = Overrides {
            enabled: Some(false),
            ..Overrides::default()
        };
        written = with_override(written, host, disabled);
    }
    let selected = select(&written).unwrap();
    let wildcard = selected
        .not_probed
        .iter()
        .find(|missing| missing.endpoint == "*.manage.microsoft.us");
    assert!(wildcard.is_some_and(|missing| missing.why.contains("names no host")));
}

#[test]
fn entries_are_gated_and_templates_filled() {
    let features = [data::read(SMALL, &data::shared().unwrap()).unwrap()];
    let mut written = selection("public");
    written.features = vec![located("features[0]", "gateway".to_owned())];
    let selected = select_from(&features, &written).unwrap();
    assert_eq!(names(&selected), ["new.example"]);
    let not_probed: Vec<&str> = selected
        .not_probed
        .iter()
        .map(|missing| missing.why.as_str())
        .collect();
    assert_eq!(
        not_probed[0],
        "set catalog.variables.prefix and catalog.variables.region."
    );
    assert!(not_probed[1].starts_with("a wildcard names no host"));

    written.configmgr_version = Some(located("version", 2107));
    let written = with_variable(with_variable(written, "prefix", "falls"), "region", "eu");
    let selected = select_from(&features, &written).unwrap();
    assert_eq!(
        names(&selected),
        ["falls.eu.cloudapp.example", "old.example"]
    );
}

#[test]
fn https_endpoints_are_known_by_their_roots_and_management_hosts_want_no_inspection() {
    let selection = selection("public");
    let selected = select(&selection).unwrap();
    let chain_of = |name: &str| {
        let mut endpoints = selected.endpoints.iter();
        let found = endpoints.find(|(endpoint, _)| endpoint.name == name);
        let (endpoint, _) = found.unwrap_or_else(|| panic!("{name} is not selected"));
        endpoint.expectation.chain.as_ref()
    };
    let gateway = chain_of("eu.gateway.configmgr.manage.microsoft.com").unwrap();
    assert_eq!(gateway.inspection, Inspection::Unsupported);
    let g2 = "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f";
    assert!(gateway.roots.iter().any(|root| root.sha256.as_str() == g2));
    let links = chain_of("aka.ms").unwrap();
    assert_eq!(links.inspection, Inspection::Tolerated);
    assert!(
        chain_of("crl3.digicert.com").is_none(),
        "plain http has none"
    );
}
