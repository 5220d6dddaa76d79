use std::sync::Arc;

use super::*;
use crate::endpoint::Origin;
use crate::plan::fixture::{check, cut, expired, not_critical, success};
use crate::report::sample;

fn standing<'a>(check: &'a Check, outcome: Option<&'a Arc<Outcome>>) -> Standing<'a> {
    Standing {
        check,
        outcome: outcome.map(AsRef::as_ref),
        hold: None,
    }
}

#[test]
fn the_worst_check_makes_the_status_and_everything_that_fails_is_named() {
    let (well, bad) = (success(1), expired(1));
    let critical = check("s", "critical", "https://a.example/");
    let lesser = not_critical(&check("s", "lesser", "https://b.example/"));
    let cases = [
        (
            vec![(&critical, Some(&well)), (&lesser, Some(&well))],
            Some(Verdict::Ok),
            "all 2 checks succeed",
            vec![],
        ),
        (
            vec![(&critical, Some(&well)), (&lesser, Some(&bad))],
            Some(Verdict::Warning),
            "1 not critical of 2 checks fails",
            vec!["lesser"],
        ),
        (
            vec![(&lesser, Some(&bad)), (&critical, Some(&bad))],
            Some(Verdict::Critical),
            "1 critical and 1 other of 2 checks fail",
            vec!["critical", "lesser"],
        ),
        (
            vec![(&critical, Some(&bad))],
            Some(Verdict::Critical),
            "1 critical of 1 check fails",
            vec!["critical"],
        ),
        (
            vec![(&critical, None), (&lesser, Some(&well))],
            None,
            "1 of 2 checks not probed yet, the others succeed",
            vec![],
        ),
        (
            vec![(&critical, None), (&lesser, Some(&bad))],
            Some(Verdict::Warning),
            "1 not critical of 2 checks fails",
            vec!["lesser"],
        ),
    ];
    for (checks, status, summary, failing) in cases {
        let standings = checks
            .iter()
            .map(|(check, outcome)| standing(check, *outcome));
        let services = ServiceReport::of(standings);
        let [service] = services.as_slice() else {
            panic!("{services:?}");
        };
        assert_eq!(service.status, status, "{service:?}");
        assert_eq!(service.summary(), summary);
        let names: Vec<&str> = service.failing.iter().map(|check| check.endpoint).collect();
        assert_eq!(names, failing);
    }
}

#[test]
fn each_service_and_route_stands_for_itself() {
    let results = sample::results();
    let services = ServiceReport::of(
        results
            .iter()
            .map(|(check, outcome)| standing(check, Some(outcome))),
    );
    let told: Vec<(&str, &str, &str)> = services
        .iter()
        .map(|service| (service.title, service.route, service.word()))
        .collect();
    assert_eq!(
        told,
        [
            ("site", "corp", "NOT WORKING"),
            ("site", "direct", "NOT WORKING"),
            ("Tenant attach", "corp", "DEGRADED"),
            ("Tenant attach", "direct", "NOT WORKING"),
        ]
    );
}

#[test]
fn what_breaks_comes_from_the_catalog_and_is_told_once() {
    let of_catalog = |name: &str, origin, cloud: Option<&str>| {
        let url = format!("http://{name}/");
        let mut check = Check::clone(&check("tenant-attach", name, &url));
        let endpoint = Arc::make_mut(&mut check.endpoint);
        endpoint.origin = origin;
        endpoint.cloud = cloud.map(str::to_owned);
        endpoint.serves_revocation = true;
        check
    };
    let public = Some("public");
    let checks = [
        of_catalog("crl3.digicert.com", Origin::Catalog, public),
        of_catalog("crl4.digicert.com", Origin::Catalog, public),
        of_catalog("crl.example/a.crl", Origin::Certificate, public),
        of_catalog("crl3.example", Origin::Configuration, None),
    ];
    let bad = expired(1);
    let services = ServiceReport::of(checks.iter().map(|check| standing(check, Some(&bad))));
    let breaks = &services[0].breaks;
    assert_eq!(breaks.len(), 2, "{breaks:?}");
    assert_eq!(breaks[1], WITHOUT_DERIVED);
    assert_eq!(services[0].failing.len(), 4);
}

#[test]
fn a_connection_that_did_not_last_is_told_and_changes_no_status() {
    let check = check("s", "held", "https://a.example/");
    let (well, hold) = (success(1), cut(1));
    let services = ServiceReport::of([Standing {
        hold: Some(&hold),
        ..standing(&check, Some(&well))
    }]);
    assert_eq!(services[0].status, Some(Verdict::Ok));
    assert_eq!(
        services[0].summary(),
        "its one check succeeds; idle connections did not last: held"
    );
}
