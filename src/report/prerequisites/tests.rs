use std::collections::HashMap;

use serde_json::Value;

use super::*;
use crate::catalog::{Asked, NotProbed, prerequisites};
use crate::endpoint::{ChainExpectation, Inspection, Origin, RevocationMethod, RevocationMode};
use crate::outcome::{
    CertificatePlace, DnsReason, Failure, HttpSeen, InterceptionSeen, RevocationReason,
    RevocationSeen, RevocationState, RootState,
};
use crate::plan::fixture::{check, cut, failure, held, never_held, success};
use crate::report::sample;

const EMPTY: Evidence<'static> = Evidence {
    probed: true,
    results: &[],
    holds: &[],
    not_held: 0,
    not_probed: &[],
    trust_store: &[],
    command: "reachd prerequisites",
};

fn report_in(scope: &str, evidence: Evidence<'_>) -> Value {
    let scope = Scope::parse(scope).unwrap();
    let needed = prerequisites(&scope).unwrap();
    let report = PrerequisitesReport::new(
        &needed,
        &scope,
        evidence,
        sample::started(),
        Duration::from_secs(2),
    );
    serde_json::from_str(&report.json().unwrap()).unwrap()
}

fn report(evidence: Evidence<'_>) -> Value {
    report_in("public", evidence)
}

fn states(report: &Value) -> HashMap<String, String> {
    let all = report["prerequisites"].as_array().unwrap().iter();
    let own = all.filter(|one| one["verified_by"] == "reachd");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    own.map(|one| (text(&one["id"]), text(&one["state"])))
        .collect()
}

fn told(report: &Value, id: &str) -> String {
    let mut all = report["prerequisites"].as_array().unwrap().iter();
    let one = all.find(|one| one["id"] == id).unwrap();
    format!("{} {}", one["seen"], one["what_to_do"])
}

/// A check as the catalog makes it.
fn of_catalog(name: &str, more: impl FnOnce(&mut crate::endpoint::Endpoint)) -> Arc<Check> {
    let mut made = Check::clone(&check("tenant-attach", name, &format!("https://{name}/")));
    let endpoint = Arc::make_mut(&mut made.endpoint);
    endpoint.origin = Origin::Catalog;
    endpoint.cloud = Some("public".to_owned());
    more(endpoint);
    Arc::new(made)
}

fn plain(name: &str) -> Arc<Check> {
    of_catalog(name, |_| ())
}

fn lesser(name: &str) -> Arc<Check> {
    of_catalog(name, |endpoint| endpoint.critical = false)
}

fn gateway() -> Arc<Check> {
    of_catalog("us.gateway.configmgr.manage.microsoft.com", |endpoint| {
        endpoint.stands_in_for = Some("*.manage.microsoft.com".to_owned());
    })
}

fn revocation_host() -> Arc<Check> {
    of_catalog("crl3.digicert.com", |endpoint| {
        endpoint.serves_revocation = true;
    })
}

fn administration_service() -> Arc<Check> {
    let mut made = Check::clone(&check(
        "administration-service",
        "admin-service",
        "https://cm01.corp.example/",
    ));
    Arc::make_mut(&mut made.endpoint).origin = Origin::Catalog;
    Arc::new(made)
}

fn seeing(more: impl FnOnce(&mut crate::outcome::Observed)) -> Arc<Outcome> {
    let mut outcome = Outcome::clone(&success(1));
    more(&mut outcome.observed);
    Arc::new(outcome)
}

fn nxdomain() -> Arc<Outcome> {
    failure(1, DnsReason::NxDomain)
}

type MakeCheck = fn() -> Arc<Check>;

fn state_of(id: &str, evidence: Evidence<'_>) -> String {
    states(&report(evidence))[id].clone()
}

fn state_with(id: &str, results: &[(Arc<Check>, Arc<Outcome>)]) -> String {
    state_of(id, Evidence { results, ..EMPTY })
}

#[test]
fn endpoints_hosts_gateway_and_service_follow_their_checks() {
    let cases: [(&str, MakeCheck); 4] = [
        ("endpoints", || plain("aka.ms")),
        ("gateway", gateway),
        ("revocation-hosts", revocation_host),
        ("administration-service", administration_service),
    ];
    for (id, check) in cases {
        assert_eq!(state_of(id, EMPTY), "not_verified", "{id}");
        assert_eq!(state_with(id, &[(check(), success(1))]), "met", "{id}");
        let failing = [(check(), nxdomain())];
        assert_eq!(state_with(id, &failing), "not_met", "{id}");
        // Nobody else is to blame.
        for (other, _) in cases.iter().filter(|(other, _)| *other != id) {
            assert_eq!(state_with(other, &failing), "not_verified", "{id}: {other}");
        }
    }
    let half = [(plain("aka.ms"), success(1)), (lesser("dc"), nxdomain())];
    assert_eq!(state_with("endpoints", &half), "warning");
}

#[test]
fn what_the_configuration_names_itself_is_nothing_of_tenant_attach() {
    let own = check("tenant-attach", "mine", "https://mine.example/");
    assert_eq!(
        state_with("endpoints", &[(own, nxdomain())]),
        "not_verified"
    );
}

#[test]
fn what_was_seen_names_route_endpoint_reason_and_advice() {
    let results = [
        (plain("aka.ms"), nxdomain()),
        (plain("go.microsoft.com"), success(1)),
    ];
    let not_probed = [NotProbed {
        service: "tenant-attach".to_owned(),
        endpoint: "dc.services.visualstudio.com".to_owned(),
        why: "disabled by the configuration".to_owned(),
    }];
    let told = told(
        &report(Evidence {
            results: &results,
            not_probed: &not_probed,
            ..EMPTY
        }),
        "endpoints",
    );
    for expected in [
        "over direct: 1 of 2 not reachable (1 critical): aka.ms",
        "aka.ms: dns/nxdomain: what came back",
        "not probed: dc.services.visualstudio.com: disabled by the configuration",
        "catalog export --format allowlist",
        "dns/nxdomain at the endpoint: ",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn a_gateway_that_is_not_known_says_how_to_make_it_known() {
    let stand_in = of_catalog("eu.gateway.configmgr.manage.microsoft.com", |endpoint| {
        endpoint.stands_in_for = Some("*.manage.microsoft.com".to_owned());
        endpoint.critical = false;
    });
    let results = [(stand_in, success(1))];
    let report = report(Evidence {
        results: &results,
        ..EMPTY
    });
    assert_eq!(states(&report)["gateway"], "not_verified");
    assert_eq!(states(&report)["endpoints"], "met");
    assert!(told(&report, "gateway").contains("GenericUploadWorker.log"));
}

#[test]
fn an_administration_service_that_asks_for_a_login_is_there() {
    let unauthorized = seeing(|observed| {
        observed.http = Some(HttpSeen {
            status: 401,
            ..HttpSeen::default()
        });
    });
    let results = [(administration_service(), unauthorized)];
    let report = report(Evidence {
        results: &results,
        ..EMPTY
    });
    assert_eq!(states(&report)["administration-service"], "met");
    assert!(told(&report, "administration-service").contains("asks for a login"));
}

fn intercepted(intercepted: bool) -> Arc<Outcome> {
    seeing(|observed| {
        observed.interception = Some(InterceptionSeen {
            intercepted,
            issuer: Some("CN=Inspecting Proxy".to_owned()),
        });
    })
}

fn inspected(inspection: Inspection) -> Arc<Check> {
    of_catalog("aka.ms", |endpoint| {
        endpoint.expectation.chain = Some(ChainExpectation {
            roots: Arc::new([]),
            issuers: Vec::new(),
            inspection,
        });
    })
}

#[test]
fn inspection_counts_where_the_operator_forbids_it() {
    let cases = [
        (Inspection::Unsupported, true, "not_met"),
        (Inspection::Tolerated, true, "warning"),
        (Inspection::Unsupported, false, "met"),
    ];
    for (inspection, is_intercepted, state) in cases {
        let results = [(inspected(inspection), intercepted(is_intercepted))];
        assert_eq!(state_with("tls-inspection", &results), state);
    }
    let unseen = [(inspected(Inspection::Unsupported), nxdomain())];
    assert_eq!(state_with("tls-inspection", &unseen), "not_verified");
}

fn looking(mode: RevocationMode) -> Arc<Check> {
    let mut check = Check::clone(&plain("aka.ms"));
    check.revocation.mode = mode;
    Arc::new(check)
}

fn revocation(states: &[(&str, RevocationState)]) -> Arc<Outcome> {
    seeing(|observed| {
        observed.revocation = states
            .iter()
            .map(|(subject, state)| RevocationSeen {
                certificate: CertificatePlace::Leaf,
                subject: (*subject).into(),
                method: RevocationMethod::Crl,
                state: *state,
                url: Some("http://crl.example/a.crl".into()),
                detail: None,
                this_update: None,
                next_update: None,
            })
            .collect();
    })
}

#[test]
fn one_method_that_knows_suffices_for_a_certificate() {
    use RevocationState::{Good, Revoked, Unreachable};
    let cases: [(&[(&str, RevocationState)], &str); 5] = [
        (&[("CN=a", Good)], "met"),
        (&[("CN=a", Unreachable), ("CN=a", Good)], "met"),
        (&[("CN=a", Good), ("CN=b", Unreachable)], "warning"),
        (&[("CN=a", Good), ("CN=a", Revoked)], "not_met"),
        (&[], "not_verified"),
    ];
    for (seen, state) in cases {
        let results = [(looking(RevocationMode::Require), revocation(seen))];
        let found = state_with("revocation-of-the-gateway", &results);
        assert_eq!(found, state, "{seen:?}");
    }
    let mut failing = Outcome::clone(&revocation(&[("CN=a", Unreachable)]));
    failing.result = Err(Failure::of_endpoint(
        RevocationReason::Unreachable,
        "no list",
    ));
    let results = [(looking(RevocationMode::Require), Arc::new(failing))];
    assert_eq!(state_with("revocation-of-the-gateway", &results), "not_met");
    let results = [(looking(RevocationMode::Off), success(1))];
    let report = report(Evidence {
        results: &results,
        ..EMPTY
    });
    assert!(told(&report, "revocation-of-the-gateway").contains("nobody looks"));
}

#[test]
fn a_root_that_a_document_asks_for_must_be_there() {
    let root = |name: &str, state| RootStanding {
        store: "system".to_owned(),
        root: name.to_owned(),
        sha256: "ab".repeat(32),
        state,
        bundled: true,
    };
    let (g2, other) = ("DigiCert Global Root G2", "DigiCert Global Root CA");
    let cases = [
        (RootState::Present, RootState::Present, "met"),
        (RootState::Present, RootState::Missing, "warning"),
        (RootState::Expired, RootState::Present, "not_met"),
    ];
    for (of_g2, of_other, state) in cases {
        let roots = [root(g2, of_g2), root(other, of_other)];
        for probed in [true, false] {
            let evidence = Evidence {
                trust_store: &roots,
                probed,
                ..EMPTY
            };
            assert_eq!(state_of("trust-store", evidence), state);
        }
    }
    assert_eq!(state_of("trust-store", EMPTY), "not_verified");
}

#[test]
fn connections_that_were_not_held_are_not_verified_and_the_command_is_told() {
    let not_asked = Evidence {
        not_held: 2,
        ..EMPTY
    };
    let report = report(not_asked);
    assert_eq!(states(&report)["proxy-idle-time"], "not_verified");
    assert!(told(&report, "proxy-idle-time").contains("`reachd prerequisites --hold` holds them."));

    let check = crate::plan::fixture::with_hold(&gateway());
    let cases = [
        (vec![held(1)], "met"),
        (vec![held(1), cut(1)], "not_met"),
        (vec![never_held(1, DnsReason::NxDomain)], "not_verified"),
    ];
    for (outcomes, state) in cases {
        let holds: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| (Arc::clone(&check), outcome))
            .collect();
        let evidence = Evidence {
            holds: &holds,
            ..EMPTY
        };
        assert_eq!(state_of("proxy-idle-time", evidence), state);
    }
    assert!(!states(&report_in("us-government", EMPTY)).contains_key("proxy-idle-time"));
}

#[test]
fn most_clocks_decide_about_ours() {
    let cases: [(&[f64], &str); 5] = [
        (&[0.4, -0.6, 90_000.0], "met"),
        (&[45.0, 45.2, 0.0], "warning"),
        (&[-400.0], "not_met"),
        (&[-300.0], "warning"),
        (&[], "not_verified"),
    ];
    for (offsets, state) in cases {
        let results: Vec<_> = offsets
            .iter()
            .map(|offset| {
                let outcome = seeing(|observed| observed.clock_offset_seconds = Some(*offset));
                (plain("aka.ms"), outcome)
            })
            .collect();
        assert_eq!(state_with("clock", &results), state, "{offsets:?}");
    }
}

#[test]
fn the_verdict_is_that_of_what_was_verified() {
    let critical = [(plain("aka.ms"), nxdomain())];
    let minor = [(lesser("dc"), nxdomain())];
    let cut = [(crate::plan::fixture::with_hold(&gateway()), cut(1))];
    let cases = [
        (EMPTY, "ok"),
        (
            Evidence {
                results: &critical,
                ..EMPTY
            },
            "critical",
        ),
        (
            Evidence {
                results: &minor,
                ..EMPTY
            },
            "warning",
        ),
        // Not critical in the data file.
        (
            Evidence {
                holds: &cut,
                ..EMPTY
            },
            "warning",
        ),
    ];
    for (evidence, verdict) in cases {
        assert_eq!(report(evidence)["verdict"], verdict);
    }
}

#[test]
fn without_probes_nothing_but_the_trust_store_is_verified() {
    let report = report(Evidence {
        probed: false,
        ..EMPTY
    });
    for (id, state) in states(&report) {
        assert_eq!(state, "not_verified", "{id}");
        if id != "trust-store" {
            let told = told(&report, &id);
            assert!(
                told.contains("`reachd prerequisites` verifies it."),
                "{told}"
            );
        }
    }
}

fn written(format: fn(&PrerequisitesReport<'_>) -> String) -> String {
    let scope = Scope::of(&Asked::default().over(None)).unwrap();
    let needed = prerequisites(&scope).unwrap();
    let hostile = "a|b <script> *x* `y`\u{1b}[2J";
    let failure = Failure::of_endpoint(DnsReason::NxDomain, hostile);
    let results = [
        (
            plain("aka.ms"),
            sample::failed(crate::route::Via::Direct, failure, &[]),
        ),
        (revocation_host(), success(1)),
    ];
    let evidence = Evidence {
        results: &results,
        ..EMPTY
    };
    let report = PrerequisitesReport::new(
        &needed,
        &scope,
        evidence,
        sample::started(),
        Duration::from_millis(1800),
    );
    format(&report)
}

#[test]
fn the_text_keeps_its_width_and_lets_no_terminal_obey() {
    let text = written(|report| report.text(false).to_string());
    assert!(
        text.starts_with(
            "CRITICAL: 1 not met (1 critical), 1 met, 7 not verified, of 9 prerequisites that reachd verifies;"
        ),
        "{text}"
    );
    assert!(text.contains("\nNOT MET       The service connection point reaches the endpoints of tenant attach (endpoints)\n"), "{text}");
    assert!(
        text.contains("\nMET           Windows reaches the hosts"),
        "{text}"
    );
    assert!(
        text.contains("\n[ ] The tenant has an Intune licence"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text}");
    for line in text.lines() {
        // Paths of documents and calls stay whole, to be copied.
        let is_long_word = line.split_whitespace().any(|word| word.len() > 60);
        assert!(line.chars().count() <= 100 || is_long_word, "{line}");
    }
    let coloured = written(|report| report.text(true).to_string());
    assert!(
        coloured.contains("\u{1b}[1;31mNOT MET\u{1b}[0m"),
        "{coloured}"
    );
}

#[test]
fn the_markdown_has_a_box_for_everything_that_a_person_verifies() {
    let markdown = written(|report| report.markdown().to_string());
    let persons = written(|report| {
        let ids: Vec<&str> = report
            .verified_by(VerifiedBy::Person)
            .map(|one| one.id)
            .collect();
        ids.join(" ")
    });
    let ids: Vec<&str> = persons.split(' ').collect();
    assert!(ids.len() > 20, "{ids:?}");
    assert_eq!(markdown.matches("\n- [ ] ").count(), ids.len());
    for id in ids {
        assert!(markdown.contains(&format!("(`{id}`")), "{id}");
    }
    assert!(
        markdown.contains("a\\|b &lt;script> \\*x\\* \\`y\\`"),
        "{markdown}"
    );
    assert!(
        markdown.contains("`reachd catalog export --format allowlist"),
        "{markdown}"
    );
    let rows = markdown.lines().filter(|line| line.starts_with("| "));
    for row in rows {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
    }
}
