//! From what the TLS library says to the reason and the detail that a person can use.

use std::io;
use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_seconds;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::certificate::{self, Lack};
use super::weak;
use super::witness::{Beginning, Witness};
use crate::outcome::TlsReason;

/// So many names of a certificate that is for other names are shown.
const MOST_NAMES_SHOWN: usize = 10;

/// Clocks that are further apart are taken for that, which is some 300 years.
const MOST_SECONDS_APART: f64 = 1e10;

/// Why a handshake failed.
pub(super) fn of(error: &io::Error, witness: &Witness, clock: Option<f64>) -> (TlsReason, String) {
    if let Some(how) = witness.strays() {
        return (TlsReason::PinMismatch, of_stray(witness, &how));
    }
    if let Some(refused) = witness.refused() {
        return of_certificate(refused, witness, clock);
    }
    match tls_error(error) {
        Some(error) => of_protocol(error, witness, clock),
        None => of_connection(error, witness),
    }
}

/// Why a handshake that ran out of time did.
pub(super) fn late(witness: &Witness) -> (TlsReason, String) {
    let detail = if witness.beginning().is_none() {
        "no answer to the ClientHello in time"
    } else {
        "the handshake was not finished in time"
    };
    (TlsReason::Timeout, detail.to_owned())
}

/// Whether an error after the handshake says in so many words that the server does not go on without a client
/// certificate (RFC 8446 §4.4.2.4).
pub(in crate::probe) fn demands_client_certificate(error: &io::Error) -> bool {
    matches!(
        tls_error(error),
        Some(Error::AlertReceived(AlertDescription::CertificateRequired))
    )
}

/// Whether the peer ended the session by an alert.
pub(in crate::probe) fn is_alert(error: &io::Error) -> bool {
    matches!(tls_error(error), Some(Error::AlertReceived(_)))
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}

fn of_connection(error: &io::Error, witness: &Witness) -> (TlsReason, String) {
    let demand = witness.demand();
    if demand.was_made() {
        let detail = demand.refusal("server", error);
        return (TlsReason::ClientCertificateRequired, detail);
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => (
            TlsReason::Closed,
            "the connection was closed during the handshake".to_owned(),
        ),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => (
            TlsReason::Reset,
            "the connection was reset during the handshake".to_owned(),
        ),
        io::ErrorKind::TimedOut => (TlsReason::Timeout, error.to_string()),
        _ => (TlsReason::HandshakeFailure, error.to_string()),
    }
}

fn of_protocol(error: &Error, witness: &Witness, clock: Option<f64>) -> (TlsReason, String) {
    let reason = match error {
        Error::AlertReceived(alert) => return of_alert(*alert, witness),
        // The certificates were accepted, and what the server signed with its key was not.
        Error::InvalidCertificate(error) => return of_certificate(error, witness, clock),
        Error::InvalidMessage(
            InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::CertificatePayloadTooLarge,
        ) => {
            let detail = "a message of the server's handshake, such as its chain of certificates, is longer than 64 KiB";
            return (TlsReason::HandshakeFailure, detail.to_owned());
        }
        Error::InvalidMessage(_) | Error::PeerSentOversizedRecord
            if witness.beginning() != Some(Beginning::Tls) =>
        {
            let detail = format!("what answers does not speak TLS ({error})");
            return (TlsReason::NotTls, detail);
        }
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => TlsReason::ProtocolVersion,
        Error::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon | PeerIncompatible::NoKxGroupsInCommon,
        ) => TlsReason::NoCommonCipher,
        _ => TlsReason::HandshakeFailure,
    };
    (reason, error.to_string())
}

fn of_alert(alert: AlertDescription, witness: &Witness) -> (TlsReason, String) {
    let told = format!("the server answered with the alert {alert:?}");
    let demand = witness.demand();
    if demand.was_made() || alert == AlertDescription::CertificateRequired {
        let detail = demand.refusal("server", format!("alert {alert:?}"));
        return (TlsReason::ClientCertificateRequired, detail);
    }
    let (reason, detail) = match alert {
        AlertDescription::ProtocolVersion => (TlsReason::ProtocolVersion, told),
        AlertDescription::InsufficientSecurity => (TlsReason::NoCommonCipher, told),
        AlertDescription::NoApplicationProtocol => {
            let detail = format!("{told}: it takes none of the protocols offered by ALPN");
            (TlsReason::HandshakeFailure, detail)
        }
        // What servers of TLS 1.2 say when they have no cipher suite or group in common with the client; it can
        // mean other things too.
        AlertDescription::HandshakeFailure if witness.presented().is_empty() => {
            let detail = format!(
                "{told} to the ClientHello: most likely it takes none of the cipher suites, groups and signature \
                 algorithms offered, as a server with old ciphers only"
            );
            (TlsReason::HandshakeFailure, detail)
        }
        _ => (TlsReason::HandshakeFailure, told),
    };
    (reason, detail)
}

fn of_certificate(
    error: &CertificateError,
    witness: &Witness,
    clock: Option<f64>,
) -> (TlsReason, String) {
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            let detail = format!(
                "valid until {}, and it is now {}{}",
                moment(*not_after),
                moment(*time),
                by_other_clock(*time, clock, |theirs| theirs <= *not_after)
            );
            (TlsReason::Expired, whose(witness, &detail))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let detail = format!(
                "valid from {}, and it is now {}{}",
                moment(*not_before),
                moment(*time),
                by_other_clock(*time, clock, |theirs| theirs >= *not_before)
            );
            (TlsReason::NotYetValid, whose(witness, &detail))
        }
        CertificateError::Expired => (TlsReason::Expired, whose(witness, "expired")),
        CertificateError::NotValidYet => (TlsReason::NotYetValid, whose(witness, "not valid yet")),
        CertificateError::NotValidForNameContext { expected, .. } => {
            let detail = format!(
                "the certificate is not for {} but for {}",
                expected.to_str(),
                names_of_leaf(witness)
            );
            (TlsReason::NameMismatch, detail)
        }
        CertificateError::NotValidForName => (
            TlsReason::NameMismatch,
            whose(witness, "not for the name that was asked for"),
        ),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            TlsReason::WeakSignature,
            weak::signature(witness.presented()),
        ),
        error => of_chain(error, witness),
    }
}

fn of_chain(error: &CertificateError, witness: &Witness) -> (TlsReason, String) {
    // What signatures by a key that is too small come to.
    if let (Some(detail), CertificateError::BadSignature) = (weak::key(witness.presented()), error)
    {
        return (TlsReason::WeakSignature, detail);
    }
    match (certificate::lack(witness.presented()), error) {
        (Some(Lack::SelfSigned { subject }), _) => (
            TlsReason::SelfSigned,
            format!("the certificate of {subject} vouches for itself"),
        ),
        (Some(Lack::Intermediate { issuer, .. }), CertificateError::UnknownIssuer) => {
            let detail =
                format!("the server does not send the intermediate certificate of {issuer}");
            (TlsReason::IncompleteChain, detail)
        }
        (Some(Lack::Trust { issuer, .. }), CertificateError::UnknownIssuer) => (
            TlsReason::UnknownIssuer,
            format!("the chain ends at {issuer}, which is not trusted"),
        ),
        (_, CertificateError::UnknownIssuer) => (
            TlsReason::UnknownIssuer,
            "the certificate's issuer is not trusted".to_owned(),
        ),
        _ => (
            TlsReason::HandshakeFailure,
            whose(witness, &format!("not usable: {error:?}")),
        ),
    }
}

fn of_stray(witness: &Witness, how: &str) -> String {
    let chain = certificate::seen(witness.presented());
    let Some(leaf) = chain.first() else {
        return format!("the certificate cannot be read, and is {how}");
    };
    format!(
        "the certificate of {} (issued by {}, SHA-256 {}) is {how}",
        leaf.subject, leaf.issuer, leaf.fingerprint_sha256
    )
}

/// The names that the server's certificate is for; the first of them where they are many.
fn names_of_leaf(witness: &Witness) -> String {
    let Some(leaf) = certificate::seen(witness.presented()).into_iter().next() else {
        return "no name that can be read".to_owned();
    };
    match leaf.names.len() {
        0 => format!(
            "no name at all: it has no subject alternative name, and its subject ({}) does not count",
            leaf.subject
        ),
        many if many > MOST_NAMES_SHOWN => {
            let shown = leaf.names[..MOST_NAMES_SHOWN].join(", ");
            format!("{shown} and {} more", many - MOST_NAMES_SHOWN)
        }
        _ => leaf.names.join(", "),
    }
}

/// Says whose certificate it is that the detail is about, as far as the chain shows.
fn whose(witness: &Witness, detail: &str) -> String {
    let now = SystemTime::now();
    let chain = certificate::seen(witness.presented());
    let out_of_date = chain
        .iter()
        .find(|certificate| certificate.not_after < now || certificate.not_before > now);
    match out_of_date.or(chain.first()) {
        Some(certificate) => {
            format!(
                "the certificate of {} (issued by {}) is {detail}",
                certificate.subject, certificate.issuer
            )
        }
        None => format!("the certificate is {detail}"),
    }
}

/// What another clock says, where one is known: whether it is this machine's that makes the certificate invalid.
fn by_other_clock(
    ours: UnixTime,
    offset: Option<f64>,
    is_valid: impl FnOnce(UnixTime) -> bool,
) -> String {
    let Some(offset) = offset else {
        return String::new();
    };
    let distance = Duration::from_secs_f64(offset.abs().min(MOST_SECONDS_APART));
    let ours = Duration::from_secs(ours.as_secs());
    let theirs = if offset < 0.0 {
        ours.saturating_sub(distance)
    } else {
        ours.saturating_add(distance)
    };
    let theirs = UnixTime::since_unix_epoch(theirs);
    if is_valid(theirs) {
        return format!(
            "; but by a Date header on the way it is {}, when the certificate is valid: this machine's clock seems \
             to be wrong",
            moment(theirs)
        );
    }
    format!(
        " (a Date header on the way differs by {} s and does not change that)",
        distance.as_secs()
    )
}

fn moment(time: UnixTime) -> String {
    let moment = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    format_rfc3339_seconds(moment.unwrap_or(SystemTime::UNIX_EPOCH)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_clock_is_believed_or_not() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let not_after = at(1_000);
        let says = |offset| by_other_clock(at(2_000), offset, |theirs| theirs <= not_after);
        assert_eq!(says(None), "");
        let wrong = says(Some(-1_500.0));
        assert!(
            wrong.contains("this machine's clock seems to be wrong"),
            "{wrong}"
        );
        assert!(wrong.contains("1970-01-01T00:08:20Z"), "{wrong}");
        let right = says(Some(2.4));
        assert!(
            right.contains("differs by 2 s and does not change that"),
            "{right}"
        );
        // Nonsense from the network.
        assert!(says(Some(f64::MAX)).contains("does not change that"));
        assert!(says(Some(f64::MIN)).contains("1970-01-01T00:00:00Z"));
    }
}
