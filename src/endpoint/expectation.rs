//! What counts as reachable: by default the service connection point's own rule, narrowed by whoever
//! knows better what the endpoint answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::bytes::Regex;

use super::{ChainExpectation, Fingerprint, RevocationMode};

/// Expectation of an endpoint's answer. [`Expectation::default`] is the service connection point's rule:
/// every HTTP status is a sign of life but the eight that mean that something stands in between.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Which statuses are good.
    pub status: StatusRule,
    /// What single statuses mean here, in a sentence for people: it stands beside the status wherever that is told.
    pub status_meanings: BTreeMap<u16, Arc<str>>,
    /// What the body must contain, if anything.
    pub body: Option<BodyRule>,
    /// What the headers must say; all of them.
    pub headers: Vec<HeaderRule>,
    /// How many redirects are followed, 10 at most. With 0 the redirect itself is judged.
    pub max_redirects: u8,
    /// A longer body is a failure and not a silent cut. In bytes, 1 MiB by default.
    pub max_body_bytes: usize,
    /// What a `dns:` endpoint must answer.
    pub dns: DnsExpectation,
    /// Who vouches for the certificate, where that is known.
    pub chain: Option<ChainExpectation>,
    /// The certificates of which the server must present one, where they are known: such a one needs nobody to vouch
    /// for it.
    pub pins: Vec<Fingerprint>,
    /// What it means where the revocation of its certificate cannot be found out, where the catalog knows.
    pub revocation: Option<RevocationMode>,
}

/// Which HTTP statuses count as reachable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusRule {
    /// Any but 407, 408, 426, 451, 502, 511, 598 and 599 (Microsoft, "About the service connection point").
    ServiceConnectionPoint,
    /// One of these.
    OneOf(Vec<u16>),
}

/// The body must match this regular expression.
#[derive(Debug, Clone)]
pub struct BodyRule(pub Regex);

/// A header must be there and match this regular expression.
#[derive(Debug, Clone)]
pub struct HeaderRule {
    /// The header's name in lower case.
    pub name: String,
    /// What one of its values must match.
    pub value: Regex,
}

/// What the answer to a `dns:` endpoint must be.
#[derive(Debug, Clone, PartialEq)]
pub struct DnsExpectation {
    /// The response code, `NOERROR` by default (RFC 1035 §4.1.1 mnemonics, upper case).
    pub rcode: String,
    /// What the text of one record of the answer must match.
    pub answer: Option<BodyRule>,
}

impl StatusRule {
    /// The statuses by which the service connection point knows a proxy or a TLS fault in between.
    pub const FAILING: [u16; 8] = [407, 408, 426, 451, 502, 511, 598, 599];

    /// Whether an answer of this status counts as reachable.
    #[must_use]
    pub fn accepts(&self, status: u16) -> bool {
        match self {
            Self::ServiceConnectionPoint => !Self::FAILING.contains(&status),
            Self::OneOf(statuses) => statuses.contains(&status),
        }
    }

    /// Whether a redirect of this status is itself what was expected, and so is not followed.
    #[must_use]
    pub fn names(&self, status: u16) -> bool {
        matches!(self, Self::OneOf(statuses) if statuses.contains(&status))
    }
}

impl Expectation {
    /// What a status means here, to be told behind it; empty where nobody says.
    #[must_use]
    pub fn meaning_of(&self, status: u16) -> String {
        let meaning = self.status_meanings.get(&status);
        meaning.map_or_else(String::new, |meaning| {
            format!("; here that means: {meaning}")
        })
    }
}

impl Default for Expectation {
    fn default() -> Self {
        Self {
            status: StatusRule::ServiceConnectionPoint,
            status_meanings: BTreeMap::new(),
            body: None,
            headers: Vec::new(),
            max_redirects: 10,
            max_body_bytes: 1024 * 1024,
            dns: DnsExpectation::default(),
            chain: None,
            pins: Vec::new(),
            revocation: None,
        }
    }
}

impl Default for DnsExpectation {
    fn default() -> Self {
        Self {
            rcode: "NOERROR".to_owned(),
            answer: None,
        }
    }
}

impl PartialEq for BodyRule {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl PartialEq for HeaderRule {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value.as_str() == other.value.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_rule_is_the_service_connection_points() {
        let rule = StatusRule::ServiceConnectionPoint;
        for status in [200, 301, 400, 401, 403, 404, 500, 503] {
            assert!(rule.accepts(status), "{status}");
        }
        for status in StatusRule::FAILING {
            assert!(!rule.accepts(status), "{status}");
        }
    }

    #[test]
    fn a_status_has_its_meaning_behind_it() {
        let expectation = Expectation {
            status_meanings: BTreeMap::from([(403, "No rights.".into())]),
            ..Expectation::default()
        };
        assert_eq!(expectation.meaning_of(403), "; here that means: No rights.");
        assert_eq!(expectation.meaning_of(500), "");
    }

    #[test]
    fn a_list_accepts_only_what_it_names() {
        let rule = StatusRule::OneOf(vec![200, 302]);
        assert!(rule.accepts(302) && rule.names(302));
        assert!(!rule.accepts(404));
        assert!(!StatusRule::ServiceConnectionPoint.names(302));
    }
}
