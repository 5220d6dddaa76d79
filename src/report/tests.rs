use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::explain::Explanation;
use crate::outcome::{Failure, TlsReason};
use crate::route::Route;

#[test]
fn the_json_report_has_the_documented_shape() {
    let check = sample::http(
        "site",
        "admin-service",
        "https://cm01.corp.example/",
        sample::corp(),
    );
    let failure = Failure::of_endpoint(TlsReason::Expired, "it ended");
    let steps = [
        (Phase::Dns.with_proxy(), 1_100),
        (Phase::Connect.with_proxy(), 400),
        (Phase::Tls.with_endpoint(), 2_000),
    ];
    let mut outcome = Outcome::clone(&sample::failed(Via::Proxy, failure, &steps));
    outcome.not_run = vec![NotRun {
        step: Phase::Dns.with_endpoint(),
        why: crate::outcome::WhyNotRun::ResolvedByProxy,
    }];
    let results = [(check, Arc::new(outcome))];
    let not_probed = [catalog::NotProbed {
        service: "tenant-attach".to_owned(),
        endpoint: "<cmg>.cloudapp.net".to_owned(),
        why: "no value".to_owned(),
    }];
    let mut report = Report::new(
        &results,
        &not_probed,
        sample::started(),
        Duration::from_millis(1800),
    );
    report.version = "0.0.0";
    if let Some(failure) = &mut report.checks[0].finding.failure {
        failure.explanation = Explanation {
            what: "what",
            likely: &["likely"],
            steps: &["first", "second"],
            owner: "PKI",
        };
    }

    let value: Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(
        value,
        json!({
            "version": "0.0.0", "started": "2026-11-22T18:00:00Z", "seconds": 1.8, "verdict": "critical", "message_id": 11412,
            "services": [{
                "service": "site", "title": "site", "route": "corp", "status": "critical", "checks": 1,
                "failing": [{"endpoint": "admin-service", "critical": true, "phase": "tls", "peer": "endpoint", "reason": "expired"}],
                "breaks": [],
            }],
            "checks": [{
                "service": "site", "endpoint": "admin-service", "route": "corp", "url": "https://cm01.corp.example/",
                "critical": true, "origin": "configuration", "via": "proxy", "success": false,
                "failure": {
                    "phase": "tls", "peer": "endpoint", "reason": "expired", "detail": "it ended",
                    "explanation": {"what": "what", "likely": ["likely"], "do": ["first", "second"], "owner": "PKI"},
                },
                "phases": [
                    {"phase": "dns", "peer": "proxy", "seconds": 0.0011},
                    {"phase": "connect", "peer": "proxy", "seconds": 0.0004},
                    {"phase": "tls", "peer": "endpoint", "seconds": 0.002},
                ],
                "not_run": [{"phase": "dns", "peer": "endpoint", "why": "resolved_by_proxy"}],
                "observed": {"addresses": [], "tls": []},
            }],
            "causes": [],
            "not_probed": [{"service": "tenant-attach", "endpoint": "<cmg>.cloudapp.net", "why": "no value"}],
        })
    );
}

#[test]
fn the_worst_check_makes_the_verdict() {
    let ok = |name| {
        (
            sample::http("s", name, "https://host.example/", Route::direct()),
            true,
        )
    };
    let (critical, lesser) = (ok("critical"), ok("lesser"));
    let lesser = (crate::plan::fixture::not_critical(&lesser.0), true);
    let failing = |(check, _): &(Arc<Check>, bool)| (Arc::clone(check), false);
    let cases = [
        (vec![], Verdict::Ok, 0, 11410),
        (
            vec![critical.clone(), lesser.clone()],
            Verdict::Ok,
            0,
            11410,
        ),
        (
            vec![critical.clone(), failing(&lesser)],
            Verdict::Warning,
            1,
            11411,
        ),
        (
            vec![failing(&critical), lesser.clone()],
            Verdict::Critical,
            2,
            11412,
        ),
        (
            vec![failing(&critical), failing(&lesser)],
            Verdict::Critical,
            2,
            11412,
        ),
    ];
    for (checks, verdict, exit_code, message_id) in cases {
        let results: Vec<_> = checks
            .into_iter()
            .map(|(check, succeeds)| {
                let mut outcome = Outcome::clone(&crate::plan::fixture::success(0));
                if !succeeds {
                    outcome.result = Err(Failure::of_endpoint(TlsReason::Expired, ""));
                }
                (check, Arc::new(outcome))
            })
            .collect();
        let report = Report::new(&results, &[], sample::started(), Duration::ZERO);
        assert_eq!(report.verdict, verdict);
        assert_eq!(
            (report.verdict.exit_code(), report.message_id),
            (exit_code, message_id)
        );
    }
}
