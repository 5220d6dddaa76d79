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

/// Whether the probe of this number fails.
type Fails = fn(usize) -> bool;

fn main() -> Result<(), Box<dyn Error>> {
    let cases: [(&str, Fails); 3] = [
        ("all succeed", |_| false),
        ("every other one fails", |probe| probe % 2 == 1),
        ("all fail", |_| true),
    ];
    for (name, fails) in cases {
        let checks = checks()?;
        let before = resident()?;
        let history = full(&checks, fails);
        let taken = resident()?.saturating_sub(before);
        println!(
            "{name:<24}{:.1} kB a check",
            taken as f64 / 1e3 / CHECKS as f64
        );
        // What is not given back cannot be taken again by the next case, which would count for nothing.
        std::mem::forget(history);
    }
    Ok(())
}

/// A history that has all it keeps, and has let go of older outcomes.
fn full(checks: &[Arc<Check>], fails: Fails) -> History {
    let history = History::default();
    history.planned(&Plan {
        checks: checks.to_vec(),
        not_probed: Vec::new(),
        wildcards: Vec::new(),
        discover_redirects: false,
        concurrency: 256,
        hold_concurrency: 64,
        histograms: Histograms {
            mode: HistogramMode::None,
            buckets: Vec::new(),
        },
    });
    let watchers: Vec<_> = checks.iter().map(|check| history.watch(check)).collect();
    for probe in 0..2 * RECENT {
        for watcher in &watchers {
            watcher.observed(&outcome(fails(probe)));
        }
    }
    history
}

/// Bytes of this process in memory, in pages of 4 KiB.
fn resident() -> Result<usize, Box<dyn Error>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split(' ').nth(1).ok_or("no second field in statm")?;
    Ok(resident.parse::<usize>()? * 4096)
}

fn checks() -> Result<Vec<Arc<Check>>, url::ParseError> {
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
                expectation: Expectation::default(),
                hold: None,
                cloud: None,
                stands_in_for: None,
                serves_revocation: false,
                origin: Origin::Configuration,
                publishes: None,
                labels: BTreeMap::default(),
            }),
            revocation: Revocation::off(Arc::clone(&route)),
            route: Arc::clone(&route),
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            retry_interval: None,
            resolver: ResolverSettings::System,
            proxy_resolver: ResolverSettings::System,
            tls: Arc::clone(&tls),
            credentials: None,
        }))
    };
    (0..CHECKS).map(check).collect()
}

/// As of a site with an alias, two addresses and a chain of two certificates.
fn outcome(fails: bool) -> Arc<Outcome> {
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
    let detail = "www.lab.example:443: the certificate expired on 2026-11-20T12:00:00Z";
    Arc::new(Outcome {
        started: SystemTime::now(),
        duration: timings.total(),
        via: Via::Direct,
        result: if fails {
            Err(Failure::of_endpoint(TlsReason::Expired, detail))
        } else {
            Ok(())
        },
        timings,
        not_run: Vec::new(),
        warnings: Vec::new(),
        observed: observed(),
    })
}

fn observed() -> Observed {
    let addresses = [10, 11].map(|last| IpAddr::from(Ipv4Addr::new(192, 0, 2, last)));
    Observed {
        dns: vec![DnsSeen {
            peer: Peer::Endpoint,
            name: "www.lab.example".to_owned(),
            resolver: "system".to_owned(),
            rcode: Some("NOERROR".to_owned()),
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
            cipher: Some("TLS13_AES_256_GCM_SHA384".to_owned()),
            key_exchange: Some("X25519MLKEM768".to_owned()),
            alpn: Some("h2".to_owned()),
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
