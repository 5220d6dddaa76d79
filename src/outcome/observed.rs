//! What a probe saw on its way: the evidence behind the verdict.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use super::{Peer, RevocationSeen};
use crate::route::Via;

/// The evidence of one probe. Empty where nothing was seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Observed {
    /// The names that were resolved, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<DnsSeen>,
    /// The endpoint's addresses, when the probe itself resolved them.
    pub addresses: Vec<IpAddr>,
    /// The connections that were tried, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connects: Vec<ConnectSeen>,
    /// The proxy's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Box<ProxySeen>>,
    /// The TLS handshakes, in order.
    pub tls: Vec<TlsSeen>,
    /// Whether the endpoint's certificate is its own, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interception: Option<InterceptionSeen>,
    /// What was found out about the revocation of the certificates, in the order in which it was asked for.
    #[serde(skip_serializing_if = "is_empty")]
    pub revocation: Arc<[RevocationSeen]>,
    /// The last HTTP answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpSeen>,
    /// The endpoint's clock (its Date header) minus ours, in seconds; the header counts whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<f64>,
}

/// A name that was resolved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DnsSeen {
    /// Whose name it was.
    pub peer: Peer,
    /// The name asked for: the host, or what the system's search domains made of it.
    pub name: String,
    /// The resolver's name in the configuration; `hosts file` or `localhost (RFC 6761)` where no server was asked.
    pub resolver: Arc<str>,
    /// The response code (RFC 1035 mnemonics); `None` when no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rcode: Option<Cow<'static, str>>,
    /// The aliases followed, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cname_chain: Vec<String>,
    /// The least time to live in the answer, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// The records of the answer in presentation format, bounded in number.
    pub answers: Vec<String>,
}

/// A TCP connection that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConnectSeen {
    /// To whom.
    pub peer: Peer,
    /// To which address.
    pub address: SocketAddr,
    /// Why it failed; `None` for the one that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What the proxy said for itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ProxySeen {
    /// The status of its answer to CONNECT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_status: Option<u16>,
    /// The reply code of its answer to a SOCKS request (RFC 1928 §6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socks_reply: Option<u8>,
    /// The authentication schemes it offered with a 407, in lower case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offered_authentication: Vec<String>,
    /// The authentication scheme with which the probe logged in, or tried to, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<&'static str>,
    /// How many requests the login took, the last one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_legs: Option<u8>,
    /// The product it calls itself (`Server`, `Via`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// What it says went wrong (`X-Squid-Error`, `Proxy-Status` of RFC 9209).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The proxy's clock (its Date header) minus ours, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<f64>,
    /// What the route's script said of the last hop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pac: Option<PacSeen>,
}

/// What a proxy script said.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PacSeen {
    /// Where the script is kept.
    pub source: String,
    /// Its answer as it stands, bounded in length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What was used of it: the URL of a proxy, or `direct`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// What was tried before that in vain, with `failover`, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// The name that the script asked for and nobody gave an answer for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<String>,
}

/// A TLS handshake, with the certificates presented even when they were not accepted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TlsSeen {
    /// With whom.
    pub peer: Peer,
    /// `TLSv1.2` or `TLSv1.3`; `None` when the handshake failed before it was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
    /// The cipher suite by its IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<&'static str>,
    /// The group of the key exchange by its IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_exchange: Option<&'static str>,
    /// The application protocol agreed by ALPN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<Cow<'static, str>>,
    /// As presented, leaf first.
    pub certificates: Arc<[CertificateSeen]>,
    /// The way by which the certificate is trusted, from the leaf to the root; empty when it is not.
    #[serde(skip_serializing_if = "is_empty")]
    pub path: Arc<[PathSeen]>,
}

/// A certificate of the way from a leaf to a trusted root. It need not be one that was presented: servers leave
/// their root out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathSeen {
    /// The subject, as in [`CertificateSeen`].
    pub subject: String,
    /// End of validity.
    #[serde(serialize_with = "rfc3339")]
    pub not_after: SystemTime,
    /// SHA-256 of the DER form, lower-case hexadecimal.
    pub fingerprint_sha256: String,
}

/// A certificate as presented.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CertificateSeen {
    /// The subject in RFC 4514 order as the certificate has it.
    pub subject: String,
    /// The issuer likewise.
    pub issuer: String,
    /// The names it is for: DNS names and addresses of the subject alternative name.
    pub names: Vec<String>,
    /// Lower-case hexadecimal.
    pub serial: String,
    /// Start of validity.
    #[serde(serialize_with = "rfc3339")]
    pub not_before: SystemTime,
    /// End of validity.
    #[serde(serialize_with = "rfc3339")]
    pub not_after: SystemTime,
    /// The public key, such as `RSA 2048` or `ECDSA P-256`.
    pub key: String,
    /// With what the issuer signed it, by the algorithm's usual name, or by its object identifier.
    pub signature_algorithm: String,
    /// SHA-256 of the DER form, lower-case hexadecimal.
    pub fingerprint_sha256: String,
}

/// Whether somebody in between presents a certificate in the endpoint's place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InterceptionSeen {
    /// The chain leads to none of the expected roots.
    pub intercepted: bool,
    /// Whose certificate it is then: the issuer of the one that was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// The last HTTP answer and the way to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HttpSeen {
    /// The status of the last answer.
    pub status: u16,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub version: &'static str,
    /// What the status means here, where the configuration or the catalog says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Arc<str>>,
    /// The authentication schemes that the endpoint itself offered with a 401, in lower case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offered_authentication: Vec<String>,
    /// The authentication scheme with which the probe logged in to the endpoint, or tried to, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<&'static str>,
    /// How many requests that login took, the last one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_legs: Option<u8>,
    /// The redirects that were followed, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<RedirectSeen>,
    /// The length of the body as far as it was read.
    pub body_bytes: usize,
}

/// A redirect that was followed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RedirectSeen {
    /// The status that redirected.
    pub status: u16,
    /// Where to.
    pub url: String,
    /// How the new hop left.
    pub via: Via,
}

impl DnsSeen {
    /// Whether the resolver knew what it was asked, be it that there is no such name.
    #[must_use]
    pub fn answered(&self) -> bool {
        matches!(self.rcode.as_deref(), Some("NOERROR" | "NXDOMAIN"))
    }
}

impl Observed {
    pub(super) fn trim(&mut self) {
        self.dns.shrink_to_fit();
        self.addresses.shrink_to_fit();
        self.connects.shrink_to_fit();
        self.tls.shrink_to_fit();
        for seen in &mut self.dns {
            seen.answers.shrink_to_fit();
            seen.cname_chain.shrink_to_fit();
        }
    }

    /// Somebody else's clock minus ours, where one was seen so far: the endpoint's, or else the proxy's.
    #[must_use]
    pub fn known_clock_offset(&self) -> Option<f64> {
        let of_proxy = self
            .proxy
            .as_ref()
            .and_then(|proxy| proxy.clock_offset_seconds);
        self.clock_offset_seconds.or(of_proxy)
    }
}

impl InterceptionSeen {
    /// The finding for people.
    #[must_use]
    pub fn words(&self) -> String {
        match (self.intercepted, &self.issuer) {
            (false, _) => "none, the certificate is the endpoint's own".to_owned(),
            (true, Some(issuer)) => {
                format!("somebody in between presents a certificate of {issuer}")
            }
            (true, None) => "somebody in between presents a certificate".to_owned(),
        }
    }
}

impl TlsSeen {
    /// What was agreed, for people.
    #[must_use]
    pub fn agreed(&self) -> String {
        let Self {
            version,
            cipher,
            key_exchange,
            alpn,
            ..
        } = self;
        let texts = [*version, *cipher, *key_exchange, alpn.as_deref()];
        let agreed: Vec<&str> = texts.into_iter().flatten().collect();
        if agreed.is_empty() {
            "nothing was agreed".to_owned()
        } else {
            agreed.join(", ")
        }
    }

    /// The root by which the certificate is trusted; `None` when it is not.
    #[must_use]
    pub fn root(&self) -> Option<&PathSeen> {
        self.path.last()
    }
}

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_seconds(*time))
}
