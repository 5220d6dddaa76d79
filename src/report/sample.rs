//! A made-up site for the tests of report, API and page: two services over two routes, with the failures that
//! such sites really have.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use url::Url;

use crate::catalog::NotProbed;
use crate::diagnosis::{Cause, Evidence, Says};
use crate::endpoint::Target;
use crate::outcome::{
    CauseKind, CertificateSeen, ConnectSeen, DnsReason, DnsSeen, Failure, HttpSeen, NotRun,
    Observed, Outcome, Peer, Phase, ProxyReason, ProxySeen, RedirectSeen, ResponseReason,
    RootStanding, RootState, Step, Timings, TlsReason, TlsSeen, WhyNotRun,
};
use crate::plan::fixture::{check_of, not_critical, proxied};
use crate::plan::{Check, CheckKey};
use crate::report::Report;
use crate::route::{Route, Via};

/// The report of these results, with its causes.
pub(crate) fn report<'a>(
    results: &'a [(Arc<Check>, Arc<Outcome>)],
    not_probed: &'a [NotProbed],
) -> Report<'a> {
    let took = Duration::from_millis(1800);
    Report::new(results, not_probed, started(), took).with_causes(causes())
}

/// When the probes of the sample started: 2026-11-22T18:00:00Z.
pub(crate) fn started() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_370_400)
}

/// Every check once, ordered by key: two fail critically in DNS, one not critically at the proxy, two in TLS.
pub(crate) fn results() -> Vec<(Arc<Check>, Arc<Outcome>)> {
    let tenant =
        |name: &str, route| http("tenant-attach", name, &format!("https://{name}/"), route);
    let site = |name: &str, url: &str, route| http("site", name, url, route);
    let metadata = "https://cm01.corp.example/AdminService/v1.0/$metadata";
    vec![
        (
            site("admin-service", metadata, corp()),
            expired(Via::Bypass),
        ),
        (
            site("admin-service", metadata, Route::direct()),
            expired(Via::Direct),
        ),
        (
            site(
                "software-library",
                "http://cm01.corp.example/SMS_DP/status",
                Route::direct(),
            ),
            plain_http(),
        ),
        (
            not_critical(&tenant("aadcdn.msauth.net", corp())),
            forbidden("aadcdn.msauth.net"),
        ),
        (
            tenant("aadcdn.msauth.net", Route::direct()),
            nxdomain("aadcdn.msauth.net"),
        ),
        (tenant("graph.microsoft.com", corp()), through_proxy(200)),
        (
            tenant("graph.microsoft.com", Route::direct()),
            nxdomain("graph.microsoft.com"),
        ),
        (
            tenant("login.microsoftonline.com", corp()),
            through_proxy(404),
        ),
        (
            tenant("login.microsoftonline.com", Route::direct()),
            redirected(),
        ),
        (
            not_critical(&tenant("us.events.data.microsoft.com", corp())),
            bad_status(),
        ),
        (
            tenant("us.gateway.configmgr.manage.microsoft.com", corp()),
            through_proxy(401),
        ),
    ]
}

/// What the sample requires but cannot probe.
pub(crate) fn not_probed() -> Vec<NotProbed> {
    vec![NotProbed {
        service: "tenant-attach".to_owned(),
        endpoint: "<cmg>.cloudapp.net".to_owned(),
        why: "the template has no value: set catalog.variables.cmg to the name of the cloud management gateway".to_owned(),
    }]
}

/// What is inferred of the sample: names are not resolved on the direct way.
pub(crate) fn causes() -> Vec<Cause> {
    let evidence = |endpoint: &str, route: &str, says, words: &str| Evidence {
        check: CheckKey {
            service: "tenant-attach".to_owned(),
            endpoint: endpoint.to_owned(),
            route: route.to_owned(),
        },
        says,
        words: words.to_owned(),
    };
    let denied = "the resolver \"system\" answered NXDOMAIN";
    vec![Cause {
        kind: CauseKind::ResolverWrong,
        subject: "system".to_owned(),
        critical: true,
        since: started() - Duration::from_secs(720),
        evidence: vec![
            evidence("aadcdn.msauth.net", "direct", Says::Supports, denied),
            evidence("graph.microsoft.com", "direct", Says::Supports, denied),
            evidence(
                "login.microsoftonline.com",
                "direct",
                Says::Contradicts,
                "it resolves this name",
            ),
        ],
        explains: ["aadcdn.msauth.net", "graph.microsoft.com"]
            .map(|endpoint| CheckKey {
                service: "tenant-attach".to_owned(),
                endpoint: endpoint.to_owned(),
                route: "direct".to_owned(),
            })
            .to_vec(),
        supporting: 2,
        contradicting: 1,
    }]
}

/// The roots that the sample requires.
pub(crate) fn trust_store() -> Vec<RootStanding> {
    let root = |root: &str, sha256: &str, state, bundled| RootStanding {
        root: root.to_owned(),
        sha256: sha256.repeat(32),
        store: "system".to_owned(),
        state,
        bundled,
    };
    vec![
        root("DigiCert Global Root G2", "cb", RootState::Present, true),
        root("DigiCert Global Root CA", "43", RootState::Missing, false),
    ]
}

/// A critical check of a URL.
pub(crate) fn http(service: &str, name: &str, url: &str, route: Route) -> Arc<Check> {
    let target = Target::Http(Url::parse(url).unwrap());
    Arc::new(check_of(service, name, target, route))
}

/// The sample's proxy.
pub(crate) fn corp() -> Route {
    proxied("proxy.corp.example")
}

/// A failure with nothing seen but how long each step took.
pub(crate) fn failed(via: Via, failure: Failure, steps: &[(Step, u64)]) -> Arc<Outcome> {
    Arc::new(outcome(via, Err(failure), steps, Observed::default()))
}

fn nxdomain(name: &str) -> Arc<Outcome> {
    let observed = Observed {
        dns: vec![DnsSeen {
            peer: Peer::Endpoint,
            name: name.to_owned(),
            resolver: "system".into(),
            rcode: Some("NXDOMAIN".into()),
            cname_chain: Vec::new(),
            ttl_seconds: None,
            answers: Vec::new(),
        }],
        ..Observed::default()
    };
    let detail = format!("{name}: the resolver \"system\" answered NXDOMAIN");
    let failure = Failure::of_endpoint(DnsReason::NxDomain, detail);
    let mut outcome = outcome(
        Via::Direct,
        Err(failure),
        &[(Phase::Dns.with_endpoint(), 2_100)],
        observed,
    );
    outcome.not_run = [Phase::Connect, Phase::Tls, Phase::Request, Phase::Response]
        .map(|phase| NotRun {
            step: phase.with_endpoint(),
            why: WhyNotRun::EarlierFailure,
        })
        .to_vec();
    Arc::new(outcome)
}

fn forbidden(host: &str) -> Arc<Outcome> {
    let failure = Failure::of_proxy(
        ProxyReason::Forbidden,
        format!("CONNECT {host}:443 to proxy.corp.example:3128 was answered 403 Forbidden"),
    );
    let observed = Observed {
        connects: vec![connected("10.0.8.1:3128", Peer::Proxy)],
        proxy: Some(Box::new(ProxySeen {
            connect_status: Some(403),
            product: Some("squid/6.13".to_owned()),
            error: Some("ERR_ACCESS_DENIED 0".to_owned()),
            ..ProxySeen::default()
        })),
        ..Observed::default()
    };
    let steps = [
        (Phase::Dns.with_proxy(), 800),
        (Phase::Connect.with_proxy(), 400),
        (Phase::Proxy.with_proxy(), 3_200),
    ];
    let mut outcome = outcome(Via::Proxy, Err(failure), &steps, observed);
    outcome.not_run = vec![NotRun {
        step: Phase::Dns.with_endpoint(),
        why: WhyNotRun::ResolvedByProxy,
    }];
    Arc::new(outcome)
}

fn expired(via: Via) -> Arc<Outcome> {
    let failure = Failure::of_endpoint(
        TlsReason::Expired,
        "the certificate of cm01.corp.example ended 2026-11-20T00:00:00Z, 2 days ago",
    );
    let observed = Observed {
        addresses: vec![IpAddr::from([10, 0, 4, 17])],
        connects: vec![connected("10.0.4.17:443", Peer::Endpoint)],
        tls: vec![handshake(
            "CN=cm01.corp.example",
            started() - Duration::from_secs(2 * 86_400 + 64_800),
        )],
        ..Observed::default()
    };
    let steps = [
        (Phase::Dns.with_endpoint(), 1_000),
        (Phase::Connect.with_endpoint(), 400),
        (Phase::Tls.with_endpoint(), 18_300),
    ];
    Arc::new(outcome(via, Err(failure), &steps, observed))
}

fn plain_http() -> Arc<Outcome> {
    let steps = [
        (Phase::Dns.with_endpoint(), 1_000),
        (Phase::Connect.with_endpoint(), 400),
        (Phase::Request.with_endpoint(), 2_600),
        (Phase::Response.with_endpoint(), 200),
    ];
    let mut outcome = outcome(Via::Direct, Ok(()), &steps, answered(200));
    outcome.not_run = vec![NotRun {
        step: Phase::Tls.with_endpoint(),
        why: WhyNotRun::PlainHttp,
    }];
    Arc::new(outcome)
}

fn redirected() -> Arc<Outcome> {
    let mut observed = answered(200);
    observed.dns = vec![DnsSeen {
        peer: Peer::Endpoint,
        name: "login.microsoftonline.com".to_owned(),
        resolver: "system".into(),
        rcode: Some("NOERROR".into()),
        cname_chain: vec![
            "login.mso.msidentity.com".to_owned(),
            "ak.privatelink.msidentity.com".to_owned(),
        ],
        ttl_seconds: Some(112),
        answers: vec![
            "20.190.151.6".to_owned(),
            "2603:1036:3000:130::5".to_owned(),
        ],
    }];
    observed.addresses = vec![IpAddr::from([20, 190, 151, 6])];
    observed.connects = vec![
        ConnectSeen {
            error: Some("network unreachable".to_owned()),
            ..connected("[2603:1036:3000:130::5]:443", Peer::Endpoint)
        },
        connected("20.190.151.6:443", Peer::Endpoint),
    ];
    if let Some(http) = &mut observed.http {
        http.redirects = vec![RedirectSeen {
            status: 302,
            url: "https://www.office.com/login".to_owned(),
            via: Via::Direct,
        }];
    }
    let steps = [
        (Phase::Dns.with_endpoint(), 7_400),
        (Phase::Connect.with_endpoint(), 21_300),
        (Phase::Tls.with_endpoint(), 48_900),
        (Phase::Request.with_endpoint(), 35_600),
        (Phase::Response.with_endpoint(), 4_100),
    ];
    Arc::new(outcome(Via::Direct, Ok(()), &steps, observed))
}

fn through_proxy(status: u16) -> Arc<Outcome> {
    let mut outcome = outcome(Via::Proxy, Ok(()), &PROXIED, proxied_answer(status));
    outcome.not_run = vec![NotRun {
        step: Phase::Dns.with_endpoint(),
        why: WhyNotRun::ResolvedByProxy,
    }];
    Arc::new(outcome)
}

fn bad_status() -> Arc<Outcome> {
    let failure = Failure::of_endpoint(ResponseReason::BadStatus, "the answer was 502 Bad Gateway");
    Arc::new(outcome(
        Via::Proxy,
        Err(failure),
        &PROXIED,
        proxied_answer(502),
    ))
}

const PROXIED: [(Step, u64); 6] = [
    (
        Step {
            phase: Phase::Dns,
            peer: Peer::Proxy,
        },
        1_100,
    ),
    (
        Step {
            phase: Phase::Connect,
            peer: Peer::Proxy,
        },
        400,
    ),
    (
        Step {
            phase: Phase::Proxy,
            peer: Peer::Proxy,
        },
        24_800,
    ),
    (
        Step {
            phase: Phase::Tls,
            peer: Peer::Endpoint,
        },
        51_200,
    ),
    (
        Step {
            phase: Phase::Request,
            peer: Peer::Endpoint,
        },
        38_700,
    ),
    (
        Step {
            phase: Phase::Response,
            peer: Peer::Endpoint,
        },
        900,
    ),
];

fn proxied_answer(status: u16) -> Observed {
    Observed {
        connects: vec![connected("10.0.8.1:3128", Peer::Proxy)],
        proxy: Some(Box::new(ProxySeen {
            connect_status: Some(200),
            product: Some("squid/6.13".to_owned()),
            ..ProxySeen::default()
        })),
        tls: vec![handshake(
            "CN=*.microsoft.com,O=Microsoft Corporation,C=US",
            started() + Duration::from_secs(140 * 86_400),
        )],
        ..answered(status)
    }
}

fn outcome(
    via: Via,
    result: Result<(), Failure>,
    steps: &[(Step, u64)],
    observed: Observed,
) -> Outcome {
    let mut timings = Timings::default();
    for (step, microseconds) in steps {
        timings.add(*step, Duration::from_micros(*microseconds));
    }
    Outcome {
        started: started(),
        duration: timings.total(),
        via,
        result,
        timings,
        not_run: Vec::new(),
        warnings: Vec::new(),
        observed,
    }
}

fn answered(status: u16) -> Observed {
    Observed {
        http: Some(HttpSeen {
            status,
            version: "HTTP/1.1",
            body_bytes: 4_312,
            ..HttpSeen::default()
        }),
        clock_offset_seconds: Some(0.4),
        ..Observed::default()
    }
}

fn connected(address: &str, peer: Peer) -> ConnectSeen {
    ConnectSeen {
        peer,
        address: address.parse::<SocketAddr>().unwrap(),
        error: None,
    }
}

fn handshake(subject: &str, not_after: SystemTime) -> TlsSeen {
    TlsSeen {
        peer: Peer::Endpoint,
        version: Some("TLSv1.3"),
        cipher: Some("TLS13_AES_256_GCM_SHA384"),
        key_exchange: Some("X25519MLKEM768"),
        alpn: Some("h2".into()),
        certificates: [CertificateSeen {
            subject: subject.to_owned(),
            issuer: "CN=Corp Issuing CA 02,O=Corp,C=US".to_owned(),
            names: vec!["cm01.corp.example".to_owned(), "cm01".to_owned()],
            serial: "33000001f4a7".to_owned(),
            not_before: not_after - Duration::from_secs(365 * 86_400),
            not_after,
            key: "RSA 2048".to_owned(),
            signature_algorithm: "sha256WithRSAEncryption".to_owned(),
            fingerprint_sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                .to_owned(),
        }]
        .into(),
        path: Arc::default(),
    }
}
