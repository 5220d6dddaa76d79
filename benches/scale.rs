//! What a check takes of memory, and where: planned and idle, and once it has been probed for a while. Prints figures and
//! asserts none: they depend on the machine and on what endpoints present.
//!
//! `cargo bench --bench scale`

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures, and none of them needs more than 52 bits"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use peak_alloc::PeakAlloc;
use reachd::config::Config;
use reachd::diagnosis::Diagnosis;
use reachd::history::History;
use reachd::metrics::{Format, Metrics};
use reachd::observer::{Observer, Observers, Redirects, StateLog, Watcher};
use reachd::outcome::{
    CertificateSeen, ConnectSeen, DnsSeen, HttpSeen, Observed, Outcome, PathSeen, Peer, Phase,
    Timings, TlsSeen,
};
use reachd::plan::{Check, Plan};
use reachd::probe::Prober;
use reachd::route::Via;
use reachd::scheduler::{Concurrency, Job, Scheduler};
use reachd::server::Changes;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::Instant;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How often the checks of the plan that is probed run.
const INTERVAL: Duration = Duration::from_secs(30);

/// Into how many rounds of probes it is looked what they left behind.
const ROUNDS: [usize; 5] = [1, 3, 60, 240, 2_880];

fn main() -> Result<(), Box<dyn Error>> {
    for checks in [10_000, 100_000] {
        idle(checks)?;
        println!();
    }
    probed(10_000)
}

/// Says what each step takes for each check, as the allocator counts it and as the system does.
struct Ledger {
    checks: f64,
    allocated: usize,
    resident: usize,
    first: (usize, usize),
}

impl Ledger {
    fn of(checks: usize) -> Result<Self, Box<dyn Error>> {
        let now = (MEMORY.current_usage(), resident()?);
        println!(
            "{checks} checks, bytes a check{:>14}{:>12}",
            "heap", "resident"
        );
        Ok(Self {
            checks: checks as f64,
            allocated: now.0,
            resident: now.1,
            first: now,
        })
    }

    fn line(&mut self, what: &str) -> Result<(), Box<dyn Error>> {
        let now = (MEMORY.current_usage(), resident()?);
        self.print(what, now, (self.allocated, self.resident));
        (self.allocated, self.resident) = now;
        Ok(())
    }

    fn total(&mut self) -> Result<(), Box<dyn Error>> {
        let now = (MEMORY.current_usage(), resident()?);
        self.print("all of it", now, self.first);
        println!("resident in all {:>31.1} MB", now.1 as f64 / 1e6);
        Ok(())
    }

    fn print(&self, what: &str, now: (usize, usize), before: (usize, usize)) {
        let of_each = |now: usize, before: usize| (now as f64 - before as f64) / self.checks;
        let (heap, resident) = (of_each(now.0, before.0), of_each(now.1, before.1));
        println!("{what:<32}{heap:>12.0}{resident:>12.0}");
    }
}

/// The plan and all who know of it, before the first probe.
struct Planned {
    plan: Plan,
    observers: Vec<(&'static str, Arc<dyn Observer>)>,
    metrics: Arc<Metrics>,
}

impl Planned {
    fn new(checks: usize, ledger: &mut Ledger) -> Result<Self, Box<dyn Error>> {
        let text = configuration(checks);
        let config = Config::parse("bench", &text, Path::new(""), &|_| None)?;
        drop(text);
        ledger.line("configuration")?;
        let shown = config.effective_yaml();
        ledger.line("configuration as it is shown")?;
        let plan = Plan::build(&config)?;
        ledger.line("plan")?;
        let metrics = Arc::new(Metrics::new());
        let observers: [(&str, Arc<dyn Observer>); 6] = [
            ("metrics", Arc::clone(&metrics) as Arc<dyn Observer>),
            ("history", Arc::new(History::default())),
            ("log of changes", Arc::new(StateLog::default())),
            ("redirects", Arc::new(Redirects::default())),
            ("diagnosis", Arc::new(Diagnosis::default())),
            ("events", Arc::new(Changes::default())),
        ];
        for (name, observer) in &observers {
            observer.planned(&plan);
            ledger.line(name)?;
        }
        // The daemon keeps them.
        std::mem::forget((config, shown));
        Ok(Self {
            plan,
            metrics,
            observers: observers.into(),
        })
    }

    fn observers(&self) -> Observers {
        let all = self.observers.iter();
        Observers(all.map(|(_, observer)| Arc::clone(observer)).collect())
    }

    /// How long it takes to bring it into force once more, step by step; the last one on the thread that probes.
    async fn again(
        &self,
        scheduler: &Scheduler,
        concurrency: Concurrency,
    ) -> Result<(), Box<dyn Error>> {
        for (name, observer) in &self.observers {
            let start = Instant::now();
            observer.planned(&self.plan);
            println!(
                "{name} once more{:>20.1} ms",
                start.elapsed().as_secs_f64() * 1e3
            );
        }
        let start = Instant::now();
        let jobs = self.jobs()?;
        println!(
            "probes once more{:>20.1} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
        let start = Instant::now();
        scheduler.apply(jobs, concurrency).await;
        yield_now().await;
        println!(
            "scheduler once more{:>20.1} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
        Ok(())
    }

    fn jobs(&self) -> Result<Vec<Job>, Box<dyn Error>> {
        let prober = Prober::new(&self.plan)?;
        let job = |check: &Arc<Check>| {
            let probe = Arc::new(prober.probe_of(check).ok_or("a check of another plan")?);
            Ok(Job {
                check: Arc::clone(check),
                hold: None,
                probe: Arc::new(move || {
                    let probe = Arc::clone(&probe);
                    Box::pin(async move { probe.run().await })
                }),
            })
        };
        self.plan.checks.iter().map(job).collect()
    }
}

/// With what the daemon has of each check that waits for its turn.
fn idle(checks: usize) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let mut ledger = Ledger::of(checks)?;
        let planned = Planned::new(checks, &mut ledger)?;
        let jobs = planned.jobs()?;
        ledger.line("probes")?;
        let scheduler = Scheduler::new(planned.observers());
        // Nothing is to run: what is measured is what waits.
        let concurrency = Concurrency {
            probes: 0,
            holds: 0,
        };
        scheduler.apply(jobs, concurrency).await;
        for _ in 0..10 {
            yield_now().await;
        }
        ledger.line("scheduler")?;
        ledger.total()?;
        planned.again(&scheduler, concurrency).await?;
        scheduler.stop(Duration::ZERO).await;
        Ok(())
    })
}

/// What outcomes leave behind.
fn probed(checks: usize) -> Result<(), Box<dyn Error>> {
    let mut ledger = Ledger::of(checks)?;
    let planned = Planned::new(checks, &mut ledger)?;
    let observers = planned.observers();
    let watchers = planned
        .plan
        .checks
        .iter()
        .map(|check| observers.watch(check));
    let watchers: Vec<Box<dyn Watcher>> = watchers.collect();
    ledger.line("watchers")?;
    let chain: Arc<[CertificateSeen]> = Arc::from([certificate(), certificate()]);
    let path: Arc<[PathSeen]> = Arc::from([]);
    let start = SystemTime::now() - Duration::from_secs(86_400);
    let mut round = 0;
    let mut dice = Dice(1);
    for until in ROUNDS {
        while round < until {
            let at = start + INTERVAL * u32::try_from(round)?;
            for (number, watcher) in watchers.iter().enumerate() {
                let at = at + Duration::from_micros(3_000 * number as u64 + dice.below(900));
                watcher.started(Duration::from_micros(900));
                let outcome = outcome(number, at, &mut dice, &chain, &path).trimmed();
                watcher.observed(&Arc::new(outcome));
            }
            round += 1;
        }
        ledger.line(&format!("until {until} rounds were probed"))?;
    }
    ledger.total()?;
    scrape(&planned.metrics);
    Ok(())
}

/// What a scrape takes for the moment.
fn scrape(metrics: &Metrics) {
    for format in Format::ALL {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let bytes: usize = metrics.exposition(format).map(|piece| piece.len()).sum();
        let most = MEMORY.peak_usage().saturating_sub(before);
        println!(
            "{format:?} of {:.1} MB takes {:.0} kB meanwhile",
            bytes as f64 / 1e6,
            most as f64 / 1e3
        );
    }
}

fn configuration(checks: usize) -> String {
    let interval = INTERVAL.as_secs();
    let mut text = format!(
        "global: {{interval: {interval}s, resolver: bench}}\n\
         resolvers: {{bench: {{servers: [\"127.0.0.53:53\"], transport: udp}}}}\n\
         metrics: {{histograms: service}}\nendpoints:\n"
    );
    for number in 0..checks {
        let _ = writeln!(
            text,
            "  - {{name: endpoint-{number:05}, service: service-{:02}, url: \"https://t{number:05}.lab.test/\"}}",
            number % 100
        );
    }
    text
}

/// Numbers that differ a little, and are the same for every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        // Knuth's multiplier (MMIX).
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }
}

fn outcome(
    number: usize,
    started: SystemTime,
    dice: &mut Dice,
    chain: &Arc<[CertificateSeen]>,
    path: &Arc<[PathSeen]>,
) -> Outcome {
    let mut timings = Timings::default();
    let phases = [
        (Phase::Dns, 300),
        (Phase::Connect, 150),
        (Phase::Tls, 1_400),
        (Phase::Request, 350),
        (Phase::Response, 120),
    ];
    for (phase, micros) in phases {
        let took = Duration::from_micros(micros + dice.below(micros));
        timings.add(phase.with_endpoint(), took);
    }
    let address = IpAddr::from(Ipv4Addr::new(
        127,
        1,
        u8::try_from(number / 250 % 256).unwrap_or_default(),
        u8::try_from(number % 250).unwrap_or_default(),
    ));
    Outcome {
        started,
        duration: timings.total(),
        via: Via::Direct,
        result: Ok(()),
        timings,
        not_run: Vec::new(),
        warnings: Vec::new(),
        observed: Observed {
            dns: vec![DnsSeen {
                peer: Peer::Endpoint,
                name: format!("t{number:05}.lab.test"),
                resolver: "bench".into(),
                rcode: Some("NOERROR".into()),
                cname_chain: Vec::new(),
                ttl_seconds: Some(60),
                answers: vec![address.to_string()],
            }],
            addresses: vec![address],
            connects: vec![ConnectSeen {
                peer: Peer::Endpoint,
                address: (address, 443).into(),
                error: None,
            }],
            tls: vec![TlsSeen {
                peer: Peer::Endpoint,
                version: Some("TLSv1.3"),
                cipher: Some("TLS_AES_128_GCM_SHA256"),
                key_exchange: Some("X25519MLKEM768"),
                alpn: Some("h2".into()),
                certificates: Arc::clone(chain),
                path: Arc::clone(path),
            }],
            http: Some(HttpSeen {
                status: 200,
                version: "HTTP/2.0",
                body_bytes: 25,
                ..HttpSeen::default()
            }),
            clock_offset_seconds: Some(0.25),
            ..Observed::default()
        },
    }
}

fn certificate() -> CertificateSeen {
    CertificateSeen {
        subject: "CN=*.lab.test".to_owned(),
        issuer: "CN=bench intermediate".to_owned(),
        names: vec!["*.lab.test".to_owned()],
        serial: "330000d27b6a5d3c49f0a1e8".to_owned(),
        not_before: SystemTime::now(),
        not_after: SystemTime::now() + Duration::from_secs(7_776_000),
        key: "ECDSA P-256".to_owned(),
        signature_algorithm: "ecdsa-with-SHA256".to_owned(),
        fingerprint_sha256: "ab".repeat(32),
    }
}

/// Bytes of this process in memory, in pages of 4 KiB.
fn resident() -> Result<usize, Box<dyn Error>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split(' ').nth(1).ok_or("no second field in statm")?;
    Ok(resident.parse::<usize>()? * 4096)
}
