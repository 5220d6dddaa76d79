//! Plans and outcomes for the tests of those who observe.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use url::{Host, Url};

use crate::endpoint::{
    Authority, Endpoint, Expectation, Hold, Origin, ResolverSettings, Target, TlsSettings,
};
use crate::outcome::{
    Failure, FailureReason, HoldOutcome, HoldReason, HttpSeen, Observed, Outcome, Peer, Phase,
    Timings, TlsReason,
};
use crate::plan::{Check, HistogramMode, Histograms, Plan, Revocation};
use crate::route::{Bypass, BypassPattern, Pac, PacSource, Proxy, ProxyKind, Route, Via, Way};

/// A critical check of a URL over the route `direct`.
pub(crate) fn check(service: &str, endpoint: &str, url: &str) -> Arc<Check> {
    let target = Target::Http(Url::parse(url).unwrap());
    Arc::new(check_of(service, endpoint, target, Route::direct()))
}

/// A critical check of any target over any route.
pub(crate) fn check_of(service: &str, endpoint: &str, target: Target, route: Route) -> Check {
    Check {
        endpoint: Arc::new(Endpoint {
            name: endpoint.to_owned(),
            service: service.to_owned(),
            target,
            critical: true,
            expectation: Expectation::default().into(),
            hold: None,
            cloud: None,
            stands_in_for: None,
            serves_revocation: false,
            origin: Origin::Configuration,
            publishes: None,
            labels: BTreeMap::default(),
        }),
        revocation: Revocation::off(Arc::new(route.clone())).into(),
        route: Arc::new(route),
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(10),
        retry_interval: None,
        resolver: ResolverSettings::System.into(),
        proxy_resolver: ResolverSettings::System.into(),
        tls: Arc::new(TlsSettings::default()),
        credentials: None,
    }
}

/// The same check, with a hold of three minutes.
pub(crate) fn with_hold(check: &Check) -> Arc<Check> {
    let mut endpoint = (*check.endpoint).clone();
    endpoint.hold = Some(Box::new(Hold {
        duration: Duration::from_secs(180),
        interval: Hold::DEFAULT_INTERVAL,
        keep_alive: None,
    }));
    Arc::new(Check {
        endpoint: Arc::new(endpoint),
        ..check.clone()
    })
}

/// The same check, of an endpoint that its service can do without.
pub(crate) fn not_critical(check: &Check) -> Arc<Check> {
    let mut endpoint = (*check.endpoint).clone();
    endpoint.critical = false;
    Arc::new(Check {
        endpoint: Arc::new(endpoint),
        ..check.clone()
    })
}

/// The route `corp` over an HTTP proxy with this host, which `*.corp.example` bypasses.
pub(crate) fn proxied(host: &str) -> Route {
    proxied_by(host, ProxyKind::Http)
}

/// The same over a proxy of another kind.
pub(crate) fn proxied_by(host: &str, kind: ProxyKind) -> Route {
    Route {
        name: "corp".to_owned(),
        way: Way::Proxy(Arc::new(Proxy {
            name: "corp".to_owned(),
            kind,
            authority: Authority {
                host: Host::parse(host).unwrap(),
                port: 3128,
            },
            credentials: None,
            connect_headers: Vec::new(),
            bypass: Bypass::new(vec![BypassPattern::winhttp("*.corp.example").unwrap()]),
            resolver: None,
        })),
        resolver: None,
    }
}

/// The route `corp` over a script, which `*.corp.example` bypasses.
pub(crate) fn scripted() -> Route {
    Route {
        name: "corp".to_owned(),
        way: Way::Pac(Arc::new(Pac {
            name: "corp".to_owned(),
            source: PacSource::File("proxy.pac".into()),
            failover: false,
            tls: TlsSettings::default(),
            credentials: None,
            connect_headers: Vec::new(),
            bypass: Bypass::new(vec![BypassPattern::winhttp("*.corp.example").unwrap()]),
            resolver: None,
        })),
        resolver: None,
    }
}

/// A plan with a histogram of two buckets for each check.
pub(crate) fn plan<'a>(checks: impl IntoIterator<Item = &'a Arc<Check>>) -> Plan {
    Plan {
        checks: checks.into_iter().map(Arc::clone).collect(),
        errands: Vec::new(),
        not_probed: Vec::new(),
        wildcards: Vec::new(),
        discover_redirects: false,
        concurrency: 256,
        hold_concurrency: 64,
        histograms: Histograms {
            mode: HistogramMode::Check,
            buckets: vec![0.01, 0.5],
            native: false,
        },
    }
}

/// A success so many seconds after the epoch: dns 2 ms, tls 40 ms, response 8 ms, status 200.
pub(crate) fn success(at: u64) -> Arc<Outcome> {
    let mut timings = Timings::default();
    timings.add(Phase::Dns.with_endpoint(), Duration::from_millis(2));
    timings.add(Phase::Tls.with_endpoint(), Duration::from_millis(40));
    timings.add(Phase::Response.with_endpoint(), Duration::from_millis(8));
    Arc::new(Outcome {
        started: SystemTime::UNIX_EPOCH + Duration::from_secs(at),
        duration: Duration::from_millis(50),
        via: Via::Direct,
        result: Ok(()),
        timings,
        not_run: Vec::new(),
        warnings: Vec::new(),
        observed: Observed {
            http: Some(HttpSeen {
                status: 200,
                version: "HTTP/1.1",
                ..HttpSeen::default()
            }),
            ..Observed::default()
        },
    })
}

/// A failure for `reason` with the endpoint, so many seconds after the epoch: dns 2 ms, tls 1 s.
pub(crate) fn failure(at: u64, reason: impl Into<FailureReason>) -> Arc<Outcome> {
    let mut timings = Timings::default();
    timings.add(Phase::Dns.with_endpoint(), Duration::from_millis(2));
    timings.add(Phase::Tls.with_endpoint(), Duration::from_secs(1));
    Arc::new(Outcome {
        started: SystemTime::UNIX_EPOCH + Duration::from_secs(at),
        duration: Duration::from_millis(1002),
        via: Via::Direct,
        result: Err(Failure::new(reason, Peer::Endpoint, "what came back")),
        timings,
        not_run: Vec::new(),
        warnings: Vec::new(),
        observed: Observed::default(),
    })
}

/// A failure because of an expired certificate.
pub(crate) fn expired(at: u64) -> Arc<Outcome> {
    failure(at, TlsReason::Expired)
}

/// A connection that was held for its three minutes, so many seconds after the epoch.
pub(crate) fn held(at: u64) -> Arc<HoldOutcome> {
    Arc::new(hold_outcome(at, Some(180), Ok(())))
}

/// A connection that the proxy closed after four seconds.
pub(crate) fn cut(at: u64) -> Arc<HoldOutcome> {
    let failure = Failure::of_proxy(HoldReason::ClosedEarly, "it was closed");
    Arc::new(hold_outcome(at, Some(4), Err(failure)))
}

/// A connection that never came about.
pub(crate) fn never_held(at: u64, reason: impl Into<FailureReason>) -> Arc<HoldOutcome> {
    let failure = Failure::of_endpoint(reason, "what came back");
    Arc::new(hold_outcome(at, None, Err(failure)))
}

fn hold_outcome(at: u64, held: Option<u64>, result: Result<(), Failure>) -> HoldOutcome {
    let held = held.map(Duration::from_secs);
    let mut timings = Timings::default();
    timings.add(Phase::Connect.with_endpoint(), Duration::from_millis(2));
    if let Some(held) = held {
        timings.add(Phase::Hold.with_endpoint(), held);
    }
    HoldOutcome {
        started: SystemTime::UNIX_EPOCH + Duration::from_secs(at),
        via: Via::Direct,
        held,
        result,
        timings,
        observed: Observed::default(),
    }
}
