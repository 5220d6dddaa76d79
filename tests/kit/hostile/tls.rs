//! TLS servers that mean harm. What comes before the keys are agreed is written by hand, in TLS 1.2, where it is not
//! encrypted; what comes after, rustls encrypts.

use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Accepted, Acceptor};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

use super::{for_ever, head_of, named, trickle, until_closed};

/// A secured connection, seen from the server.
pub(super) type Secured = StreamOwned<ServerConnection, TcpStream>;

#[derive(Clone, Copy)]
enum Fault {
    /// Instead of a handshake.
    ByHand(fn(&mut TcpStream) -> io::Result<()>),
    /// In the midst of one, or after it.
    Real(fn(&mut ServerConfig), fn(&mut Secured) -> io::Result<()>),
}

/// Who the servers are.
#[derive(Clone)]
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;

/// The chains that are too long have so many certificates.
const MANY_CERTIFICATES: usize = 15_000;

const FAULTS: [(&str, Fault); 21] = [
    ("trickled", Fault::ByHand(|it| trickle(it, hello()))),
    (
        "junk-after-hello",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            for_ever(it, b"\x00\x01\x02 junk")
        }),
    ),
    (
        "oversized-record",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            it.write_all(&[HANDSHAKE, 3, 3, 0xff, 0xff])?;
            for_ever(it, b"x")
        }),
    ),
    (
        "claims-16-mb",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            it.write_all(&record(&[CERTIFICATE, 0xff, 0xff, 0xff]))?;
            for_ever(it, &record(&[0; 4096]))
        }),
    ),
    (
        "claims-16-mb-and-stops",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            it.write_all(&record(&[CERTIFICATE, 0xff, 0xff, 0xff]))?;
            until_closed(it)
        }),
    ),
    (
        "trickled-certificate",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            it.write_all(&record(&[CERTIFICATE, 0, 0x10, 0]))?;
            trickle(it, record(&[0; 100]))
        }),
    ),
    (
        "tiny-records",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            it.write_all(&record(&[CERTIFICATE, 0, 0xf0, 0]))?;
            for_ever(it, &record(&[0]))
        }),
    ),
    (
        "empty-records",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            for_ever(it, &record(&[]))
        }),
    ),
    (
        "warnings",
        Fault::ByHand(|it| for_ever(it, &[21, 3, 3, 0, 2, 1, 112])),
    ),
    (
        "alert",
        Fault::ByHand(|it| it.write_all(&[21, 3, 3, 0, 2, 2, 80])),
    ),
    (
        "closes-after-hello",
        Fault::ByHand(|it| it.write_all(&hello())),
    ),
    (
        "resets-after-hello",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            thread::sleep(Duration::from_millis(50));
            SockRef::from(&*it).set_linger(Some(Duration::ZERO))
        }),
    ),
    (
        "closes-within-record",
        Fault::ByHand(|it| it.write_all(&hello()[..20])),
    ),
    (
        "silent-after-hello",
        Fault::ByHand(|it| {
            it.write_all(&hello())?;
            until_closed(it)
        }),
    ),
    (
        "long-chain",
        Fault::Real(|it| it.max_fragment_size = None, until_closed),
    ),
    (
        "closes-after-handshake",
        Fault::Real(|_| {}, |it| it.conn.complete_io(&mut it.sock).map(drop)),
    ),
    (
        "tickets",
        Fault::Real(|it| it.send_tls13_tickets = 300, answer),
    ),
    (
        "key-updates",
        Fault::Real(
            |_| {},
            |it| {
                head_of(it)?;
                loop {
                    let refreshed = it.conn.refresh_traffic_keys();
                    refreshed.map_err(io::Error::other)?;
                    it.conn.write_tls(&mut it.sock)?;
                }
            },
        ),
    ),
    (
        "blank-lines",
        Fault::Real(
            |_| {},
            |it| {
                head_of(it)?;
                for_ever(it, b"\r\n")
            },
        ),
    ),
    (
        "junk-after-handshake",
        Fault::Real(
            |_| {},
            |it| {
                head_of(it)?;
                for_ever(&mut it.sock, b"junk in the clear ")
            },
        ),
    ),
    (
        "trickled-answer",
        Fault::Real(
            |_| {},
            |it| {
                head_of(it)?;
                trickle(it, *b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            },
        ),
    ),
];

pub(super) fn misbehave(stream: &mut TcpStream, identity: &Identity) -> io::Result<()> {
    let accepted = greeted(stream)?;
    let name = accepted.client_hello().server_name().map(str::to_owned);
    let name = name.expect("a server name");
    match named(&FAULTS, &name) {
        Fault::ByHand(misbehave) => misbehave(stream),
        Fault::Real(configure, misbehave) => {
            let mut identity = identity.clone();
            if name.starts_with("long-chain") {
                let again = identity.chain[1].clone();
                identity.chain.resize(MANY_CERTIFICATES, again);
            }
            let mut config = identity.config(&[]);
            configure(&mut config);
            misbehave(&mut secured(accepted, stream, config)?)
        }
    }
}

/// Hears the `ClientHello`.
pub(super) fn greeted(stream: &mut TcpStream) -> io::Result<Accepted> {
    let mut acceptor = Acceptor::default();
    loop {
        if acceptor.read_tls(stream)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(accepted) = acceptor
            .accept()
            .map_err(|(error, _)| io::Error::other(error))?
        {
            return Ok(accepted);
        }
    }
}

/// Goes on with the handshake.
pub(super) fn secured(
    accepted: Accepted,
    stream: &TcpStream,
    config: ServerConfig,
) -> io::Result<Secured> {
    let connection = accepted.into_connection(Arc::new(config));
    let connection = connection.map_err(|(error, _)| io::Error::other(error))?;
    Ok(StreamOwned::new(connection, stream.try_clone()?))
}

impl Identity {
    pub(super) fn read(pki: &Path) -> Self {
        let chain = CertificateDer::pem_file_iter(pki.join("hostile.pem")).unwrap();
        let key = fs::read(pki.join("hostile.key")).unwrap();
        Self {
            chain: chain.map(Result::unwrap).collect(),
            key: Arc::new(PrivateKeyDer::from_pem_slice(&key).unwrap()),
        }
    }

    pub(super) fn config(&self, alpn: &[&str]) -> ServerConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }
}

fn answer(stream: &mut Secured) -> io::Result<()> {
    head_of(stream)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    until_closed(stream)
}

/// The beginning of a handshake in TLS 1.2 (RFC 5246 §7.4.1.3), with `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
fn hello() -> Vec<u8> {
    let random = [7; 32];
    let body = [&[3, 3][..], &random, &[0, 0xc0, 0x2b, 0]].concat();
    let length = u8::try_from(body.len()).expect("a short message");
    record(&[&[SERVER_HELLO, 0, 0, length], &body[..]].concat())
}

fn record(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a record");
    [&[HANDSHAKE, 3, 3], &length.to_be_bytes()[..], content].concat()
}
