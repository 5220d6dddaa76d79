//! Why a list or an answer does not tell whether a certificate was revoked.

use std::time::SystemTime;

use crate::outcome::{
    ConnectReason, DnsReason, Failure, FailureReason, ProxyReason, RequestReason, ResponseReason,
    RevocationReason, RevocationState, TlsReason,
};

/// The reason, and what there is to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) reason: RevocationReason,
    pub(super) detail: String,
    /// When it was made, where that can be told.
    pub(super) this_update: Option<SystemTime>,
    /// Until when it was good.
    pub(super) next_update: Option<SystemTime>,
}

impl Trouble {
    pub(super) fn new(reason: RevocationReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            this_update: None,
            next_update: None,
        }
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(RevocationReason::Malformed, detail)
    }

    pub(super) fn bad_signature(detail: impl Into<String>) -> Self {
        Self::new(RevocationReason::BadSignature, detail)
    }

    /// What there is to say of a certificate that cannot be read.
    pub(super) fn unreadable() -> Self {
        let what = "the certificate cannot be read, and so nobody can be asked about it";
        Self::new(RevocationReason::Unknown, what)
    }

    /// What a fetch came to nothing by.
    pub(super) fn of_fetch(failure: &Failure) -> Self {
        let reason = match failure.reason {
            FailureReason::Dns(DnsReason::Timeout)
            | FailureReason::Connect(ConnectReason::Timeout)
            | FailureReason::Tls(TlsReason::Timeout)
            | FailureReason::Proxy(ProxyReason::Timeout | ProxyReason::GatewayTimeout)
            | FailureReason::Request(RequestReason::Timeout)
            | FailureReason::Response(ResponseReason::Timeout) => RevocationReason::Timeout,
            FailureReason::Response(ResponseReason::TooLarge) => RevocationReason::TooLarge,
            _ => RevocationReason::Unreachable,
        };
        let Failure {
            reason: why,
            peer,
            detail,
        } = failure;
        Self::new(reason, format!("{why} at the {peer}: {detail}"))
    }

    /// The same with the way by which it came, or did not.
    pub(super) fn over(self, route: &str) -> Self {
        Self {
            detail: format!("over the route {route}: {}", self.detail),
            ..self
        }
    }

    /// What it takes in memory.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.detail.len()
    }

    /// What it means for the certificate.
    pub(super) fn state(&self) -> RevocationState {
        match self.reason {
            RevocationReason::Unreachable | RevocationReason::Timeout => {
                RevocationState::Unreachable
            }
            RevocationReason::Stale => RevocationState::Stale,
            RevocationReason::BadSignature
            | RevocationReason::Malformed
            | RevocationReason::TooLarge => RevocationState::Invalid,
            RevocationReason::Unknown => RevocationState::Unknown,
        }
    }

    /// What tells more has more: something that came tells more than nothing.
    pub(super) fn rank(&self) -> u8 {
        match self.reason {
            RevocationReason::Unreachable => 0,
            RevocationReason::Timeout => 1,
            RevocationReason::Unknown => 2,
            RevocationReason::TooLarge => 3,
            RevocationReason::Malformed => 4,
            RevocationReason::BadSignature => 5,
            RevocationReason::Stale => 6,
        }
    }
}
