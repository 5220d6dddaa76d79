//! The least that a probe can cost: one question to a name server, one connection, one full TLS handshake with full
//! verification, one GET, written down by hand over tokio and rustls. `tests/bench` measures reachd against it.
//!
//! `cargo bench --bench limit -- CA_FILE SERVER_OF_NAMES NAMES SECONDS [PROBES_PER_SECOND]`; without a pace, 32 probes are
//! under way at any time. Prints one line of JSON.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures, and none of them needs more than 52 bits"
)]

use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::runtime;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, interval, sleep_until};
use tokio_rustls::TlsConnector;

type Fault = Box<dyn Error>;

/// How many probes are under way where there is no pace.
const AT_ONCE: usize = 32;

/// The processor's clock of /proc counts in these (`proc(5)`, `_SC_CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What is not counted: until caches are warm and connections flow.
const WARM_UP: Duration = Duration::from_secs(2);

struct Setup {
    tls: TlsConnector,
    names_from: SocketAddr,
    names: usize,
}

#[derive(Default)]
struct Counted {
    seconds: RefCell<Vec<f64>>,
}

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [ca_file, names_from, names, seconds, pace @ ..] = &arguments[..] else {
        println!("nothing to do: see the head of benches/limit.rs for the arguments");
        return Ok(());
    };
    let setup = Rc::new(Setup {
        tls: connector(Path::new(ca_file))?,
        names_from: names_from.parse()?,
        names: names.parse()?,
    });
    let pace = pace.first().map(|pace| pace.parse::<f64>()).transpose()?;
    let measured = Duration::from_secs(seconds.parse()?);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, run(setup, pace, measured))
}

async fn run(setup: Rc<Setup>, pace: Option<f64>, measured: Duration) -> Result<(), Fault> {
    let counted = Rc::new(Counted::default());
    match pace {
        Some(pace) => drop(spawn_local(paced(
            Rc::clone(&setup),
            Rc::clone(&counted),
            pace,
        ))),
        None => (0..AT_ONCE).for_each(|place| {
            spawn_local(without_pause(Rc::clone(&setup), Rc::clone(&counted), place));
        }),
    }
    sleep_until(Instant::now() + WARM_UP).await;
    counted.seconds.take();
    let (before, start) = (processor_seconds()?, Instant::now());
    sleep_until(start + measured).await;
    let (used, took) = (processor_seconds()? - before, start.elapsed().as_secs_f64());
    let mut seconds = counted.seconds.take();
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or_default();
    let probes = seconds.len() as f64;
    println!(
        "{{\"probes\": {probes}, \"cpu_ms_per_1000\": {:.1}, \"probes_per_second\": {:.1}, \"p50_ms\": {:.3}}}",
        used * 1e6 / probes,
        probes / took,
        median * 1e3
    );
    Ok(())
}

async fn without_pause(setup: Rc<Setup>, counted: Rc<Counted>, place: usize) {
    for turn in 0.. {
        probe(&setup, &counted, place + turn * AT_ONCE).await;
    }
}

async fn paced(setup: Rc<Setup>, counted: Rc<Counted>, pace: f64) {
    let mut ticks = interval(Duration::from_secs_f64(1.0 / pace));
    for turn in 0.. {
        ticks.tick().await;
        let (setup, counted) = (Rc::clone(&setup), Rc::clone(&counted));
        spawn_local(async move { probe(&setup, &counted, turn).await });
    }
}

/// One probe; one that fails ends the benchmark, for its time would mean nothing.
async fn probe(setup: &Setup, counted: &Counted, number: usize) {
    let start = Instant::now();
    let name = format!("t{:05}.lab.test", number % setup.names);
    match reach(setup, &name).await {
        Ok(()) => counted
            .seconds
            .borrow_mut()
            .push(start.elapsed().as_secs_f64()),
        Err(error) => {
            println!("{name}: {error}");
            std::process::exit(1);
        }
    }
}

async fn reach(setup: &Setup, name: &str) -> Result<(), Fault> {
    let address = resolve(setup.names_from, name).await?;
    let stream = TcpStream::connect((address, 443)).await?;
    stream.set_nodelay(true)?;
    let server_name = ServerName::try_from(name.to_owned())?;
    let mut stream = setup.tls.connect(server_name, stream).await?;
    let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = [0; 2048];
    let read = stream.read(&mut answer).await?;
    if answer
        .get(..read)
        .is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
    {
        return Ok(());
    }
    Err("not the answer 200".into())
}

/// One question for the IPv4 address (RFC 1035 §4.1) over a socket of its own; the answer's last four bytes are it.
async fn resolve(server: SocketAddr, name: &str) -> Result<Ipv4Addr, Fault> {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    socket.connect(server).await?;
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len())?);
        question.extend_from_slice(label.as_bytes());
    }
    question.extend_from_slice(&[0, 0, 1, 0, 1]);
    socket.send(&question).await?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).await?;
    let address = answer[..length].last_chunk::<4>().ok_or("a short answer")?;
    Ok(Ipv4Addr::from(*address))
}

fn connector(ca_file: &Path) -> Result<TlsConnector, Fault> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file)? {
        roots.add(certificate?)?;
    }
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What this process has used of the processor, in the kernel and outside of it.
fn processor_seconds() -> Result<f64, Fault> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).copied().unwrap_or("0").parse::<f64>();
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}
