//! The phase `tls`: a full handshake with full verification, without resumption. The certificates presented
//! are kept whether they were accepted or not.

mod certificate;
mod chains;
mod demand;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod gap;
mod hearing;
mod identity;
pub(super) mod interception;
mod pins;
mod reason;
mod remembered;
mod roots;
mod store;
mod verifier;
mod weak;
mod witness;

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, ProtocolVersion, SupportedProtocolVersion,
};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(super) use self::demand::Demand;
pub(super) use self::gap::{Filled, Gap};
use self::hearing::Heard;
pub(super) use self::identity::Identity;
use self::pins::Pins;
pub(super) use self::reason::{demands_client_certificate, is_alert};
use self::roots::Roots;
use self::verifier::Verifier;
use self::witness::Witness;
use super::ProberError;
use super::stream::BoxedStream;
use crate::endpoint::{Authority, Fingerprint, TlsVersion};
use crate::outcome::{Failure, Observed, Peer, TlsReason, TlsSeen};

/// A server that asked for a client certificate and got none refuses the connection in TLS 1.3 only after the
/// handshake: by an alert that comes about a round trip later. It is waited for as long as the handshake took,
/// which was at least one, but within these bounds.
const REFUSAL_DELAY: RangeInclusive<Duration> =
    Duration::from_millis(20)..=Duration::from_millis(500);

/// Every version that can be offered.
pub(super) const ANY_VERSION: RangeInclusive<TlsVersion> = TlsVersion::Tls12..=TlsVersion::Tls13;

/// What outcomes call RFC 8446.
const TLS_1_3: &str = "TLSv1.3";

/// A set of trusted roots with everything that a handshake needs; made once, shared by all handshakes.
pub(super) struct Trust {
    config: ClientConfig,
    verifier: Arc<Verifier>,
}

/// With whom a handshake is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct TlsPeer<'a> {
    /// Whose failures they are.
    pub(super) peer: Peer,
    /// Where the bytes go.
    pub(super) authority: &'a Authority,
    /// The name to send and to verify where it is not the authority's host.
    pub(super) server_name: Option<&'a str>,
    /// What to offer by ALPN.
    pub(super) alpn: &'a [&'a [u8]],
    /// Whether a request follows, whose answer shows what a bare handshake has to wait for.
    pub(super) asks_then: bool,
    /// As whom to appear where the server asks.
    pub(super) identity: Option<&'a Arc<Identity>>,
    /// The certificates of which the server must present one; none where whoever is trusted vouches for it.
    pub(super) pins: &'a [Fingerprint],
}

/// A connection secured by a handshake.
pub(super) struct Secured {
    pub(super) stream: BoxedStream,
    /// Whether HTTP/2 was agreed by ALPN.
    pub(super) http2: bool,
    /// Whether the server asked for a client certificate, and what it was shown.
    pub(super) demand: Demand,
    /// What the server showed of itself.
    pub(super) presented: Presented,
}

/// What a server showed of itself, as it was verified.
#[derive(Debug, Clone, Default)]
pub(super) struct Presented {
    /// The certificates from the server's own to the root.
    pub(super) path: Arc<[CertificateDer<'static>]>,
    /// The OCSP answer for its own certificate; empty where there is none.
    pub(super) staple: Vec<u8>,
}

/// A handshake that failed.
#[derive(Debug)]
pub(super) struct Refused {
    /// As far as the handshake itself shows.
    pub(super) failure: Failure,
    /// What more can be found out about it.
    pub(super) gap: Option<Gap>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, gap: None }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

impl Trust {
    /// Trusts the certificates of a PEM file, or the operating system's trust store.
    pub(super) fn new(
        ca_file: Option<&Path>,
        versions: RangeInclusive<TlsVersion>,
    ) -> Result<Self, ProberError> {
        let roots = match ca_file {
            Some(path) => Roots::of_file(path)?,
            None => Roots::of_system()?,
        };
        let provider = Arc::new(provider());
        seed(&provider);
        let verifier = Arc::new(Verifier::new(roots, Arc::clone(&provider))?);
        let config = client_config(provider, &versions, verifier.webpki())?;
        Ok(Self { config, verifier })
    }

    /// The settings for a connection whose certificates nobody asks about, such as a resolver's.
    pub(super) fn plain_config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// Makes a full handshake over `stream`.
    pub(super) async fn handshake(
        &self,
        stream: BoxedStream,
        peer: TlsPeer<'_>,
        deadline: Instant,
        observed: &mut Observed,
    ) -> Result<Secured, Failure> {
        let secured = self.attempt(stream, peer, deadline, observed).await;
        secured.map_err(|refused| refused.failure)
    }

    /// The same for those who look closer at what failed.
    pub(super) async fn attempt(
        &self,
        stream: BoxedStream,
        peer: TlsPeer<'_>,
        deadline: Instant,
        observed: &mut Observed,
    ) -> Result<Secured, Refused> {
        let name = server_name(peer)?;
        let shown = match peer.identity {
            Some(identity) => Some(identity.current().await),
            None => None,
        };
        let started = Instant::now();
        let witness = Arc::new(Witness::new(
            Arc::clone(&self.verifier),
            shown,
            Pins::new(peer.pins),
        ));
        let connector = TlsConnector::from(Arc::new(self.witnessed_config(&witness, peer.alpn)));
        let heard = Heard::new(stream, &witness);
        let result = timeout_at(deadline, connector.connect(name, heard)).await;
        let presented = witness.presented();
        let refused = || TlsSeen {
            certificates: self.verifier.refused(presented),
            ..nothing_agreed(peer.peer)
        };
        let failure = |(reason, detail): (TlsReason, String)| {
            Failure::new(reason, peer.peer, format!("{}: {detail}", peer.authority))
        };
        let mut stream = match result {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let why = reason::of(&error, &witness, observed.known_clock_offset());
                observed.tls.push(refused());
                return Err(Refused {
                    failure: failure(why),
                    gap: Gap::of(&witness),
                });
            }
            Err(_) => {
                observed.tls.push(refused());
                return Err(failure(reason::late(&witness)).into());
            }
        };
        let agreed = agreed(stream.get_ref().1, peer.peer);
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let may_still_refuse = agreed.version == Some(TLS_1_3) && !peer.asks_then;
        let chain = self.verifier.verified(presented, witness.is_pinned());
        observed.tls.push(TlsSeen {
            certificates: chain.certificates,
            path: chain.path,
            ..agreed
        });
        let demand = witness.demand();
        if demand.was_made() && may_still_refuse {
            let delay = started
                .elapsed()
                .clamp(*REFUSAL_DELAY.start(), *REFUSAL_DELAY.end());
            let until = deadline.min(Instant::now() + delay);
            if let Some(why) = refused_afterwards(&mut stream, &demand, until).await {
                return Err(failure(why).into());
            }
        }
        Ok(Secured {
            stream: Box::new(stream),
            http2,
            demand,
            presented: Presented {
                path: chain.verified,
                staple: witness.staple().to_vec(),
            },
        })
    }

    /// The shared settings with a witness of its own for this handshake. The clone is shallow.
    fn witnessed_config(&self, witness: &Arc<Witness>, alpn: &[&[u8]]) -> ClientConfig {
        let mut config = self.config.clone();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        config.client_auth_cert_resolver = Arc::clone(witness) as Arc<_>;
        config
            .dangerous()
            .set_certificate_verifier(Arc::clone(witness) as Arc<_>);
        config
    }
}

/// Every group that is fit for use, the hybrid one with ML-KEM first: servers that know only P-256 or P-384 are
/// served as well. Of the suites, that with AES-128 is first as in browsers and in Go: processors have SHA-256 built in,
/// but not SHA-384. Certificates' signatures that verified before are remembered.
fn provider() -> CryptoProvider {
    let default = aws_lc_rs::default_provider();
    let mut cipher_suites = default.cipher_suites;
    cipher_suites.sort_by_key(|suite| *suite != TLS13_AES_128_GCM_SHA256);
    CryptoProvider {
        cipher_suites,
        kx_groups: vec![X25519MLKEM768, X25519, SECP256R1, SECP384R1],
        signature_verification_algorithms: remembered::algorithms(),
        ..default
    }
}

/// The first random bytes of a process cost some 50 ms, in which its source of entropy is set up: time that
/// must not be counted as some handshake's.
fn seed(provider: &CryptoProvider) {
    // Where there is no entropy, the handshake that needs it says so.
    provider.secure_random.fill(&mut [0; 32]).ok();
}

fn client_config(
    provider: Arc<CryptoProvider>,
    wanted: &RangeInclusive<TlsVersion>,
    verifier: &Arc<WebPkiServerVerifier>,
) -> Result<ClientConfig, rustls::Error> {
    let known = [(TlsVersion::Tls13, &TLS13), (TlsVersion::Tls12, &TLS12)];
    let versions: Vec<&SupportedProtocolVersion> = known
        .into_iter()
        .filter(|(version, _)| wanted.contains(version))
        .map(|(_, supported)| supported)
        .collect();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)?
        .with_webpki_verifier(Arc::clone(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn server_name(peer: TlsPeer<'_>) -> Result<ServerName<'static>, Failure> {
    let host = match peer.server_name {
        Some(name) => name.to_owned(),
        None => peer.authority.host.to_string(),
    };
    let bare = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    ServerName::try_from(bare).map_err(|error| {
        let detail = format!(
            "{}: `{host}` cannot be a server name: {error}",
            peer.authority
        );
        Failure::new(TlsReason::HandshakeFailure, peer.peer, detail)
    })
}

/// Waits a moment for the alert of a server that wanted a client certificate. Where a request follows, its
/// answer shows the same; a bare handshake has to ask.
async fn refused_afterwards<S>(
    stream: &mut TlsStream<S>,
    demand: &Demand,
    until: Instant,
) -> Option<(TlsReason, String)>
where
    TlsStream<S>: AsyncRead + Unpin,
{
    let mut byte = [0];
    match timeout_at(until, stream.read(&mut byte)).await {
        Ok(Err(error)) => {
            let detail = demand.refusal("server", error);
            Some((TlsReason::ClientCertificateRequired, detail))
        }
        _ => None,
    }
}

fn nothing_agreed(peer: Peer) -> TlsSeen {
    TlsSeen {
        peer,
        version: None,
        cipher: None,
        key_exchange: None,
        alpn: None,
        certificates: Arc::default(),
        path: Arc::default(),
    }
}

fn agreed(connection: &ClientConnection, peer: Peer) -> TlsSeen {
    let version = connection.protocol_version().map(|version| match version {
        ProtocolVersion::TLSv1_3 => TLS_1_3,
        _ => "TLSv1.2",
    });
    let suite = connection.negotiated_cipher_suite();
    let group = connection.negotiated_key_exchange_group();
    TlsSeen {
        version,
        key_exchange: group.and_then(|group| group.name().as_str()),
        cipher: suite.and_then(|suite| name_of_suite(suite.suite())),
        alpn: connection.alpn_protocol().map(name_of_protocol),
        ..nothing_agreed(peer)
    }
}

/// rustls names the suites of TLS 1.3 with a prefix of its own; IANA's names have `TLS_`.
fn name_of_suite(suite: CipherSuite) -> Option<&'static str> {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => Some("TLS_AES_128_GCM_SHA256"),
        CipherSuite::TLS13_AES_256_GCM_SHA384 => Some("TLS_AES_256_GCM_SHA384"),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => Some("TLS_CHACHA20_POLY1305_SHA256"),
        other => other.as_str(),
    }
}

/// Without a copy for those that are usual; the configuration may offer others.
fn name_of_protocol(name: &[u8]) -> Cow<'static, str> {
    match name {
        b"h2" => "h2".into(),
        b"http/1.1" => "http/1.1".into(),
        other => String::from_utf8_lossy(other).into_owned().into(),
    }
}
