//! What is inferred from what, in a small language: a line a check, such as `gateway corp connect/refused@proxy`.

mod language;
mod properties;

use std::time::Duration;

use language::{causes, causes_lacking, findings, now};
use tokio::time::Instant;

use super::*;
use crate::plan::fixture;

/// Each cause alone, and what is just not enough for it.
const ALONE: &[(&str, &[&str])] = &[
    // network
    (
        "a direct connect/timeout | b direct dns/timeout | c corp connect/timeout@proxy",
        &["network_down machine"],
    ),
    (
        "a direct connect/timeout | b corp connect/timeout@proxy",
        &["endpoint_down a", "endpoint_down b"],
    ),
    (
        "a direct connect/timeout | b direct dns/timeout | c corp connect/timeout@proxy | d direct ok",
        &["endpoint_down a", "endpoint_down b", "endpoint_down c"],
    ),
    (
        "a direct connect/timeout at=200 | b direct dns/timeout at=200 | c corp connect/timeout@proxy at=200 | d direct ok",
        &["network_down machine"],
    ),
    // resolvers
    (
        "a direct dns/servfail | b direct dns/refused",
        &["resolver_down system"],
    ),
    (
        "a direct dns/servfail | b direct dns/refused | c direct ok answer=1.1.1.1",
        &["endpoint_down a", "endpoint_down b"],
    ),
    (
        "a direct dns/network_error host=x.example | b direct dns/network_error host=x.example",
        &["resolver_down system"],
    ),
    ("a direct dns/timeout", &["endpoint_down a"]),
    (
        "a direct dns/nxdomain | a other ok resolver=public answer=1.1.1.1",
        &["resolver_wrong system"],
    ),
    (
        "a direct dns/nxdomain | a other ok answer=1.1.1.1",
        &["route_only direct"],
    ),
    (
        "a direct connect/timeout catalog address=10.0.0.1 | b direct ok",
        &["resolver_wrong system"],
    ),
    (
        "a direct connect/timeout address=10.0.0.1 | b direct ok",
        &["endpoint_down a"],
    ),
    (
        "a direct connect/timeout catalog address=20.0.0.1 | b direct ok",
        &["endpoint_down a"],
    ),
    // proxies
    (
        "a corp connect/refused@proxy | b corp proxy/timeout",
        &["proxy_down corp"],
    ),
    (
        "a corp dns/nxdomain@proxy | b corp tls/expired@proxy",
        &["proxy_down corp"],
    ),
    ("a corp connect/refused@proxy", &["endpoint_down a"]),
    (
        "a corp connect/refused@proxy | b corp proxy/timeout | c corp ok",
        &["endpoint_down a", "endpoint_down b"],
    ),
    (
        "a corp connect/refused@proxy | b corp proxy/timeout | c corp proxy/forbidden",
        &["proxy_policy corp", "endpoint_down a", "endpoint_down b"],
    ),
    (
        "a corp connect/refused@proxy | b other connect/refused@proxy",
        &["endpoint_down a", "endpoint_down b"],
    ),
    (
        "a corp proxy/auth_rejected | b corp ok",
        &["proxy_authentication corp"],
    ),
    ("a corp proxy/forbidden | b corp ok", &["proxy_policy corp"]),
    ("a corp response/proxy_status@proxy", &["proxy_policy corp"]),
    (
        "a corp proxy/bad_gateway | b corp proxy/gateway_timeout",
        &["proxy_upstream corp"],
    ),
    (
        "a corp proxy/bad_gateway | b corp proxy/gateway_timeout | c corp ok",
        &["endpoint_down a", "endpoint_down b"],
    ),
    (
        "a corp ok slow=connect@proxy | b corp ok slow=proxy@proxy",
        &["proxy_slow corp"],
    ),
    (
        "a corp ok slow=connect@proxy | b corp ok slow=proxy@proxy | c corp ok | d corp ok | e corp ok",
        &["degraded a", "degraded b"],
    ),
    // clock and certificates
    (
        "a direct ok offset=300 | b direct ok offset=310",
        &["clock_wrong machine"],
    ),
    ("a direct ok offset=300 | b direct ok offset=-310", &[]),
    (
        "a direct ok offset=300 | b direct ok offset=310 | c direct ok offset=1 | d direct ok offset=0",
        &[],
    ),
    (
        "a direct tls/expired offset=300 | b direct tls/not_yet_valid offset=310",
        &["clock_wrong machine"],
    ),
    (
        "a corp tls/intercepted | b corp ok own",
        &["tls_inspection corp"],
    ),
    (
        "a corp ok warn=tls/intercepted | b corp ok",
        &["tls_inspection corp"],
    ),
    (
        "a direct tls/unknown_issuer issuer=X | b direct tls/unknown_issuer issuer=X",
        &["trust_store system"],
    ),
    (
        "a direct tls/unknown_issuer issuer=X | b direct tls/unknown_issuer issuer=Y",
        &["endpoint_down a", "endpoint_down b"],
    ),
    ("a direct tls/expired", &["certificate_expiring a"]),
    (
        "a direct ok days=7 | b direct ok days=60",
        &["certificate_expiring a"],
    ),
    (
        "a direct ok days=7 certificate=one | b direct ok days=7 certificate=one",
        &["certificate_expiring a"],
    ),
    (
        "a direct ok warn=revocation/unreachable",
        &["revocation_blocked direct"],
    ),
    (
        "a direct revocation/timeout",
        &["revocation_blocked direct"],
    ),
    (
        "lists direct connect/timeout serves-revocation | b direct ok",
        &["revocation_blocked direct"],
    ),
    // endpoints
    (
        "a direct response/bad_status | a corp response/bad_status",
        &["endpoint_down a"],
    ),
    (
        "a direct connect/refused | a corp ok",
        &["route_only direct"],
    ),
    (
        "a direct connect/refused host=x.example | b direct tls/not_tls host=x.example",
        &["endpoint_down a"],
    ),
    (
        "a direct response/bad_status | b direct ok",
        &["endpoint_down a"],
    ),
    (
        "a direct ok changes=4 | b direct ok | c direct ok",
        &["flapping a"],
    ),
    ("a direct ok changes=3", &[]),
    (
        "a corp ok changes=5 | b corp ok changes=4 | c direct ok",
        &["flapping corp"],
    ),
    ("a direct ok slow=tls@endpoint", &["degraded a"]),
    (
        "a corp ok hold=cut | a direct ok hold=lived",
        &["idle_timeout corp"],
    ),
    (
        "a corp ok hold=cut | b corp ok hold=lived",
        &["idle_timeout corp"],
    ),
    ("a corp ok hold=cut | b corp ok hold=lived at=200", &[]),
    // nothing
    ("", &[]),
    ("a direct ok | b corp ok warn=tls/weak_signature", &[]),
    (
        "a direct connect/refused blip | b corp proxy/forbidden blip",
        &[],
    ),
];

#[test]
fn each_cause_has_its_rule() {
    for (text, expected) in ALONE {
        assert_eq!(causes(text), *expected, "{text}");
    }
}

/// Two faults at once, and what one hides of the other.
#[test]
fn pairs_are_told_apart() {
    let cases: &[(&str, &[&str])] = &[
        // A dead proxy while one endpoint is truly down, which the direct route proves.
        (
            "a direct ok | a corp connect/refused@proxy | b direct ok | b corp connect/refused@proxy | \
             gone direct connect/refused | gone corp connect/refused@proxy",
            &["proxy_down corp", "endpoint_down gone"],
        ),
        // The same without the direct route: nobody can know.
        (
            "a corp connect/refused@proxy | b corp connect/refused@proxy | gone corp connect/refused@proxy",
            &["proxy_down corp"],
        ),
        // Two proxies, one of them dead.
        (
            "a corp connect/refused@proxy | a other ok | b corp connect/refused@proxy | b other ok",
            &["proxy_down corp"],
        ),
        // Both dead.
        (
            "a corp connect/refused@proxy | a other connect/refused@proxy | b corp proxy/closed | b other proxy/closed",
            &["proxy_down corp", "proxy_down other"],
        ),
        // A resolver that is down while a proxied route works.
        (
            "a direct dns/network_error | a corp ok | b direct dns/network_error | b corp ok",
            &["resolver_down system"],
        ),
        // The resolver takes the proxy's name along.
        (
            "a direct dns/network_error | a corp dns/network_error@proxy | b direct dns/network_error | b corp dns/network_error@proxy",
            &["resolver_down system"],
        ),
        // Inspection on some hosts only, and a policy that denies another.
        (
            "a corp tls/intercepted | b corp ok own | c corp proxy/forbidden",
            &["proxy_policy corp", "tls_inspection corp"],
        ),
        // The login fails, and what would be fetched over the same proxy cannot be.
        (
            "a corp proxy/auth_required | b direct ok warn=revocation/unreachable over=corp",
            &["proxy_authentication corp"],
        ),
        // An expired certificate beside one endpoint that is down.
        (
            "a direct tls/expired | b direct connect/refused | c direct ok",
            &["certificate_expiring a", "endpoint_down b"],
        ),
        // The network is down for all, the proxy included.
        (
            "a direct connect/no_route | b direct connect/no_route | a corp connect/no_route@proxy | c corp connect/no_route@proxy",
            &["network_down machine"],
        ),
        // Slow behind a slow proxy.
        (
            "a corp ok slow=proxy@proxy | b corp ok slow=proxy@proxy | c direct ok slow=request@endpoint",
            &["proxy_slow corp", "degraded c"],
        ),
        // Who flaps because of the proxy that is down now.
        (
            "a corp connect/refused@proxy changes=5 | b corp connect/refused@proxy changes=5",
            &["proxy_down corp"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(causes(text), *expected, "{text}");
    }
}

#[test]
fn a_lone_failure_waits_until_the_others_have_been_heard() {
    // Another check shares the proxy, and was heard before.
    let waits = "a corp connect/refused@proxy at=160 since=155 patience=70 | b corp ok at=150";
    assert_eq!(causes(waits), [""; 0]);
    // It was heard since, and well.
    let alone = "a corp connect/refused@proxy at=160 since=155 patience=70 | b corp ok at=158";
    assert_eq!(causes(alone), ["endpoint_down a"]);
    // It fails, too.
    let dead = "a corp connect/refused@proxy at=160 since=155 patience=70 | b corp connect/refused@proxy at=165 since=161 patience=70";
    assert_eq!(causes(dead), ["proxy_down corp"]);
    // Nothing was heard of it in all that time.
    let long = "a corp connect/refused@proxy at=230 since=155 patience=70 | b corp ok at=150";
    assert_eq!(causes(long), ["endpoint_down a"]);
}

/// A success says something of a route only if it came after the failure.
#[test]
fn a_route_is_blamed_only_when_the_endpoint_was_reached_over_another_since() {
    let cases: &[(&str, &[&str])] = &[
        // Not heard since: it may be about to fail, too.
        (
            "a direct connect/refused at=160 since=155 patience=70 | a corp ok at=150",
            &[],
        ),
        (
            "a direct connect/refused at=160 since=155 patience=70 | a corp ok at=155",
            &["route_only direct"],
        ),
        // It fails, too, and it may be a blip.
        (
            "a direct connect/refused at=160 since=155 patience=70 | a corp tls/closed at=161 since=161 blip",
            &["endpoint_down a"],
        ),
        // It was not heard in all that time.
        (
            "a direct connect/refused at=225 since=155 patience=70 | a corp ok at=150",
            &["endpoint_down a"],
        ),
        // Of three routes, one that is fine is enough.
        (
            "a direct connect/refused at=160 since=155 patience=70 | a corp ok at=150 | a other ok at=158",
            &["route_only direct"],
        ),
        // It died between two probes, and the one that was earlier is of the other route.
        (
            "a direct connect/refused at=170 since=155 patience=70 | a corp tls/closed at=172 since=167 patience=70 | a other ok at=150",
            &[],
        ),
        // What another endpoint of the host says of another route counts, and of the same route speaks against it.
        (
            "a direct tls/closed at=160 since=155 host=x.example | b corp ok at=158 host=x.example",
            &["route_only direct"],
        ),
        (
            "a direct tls/closed at=160 since=155 host=x.example | b direct ok at=158 host=x.example",
            &["endpoint_down a"],
        ),
        (
            "a direct tls/closed at=160 since=155 host=x.example | a corp tls/closed at=160 since=155 host=x.example | \
             b direct ok at=158 host=x.example | b corp ok at=158 host=x.example",
            &["endpoint_down a"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(causes(text), *expected, "{text}");
    }
}

#[test]
fn others_have_the_time_to_be_confirmed() {
    // Both fail of the same resolver; the second is not confirmed yet.
    let first = "a direct dns/timeout at=230 since=155 patience=70 confirmation=15";
    let blip = "b direct dns/timeout at=228 since=228 patience=70 blip";
    assert_eq!(causes(&format!("{first} | {blip}")), [""; 0]);
    let second = "b direct dns/timeout at=233 since=220 patience=70 confirmation=15";
    assert_eq!(
        causes(&format!("{first} | {second}")),
        ["resolver_down system"]
    );
    let late = first.replace("at=230", "at=240");
    assert_eq!(causes(&format!("{late} | {blip}")), ["endpoint_down a"]);
}

#[test]
fn an_unknown_issuer_waits_for_the_others_of_its_trust_store() {
    let first = "a direct tls/unknown_issuer issuer=X at=160 since=155 patience=70";
    let cases: &[(&str, &[&str])] = &[
        ("", &["endpoint_down a"]),
        ("b direct ok at=150", &[]),
        ("b direct ok at=158", &["endpoint_down a"]),
        (
            "b direct tls/unknown_issuer issuer=X at=158 since=158 blip",
            &[],
        ),
        (
            "b direct tls/unknown_issuer issuer=X at=160 since=156",
            &["trust_store system"],
        ),
    ];
    for (other, expected) in cases {
        assert_eq!(causes(&format!("{first} | {other}")), *expected, "{other}");
    }
}

#[test]
fn a_root_that_the_catalog_requires_and_the_store_lacks_makes_one_failure_enough() {
    let lacking = |text: &str| causes_lacking(text, &["X"]);
    let one = "a direct tls/unknown_issuer issuer=X needs=X,Y";
    assert_eq!(lacking(one), ["trust_store system"]);
    assert_eq!(causes(one), ["endpoint_down a"]);
    // What nobody misses is no cause.
    assert_eq!(
        lacking("a direct ok issuer=Y needs=X,Y | b direct ok"),
        [""; 0]
    );
    // It leads to a root that is there, or is another's.
    let other = "a direct tls/unknown_issuer issuer=Y needs=X";
    assert_eq!(lacking(other), ["trust_store system"], "no better is known");
    let not_needed = "a direct tls/unknown_issuer issuer=X needs=Y";
    assert_eq!(lacking(not_needed), ["endpoint_down a"]);
    let intercepted = "a direct tls/intercepted issuer=Z needs=X";
    assert_eq!(lacking(intercepted), ["tls_inspection direct"]);
    // Another host of the same issuer goes with it.
    let two = "a direct tls/unknown_issuer issuer=X needs=X | b direct tls/unknown_issuer issuer=X";
    assert_eq!(lacking(two), ["trust_store system"]);
}

#[test]
fn what_a_fault_explained_is_not_told_anew_when_it_is_over() {
    let over = "a corp connect/refused@proxy since=90 explained=proxy_down | b corp ok at=150 | c direct ok";
    assert_eq!(causes(over), [""; 0]);
    // But a bigger one may be.
    let again = "a corp connect/refused@proxy at=200 explained=endpoint_down | b corp connect/refused@proxy at=200 | c direct ok";
    assert_eq!(causes(again), ["proxy_down corp"]);
}

#[test]
fn a_cause_has_its_evidence_in_order() {
    let found = findings(
        "c corp connect/refused@proxy lesser | a corp proxy/timeout | b direct ok | d corp ok at=50",
    );
    let causes = diagnose(&found, &[], now());
    let [cause] = &causes[..] else {
        panic!("{causes:?}");
    };
    assert_eq!((cause.supporting, cause.contradicting), (2, 1));
    assert!(cause.critical);
    let told: Vec<_> = cause
        .evidence
        .iter()
        .map(|evidence| (evidence.check.endpoint.as_str(), evidence.says))
        .collect();
    assert_eq!(
        told,
        [
            ("a", Says::Supports),
            ("c", Says::Supports),
            ("d", Says::Contradicts)
        ]
    );
    assert_eq!(
        cause.evidence[0].words,
        "proxy/timeout, proxy: what came back"
    );
    assert_eq!(cause.evidence[2].words, "reachable");
    let json = serde_json::to_value(cause).unwrap();
    assert_eq!(json["cause"], "proxy_down");
    assert_eq!(json["evidence"][2]["supports"], false);
    assert_eq!(json["explanation"]["owner"], "proxy team");
}

#[test]
fn only_critical_checks_make_a_cause_critical() {
    let lesser = findings("a direct connect/refused lesser | b direct ok");
    assert!(!diagnose(&lesser, &[], now())[0].critical);
    let warning = findings("a direct ok days=7");
    assert!(!diagnose(&warning, &[], now())[0].critical);
}

#[test]
fn evidence_is_bounded_and_counted() {
    let lines: Vec<String> = (0..80)
        .map(|number| format!("e{number:02} corp connect/refused@proxy"))
        .chain((0..30).map(|number| format!("o{number:02} corp ok at=50")))
        .collect();
    let causes = diagnose(&findings(&lines.join(" | ")), &[], now());
    assert_eq!(causes.len(), 1);
    let cause = &causes[0];
    assert_eq!((cause.supporting, cause.contradicting), (80, 30));
    assert_eq!(cause.evidence.len(), MOST_EVIDENCE);
    let against = cause.evidence.iter();
    let against = against.filter(|evidence| evidence.says == Says::Contradicts);
    assert_eq!(against.count(), 10);
}

/// Prints a figure, and asserts only what no machine misses.
#[test]
fn ten_thousand_checks_take_no_time_worth_mentioning() {
    let line = |number: usize| match number % 3 {
        0 => format!("e{number} corp connect/refused@proxy"),
        1 => format!("e{number} direct ok answer=1.1.1.1"),
        _ => format!("e{number} other ok"),
    };
    let lines: Vec<String> = (0..10_000).map(line).collect();
    let found = findings(&lines.join(" | "));
    let start = Instant::now();
    assert_eq!(diagnose(&found, &[], now()).len(), 1);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_observed_is_diagnosed_and_told_once() {
    use std::sync::Arc;

    use crate::observer::Observer;

    let check = fixture::check("site", "gateway", "https://gateway.example/");
    let diagnosis = Arc::new(Diagnosis::default());
    diagnosis.planned(&fixture::plan([&check]));
    let watcher = diagnosis.watch(&check);
    let causes = diagnosis.causes();
    let told = || -> Vec<CauseKind> { causes.borrow().iter().map(|cause| cause.kind).collect() };
    let at = |seconds: u64| std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);

    watcher.observed(&fixture::expired(0));
    diagnosis.now(at(1));
    assert_eq!(told(), [], "it may be a blip");
    watcher.observed(&fixture::expired(5));
    diagnosis.now(at(6));
    assert_eq!(told(), [CauseKind::CertificateExpiring]);
    assert_eq!(causes.borrow()[0].since, at(0));
    watcher.observed(&fixture::success(60));
    diagnosis.now(at(61));
    assert_eq!(told(), []);

    // And by itself, soon after it is told.
    let running = tokio::spawn(Arc::clone(&diagnosis).run());
    watcher.observed(&fixture::expired(120));
    watcher.observed(&fixture::expired(125));
    let mut changes = diagnosis.causes();
    tokio::time::timeout(Duration::from_secs(2), changes.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told(), [CauseKind::CertificateExpiring]);
    running.abort();
    // Whoever waits for others is looked at again when that is over, although nothing happens.
    watcher.observed(&fixture::success(150));
    watcher.observed(&fixture::expired(160));
    // An interval, a timeout, an interval for the confirmation, and a timeout.
    let (heard, confirmed) = (160 + 60 + 10, 160 + 60 + 10 + 60 + 10);
    assert_eq!(diagnosis.now(at(heard - 29)), Duration::from_secs(29));
    assert_eq!(diagnosis.now(at(confirmed - 28)), Duration::from_secs(28));
    assert_eq!(diagnosis.now(at(confirmed)), Duration::from_secs(60));
    // A check that leaves takes its causes along.
    diagnosis.planned(&fixture::plan([]));
    diagnosis.now(at(200));
    assert_eq!(told(), []);
}
