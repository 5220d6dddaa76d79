//! Findings as text. Checks are separated by `|`; each is `ENDPOINT ROUTE RESULT OPTIONS`. The route is `direct`, or a
//! proxy of that name; the result `ok` or `phase/reason`, with `@proxy` where that is not the endpoint's. Times are
//! seconds: a probe begins `at`, the first of its failures in a row was `since`, and others have `patience` to be heard,
//! and `confirmation` beyond that to be confirmed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use url::{Host, Url};

use crate::diagnosis::{CauseKind, Failing, Finding, SlowStep, diagnose};
use crate::endpoint::{
    Authority, ChainExpectation, ExpectedRoot, Hold, Inspection, Origin, ResolverSettings,
    ResolverTransport, Target,
};
use crate::outcome::{
    CertificateSeen, DnsSeen, Failure, FailureReason, HoldOutcome, InterceptionSeen, Outcome, Peer,
    Phase, RootStanding, RootState, Step, TlsSeen,
};
use crate::plan::{Check, Revocation, fixture};
use crate::route::{Bypass, Proxy, ProxyKind, Route, Via, Way};

/// When a diagnosis is made, in seconds after the epoch.
const NOW: u64 = 1000;

/// When a probe begins where nothing else is said.
const AT: u64 = 100;

pub(super) fn now() -> SystemTime {
    at(NOW)
}

/// Kind and subject of every cause. The diagnosis is made when the last probe begins.
pub(super) fn causes(text: &str) -> Vec<String> {
    causes_lacking(text, &[])
}

/// The same where the system's trust store lacks roots.
pub(super) fn causes_lacking(text: &str, roots: &[&str]) -> Vec<String> {
    let found = findings(text);
    let latest = found.iter().filter_map(|finding| finding.latest.as_ref());
    let latest = latest.map(|outcome| outcome.started).max();
    let lacking: Vec<RootStanding> = roots.iter().map(|root| missing(root)).collect();
    let causes = diagnose(&found, &lacking, latest.unwrap_or_else(now));
    let names = causes.iter();
    names
        .map(|cause| format!("{} {}", cause.kind, cause.subject))
        .collect()
}

pub(super) fn findings(text: &str) -> Vec<Finding> {
    let lines = text.split('|').map(str::trim);
    lines.filter(|line| !line.is_empty()).map(finding).collect()
}

fn missing(root: &str) -> RootStanding {
    RootStanding {
        root: root.to_owned(),
        sha256: sha256(root),
        store: "system".to_owned(),
        state: RootState::Missing,
        bundled: false,
    }
}

/// Another one for every name of a few letters.
fn sha256(root: &str) -> String {
    let letters = root.bytes().map(|letter| format!("{letter:02x}"));
    format!("{:0>64}", letters.collect::<String>())
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// What follows the result.
struct Options<'t>(HashMap<&'t str, &'t str>);

impl<'t> Options<'t> {
    fn of(words: impl Iterator<Item = &'t str>) -> Self {
        Self(
            words
                .map(|word| word.split_once('=').unwrap_or((word, "")))
                .collect(),
        )
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn text(&self, name: &str) -> Option<&'t str> {
        self.0.get(name).copied()
    }

    fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.number(name).unwrap_or_default())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name).map(|text| text.parse().unwrap())
    }
}

fn finding(line: &str) -> Finding {
    let mut words = line.split_whitespace();
    let [endpoint, route, result] = [(); 3].map(|()| words.next().expect(line));
    let options = Options::of(words);
    let check = Arc::new(check(endpoint, route, &options));
    let outcome = outcome(&check, result, &options);
    let failing = outcome.result.is_err().then(|| {
        let since = at(options
            .number("since")
            .unwrap_or(options.number("at").unwrap_or(AT)));
        Failing {
            since,
            confirmed_since: (!options.has("blip")).then_some(since),
            patience: options.seconds("patience"),
            confirmation: options.seconds("confirmation"),
        }
    });
    Finding {
        hold: options
            .text("hold")
            .map(|hold| Arc::new(hold_of(&outcome, hold))),
        latest: Some(Arc::new(outcome)),
        failing: failing.map(Box::new),
        slow: options.text("slow").map(slow).into_iter().collect(),
        changes: usize::try_from(options.number("changes").unwrap_or_default()).unwrap(),
        explained_by: options.text("explained").map(|name| {
            let mut kinds = CauseKind::ALL.iter();
            *kinds.find(|kind| kind.as_str() == name).unwrap()
        }),
        ..Finding::unheard(&check)
    }
}

fn check(name: &str, route: &str, options: &Options<'_>) -> Check {
    let own = format!("{name}.example");
    let host = options.text("host").unwrap_or(&own);
    let url = Url::parse(&format!("https://{host}/{name}")).unwrap();
    let mut check = fixture::check_of("s", name, Target::Http(url), route_named(route));
    let endpoint = Arc::get_mut(&mut check.endpoint).unwrap();
    endpoint.critical = !options.has("lesser");
    endpoint.serves_revocation = options.has("serves-revocation");
    endpoint.hold = options.has("hold").then_some(Box::new(Hold {
        duration: Duration::from_secs(180),
        interval: Hold::DEFAULT_INTERVAL,
        keep_alive: None,
    }));
    if options.has("catalog") {
        endpoint.origin = Origin::Catalog;
    }
    endpoint.expectation.chain = options.text("needs").map(|roots| {
        let roots = roots.split(',').map(|name| ExpectedRoot {
            name: name.to_owned(),
            sha256: sha256(name).parse().unwrap(),
        });
        ChainExpectation {
            roots: roots.collect(),
            issuers: Vec::new(),
            inspection: Inspection::Unsupported,
        }
    });
    if let Some(name) = options.text("resolver") {
        check.resolver = ResolverSettings::Servers {
            name: name.to_owned(),
            servers: Vec::new(),
            transport: ResolverTransport::Udp,
            ca_file: None,
        }
        .into();
    }
    if let Some(over) = options.text("over") {
        check.revocation = Revocation::off(Arc::new(route_named(over))).into();
    }
    check
}

fn route_named(name: &str) -> Route {
    if name == "direct" {
        return Route::direct();
    }
    Route {
        name: name.to_owned(),
        way: Way::Proxy(Arc::new(Proxy {
            name: name.to_owned(),
            kind: ProxyKind::Http,
            authority: Authority {
                host: Host::parse("proxy.example").unwrap(),
                port: 3128,
            },
            credentials: None,
            connect_headers: Vec::new(),
            bypass: Bypass::default(),
            resolver: None,
        })),
        resolver: None,
    }
}

fn outcome(check: &Check, result: &str, options: &Options<'_>) -> Outcome {
    let started = options.number("at").unwrap_or(AT);
    let mut outcome = Outcome::clone(&fixture::success(started));
    outcome.via = if check.route.name == "direct" {
        Via::Direct
    } else {
        Via::Proxy
    };
    if result != "ok" {
        outcome.result = Err(failure(result));
    }
    outcome.warnings = options.text("warn").map(failure).into_iter().collect();
    let observed = &mut outcome.observed;
    observed.clock_offset_seconds = options.text("offset").map(|text| text.parse().unwrap());
    observed.addresses = options
        .text("address")
        .map(|text| text.parse().unwrap())
        .into_iter()
        .collect();
    observed.interception = options.has("own").then_some(InterceptionSeen {
        intercepted: false,
        issuer: None,
    });
    let answer = options.text("answer").map(|answer| DnsSeen {
        peer: Peer::Endpoint,
        name: check.endpoint.target.host(),
        resolver: check.resolver.name().into(),
        rcode: Some("NOERROR".into()),
        cname_chain: Vec::new(),
        ttl_seconds: None,
        answers: vec![answer.to_owned()],
    });
    observed.dns = answer.into_iter().collect();
    let has_certificate = options.has("days") || options.has("issuer");
    observed.tls = has_certificate
        .then(|| handshake(check, options))
        .into_iter()
        .collect();
    outcome
}

/// With a certificate of a year.
fn handshake(check: &Check, options: &Options<'_>) -> TlsSeen {
    let day = Duration::from_secs(24 * 3600);
    let days = u32::try_from(options.number("days").unwrap_or(100)).unwrap();
    let not_after = at(NOW) + day * days;
    let year = SystemTime::UNIX_EPOCH - day * 365;
    let name = options.text("certificate").unwrap_or(&check.endpoint.name);
    let leaf = CertificateSeen {
        subject: format!("CN={name}"),
        issuer: format!("CN={}", options.text("issuer").unwrap_or("Issuer")),
        names: Vec::new(),
        serial: "01".to_owned(),
        not_before: year,
        not_after,
        key: "RSA 2048".to_owned(),
        signature_algorithm: "sha256WithRSAEncryption".to_owned(),
        fingerprint_sha256: name.to_owned(),
    };
    TlsSeen {
        peer: Peer::Endpoint,
        version: None,
        cipher: None,
        key_exchange: None,
        alpn: None,
        certificates: [leaf].into(),
        path: [].into(),
    }
}

fn failure(text: &str) -> Failure {
    let (reason, peer) = text.split_once('@').unwrap_or((text, ""));
    let found = FailureReason::all().find(|known| known.to_string() == reason);
    let reason = found.unwrap_or_else(|| panic!("no reason is called {reason}"));
    let peer = match (peer, reason.peers()) {
        ("proxy", _) | (_, [Peer::Proxy]) => Peer::Proxy,
        _ => Peer::Endpoint,
    };
    Failure::new(reason, peer, "what came back")
}

fn hold_of(outcome: &Outcome, how: &str) -> HoldOutcome {
    let started = outcome
        .started
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let hold = match how {
        "cut" => fixture::cut(started.as_secs()),
        _ => fixture::held(started.as_secs()),
    };
    HoldOutcome {
        via: outcome.via,
        ..HoldOutcome::clone(&hold)
    }
}

fn slow(text: &str) -> SlowStep {
    let (phase, peer) = text.split_once('@').unwrap();
    let mut phases = Phase::OF_PROBE.into_iter();
    let phase = phases.find(|known| known.as_str() == phase).unwrap();
    let peer = match peer {
        "proxy" => Peer::Proxy,
        _ => Peer::Endpoint,
    };
    SlowStep {
        step: Step { phase, peer },
        took: Duration::from_secs(2),
        usually: Duration::from_millis(40),
    }
}
