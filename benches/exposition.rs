//! What metrics cost at 10,000 checks: telling them of an outcome, and one scrape, with a set of histograms for each
//! check and for each service.
//! Prints figures and asserts none: they depend on the machine.
//!
//! `cargo bench --bench exposition`

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures, and none of them needs more than 52 bits"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use peak_alloc::PeakAlloc;
use reachd::endpoint::{Endpoint, Expectation, Origin, ResolverSettings, Target, TlsSettings};
use reachd::metrics::{Format, Metrics};
use reachd::observer::{Observer, Watcher};
use reachd::outcome::{
    CertificateSeen, HttpSeen, Observed, Outcome, Peer, Phase, Timings, TlsSeen,
};
use reachd::plan::{Check, HistogramMode, Histograms, Plan, Revocation};
use reachd::route::{Route, Via};
use tokio::time::Instant;
use url::Url;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const CHECKS: usize = 10_000;
const PROBES: usize = 100;
const SCRAPES: usize = 7;
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

fn main() -> Result<(), Box<dyn Error>> {
    let mut plan = plan()?;
    let metrics = Metrics::new();
    metrics.planned(&plan);
    let watchers: Vec<Box<dyn Watcher>> = plan
        .checks
        .iter()
        .map(|check| metrics.watch(check))
        .collect();

    println!("checks           {CHECKS}");
    println!("observe          {:.0} ns/probe", observe(&watchers));
    plan.histograms.mode = HistogramMode::Service;
    metrics.planned(&plan);
    observe(&watchers);
    for format in Format::ALL {
        print(&metrics, format, ", histograms: service");
    }
    plan.histograms.mode = HistogramMode::Check;
    metrics.planned(&plan);
    observe(&watchers);
    for format in Format::ALL {
        print(&metrics, format, ", histograms: check");
    }
    plan.histograms.native = true;
    metrics.planned(&plan);
    observe(&watchers);
    print(&metrics, Format::Protobuf, ", native histograms");
    Ok(())
}

fn print(metrics: &Metrics, format: Format, with: &str) {
    for _ in 0..SCRAPES {
        let scrape = Scrape::take(metrics, format);
        println!(
            "{format:?}{with}: {:.1} ms CPU, {:.1} MB in {} pieces, {:.0} kB of memory meanwhile",
            scrape.cpu.as_secs_f64() * 1e3,
            scrape.bytes as f64 / 1e6,
            scrape.pieces,
            scrape.memory as f64 / 1e3
        );
    }
}

/// Nanoseconds for each probe that starts and ends.
fn observe(watchers: &[Box<dyn Watcher>]) -> f64 {
    let outcomes = [outcome(12), outcome(34)];
    let before = cpu_time();
    for probe in 0..PROBES {
        for watcher in watchers {
            watcher.started(Duration::from_micros(50));
            watcher.observed(&outcomes[probe % outcomes.len()]);
        }
    }
    let spent = cpu_time().saturating_sub(before);
    spent.as_secs_f64() * 1e9 / (PROBES * watchers.len()) as f64
}

/// The figures of one scrape.
struct Scrape {
    cpu: Duration,
    bytes: usize,
    pieces: usize,
    /// The most that was allocated beyond what was before.
    memory: usize,
}

impl Scrape {
    fn take(metrics: &Metrics, format: Format) -> Self {
        let allocated = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let before = cpu_time();
        let (mut bytes, mut pieces) = (0, 0);
        for piece in metrics.exposition(format) {
            bytes += piece.len();
            pieces += 1;
        }
        Self {
            cpu: cpu_time().saturating_sub(before),
            bytes,
            pieces,
            memory: MEMORY.peak_usage().saturating_sub(allocated),
        }
    }
}

/// What this thread has used of a processor; where the system does not say, how long it has been running.
fn cpu_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    let of_thread = fs::read_to_string("/proc/thread-self/schedstat").ok();
    of_thread
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or(elapsed, Duration::from_nanos)
}

fn plan() -> Result<Plan, url::ParseError> {
    let route = Arc::new(Route::direct());
    let tls = Arc::new(TlsSettings::default());
    let check = |number: usize| -> Result<_, url::ParseError> {
        let url = Url::parse(&format!("https://t{number:05}.lab.example/probe"))?;
        Ok(Arc::new(Check {
            endpoint: Arc::new(Endpoint {
                name: format!("endpoint-{number:05}"),
                service: format!("service-{:03}", number / 100),
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
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            retry_interval: None,
            resolver: ResolverSettings::System.into(),
            proxy_resolver: ResolverSettings::System.into(),
            tls: Arc::clone(&tls),
            credentials: None,
        }))
    };
    Ok(Plan {
        checks: (0..CHECKS).map(check).collect::<Result<_, _>>()?,
        errands: Vec::new(),
        not_probed: Vec::new(),
        wildcards: Vec::new(),
        discover_redirects: false,
        concurrency: 256,
        hold_concurrency: 64,
        histograms: Histograms {
            mode: HistogramMode::Check,
            buckets: BUCKETS.to_vec(),
            native: false,
        },
    })
}

fn outcome(milliseconds: u64) -> Arc<Outcome> {
    let elapsed = Duration::from_millis(milliseconds);
    let phases = [
        Phase::Dns,
        Phase::Connect,
        Phase::Tls,
        Phase::Request,
        Phase::Response,
    ];
    let mut timings = Timings::default();
    for phase in phases {
        timings.add(phase.with_endpoint(), elapsed);
    }
    let now = SystemTime::now();
    Arc::new(Outcome {
        started: now,
        duration: timings.total(),
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
            tls: vec![TlsSeen {
                peer: Peer::Endpoint,
                version: Some("TLSv1.3"),
                cipher: Some("TLS_AES_128_GCM_SHA256"),
                key_exchange: Some("X25519MLKEM768"),
                alpn: Some("h2".into()),
                certificates: [CertificateSeen {
                    subject: "CN=lab.example, O=Example, C=US".to_owned(),
                    issuer: "CN=Example TLS Issuing CA 01, O=Example, C=US".to_owned(),
                    names: vec!["*.lab.example".to_owned()],
                    serial: "330000d27b6a5d3c49f0a1e8".to_owned(),
                    not_before: now,
                    not_after: now + Duration::from_secs(7_776_000),
                    key: "RSA 2048".to_owned(),
                    signature_algorithm: "sha256WithRSAEncryption".to_owned(),
                    fingerprint_sha256: "ab".repeat(32),
                }]
                .into(),
                path: Arc::default(),
            }],
            ..Observed::default()
        },
    })
}
