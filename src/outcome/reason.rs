//! The closed set of reasons for which a probe fails. The reason fixes the phase, so that a nonsense pair
//! cannot be written, and a new reason does not compile until it is named here and explained in `explain`.

use std::fmt;

use super::{Peer, Phase};

/// Declares the reasons of one phase with their stable names.
macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident in $phase:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every reason of this phase.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value of the label `reason`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl From<$name> for FailureReason {
            fn from(reason: $name) -> Self {
                Self::$phase(reason)
            }
        }
    };
}

/// Why a probe failed, by phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureReason {
    /// The name could not be resolved.
    Dns(DnsReason),
    /// No TCP connection came about.
    Connect(ConnectReason),
    /// The proxy did not give what it was asked for.
    Proxy(ProxyReason),
    /// The TLS handshake failed.
    Tls(TlsReason),
    /// Whether a certificate was revoked could not be found out.
    Revocation(RevocationReason),
    /// The request was sent and nothing came back.
    Request(RequestReason),
    /// An answer came, but not one that counts as reachable.
    Response(ResponseReason),
    /// The connection did not last.
    Hold(HoldReason),
}

reasons! {
    /// Reasons of the phase `dns`.
    DnsReason in Dns {
        /// The name does not exist (RFC 1035, RCODE 3).
        NxDomain => "nxdomain",
        /// The name exists, but has no record of the kind asked for.
        NoAddress => "no_address",
        /// The server could not answer (RCODE 2).
        ServFail => "servfail",
        /// The server would not answer (RCODE 5).
        Refused => "refused",
        /// No answer came in time.
        Timeout => "timeout",
        /// The server could not be spoken to.
        NetworkError => "network_error",
        /// What came back was no usable answer, or not the expected one.
        BadAnswer => "bad_answer",
    }
}

reasons! {
    /// Reasons of the phase `connect`.
    ConnectReason in Connect {
        /// The host answered that nothing listens there.
        Refused => "refused",
        /// No answer to the SYN in time.
        Timeout => "timeout",
        /// A router on the way, or the neighbour, said that it is not to be reached.
        Unreachable => "unreachable",
        /// The connection was reset before it stood.
        Reset => "reset",
        /// This machine has no route to the address.
        NoRoute => "no_route",
    }
}

reasons! {
    /// Reasons of the phase `proxy`.
    ProxyReason in Proxy {
        /// 407, or no SOCKS method without a login; and no credentials are configured.
        AuthRequired => "auth_required",
        /// The credentials that were sent were refused.
        AuthRejected => "auth_rejected",
        /// None of the schemes or methods that the proxy offers is one that is configured.
        UnsupportedAuth => "unsupported_auth",
        /// The configured credentials themselves could not be had: no Kerberos ticket.
        CredentialsUnavailable => "credentials_unavailable",
        /// The proxy's policy denies the endpoint.
        Forbidden => "forbidden",
        /// The proxy could not get through to the endpoint.
        BadGateway => "bad_gateway",
        /// The endpoint did not answer the proxy in time.
        GatewayTimeout => "gateway_timeout",
        /// The proxy is overloaded, or could not serve the request now.
        ServiceUnavailable => "service_unavailable",
        /// The proxy could not resolve the endpoint's name.
        NameNotResolved => "name_not_resolved",
        /// The proxy did not answer in time.
        Timeout => "timeout",
        /// The proxy closed the connection instead of answering.
        Closed => "closed",
        /// The proxy does not speak the protocol that its URL names.
        ProtocolError => "protocol_error",
        /// The SOCKS proxy refused with a reply that names no cause, or rejects the request as such.
        SocksRejected => "socks_rejected",
        /// The proxy answered with a status that means nothing here.
        UnexpectedStatus => "unexpected_status",
        /// The proxy script cannot be had.
        PacUnavailable => "pac_unavailable",
        /// The proxy script failed, or gave no answer that means anything.
        PacError => "pac_error",
    }
}

reasons! {
    /// Reasons of the phase `tls`.
    TlsReason in Tls {
        /// The handshake did not finish in time.
        Timeout => "timeout",
        /// The peer closed the connection during the handshake.
        Closed => "closed",
        /// The connection was reset during the handshake.
        Reset => "reset",
        /// What answers does not speak TLS.
        NotTls => "not_tls",
        /// No TLS version in common.
        ProtocolVersion => "protocol_version",
        /// No cipher suite or key exchange group in common.
        NoCommonCipher => "no_common_cipher",
        /// The peer demands a client certificate.
        ClientCertificateRequired => "client_certificate_required",
        /// The peer refused the handshake, or the certificate is unusable, for a reason that has no name of its own.
        HandshakeFailure => "handshake_failure",
        /// A certificate's validity is over.
        Expired => "expired",
        /// A certificate's validity has not begun.
        NotYetValid => "not_yet_valid",
        /// The certificate is for other names.
        NameMismatch => "name_mismatch",
        /// The chain ends at an issuer that is not trusted.
        UnknownIssuer => "unknown_issuer",
        /// The certificate vouches for itself.
        SelfSigned => "self_signed",
        /// The server does not send an intermediate certificate.
        IncompleteChain => "incomplete_chain",
        /// A certificate is signed with an algorithm or key that is no longer accepted.
        WeakSignature => "weak_signature",
        /// The certificate is none of those that the configuration pins.
        PinMismatch => "pin_mismatch",
        /// Somebody in between presents a certificate of their own in the endpoint's place.
        Intercepted => "intercepted",
        /// The authority took a certificate back.
        Revoked => "revoked",
    }
}

reasons! {
    /// Reasons of the phase `revocation`.
    RevocationReason in Revocation {
        /// Nobody who could tell was to be reached over the revocation route.
        Unreachable => "unreachable",
        /// No list or answer came in time.
        Timeout => "timeout",
        /// The list or answer is older than its own next update.
        Stale => "stale",
        /// The list or answer is not signed by whom it must be.
        BadSignature => "bad_signature",
        /// What came is no list or answer, or none that can be used.
        Malformed => "malformed",
        /// The list or answer is longer than the limit.
        TooLarge => "too_large",
        /// Nobody who was asked could tell, or there is nobody to ask.
        Unknown => "unknown",
    }
}

reasons! {
    /// Reasons of the phase `request`.
    RequestReason in Request {
        /// Nothing came back in time.
        Timeout => "timeout",
        /// The connection was closed without an answer.
        Closed => "closed",
        /// The connection was reset without an answer.
        Reset => "reset",
        /// What came back is not HTTP.
        ProtocolError => "protocol_error",
        /// The credentials for the endpoint could not be had: no Kerberos ticket.
        CredentialsUnavailable => "credentials_unavailable",
    }
}

reasons! {
    /// Reasons of the phase `response`.
    ResponseReason in Response {
        /// The answer did not end in time.
        Timeout => "timeout",
        /// The connection was closed in the middle of the answer.
        Closed => "closed",
        /// The connection was reset in the middle of the answer.
        Reset => "reset",
        /// The answer is not HTTP.
        ProtocolError => "protocol_error",
        /// The status is not one of those that count as reachable.
        BadStatus => "bad_status",
        /// The credentials that the endpoint was sent were refused.
        AuthRejected => "auth_rejected",
        /// None of the schemes that the endpoint offers is the one that is configured.
        UnsupportedAuth => "unsupported_auth",
        /// The answer is the proxy's own and not the endpoint's.
        ProxyStatus => "proxy_status",
        /// The body does not match what was expected.
        BodyMismatch => "body_mismatch",
        /// A header does not match what was expected.
        HeaderMismatch => "header_mismatch",
        /// Headers or body are longer than the limit.
        TooLarge => "too_large",
        /// More redirects than allowed.
        TooManyRedirects => "too_many_redirects",
        /// A redirect without a usable target.
        BadRedirect => "bad_redirect",
        /// A redirect from https to http, or to something that is not HTTP.
        RedirectToOtherScheme => "redirect_to_other_scheme",
    }
}

reasons! {
    /// Reasons of the phase `hold`.
    HoldReason in Hold {
        /// The idle connection was closed before its time.
        ClosedEarly => "closed_early",
        /// The idle connection was reset.
        Reset => "reset",
        /// The connection was forgotten on the way without a word: what was sent at last got no answer.
        Timeout => "timeout",
    }
}

impl FailureReason {
    /// Every reason, by phase.
    pub fn all() -> impl Iterator<Item = Self> {
        let dns = DnsReason::ALL.iter().map(|reason| Self::Dns(*reason));
        let connect = ConnectReason::ALL
            .iter()
            .map(|reason| Self::Connect(*reason));
        let proxy = ProxyReason::ALL.iter().map(|reason| Self::Proxy(*reason));
        let tls = TlsReason::ALL.iter().map(|reason| Self::Tls(*reason));
        let revocation = RevocationReason::ALL
            .iter()
            .map(|reason| Self::Revocation(*reason));
        let request = RequestReason::ALL
            .iter()
            .map(|reason| Self::Request(*reason));
        let response = ResponseReason::ALL
            .iter()
            .map(|reason| Self::Response(*reason));
        let hold = HoldReason::ALL.iter().map(|reason| Self::Hold(*reason));
        dns.chain(connect)
            .chain(proxy)
            .chain(tls)
            .chain(revocation)
            .chain(request)
            .chain(response)
            .chain(hold)
    }

    /// The phase in which this happens.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Dns(_) => Phase::Dns,
            Self::Connect(_) => Phase::Connect,
            Self::Proxy(_) => Phase::Proxy,
            Self::Tls(_) => Phase::Tls,
            Self::Revocation(_) => Phase::Revocation,
            Self::Request(_) => Phase::Request,
            Self::Response(_) => Phase::Response,
            Self::Hold(_) => Phase::Hold,
        }
    }

    /// Whose failure it can be.
    #[must_use]
    pub fn peers(self) -> &'static [Peer] {
        match self {
            Self::Tls(TlsReason::Intercepted | TlsReason::PinMismatch | TlsReason::Revoked) => {
                &[Peer::Endpoint]
            }
            Self::Dns(_) | Self::Connect(_) | Self::Tls(_) | Self::Hold(_) => {
                &[Peer::Proxy, Peer::Endpoint]
            }
            Self::Proxy(_) | Self::Response(ResponseReason::ProxyStatus) => &[Peer::Proxy],
            Self::Revocation(_) | Self::Request(_) | Self::Response(_) => &[Peer::Endpoint],
        }
    }

    /// The value of the label `reason`; unique only together with the phase.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns(reason) => reason.as_str(),
            Self::Connect(reason) => reason.as_str(),
            Self::Proxy(reason) => reason.as_str(),
            Self::Tls(reason) => reason.as_str(),
            Self::Revocation(reason) => reason.as_str(),
            Self::Request(reason) => reason.as_str(),
            Self::Response(reason) => reason.as_str(),
            Self::Hold(reason) => reason.as_str(),
        }
    }
}

/// `phase/reason`, as in `tls/expired`.
impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.phase(), self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_and_reason_together_are_unique_and_snake_case() {
        let mut names: Vec<String> = FailureReason::all()
            .map(|reason| reason.to_string())
            .collect();
        assert!(names.iter().all(|name| {
            name.chars()
                .all(|c| c.is_ascii_lowercase() || "_/".contains(c))
        }));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
