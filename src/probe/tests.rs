//! A probe leaves no task behind, however it ends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::*;
use crate::endpoint::{ResolverSettings, ResolverTransport, TlsSettings};
use crate::plan::fixture;

/// The settings with which HTTP/2 begins: none that are not as usual.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Longer than any of the probes, on any machine.
const LONG: Duration = Duration::from_secs(30);

/// A server over TLS that begins to speak HTTP/2, and then says nothing more, whatever it is asked.
fn silent_server(certificates: &Path) -> SocketAddr {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    std::fs::write(certificates, certificate.pem()).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"dot".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            thread::spawn(move || {
                let mut stream = StreamOwned::new(connection, stream);
                stream.write_all(&SETTINGS).ok();
                let mut heard = [0; 1024];
                while stream.read(&mut heard).is_ok_and(|length| length > 0) {}
            });
        }
    });
    address
}

/// One that hears and says nothing.
fn mute_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let connections: Vec<_> = listener.incoming().collect();
        drop(connections);
    });
    address
}

fn check(url: &str, authorities: &Path, resolver: Option<ResolverSettings>) -> Arc<Check> {
    let mut check = Check::clone(&fixture::check("site", url, url));
    check.timeout = Duration::from_millis(400);
    check.tls = Arc::new(TlsSettings {
        ca_file: Some(authorities.to_owned()),
        ..TlsSettings::default()
    });
    if let Some(resolver) = resolver {
        check.resolver = resolver.into();
    }
    Arc::new(check)
}

fn resolver(
    server: SocketAddr,
    transport: ResolverTransport,
    ca_file: PathBuf,
) -> ResolverSettings {
    ResolverSettings::Servers {
        name: "silent".to_owned(),
        servers: vec![server],
        transport,
        ca_file: Some(ca_file),
    }
}

#[tokio::test]
async fn no_task_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    let (silent, mute) = (silent_server(&file), mute_server());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server_name = || "localhost".to_owned();
    let transports = [
        (socket.local_addr().unwrap(), ResolverTransport::Udp),
        (mute, ResolverTransport::Tcp),
        (
            silent,
            ResolverTransport::Tls {
                server_name: server_name(),
            },
        ),
        (
            silent,
            ResolverTransport::Https {
                server_name: server_name(),
                path: "/dns-query".to_owned(),
            },
        ),
    ];
    let mut checks = vec![
        (
            check(&format!("https://{silent}/"), &file, None),
            "request/timeout",
        ),
        (
            check(&format!("https://{mute}/"), &file, None),
            "tls/timeout",
        ),
        (
            check(&format!("http://{mute}/"), &file, None),
            "request/timeout",
        ),
    ];
    for (server, transport) in transports {
        let resolver = resolver(server, transport, file.clone());
        let check = check("https://web.test/", &file, Some(resolver));
        checks.push((check, "dns/timeout"));
    }
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    for (check, expected) in &checks {
        let prober = Prober::new(&fixture::plan([check])).unwrap();
        let probe = prober.probe_of(check).unwrap();
        for _ in 0..3 {
            let outcome = timeout(LONG, probe.run()).await.unwrap();
            let failure = outcome.result.unwrap_err();
            assert_eq!(failure.reason.to_string(), *expected, "{failure:?}");
        }
        // Tasks that are to end take a moment to notice. The prober lasts: none waits for its end.
        let ended = timeout(LONG, async {
            while alive() > before {
                sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(ended.await.is_ok(), "{} after {check:?}", alive());
    }
}
