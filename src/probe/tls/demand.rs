//! Whether a server asked who connects, and what it was shown: what a refusal is then told by.

use std::fmt::Display;
use std::sync::Arc;

/// A server's demand for a client certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::probe) enum Demand {
    /// It did not ask.
    #[default]
    None,
    /// It asked, and there was none to show.
    Unmet,
    /// It asked and was shown the certificate of this subject.
    Met(Arc<str>),
}

impl Demand {
    /// Whether a connection that ends without a word ends for want of a certificate. One that was shown is
    /// refused by an alert.
    pub(in crate::probe) fn explains_silence(&self) -> bool {
        *self == Self::Unmet
    }

    /// Whether it asked at all.
    pub(in crate::probe) fn was_made(&self) -> bool {
        *self != Self::None
    }

    /// What `who`, the server or the proxy, did then, seen by `how` it ended the connection.
    pub(in crate::probe) fn refusal(&self, who: &str, how: impl Display) -> String {
        match self {
            Self::None | Self::Unmet => {
                format!("the {who} demands a client certificate and was given none ({how})")
            }
            Self::Met(subject) => {
                format!("the {who} refused the client certificate of {subject} ({how})")
            }
        }
    }
}
