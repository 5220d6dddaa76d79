//! Why a server could not be asked, or did not answer: from what the library says to the reason and to words.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use hickory_resolver::config::ProtocolConfig;
use hickory_resolver::net::NetError;
use humantime::format_rfc3339_seconds;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, Error as TlsError};

use super::answer::Answer;
use crate::outcome::DnsReason;
use crate::platform;

/// The answer of a server that gave none.
pub(super) fn of(server: IpAddr, protocol: &ProtocolConfig, error: &NetError) -> Answer {
    let detail = match (error, tls_error(error)) {
        (NetError::Timeout, _) => return late(server),
        (_, Some(error)) => of_tls(error, protocol),
        (NetError::Io(error), _) => of_io(error),
        (error, None) => error.to_string(),
    };
    Answer::trouble(reason_of(error), format!("{server}: {detail}"))
}

/// The answer of a server whose time ran out.
pub(super) fn late(server: IpAddr) -> Answer {
    Answer::trouble(DnsReason::Timeout, format!("{server}: no answer in time"))
}

fn reason_of(error: &NetError) -> DnsReason {
    match error {
        NetError::Proto(_)
        | NetError::Decode(_)
        | NetError::ParseInt(_)
        | NetError::Truncated
        | NetError::RequestTooLarge => DnsReason::BadAnswer,
        _ => DnsReason::NetworkError,
    }
}

fn of_io(error: &io::Error) -> String {
    if let Some(shortage) = platform::shortage(error) {
        return shortage;
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "the connection was closed without a whole answer".to_owned()
        }
        _ => error.to_string(),
    }
}

fn tls_error(error: &NetError) -> Option<&TlsError> {
    match error {
        NetError::RustlsError(error) => Some(error),
        NetError::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn of_tls(error: &TlsError, protocol: &ProtocolConfig) -> String {
    let TlsError::InvalidCertificate(refused) = error else {
        return format!("no TLS connection to the resolver: {error}");
    };
    let name = match protocol {
        ProtocolConfig::Tls { server_name } | ProtocolConfig::Https { server_name, .. } => {
            server_name
        }
        _ => "it",
    };
    let why = of_certificate(refused);
    format!("the resolver's certificate is not accepted for {name}: {why}")
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "its issuer is not trusted".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "it is for no name at all".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("it is for {}", presented.join(", "))
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it was valid until {}", moment(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is valid from {} on", moment(*not_before))
        }
        error => error.to_string(),
    }
}

fn moment(time: UnixTime) -> String {
    let moment = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    format_rfc3339_seconds(moment.unwrap_or(SystemTime::UNIX_EPOCH)).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;

    use super::*;

    fn verdict(error: &NetError) -> (DnsReason, String) {
        let protocol = ProtocolConfig::Tls {
            server_name: Arc::from("dns.corp.example"),
        };
        match of("192.0.2.53".parse().unwrap(), &protocol, error) {
            Answer::Trouble { reason, detail } => (reason, detail),
            answer @ Answer::Received { .. } => panic!("{answer:?}"),
        }
    }

    /// As tokio-rustls hands it to hickory.
    fn refused(error: CertificateError) -> NetError {
        let error = TlsError::InvalidCertificate(error);
        io::Error::new(io::ErrorKind::InvalidData, error).into()
    }

    #[test]
    fn a_refused_certificate_is_named_as_the_resolvers() {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(86_400));
        let long_ago = UnixTime::since_unix_epoch(Duration::ZERO);
        let table = [
            (CertificateError::UnknownIssuer, "its issuer is not trusted"),
            (
                CertificateError::NotValidForNameContext {
                    expected: ServerName::try_from("dns.corp.example").unwrap(),
                    presented: vec!["DnsName(\"dns.example\")".to_owned()],
                },
                "it is for DnsName(\"dns.example\")",
            ),
            (
                CertificateError::ExpiredContext {
                    time: now,
                    not_after: long_ago,
                },
                "it was valid until 1970-01-01T00:00:00Z",
            ),
        ];
        for (error, why) in table {
            let (reason, detail) = verdict(&refused(error));
            assert_eq!(reason, DnsReason::NetworkError);
            let expected = "192.0.2.53: the resolver's certificate is not accepted for \
                            dns.corp.example: ";
            assert_eq!(detail, format!("{expected}{why}"));
        }
    }

    #[test]
    fn each_trouble_has_its_reason() {
        let io = |kind: io::ErrorKind| NetError::from(io::Error::from(kind));
        let table = [
            (NetError::Timeout, DnsReason::Timeout, "no answer in time"),
            (
                // The library's own limit for a connection, and the operating system's.
                io(io::ErrorKind::TimedOut),
                DnsReason::Timeout,
                "no answer in time",
            ),
            (
                io(io::ErrorKind::ConnectionRefused),
                DnsReason::NetworkError,
                "refused",
            ),
            (NetError::Truncated, DnsReason::BadAnswer, "truncated"),
        ];
        for (error, expected, part) in table {
            let (reason, detail) = verdict(&error);
            assert_eq!(reason, expected, "{error}");
            assert!(detail.contains(part), "{detail}");
        }
    }
}
