//! What the data of all features comes to, and how they are selected together.

use super::*;

/// The names of the table from which the data was made.
const SOURCE_FEATURES: &str = include_str!("../testdata/source-features.txt");

fn features_named(names: &[&str]) -> CatalogSelection {
    let mut selection = selection("public");
    selection.features = names
        .iter()
        .enumerate()
        .map(|(index, name)| located(&format!("features[{index}]"), (*name).to_owned()))
        .collect();
    selection
}

fn why<'a>(selected: &'a Selected, service: &str, endpoint: &str) -> &'a str {
    let mut not_probed = selected.not_probed.iter();
    let missing =
        not_probed.find(|missing| missing.service == service && missing.endpoint == endpoint);
    &missing
        .unwrap_or_else(|| panic!("{service} {endpoint} is not listed"))
        .why
}

#[test]
fn every_feature_of_the_source_table_is_present_or_left_out_with_a_reason() {
    let names: Vec<&str> = SOURCE_FEATURES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(names.len(), 45);
    let missing: Vec<&str> = names
        .into_iter()
        .filter(|name| feature(name).is_none() && !left_out().unwrap().contains_key(*name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn all_is_every_feature_of_the_cloud_that_is_not_retired() {
    let selected = select(&features_named(&["all"])).unwrap();
    let count = selected.endpoints.len();
    assert!(count > 200, "{count}");
    for feature in features().unwrap() {
        let is_there = selected
            .endpoints
            .iter()
            .any(|(endpoint, _)| endpoint.service == feature.name)
            || selected
                .not_probed
                .iter()
                .any(|missing| missing.service == feature.name);
        assert_eq!(is_there, feature.retired.is_none(), "{}", feature.name);
    }
}

#[test]
fn what_the_cloud_or_the_release_lacks_is_told_once_by_all() {
    let mut selection = features_named(&["all"]);
    selection.cloud = located("cloud", "us-government".to_owned());
    selection.configmgr_version = Some(located("version", 2103));
    let selected = select(&selection).unwrap();
    let told = why(&selected, "tenant-attach", "all endpoints");
    assert_eq!(
        told,
        "Tenant attach came to the cloud us-government with Configuration Manager 2107, and this is 2103"
    );
    let told = why(&selected, "microsoft-store", "all endpoints");
    assert!(
        told.starts_with("Microsoft Store is not in the catalog for the cloud us-government: ")
    );
    let of_tenant_attach = selected
        .not_probed
        .iter()
        .filter(|missing| missing.service == "tenant-attach");
    assert_eq!(of_tenant_attach.count(), 1);
    let services = || {
        selected
            .endpoints
            .iter()
            .map(|(endpoint, _)| &endpoint.service)
    };
    assert!(services().all(|service| service != "tenant-attach"));
    assert!(services().any(|service| service == "intune"));
}

#[test]
fn all_stands_alone() {
    for names in [["all", "tenant-attach"], ["tenant-attach", "all"]] {
        let messages = messages(&select(&features_named(&names)).unwrap_err());
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains("`all` stands alone"), "{messages:?}");
    }
}

#[test]
fn a_retired_feature_is_selected_by_its_name_and_told() {
    let selection = features_named(&["desktop-analytics", "tenant-attach"]);
    let selected = select(&selection).unwrap();
    assert!(names(&selected).contains(&"settings-win.data.microsoft.com"));
    let expected = "Desktop Analytics (desktop-analytics) is retired (2022-11-30): Microsoft switched the service off";
    assert_eq!(notices(&selection), [expected]);
    assert_eq!(notices(&features_named(&["all"])), Vec::<String>::new());
}

#[test]
fn a_name_that_is_left_out_is_answered_with_the_reason() {
    let problems = select(&features_named(&["m365-endpoints-webservice"])).unwrap_err();
    let messages = messages(&problems);
    assert!(messages[0].contains("once an hour at most"), "{messages:?}");
}

#[test]
fn releases_decide_where_users_are_discovered() {
    for (version, host) in [
        (1810, "graph.windows.net"),
        (1902, "graph.microsoft.com"),
        (2603, "graph.microsoft.com"),
    ] {
        let mut selection = features_named(&["entra-user-discovery"]);
        selection.configmgr_version = Some(located("version", version));
        assert_eq!(names(&select(&selection).unwrap()), [host], "{version}");
    }
}

#[test]
fn a_host_over_two_schemes_is_two_endpoints() {
    let selected = select(&features_named(&["intune"])).unwrap();
    for (name, url) in [
        ("manage.microsoft.com", "https://manage.microsoft.com/"),
        ("manage.microsoft.com:80", "http://manage.microsoft.com/"),
    ] {
        assert_eq!(endpoint(&selected, name).0.target.to_string(), url);
    }
    let stand_in = "enterpriseenrollment.manage.microsoft.com:80";
    let stands_in_for = &endpoint(&selected, stand_in).0.stands_in_for;
    assert_eq!(stands_in_for.as_deref(), Some("*.manage.microsoft.com:80"));
}

#[test]
fn what_cannot_be_probed_is_listed_with_its_reason() {
    let selected = select(&features_named(&["intune", "windows-autopilot"])).unwrap();
    let told = why(&selected, "windows-autopilot", "time.windows.com:123");
    assert!(told.contains("does not speak NTP"), "{told}");
    let told = why(&selected, "intune", "fef.msua01.manage.microsoft.com");
    assert!(told.contains("documented in 2020 only"), "{told}");
    let told = why(&selected, "intune", "*.dm.microsoft.com");
    assert!(told.starts_with("a wildcard names no host"), "{told}");
    assert!(told.contains("the names change"), "{told}");
}

#[test]
fn the_administration_service_is_asked_directly_unless_an_override_says_otherwise() {
    let written = with_variable(
        features_named(&["administration-service"]),
        "sms_provider",
        "CM01.corp.example",
    );
    let selected = select(&written).unwrap();
    let (service, settings) = endpoint(&selected, "admin-service");
    let url = "https://cm01.corp.example/AdminService/v1.0/$metadata";
    assert_eq!(service.target.to_string(), url);
    assert_eq!(
        service.expectation.status,
        StatusRule::OneOf(vec![200, 401])
    );
    assert_eq!(settings.routes.as_deref(), Some(&["direct".to_owned()][..]));

    let corp = Overrides {
        routes: Some(vec!["corp".to_owned()]),
        ..Overrides::default()
    };
    let selected = select(&with_override(written.clone(), "admin-service", corp)).unwrap();
    let routes = &endpoint(&selected, "admin-service").1.routes;
    assert_eq!(routes.as_deref(), Some(&["corp".to_owned()][..]));

    let critical = Overrides {
        critical: Some(false),
        ..Overrides::default()
    };
    let selected = select(&with_override(written, "cm01.corp.example", critical)).unwrap();
    let (_, settings) = endpoint(&selected, "admin-service");
    assert_eq!(settings.critical, Some(false));
    assert_eq!(settings.routes.as_deref(), Some(&["direct".to_owned()][..]));
}

#[test]
fn a_wildcard_with_a_template_covers_what_fills_it() {
    let selection = features_named(&["external-notifications"]);
    let wildcard = "*.<logic_region>.logic.azure.com";
    let selected = select(&selection).unwrap();
    assert_eq!(names(&selected), Vec::<&str>::new());
    assert!(!why(&selected, "external-notifications", wildcard).is_empty());

    let host = "prod1.westus2.logic.azure.com";
    let selected = select(&with_variable(selection.clone(), "logic_app_host", host)).unwrap();
    assert_eq!(names(&selected), [host]);
    assert!(selected.not_probed.is_empty(), "{:?}", selected.not_probed);

    let elsewhere = with_variable(selection, "logic_app_host", "hooks.example");
    let messages = messages(&select(&elsewhere).unwrap_err());
    assert!(
        messages[0].contains("hooks.example is not a host of *.<logic_region>.logic.azure.com"),
        "{messages:?}"
    );
}

#[test]
fn a_gateway_in_azure_is_found_by_its_name_and_region() {
    let written = with_variable(features_named(&["cmg-client"]), "cmg", "granitefalls");
    let selected = select(&with_variable(written, "region", "westus")).unwrap();
    let expected = [
        "granitefalls.westus.cloudapp.azure.com",
        "granitefalls.blob.core.windows.net",
        "login.microsoftonline.com",
    ];
    assert_eq!(names(&selected), expected);
}

#[test]
fn every_variable_is_explained() {
    let page = include_str!("../../../docs/catalog.md");
    let entries = features()
        .unwrap()
        .iter()
        .flat_map(|feature| &feature.entries);
    for variable in entries.flat_map(|entry| entry.url.variables()) {
        assert!(page.contains(&format!("| `{variable}` | ")), "{variable}");
    }
}
