//! What a list of 10,000 revoked certificates costs: the first probe, which fetches and verifies it, and every later
//! one. Prints figures and asserts none: they depend on the machine.
//!
//! `cargo bench --bench revocation`

#![expect(clippy::print_stdout, reason = "a benchmark prints figures")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DnType, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber, date_time_ymd,
};
use reachd::endpoint::{
    Authority, Endpoint, Expectation, Origin, ResolverSettings, RevocationMethod, RevocationMode,
    Target, TlsSettings,
};
use reachd::outcome::Phase;
use reachd::plan::{Check, HistogramMode, Histograms, Plan, Revocation};
use reachd::probe::Prober;
use reachd::route::Route;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Host;

const ENTRIES: u64 = 10_000;
const PROBES: u32 = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let lists = TcpListener::bind("127.0.0.1:0").await?;
    let server = TcpListener::bind("127.0.0.1:0").await?;
    let port = server.local_addr()?.port();
    let place = format!("http://{}/ca.crl", lists.local_addr()?);
    let pki = Pki::make(&place)?;
    println!(
        "list             {ENTRIES} entries, {} bytes",
        pki.list.len()
    );
    tokio::spawn(serve_list(lists, pki.list));
    tokio::spawn(serve_tls(server, TlsAcceptor::from(Arc::new(pki.server))));

    let folder = tempfile::tempdir()?;
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, pki.root)?;
    for mode in [RevocationMode::Off, RevocationMode::Require] {
        let plan = plan(port, &ca_file, mode);
        let prober = Prober::new(&plan)?;
        let probe = plan.checks.first().and_then(|check| prober.probe_of(check));
        let probe = probe.ok_or("a check without a probe")?;
        let spent = async || {
            let outcome = probe.run().await;
            let phase = outcome.timings.of(Phase::Revocation.with_endpoint());
            outcome.result.map_err(|failure| failure.detail)?;
            Ok::<_, Box<dyn Error>>((outcome.duration, phase.unwrap_or_default()))
        };
        let (first, first_phase) = spent().await?;
        let (mut whole, mut phase) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..PROBES {
            let (one, of_one) = spent().await?;
            whole += one;
            phase += of_one;
        }
        let mode = mode.as_str();
        println!("{mode:16} first probe {first:?}, of that revocation {first_phase:?}");
        println!(
            "{mode:16} later probes {:?} each, of that revocation {:?}",
            whole / PROBES,
            phase / PROBES
        );
    }
    Ok(())
}

fn plan(port: u16, ca_file: &std::path::Path, mode: RevocationMode) -> Plan {
    let route = Arc::new(Route::direct());
    let check = Check {
        endpoint: Arc::new(Endpoint {
            name: "server".to_owned(),
            service: "bench".to_owned(),
            target: Target::Tls(Authority {
                host: Host::Ipv4([127, 0, 0, 1].into()),
                port,
            }),
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
        route: Arc::clone(&route),
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(10),
        retry_interval: None,
        resolver: ResolverSettings::System.into(),
        proxy_resolver: ResolverSettings::System.into(),
        credentials: None,
        tls: Arc::new(TlsSettings {
            ca_file: Some(ca_file.to_owned()),
            server_name: Some("server.test".to_owned()),
            ..TlsSettings::default()
        }),
        revocation: reachd::endpoint::Shared::from(Revocation {
            mode,
            methods: vec![RevocationMethod::Crl],
            ..Revocation::off(route)
        }),
    };
    Plan {
        checks: vec![Arc::new(check)],
        errands: Vec::new(),
        not_probed: Vec::new(),
        wildcards: Vec::new(),
        discover_redirects: false,
        concurrency: 1,
        hold_concurrency: 1,
        histograms: Histograms {
            mode: HistogramMode::None,
            buckets: Vec::new(),
            native: false,
        },
    }
}

/// An authority, a server of its own, and the list.
struct Pki {
    root: String,
    server: ServerConfig,
    list: Vec<u8>,
}

impl Pki {
    fn make(place: &str) -> Result<Self, Box<dyn Error>> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Bench Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let mut params = CertificateParams::new(vec!["server.test".to_owned()])?;
        params.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec![place.to_owned()],
        }];
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &root)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let server = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key.into())?;

        let revoked = (0..ENTRIES).map(|number| RevokedCertParams {
            serial_number: SerialNumber::from(number + (1 << 40)),
            revocation_time: date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2049, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(Self {
            list: list.signed_by(&root)?.der().to_vec(),
            root: root.pem(),
            server,
        })
    }
}

async fn serve_list(listener: TcpListener, list: Vec<u8>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = [0; 4096];
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", list.len());
        // Whoever hangs up early is none of a benchmark's business.
        let _ = stream.read(&mut request).await;
        stream.write_all(head.as_bytes()).await.ok();
        stream.write_all(&list).await.ok();
    }
}

async fn serve_tls(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0]).await;
            }
        });
    }
}
