//! What the history takes of memory for each check, once it is full. Prints figures and asserts none: they depend on
//! the machine and on what endpoints present.
//!
//! `cargo bench --bench history`

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures, and none of them needs more than 52 bits"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reachd::endpoint::{Endpoint, Expectation, Origin, ResolverSettings, Target, TlsSettings};
use reachd::history::{History, RECENT};
use reachd::observer::Observer;
use reachd::outcome::{
    CertificateSeen, ConnectSeen, DnsSeen, Failure, HttpSeen, Observed, Outcome, Peer, Phase,
    Timings, TlsReason, TlsSeen,
};
use reachd::plan::{Check, HistogramMode, Histograms, Plan, Revocation};
use reachd::route::{Route, Via};
use url::Url;

const CHECKS: usize = 1_000;

/// What is probed once a minute.
const INTERVAL: Duration = Duration::from_secs(60);

struct Case {
    name: &'static str,
    checks: usize,
    probes: usize,
    /// How the probe of this number fares.
    outcome: fn(usize) -> Outcome,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("outages                 {:.1} kB each", of_outages()? / 1e3);
    let case = |name, probes, outcome| Case {
        name,
        checks: CHECKS,
        probes,
        outcome,
    };
    let hours = 2 * RECENT;
    let month = 30 * 24 * 60;
    let cases = [
        case("all succeed", hours, |_| outcome(None)),
        case("every other one fails", hours, |probe| {
            outcome((probe % 2 == 1).then(|| DETAIL.to_owned()))
        }),
        case("all fail", hours, |_| outcome(Some(DETAIL.to_owned()))),
        case("all fail, each differently", hours, |probe| {
            outcome(Some(format!("{DETAIL}, at the attempt {probe}")))
        }),
        Case {
            checks: CHECKS / 4,
            ..case("a month, without evidence", month, |_| bare(outcome(None)))
        },
        Case {
            checks: CHECKS / 4,
            ..case("a month, three fail an hour", month, |probe| {
                bare(outcome((probe % 20 == 7).then(|| DETAIL.to_owned())))
            })
        },
    ];
    for case in cases {
        let taken = of_checks(&case)? / case.checks as f64;
        println!("{:<28}{:.1} kB a check", case.name, taken / 1e3);
    }
    Ok(())
}

/// What the full history of some checks takes, but for the log of outages, which all checks share: it is full before.
fn of_checks(case: &Case) -> Result<f64, Box<dyn Error>> {
    let checks = checks(case.checks)?;
    let history = History::default();
    fill_log(&history)?;
    // The prober keeps each chain once, for all outcomes that have it.
    let chain = |_| Arc::from([certificate(), certificate()]);
    let chains: Vec<Arc<[CertificateSeen]>> = checks.iter().map(chain).collect();
    let before = resident()?;
    history.planned(&plan(&checks));
    let watchers: Vec<_> = checks.iter().map(|check| history.watch(check)).collect();
    let start = SystemTime::now() - Duration::from_secs(60 * case.probes as u64);
    for probe in 0..case.probes {
        let mut outcome = (case.outcome)(probe);
        outcome.started = start + INTERVAL * u32::try_from(probe)?;
        for (watcher, chain) in watchers.iter().zip(&chains) {
            let mut own = outcome.clone();
            for tls in &mut own.observed.tls {
                tls.certificates = Arc::clone(chain);
            }
            watcher.observed(&Arc::new(own));
        }
    }
    let taken = resident()?.saturating_sub(before) as f64;
    // What is not given back cannot be taken again by the next case, which would count for nothing.
    std::mem::forget(history);
    Ok(taken)
}

/// What each outage takes in the log.
fn of_outages() -> Result<f64, Box<dyn Error>> {
    let history = History::default();
    let before = resident()?;
    fill_log(&history)?;
    let taken = resident()?.saturating_sub(before);
    std::mem::forget(history);
    Ok(taken as f64 / f64::from(OUTAGES))
}

/// As many as the log takes.
const OUTAGES: u32 = 10_000;

fn fill_log(history: &History) -> Result<(), Box<dyn Error>> {
    let checks = checks(1)?;
    history.planned(&plan(&checks));
    let watcher = history.watch(&checks[0]);
    let start = SystemTime::now() - INTERVAL * 2 * OUTAGES;
    for probe in 0..2 * OUTAGES {
        let mut outcome = bare(outcome((probe % 2 == 0).then(|| DETAIL.to_owned())));
        outcome.started = start + INTERVAL * probe;
        watcher.observed(&Arc::new(outcome));
    }
    Ok(())
}

fn plan(checks: &[Arc<Check>]) -> Plan {
    Plan {
        checks: checks.to_vec(),
        errands: Vec::new(),
        not_probed: Vec::new(),
        wildcards: Vec::new(),
        discover_redirects: false,
        concurrency: 256,
        hold_concurrency: 64,
        histograms: Histograms {
            mode: HistogramMode::None,
            buckets: Vec::new(),
            native: false,
        },
    }
}

/// Bytes of this process in memory, in pages of 4 KiB.
fn resident() -> Result<usize, Box<dyn Error>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split(' ').nth(1).ok_or("no second field in statm")?;
    Ok(resident.parse::<usize>()? * 4096)
}

fn checks(count: usize) -> Result<Vec<Arc<Check>>, url::ParseError> {
    let route = Arc::new(Route::direct());
    let tls = Arc::new(TlsSettings::default());
    let check = |number: usize| -> Result<_, url::ParseError> {
        let url = Url::parse(&format!("https://t{number:05}.lab.example/probe"))?;
        Ok(Arc::new(Check {
            endpoint: Arc::new(Endpoint {
                name: format!("endpoint-{number:05}"),
                service: "service".to_owned(),
                target: Target::Http(url),
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
            revocation: Revocation::off(Arc::clone(&route)).into(),
            route: Arc::clone(&route),
            interval: INTERVAL,
            timeout: Duration::from_secs(10),
            retry_interval: None,
            resolver: ResolverSettings::System.into(),
            proxy_resolver: ResolverSettings::System.into(),
            tls: Arc::clone(&tls),
            credentials: None,
        }))
    };
    (0..count).map(check).collect()
}

const DETAIL: &str = "www.lab.example:443: the certificate expired on 2026-11-20T12:00:00Z";

/// Without what was seen.
fn bare(outcome: Outcome) -> Outcome {
    Outcome {
        observed: Observed::default(),
        ..outcome
    }
}

/// As of a site with an alias, two addresses and a chain of two certificates; one with a detail fails.
fn outcome(detail: Option<String>) -> Outcome {
    let phases = [
        Phase::Dns,
        Phase::Connect,
        Phase::Tls,
        Phase::Request,
        Phase::Response,
    ];
    let mut timings = Timings::default();
    for phase in phases {
        timings.add(phase.with_endpoint(), Duration::from_millis(12));
    }
    Outcome {
        started: SystemTime::now(),
        duration: timings.total(),
        via: Via::Direct,
        result: match detail {
            Some(detail) => Err(Failure::of_endpoint(TlsReason::Expired, detail)),
            None => Ok(()),
        },
        timings,
        not_run: Vec::new(),
        warnings: Vec::new(),
        observed: observed(),
    }
}

fn observed() -> Observed {
    let addresses = [10, 11].map(|last| IpAddr::from(Ipv4Addr::new(192, 0, 2, last)));
    Observed {
        dns: vec![DnsSeen {
            peer: Peer::Endpoint,
            name: "www.lab.example".to_owned(),
            resolver: "system".into(),
            rcode: Some("NOERROR".into()),
            cname_chain: vec!["edge.cdn.lab.example".to_owned()],
            ttl_seconds: Some(60),
            answers: vec!["192.0.2.10".to_owned(), "192.0.2.11".to_owned()],
        }],
        addresses: addresses.to_vec(),
        connects: vec![ConnectSeen {
            peer: Peer::Endpoint,
            address: (addresses[0], 443).into(),
            error: None,
        }],
        tls: vec![TlsSeen {
            peer: Peer::Endpoint,
            version: Some("TLSv1.3"),
            cipher: Some("TLS_AES_128_GCM_SHA256"),
            key_exchange: Some("X25519MLKEM768"),
            alpn: Some("h2".into()),
            certificates: [certificate(), certificate()].into(),
            path: Arc::default(),
        }],
        http: Some(HttpSeen {
            status: 200,
            version: "HTTP/2.0",
            ..HttpSeen::default()
        }),
        ..Observed::default()
    }
}

fn certificate() -> CertificateSeen {
    let names = ["", "www.", "edge.", "api.", "login.", "cdn.", "eu.", "us."];
    CertificateSeen {
        subject: "CN=www.lab.example, O=Example, L=Redmond, ST=WA, C=US".to_owned(),
        issuer: "CN=Example TLS Issuing CA 01, O=Example Corporation, C=US".to_owned(),
        names: names.map(|name| format!("{name}lab.example")).to_vec(),
        serial: "330000d27b6a5d3c49f0a1e8".to_owned(),
        not_before: SystemTime::now(),
        not_after: SystemTime::now() + Duration::from_secs(7_776_000),
        key: "RSA 2048".to_owned(),
        signature_algorithm: "sha256WithRSAEncryption".to_owned(),
        fingerprint_sha256: "ab".repeat(32),
    }
}
