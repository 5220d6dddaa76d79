//! Plans of whole configurations.

use std::path::Path;

use super::*;

fn plan_of(text: &str) -> Result<Plan, Problems> {
    let environment = |name: &str| (name == "CORP_PROXY_PASSWORD").then(|| "hunter2".to_owned());
    let config = Config::parse("test.yml", text, Path::new(""), &environment)?;
    Plan::build(&config)
}

fn keys(plan: &Plan) -> Vec<String> {
    let key = |check: &Arc<Check>| {
        let key = check.key();
        format!("{} {} {}", key.service, key.endpoint, key.route)
    };
    plan.checks.iter().map(key).collect()
}

fn problems(text: &str) -> Vec<String> {
    let problems = plan_of(text).unwrap_err();
    problems.0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_samples_can_be_planned() {
    let sample = plan_of(include_str!("../../../deploy/reachd.yml")).unwrap();
    assert!(keys(&sample).contains(&"site admin-service direct".to_owned()));
    let built_in = plan_of(include_str!("../../default.yml")).unwrap();
    assert!(keys(&built_in).contains(&"tenant-attach aka.ms/configmgrgateway direct".to_owned()));
    let documentation = include_str!("../../../docs/configuration.md");
    for block in documentation.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        if block.contains("features:") {
            plan_of(block).unwrap();
        }
    }
}

#[test]
fn a_check_is_made_for_each_route_with_the_nearest_settings() {
    let plan = plan_of(
        "global: {interval: 30s}
proxies: {corp: {url: 'http://proxy.test:3128', resolver: inner}}
resolvers: {inner: {servers: [10.0.0.53]}, outer: {servers: [9.9.9.9]}}
routes: [direct, corp, {name: corp-outer, via: corp, resolver: outer}]
endpoints:
  - {name: a, url: 'https://a.test/', interval: 5s}
  - {name: b, url: 'https://b.test/', routes: [corp-outer], resolver: inner}",
    )
    .unwrap();
    assert_eq!(
        keys(&plan),
        [
            "default a corp",
            "default a corp-outer",
            "default a direct",
            "default b corp-outer"
        ]
    );
    let settings = |number: usize| {
        let check = &plan.checks[number];
        (
            check.interval.as_secs(),
            check.resolver.name(),
            check.proxy_resolver.name(),
        )
    };
    assert_eq!(settings(0), (5, "system", "inner"));
    assert_eq!(settings(1), (5, "outer", "inner"));
    assert_eq!(settings(3), (30, "inner", "inner"));
}

#[test]
fn an_endpoint_may_be_retried_sooner_or_not_at_all() {
    let plan = plan_of(
        "{global: {retry_interval: 7s}, endpoints: [{name: a, url: 'http://a/', retry_interval: 1s}, \
         {name: b, url: 'http://b/', retry_interval: off}, {name: c, url: 'http://c/'}]}",
    )
    .unwrap();
    let retries = plan.checks.iter().map(|check| check.retry_interval);
    let seconds = |seconds| Some(std::time::Duration::from_secs(seconds));
    assert_eq!(retries.collect::<Vec<_>>(), [seconds(1), None, seconds(7)]);
}

#[test]
fn a_disabled_endpoint_is_shown_and_criticality_can_be_overridden() {
    let plan = plan_of(
        "catalog: {features: [tenant-attach], overrides: {aka.ms: {enabled: false}, go.microsoft.com: {critical: false}}}",
    )
    .unwrap();
    assert!(
        plan.checks
            .iter()
            .all(|check| check.endpoint.name != "aka.ms")
    );
    let disabled = plan
        .not_probed
        .iter()
        .find(|missing| missing.endpoint == "aka.ms")
        .unwrap();
    assert_eq!(disabled.why, "disabled by the configuration");
    let links = plan
        .checks
        .iter()
        .find(|check| check.endpoint.name == "go.microsoft.com")
        .unwrap();
    assert!(!links.endpoint.critical);
}

#[test]
fn revocation_goes_its_own_way_unless_an_override_says_otherwise() {
    let head = "proxies: {corp: {url: 'http://proxy.test:3128'}}
catalog: {features: [tenant-attach], overrides: {oneocsp.microsoft.com: {routes: [corp]}}}\n";
    let routes_of = |plan: &Plan, endpoint: &str| -> Vec<String> {
        let checks = plan.checks.iter();
        let own = checks.filter(|check| check.endpoint.name == endpoint);
        own.map(|check| check.route.name.clone()).collect()
    };
    let direct = plan_of(&format!("{head}revocation: {{route: direct}}")).unwrap();
    for revocation in [
        "crl3.digicert.com",
        "ocsp.digicert.com",
        "www.microsoft.com/pkiops",
        "ctldl.windowsupdate.com",
    ] {
        assert_eq!(routes_of(&direct, revocation), ["direct"], "{revocation}");
    }
    assert_eq!(routes_of(&direct, "aka.ms/configmgrgateway"), ["corp"]);
    assert_eq!(routes_of(&direct, "oneocsp.microsoft.com"), ["corp"]);
    for same in ["", "revocation: {}", "revocation: {route: same}"] {
        let plan = plan_of(&format!("{head}{same}")).unwrap();
        assert_eq!(routes_of(&plan, "crl3.digicert.com"), ["corp"], "{same}");
    }
}

#[test]
fn how_revocation_is_found_out_is_the_endpoints_then_the_catalogs_then_the_global_setting() {
    let head = "proxies: {corp: {url: 'http://proxy.test:3128'}}
catalog: {features: [tenant-attach], overrides: {go.microsoft.com: {revocation: {mode: report}}}}
endpoints:
  - {name: own, url: 'https://own.test/'}
  - {name: sets, url: 'https://sets.test/', revocation: {mode: require, methods: [crl], route: same}}\n";
    let found = |text: &str, endpoint: &str| {
        let plan = plan_of(&format!("{head}{text}")).unwrap();
        let mut checks = plan.checks.iter();
        let check = checks.find(|check| check.endpoint.name == endpoint);
        let Revocation {
            mode,
            methods,
            route,
            ..
        } = Revocation::clone(&check.unwrap().revocation);
        let methods: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
        format!("{} {} {}", mode.as_str(), methods.join("+"), route.name)
    };
    let (none, off) = ("", "revocation: {mode: 'off', methods: [ocsp]}");
    let direct = "revocation: {route: direct}";
    let all = "stapled+ocsp+crl";
    let table = [
        (none, "own", format!("report {all} corp")),
        (
            none,
            "aka.ms/configmgrgateway",
            format!("require {all} corp"),
        ),
        (none, "go.microsoft.com", format!("report {all} corp")),
        (none, "sets", "require crl corp".to_owned()),
        (off, "own", "off ocsp corp".to_owned()),
        (off, "aka.ms/configmgrgateway", "off ocsp corp".to_owned()),
        (off, "sets", "require crl corp".to_owned()),
        (direct, "own", format!("report {all} direct")),
        (direct, "sets", "require crl corp".to_owned()),
    ];
    for (text, endpoint, expected) in table {
        assert_eq!(found(text, endpoint), expected, "{text} {endpoint}");
    }
}

#[test]
fn questions_to_the_dns_take_no_proxy() {
    for proxy in [
        "url: 'http://proxy.test:3128'",
        "pac: {url: 'http://wpad.test/wpad.dat'}",
    ] {
        let head = format!("proxies: {{corp: {{{proxy}}}}}\nroutes: [direct, corp]\nendpoints:\n");
        let by_default = plan_of(&format!("{head}  - {{name: a, url: 'dns:a.test'}}")).unwrap();
        assert_eq!(keys(&by_default), ["default a direct"]);
        assert_eq!(by_default.not_probed.len(), 1);
        let asked_for = problems(&format!(
            "{head}  - {{name: a, url: 'dns:a.test', routes: [corp]}}"
        ));
        assert_eq!(asked_for.len(), 1);
        assert!(
            asked_for[0].contains("a proxy carries no DNS questions"),
            "{asked_for:?}"
        );
    }
}

#[test]
fn a_plan_without_a_check_is_a_mistake() {
    for nothing in ["global: {interval: 30s}", "discovery: {file_sd: []}"] {
        assert!(problems(nothing)[0].contains("there is nothing to probe"));
    }
    assert!(
        plan_of("discovery: {file_sd: [a.yml]}")
            .unwrap()
            .checks
            .is_empty()
    );
}

#[test]
fn many_checks_share_their_histograms() {
    assert_eq!(
        histogram_mode(HistogramChoice::Auto, 500),
        HistogramMode::Check
    );
    assert_eq!(
        histogram_mode(HistogramChoice::Auto, 501),
        HistogramMode::Service
    );
    assert_eq!(
        histogram_mode(HistogramChoice::Check, 501),
        HistogramMode::Check
    );
    assert_eq!(
        histogram_mode(HistogramChoice::None, 1),
        HistogramMode::None
    );
}

#[test]
fn all_features_of_the_public_cloud_are_over_two_hundred_checks() {
    let variables = "cmg: falls, region: westus, cmg_service: falls.test, cmg_path: '7', sms_provider: cm01.test, \
                     gateway_host: x.manage.microsoft.com, logic_app_host: a.b.logic.azure.com";
    let bare = plan_of("catalog: {features: [all]}").unwrap();
    let filled = plan_of(&format!(
        "catalog: {{features: [all], variables: {{{variables}}}}}"
    ))
    .unwrap();
    for plan in [&bare, &filled] {
        assert!(plan.checks.len() > 200, "{}", plan.checks.len());
    }
    assert!(filled.checks.len() > bare.checks.len());
    assert!(bare.not_probed.len() > filled.not_probed.len());
}

#[test]
fn what_the_catalog_asks_for_directly_takes_no_proxy() {
    let head = "proxies: {corp: {url: 'http://proxy.test:3128'}}
catalog: {features: [administration-service], variables: {sms_provider: cm01.test}";
    let routes = |text: &str| -> Vec<String> {
        let plan = plan_of(&format!("{head}{text}}}")).unwrap();
        let mut checks = plan.checks.iter();
        let own = checks.find(|check| check.endpoint.name == "admin-service");
        own.map(|check| check.route.name.clone())
            .into_iter()
            .collect()
    };
    assert_eq!(routes(""), ["direct"]);
    assert_eq!(
        routes(", overrides: {admin-service: {routes: [corp]}}"),
        ["corp"]
    );
}

#[test]
fn a_hold_is_the_catalogs_unless_it_is_overridden() {
    let catalog = "catalog: {features: [tenant-attach]";
    let holds = |plan: &Plan| -> Vec<String> {
        let endpoints = plan.checks.iter().filter_map(|check| {
            let hold = check.endpoint.hold.as_deref()?;
            let seconds = (hold.duration.as_secs(), hold.interval.as_secs());
            Some(format!("{} {seconds:?}", check.endpoint.name))
        });
        endpoints.collect()
    };
    let gateway = "us.gateway.configmgr.manage.microsoft.com";
    let plan = plan_of(&format!("{catalog}}}")).unwrap();
    assert_eq!(holds(&plan), [format!("{gateway} (180, 900)")]);

    let variable = "variables: {gateway_host: x.manage.microsoft.com}";
    let overrides = |hold| format!("overrides: {{{gateway}: {{hold: {hold}}}}}");
    let plan = plan_of(&format!("{catalog}, {variable}, {}}}", overrides("none"))).unwrap();
    assert_eq!(holds(&plan), ["x.manage.microsoft.com (180, 900)"]);

    let plan = plan_of(&format!(
        "{catalog}, {}}}",
        overrides("{for: 5m, interval: 1h}")
    ))
    .unwrap();
    assert_eq!(holds(&plan), [format!("{gateway} (300, 3600)")]);
}

#[test]
fn a_hold_that_cannot_be_is_a_mistake() {
    let endpoint =
        |hold: &str| format!("endpoints: [{{name: a, url: 'tls://a.test:1', hold: {hold}}}]");
    let fits = endpoint("{for: 50s, interval: 61s}");
    assert!(plan_of(&fits).is_ok());
    let found = problems(&endpoint("{for: 50s, interval: 60s}"));
    assert!(
        found[0].contains("no shorter than the interval of its hold, 1m"),
        "{found:?}"
    );
    let of_https = |interval| {
        let hold = format!("{{for: 50s, interval: {interval}}}");
        endpoint(&hold).replace("tls://a.test:1", "https://a.test")
    };
    assert!(plan_of(&of_https("71s")).is_ok());
    let found = problems(&of_https("70s"));
    assert!(found[0].contains("held for up to 1m 10s"), "{found:?}");
    let found = problems(&endpoint("{for: 15m}"));
    assert_eq!(found.len(), 1, "{found:?}");

    let catalog =
        "catalog: {features: [tenant-attach], overrides: {crl3.digicert.com: {hold: {for: 1m}}}}";
    let found = problems(catalog);
    assert!(
        found[0].contains("only for https://, tls:// and tcp://"),
        "{found:?}"
    );
}

#[test]
fn an_endpoint_of_the_catalog_can_be_given_a_login_trust_and_a_pin() {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("site-ca.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertificateParams::default().self_signed(&key);
    std::fs::write(&ca_file, authority.unwrap().pem()).unwrap();
    let trusts = ca_file.display();
    let pin = "ab".repeat(32);
    let login = "auth: {ntlm: {username: svc, password: '${CORP_PROXY_PASSWORD}'}}";
    let plan = plan_of(&format!(
        "catalog: {{features: [tenant-attach], overrides: {{dc.services.visualstudio.com: {{{login}, tls: {{ca_file: {trusts}, \
         server_name: other.test}}, expect: {{certificate_sha256: [{pin}]}}}}}}}}"
    ))
    .unwrap();
    let given: Vec<_> = plan
        .checks
        .iter()
        .filter(|check| check.credentials.is_some())
        .collect();
    let [check] = given.as_slice() else {
        panic!("{} checks log in", given.len())
    };
    assert_eq!(check.endpoint.name, "dc.services.visualstudio.com");
    assert_eq!(check.tls.server_name.as_deref(), Some("other.test"));
    assert_eq!(check.tls.ca_file, Some(ca_file));
    assert_eq!(check.endpoint.expectation.pins[0].as_str(), pin);
    assert_eq!(check.carrier().credentials, None);
    assert!(!format!("{check:?}").contains("hunter2"));
}

#[test]
fn an_endpoint_of_the_catalog_without_tls_takes_neither_login_nor_pin() {
    let pin = "ab".repeat(32);
    let login = "auth: {basic: {username: svc, password: '${CORP_PROXY_PASSWORD}'}}";
    let found = problems(&format!(
        "catalog: {{features: [tenant-attach], overrides: {{crl3.digicert.com: {{{login}, expect: \
         {{certificate_sha256: [{pin}]}}}}}}}}"
    ));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("no login is sent without TLS"),
        "{found:?}"
    );
    assert!(
        found[1].contains("`expect.certificate_sha256`"),
        "{found:?}"
    );
}

#[test]
fn what_was_found_is_probed_as_far_as_that_can_be() {
    let written = |text: &str| Config::parse("test.yml", text, Path::new(""), &|_| None).unwrap();
    let found = written(
        "proxies: {corp: {url: 'http://proxy.test:3128'}, lost: {url: 'http://lost.test:3128'}}
endpoints:
  - {name: new, url: 'https://new.test/', interval: 5s}
  - {name: taken, url: 'https://other.test/'}
  - {name: lost, url: 'https://lost.test/', routes: [lost, direct]}
  - {name: asked, url: 'dns:asked.test', routes: [corp]}",
    );
    let config = written(
        "proxies: {corp: {url: 'http://proxy.test:3128'}}
endpoints: [{name: taken, url: 'https://taken.test/'}]
discovery: {http_sd: [{url: 'http://sd.test/x', route: corp}], m365: {}}",
    );
    let plan = Plan::with_found(&config, &found.endpoints).unwrap();
    assert_eq!(
        keys(&plan),
        [
            "default lost direct",
            "default new corp",
            "default taken corp"
        ]
    );
    let told: Vec<String> = plan
        .not_probed
        .iter()
        .map(|told| format!("{}: {}", told.endpoint, told.why))
        .collect();
    let expected = [
        "taken: it is there twice",
        "lost: it names the route `lost`, which does not exist",
        "asked: it cannot be asked for over the route `corp`",
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    let errands: Vec<String> = plan
        .errands
        .iter()
        .map(|errand| format!("{} over {}", errand.endpoint.target, errand.route.name))
        .collect();
    let expected = [
        "http://sd.test/x over corp",
        "https://endpoints.office.com/ over direct",
    ];
    assert_eq!(errands, expected);
    let unchanged = Plan::build(&config).unwrap();
    let taken = |plan: &Plan| {
        plan.checks
            .iter()
            .find(|check| check.endpoint.name == "taken")
            .cloned()
    };
    assert_eq!(taken(&plan), taken(&unchanged));
}
