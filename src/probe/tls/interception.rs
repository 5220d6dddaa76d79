//! Whether the certificate is the endpoint's own, where it is known who vouches for that. A proxy that inspects TLS
//! presents one of its own making, and it does so whether this machine trusts it or not.

use crate::endpoint::ChainExpectation;
use crate::outcome::{CertificateSeen, Failure, FailureReason, PathSeen, TlsReason, TlsSeen};

/// What a chain says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::probe) enum Finding {
    /// Whoever is expected vouches for it.
    Expected,
    /// Somebody else does.
    Intercepted {
        /// Who issued the certificate.
        issuer: String,
        /// The detail for people.
        detail: String,
    },
}

/// Judges the chain of a handshake that came to `failure`, or to none. `None` where nothing can be said: no
/// certificate came, or it failed for a reason that has nothing to do with who vouches for it.
pub(in crate::probe) fn judge(
    expected: &ChainExpectation,
    seen: &TlsSeen,
    failure: Option<&Failure>,
) -> Option<Finding> {
    let leaf = seen.certificates.first()?;
    let is_expected = match (seen.root(), failure.map(|failure| failure.reason)) {
        (Some(root), _) => {
            let of_roots = expected.roots.iter();
            of_roots
                .map(|root| root.sha256.as_str())
                .any(|sha256| sha256 == root.fingerprint_sha256)
                || issuer_of_path_matches(expected, &seen.path)
        }
        (None, Some(FailureReason::Tls(TlsReason::UnknownIssuer | TlsReason::SelfSigned))) => {
            leads_to_expected(expected, &seen.certificates)
        }
        (None, _) => return None,
    };
    if is_expected {
        return Some(Finding::Expected);
    }
    let trusted = seen.root().map_or_else(
        || "and is not trusted here".to_owned(),
        |root| format!("and leads to {}, which is trusted here", root.subject),
    );
    Some(Finding::Intercepted {
        issuer: leaf.issuer.clone(),
        detail: format!(
            "the certificate of {} was issued by {} {trusted}, but {} is none of those that vouch for this endpoint: \
             somebody in between inspects the traffic",
            leaf.subject,
            leaf.issuer,
            seen.root().map_or("its root", |root| root.subject.as_str()),
        ),
    })
}

/// Only who really vouches counts: a server may present any certificate besides.
fn issuer_of_path_matches(expected: &ChainExpectation, path: &[PathSeen]) -> bool {
    let mut issuers = path.iter().skip(1).map(|certificate| &certificate.subject);
    issuers.any(|issuer| is_named(expected, issuer))
}

fn issuers_match(expected: &ChainExpectation, certificates: &[CertificateSeen]) -> bool {
    let mut issuers = certificates.iter().map(|certificate| &certificate.issuer);
    issuers.any(|issuer| is_named(expected, issuer))
}

fn is_named(expected: &ChainExpectation, issuer: &str) -> bool {
    let mut rules = expected.issuers.iter();
    rules.any(|rule| rule.0.is_match(issuer.as_bytes()))
}

/// Whether a chain that is not trusted is the endpoint's own all the same, and it is this machine that lacks the
/// root: it names an expected root, or holds it. Whoever inspects traffic could forge a name, but not that of a
/// root without being taken for an attacker.
fn leads_to_expected(expected: &ChainExpectation, certificates: &[CertificateSeen]) -> bool {
    let names_root = |certificate: &CertificateSeen| {
        let mut roots = expected.roots.iter();
        roots.any(|root| {
            certificate.fingerprint_sha256 == root.sha256.as_str()
                || (!root.name.is_empty() && common_name(&certificate.issuer) == Some(&root.name))
        })
    };
    certificates.iter().any(names_root) || issuers_match(expected, certificates)
}

/// The value of CN in a distinguished name as it is shown.
fn common_name(name: &str) -> Option<&str> {
    let mut parts = name.split(", ");
    parts.find_map(|part| part.strip_prefix("CN="))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use regex::bytes::Regex;

    use super::*;
    use crate::endpoint::{ExpectedRoot, Inspection, IssuerRule};
    use crate::outcome::{PathSeen, Peer};

    /// Another one for every name.
    fn fingerprint(of: &str) -> String {
        let number = of
            .bytes()
            .fold(0_u128, |number, byte| number << 6 ^ u128::from(byte));
        format!("{number:064x}")
    }

    fn certificate(subject: &str, issuer: &str) -> CertificateSeen {
        CertificateSeen {
            subject: format!("C=US, CN={subject}"),
            issuer: format!("C=US, O=Example, CN={issuer}"),
            names: Vec::new(),
            serial: "01".to_owned(),
            not_before: SystemTime::UNIX_EPOCH,
            not_after: SystemTime::UNIX_EPOCH,
            key: "RSA 2048".to_owned(),
            signature_algorithm: "sha256WithRSAEncryption".to_owned(),
            fingerprint_sha256: fingerprint(subject),
        }
    }

    /// With the way from the leaf over its issuer to this root, where there is one.
    fn seen(certificates: &[CertificateSeen], root: Option<&str>) -> TlsSeen {
        let on_path = |subject: String, fingerprint_sha256: String| PathSeen {
            subject,
            not_after: SystemTime::UNIX_EPOCH,
            fingerprint_sha256,
        };
        let path = root.map(|root| {
            let leaf = &certificates[0];
            [
                on_path(leaf.subject.clone(), leaf.fingerprint_sha256.clone()),
                on_path(leaf.issuer.clone(), fingerprint(&leaf.issuer)),
                on_path(format!("CN={root}"), fingerprint(root)),
            ]
        });
        TlsSeen {
            peer: Peer::Endpoint,
            version: None,
            cipher: None,
            key_exchange: None,
            alpn: None,
            certificates: certificates.into(),
            path: path.into_iter().flatten().collect(),
        }
    }

    fn expected() -> ChainExpectation {
        let root = ExpectedRoot {
            name: "Good Root".to_owned(),
            sha256: fingerprint("Good Root").parse().unwrap(),
        };
        ChainExpectation {
            roots: Arc::new([root]),
            issuers: vec![IssuerRule(Regex::new("CN=Known Issuing CA$").unwrap())],
            inspection: Inspection::Unsupported,
        }
    }

    #[test]
    fn a_chain_is_known_by_its_root_or_its_issuer() {
        let own = [certificate("www", "Issuing 01")];
        let issued = [certificate("www", "Known Issuing CA")];
        let unknown = Failure::of_endpoint(TlsReason::UnknownIssuer, "");
        let self_signed = Failure::of_endpoint(TlsReason::SelfSigned, "");
        let expired = Failure::of_endpoint(TlsReason::Expired, "");
        let incomplete = Failure::of_endpoint(TlsReason::IncompleteChain, "");
        let good_root_missing = [
            certificate("www", "Issuing 01"),
            certificate("Issuing 01", "Good Root"),
        ];
        let corp = [certificate("www", "Corp Inspection CA")];
        let decoy = [corp[0].clone(), issued[0].clone()];
        let table = [
            (
                "under the root",
                seen(&own, Some("Good Root")),
                None,
                Some(true),
            ),
            (
                "under another",
                seen(&own, Some("Corp Root")),
                None,
                Some(false),
            ),
            (
                "known issuer",
                seen(&issued, Some("Corp Root")),
                None,
                Some(true),
            ),
            (
                "presented besides",
                seen(&decoy, Some("Corp Root")),
                None,
                Some(false),
            ),
            ("untrusted", seen(&corp, None), Some(&unknown), Some(false)),
            (
                "self-signed",
                seen(&corp, None),
                Some(&self_signed),
                Some(false),
            ),
            (
                "root missing here",
                seen(&good_root_missing, None),
                Some(&unknown),
                Some(true),
            ),
            (
                "untrusted, known issuer",
                seen(&issued, None),
                Some(&unknown),
                Some(true),
            ),
            ("expired", seen(&corp, None), Some(&expired), None),
            ("incomplete", seen(&own, None), Some(&incomplete), None),
            ("nothing presented", seen(&[], None), Some(&unknown), None),
        ];
        for (name, seen, failure, is_expected) in table {
            let finding = judge(&expected(), &seen, failure);
            let found = finding
                .as_ref()
                .map(|finding| *finding == Finding::Expected);
            assert_eq!(found, is_expected, "{name}: {finding:?}");
        }
    }

    #[test]
    fn the_detail_names_who_stands_in_between() {
        let corp = [certificate("www", "Corp Inspection CA")];
        let trusted = judge(&expected(), &seen(&corp, Some("Corp Root")), None);
        let Some(Finding::Intercepted { issuer, detail }) = trusted else {
            panic!("not intercepted");
        };
        assert_eq!(issuer, "C=US, O=Example, CN=Corp Inspection CA");
        assert!(
            detail.contains("leads to CN=Corp Root, which is trusted here"),
            "{detail}"
        );
    }
}
