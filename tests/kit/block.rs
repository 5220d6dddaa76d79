//! A private block of loopback addresses for one run, so that several runs go on beside each other and every
//! server listens on the port that it has in real life.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, TcpListener};

/// Who has which address of the block. The names are the placeholders of the templates and scenarios.
const SERVERS: [(&str, u8); 46] = [
    ("knot", 10),
    ("unbound", 11),
    ("dnsdist", 12),
    ("nobody", 18),
    ("nobody2", 19),
    ("squid", 20),
    ("squid-digest", 21),
    ("squid-ntlm", 22),
    ("squid-negotiate", 23),
    ("squid-negotiate-ntlm", 24),
    ("squid-all", 25),
    ("squid-all-closes", 26),
    ("squid-ntlm-fake", 27),
    ("origin-all", 28),
    ("origin-negotiate", 29),
    ("tinyproxy", 30),
    ("dante", 31),
    ("dante-password", 32),
    ("origin-closes", 33),
    ("haproxy-rejects", 41),
    ("haproxy-late", 42),
    ("haproxy-never", 43),
    ("haproxy-mtls13", 44),
    ("haproxy-mtls12", 45),
    ("haproxy-answers", 46),
    ("prometheus", 60),
    ("soak-names", 70),
    ("soak-web", 71),
    ("soak-proxy", 72),
    ("nginx", 80),
    ("kdc", 88),
    ("nginx-h2", 81),
    ("nginx-tls10", 82),
    ("nginx-tls12", 83),
    ("nginx-tls13", 84),
    ("nginx-cbc", 85),
    ("nginx-revocation", 86),
    ("dual", 90),
    ("internet", 91),
    ("hostile-http", 92),
    ("hostile-connect", 93),
    ("hostile-socks", 94),
    ("hostile-tls", 95),
    ("hostile-h2", 96),
    ("hostile-dns", 97),
    ("reachd", 200),
];

/// Where the faults of the kit begin.
const FIRST_FAULT: u8 = 100;

/// 127.x.y.0/24, ours as long as this lives.
pub(crate) struct Block {
    network: [u8; 3],
    _claim: TcpListener,
}

impl Block {
    /// Takes a block at random that nobody else has: a listener on its first address is the claim.
    pub(crate) fn claim() -> Self {
        for _ in 0..1000 {
            let random = RandomState::new().build_hasher().finish().to_le_bytes();
            let network = [127, 64 + random[0] % 64, random[1]];
            let [a, b, c] = network;
            if let Ok(claim) = TcpListener::bind((Ipv4Addr::new(a, b, c, 1), 1)) {
                return Self {
                    network,
                    _claim: claim,
                };
            }
        }
        panic!(
            "no free block in 127.64.0.0/10: the tests need root, for they listen below port 1024"
        );
    }

    /// Of a server, by the name that templates and scenarios use.
    pub(crate) fn address(&self, server: &str) -> Ipv4Addr {
        let Some((_, last)) = SERVERS.iter().find(|(name, _)| *name == server) else {
            panic!("the lab has no server called {server}");
        };
        self.at(*last)
    }

    /// Of the fault with this number.
    pub(crate) fn fault(&self, number: usize) -> Ipv4Addr {
        let number = u8::try_from(number).expect("fewer than 100 faults");
        self.at(FIRST_FAULT + number)
    }

    /// A word that no other run uses at the same time.
    pub(crate) fn tag(&self) -> String {
        let [_, b, c] = self.network;
        format!("lab{b}x{c}")
    }

    /// Every server with its address, for the templates.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (&'static str, Ipv4Addr)> {
        SERVERS
            .into_iter()
            .map(|(name, last)| (name, self.at(last)))
    }

    fn at(&self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.network;
        Ipv4Addr::new(a, b, c, last)
    }
}
