//! What must be reachable: an endpoint, its target and what is expected of it. Pure data; nothing here
//! opens a socket or knows of a route.

mod chain;
mod expectation;
mod hold;
mod labels;
mod origin;
mod resolver;
mod revocation;
mod shared;
mod tls;

use std::collections::BTreeMap;
use std::fmt;

pub use chain::{
    ChainExpectation, ExpectedRoot, Fingerprint, FingerprintError, Inspection, IssuerRule,
};
pub use expectation::{BodyRule, DnsExpectation, Expectation, HeaderRule, StatusRule};
pub use hold::Hold;
pub use labels::{MOST_LABELS, fault_of_label, fault_of_labels, is_own_label};
pub use origin::{Origin, Publication};
pub use resolver::{ResolverSettings, ResolverTransport};
pub use revocation::{RevocationMethod, RevocationMode};
use serde::Serialize;
pub use shared::{Pool, Shared};
pub use tls::{ClientFiles, TlsSettings, TlsVersion};
use url::{Host, Url};

/// Something that must be reachable, as the plan knows it: named, owned by a service, with an expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Unique within its service; the label `endpoint`.
    pub name: String,
    /// The feature or application that needs it; the label `service`.
    pub service: String,
    /// Where it is and how it is spoken to.
    pub target: Target,
    /// Whether its service stops working without it (exit code 2, status message 11412) or merely suffers.
    pub critical: bool,
    /// What counts as reachable.
    pub expectation: Shared<Expectation>,
    /// How long an idle connection to it must live, if that matters.
    pub hold: Option<Box<Hold>>,
    /// The cloud of a catalog entry (`public`, `us-government`); empty for a user's own endpoint.
    pub cloud: Option<String>,
    /// The required wildcard for which this host stands in, for a wildcard itself cannot be probed.
    pub stands_in_for: Option<String>,
    /// Whether it serves the revocation of certificates, and is so fetched by the operating system over a way
    /// of its own: a host of lists, of answers for single certificates, or of trust lists.
    pub serves_revocation: bool,
    /// Who named it.
    pub origin: Origin,
    /// What an authority publishes there, where that is looked at and not only whether somebody answers.
    pub publishes: Option<Publication>,
    /// The user's own labels on `reachd_endpoint_info`, ten at most, by name.
    pub labels: BTreeMap<String, String>,
}

/// Where an endpoint is and which phases a probe of it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `https://` or `http://`: as far as the judged HTTP answer.
    Http(Url),
    /// `tls://host:port`: as far as the TLS handshake.
    Tls(Authority),
    /// `tcp://host:port`: as far as the TCP connection.
    Tcp(Authority),
    /// `dns:name`: the name is asked for and the answer judged.
    Dns(DnsQuestion),
}

/// A host and a port, without a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The name or address. IPv6 addresses stand in brackets only when displayed.
    pub host: Host<String>,
    /// The TCP port.
    pub port: u16,
}

/// What a `dns:` endpoint asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsQuestion {
    /// The name, as written, without a trailing dot.
    pub name: String,
    /// The record type asked for.
    pub record: RecordType,
}

/// The record types a `dns:` endpoint may ask for (RFC 1035, 3596, 2782, 9460, 8659).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the variants are the DNS's own names")]
pub enum RecordType {
    A,
    Aaaa,
    Caa,
    Cname,
    Https,
    Mx,
    Ns,
    Ptr,
    Soa,
    Srv,
    Txt,
}

// === impl Target ===

impl Target {
    /// The host that the target names; for `dns:` the name asked for.
    #[must_use]
    pub fn host(&self) -> String {
        match self {
            Self::Http(url) => url.host_str().unwrap_or_default().to_owned(),
            Self::Tls(authority) | Self::Tcp(authority) => authority.host.to_string(),
            Self::Dns(question) => question.name.clone(),
        }
    }

    /// The host and port that a connection goes to; a question for the DNS has none.
    #[must_use]
    pub fn authority(&self) -> Option<Authority> {
        match self {
            Self::Http(url) => Authority::of(url),
            Self::Tls(authority) | Self::Tcp(authority) => Some(authority.clone()),
            Self::Dns(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => write!(f, "{url}"),
            Self::Tls(authority) => write!(f, "tls://{authority}"),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
            Self::Dns(question) => write!(f, "dns:{}", question.name),
        }
    }
}

// === impl Authority ===

impl Authority {
    /// The host of a URL with its port, or the scheme's own; `None` where the URL has no host.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        Some(Self {
            host: url.host()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

// === impl RecordType ===

impl RecordType {
    /// Every type, in the order of the alphabet.
    pub const ALL: [Self; 11] = [
        Self::A,
        Self::Aaaa,
        Self::Caa,
        Self::Cname,
        Self::Https,
        Self::Mx,
        Self::Ns,
        Self::Ptr,
        Self::Soa,
        Self::Srv,
        Self::Txt,
    ];

    /// The mnemonic, such as `AAAA`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Https => "HTTPS",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
        }
    }
}
