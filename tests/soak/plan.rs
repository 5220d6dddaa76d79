//! What is probed: every kind of check, each with a host of its own, so that the servers' logs tell them apart.

use std::fmt::Write;
use std::net::SocketAddr;

/// The checks of a kind come in this order, again and again.
const KINDS: [Kind; 20] = [
    Kind::Changing,
    Kind::Direct,
    Kind::Proxied,
    Kind::Proxied,
    Kind::Retried,
    Kind::Direct,
    Kind::Proxied,
    Kind::Proxied,
    Kind::Plain,
    Kind::Direct,
    Kind::Proxied,
    Kind::Handshake,
    Kind::Direct,
    Kind::Proxied,
    Kind::Tunnel,
    Kind::Direct,
    Kind::Proxied,
    Kind::Question,
    Kind::Direct,
    Kind::Proxied,
];

/// How a host is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `https`.
    Direct,
    /// The same, and changed by reloads.
    Changing,
    /// The same, probed once more when it begins to fail.
    Retried,
    /// `https` over the proxy.
    Proxied,
    /// `http`.
    Plain,
    /// `tls`.
    Handshake,
    /// `tcp` over the proxy.
    Tunnel,
    /// `dns`.
    Question,
}

/// One check.
#[derive(Debug)]
pub(super) struct Probed {
    pub(super) kind: Kind,
    pub(super) host: String,
}

/// The whole configuration.
pub(super) struct Plan {
    pub(super) checks: Vec<Probed>,
    /// Where the witness listens.
    pub(super) witness: SocketAddr,
    /// Whether there is a check that comes and goes.
    pub(super) has_guest: bool,
    /// What changes of the checks that change.
    pub(super) is_critical: bool,
}

impl Kind {
    /// Whether the web server gets a request of it.
    pub(super) fn asks(self) -> bool {
        !matches!(self, Self::Handshake | Self::Tunnel | Self::Question)
    }

    pub(super) fn is_proxied(self) -> bool {
        matches!(self, Self::Proxied | Self::Tunnel)
    }

    fn target(self, host: &str) -> String {
        match self {
            Self::Direct | Self::Changing | Self::Retried | Self::Proxied => {
                format!("https://{host}/")
            }
            Self::Plain => format!("http://{host}/"),
            Self::Handshake => format!("tls://{host}:443"),
            Self::Tunnel => format!("tcp://{host}:443"),
            Self::Question => format!("dns:{host}"),
        }
    }
}

impl Plan {
    pub(super) fn new(checks: usize, witness: SocketAddr) -> Self {
        let kinds = KINDS.into_iter().cycle().take(checks).enumerate();
        let checks = kinds.map(|(number, kind)| Probed {
            kind,
            host: format!("soak-{number:04}.lab.test"),
        });
        Self {
            checks: checks.collect(),
            witness,
            has_guest: false,
            is_critical: true,
        }
    }

    /// How many checks are of a kind.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.checks
            .iter()
            .filter(|check| check.kind == kind)
            .count()
    }

    /// As a file. More probes are due while a server is silent than there is room for.
    pub(super) fn text(&self) -> String {
        let room = self.checks.len() * 3 / 4;
        let mut text = format!(
            "global: {{interval: 1s, timeout: 3s, retry_interval: off, concurrency: {room}, resolver: soak}}\n\
             resolvers: {{soak: {{servers: [\"@soak-names@:53\"], transport: udp}}}}\n\
             proxies: {{corp: {{url: \"http://soak-proxy.lab.test:3128\"}}}}\n\
             tls: {{ca_file: \"@dir@/pki/root.pem\"}}\n\
             metrics: {{histograms: service}}\n\
             state_dir: \"@dir@/soak/state\"\n\
             endpoints:\n"
        );
        for Probed { kind, host } in &self.checks {
            let target = kind.target(host);
            let route = if kind.is_proxied() { "corp" } else { "direct" };
            let own = match kind {
                Kind::Retried => ", retry_interval: 300ms".to_owned(),
                Kind::Changing => format!(", critical: {}", self.is_critical),
                _ => String::new(),
            };
            writeln!(
                text,
                "  - {{name: {host}, service: {kind:?}, url: \"{target}\", routes: [{route}]{own}}}"
            )
            .unwrap();
        }
        let guest = self.has_guest.then_some("guest");
        for name in ["witness"].into_iter().chain(guest) {
            let url = format!("http://{}/{name}", self.witness);
            writeln!(
                text,
                "  - {{name: {name}, service: own, url: \"{url}\", routes: [direct], timeout: 1m}}"
            )
            .unwrap();
        }
        text
    }
}
