//! Certificates that are pinned: of a server that signs its own, or whose authority nobody here trusts, it is known
//! which one it presents.

use rustls::pki_types::CertificateDer;

use super::certificate;
use crate::endpoint::Fingerprint;

/// The certificates of which a server must present one; of any, where there are none.
#[derive(Debug, Default)]
pub(super) struct Pins(Vec<Fingerprint>);

/// What the pins say of a server's own certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pinned {
    /// Nothing: there are none.
    NotAsked,
    /// It is one of them.
    Is,
    /// It is none of them.
    IsNot,
}

impl Pins {
    pub(super) fn new(pins: &[Fingerprint]) -> Self {
        Self(pins.to_vec())
    }

    pub(super) fn judge(&self, leaf: &CertificateDer<'_>) -> Pinned {
        if self.0.is_empty() {
            return Pinned::NotAsked;
        }
        let presented = certificate::fingerprint(leaf);
        if self.0.iter().any(|pin| pin.as_str() == presented) {
            Pinned::Is
        } else {
            Pinned::IsNot
        }
    }

    /// Which they are, for people.
    pub(super) fn told(&self) -> String {
        match self.0.as_slice() {
            [one] => format!("not the one that is pinned, {one}"),
            many => format!("none of the {} that are pinned", many.len()),
        }
    }
}
