//! What was inferred, for people: each cause in a sentence, with its evidence as a card, and which failures it explains.

use std::collections::HashMap;
use std::time::SystemTime;

use super::words::{Moment, counted};
use super::{CheckResult, Subject};
use crate::diagnosis::{Cause, Evidence, Says};
use crate::explain::Explanation;
use crate::outcome::CauseKind;

/// How many checks are named as evidence.
const EVIDENCE_SHOWN: usize = 12;

/// One cause.
pub(crate) struct CauseCard<'a> {
    pub(crate) kind: &'static str,
    pub(crate) subject: &'a str,
    pub(crate) headline: String,
    pub(crate) critical: bool,
    pub(crate) since: Moment,
    pub(crate) count: String,
    pub(crate) supporting: Vec<Witness<'a>>,
    pub(crate) contradicting: Vec<Witness<'a>>,
    pub(crate) unnamed: usize,
    pub(crate) explanation: Explanation,
}

/// A check that says something of a cause.
pub(crate) struct Witness<'a> {
    pub(crate) href: String,
    pub(crate) endpoint: &'a str,
    pub(crate) service: &'a str,
    pub(crate) route: &'a str,
    pub(crate) words: &'a str,
}

/// Which failures the causes explain.
pub(crate) struct Explained<'a> {
    /// The biggest cause of each check.
    checks: HashMap<(&'a str, &'a str, &'a str), &'a Cause>,
}

impl<'a> CauseCard<'a> {
    /// The card of a cause, whose checks are linked to where `href` says.
    pub(crate) fn new(
        cause: &'a Cause,
        now: SystemTime,
        href: impl Fn(&str, &str, &str) -> String,
    ) -> Self {
        let witnesses = |says: Says| -> Vec<Witness<'a>> {
            let evidence = cause.evidence.iter();
            let evidence = evidence.filter(|evidence| evidence.says == says);
            let shown = evidence.take(EVIDENCE_SHOWN);
            shown
                .map(|Evidence { check, words, .. }| Witness {
                    href: href(&check.service, &check.endpoint, &check.route),
                    endpoint: &check.endpoint,
                    service: &check.service,
                    route: &check.route,
                    words,
                })
                .collect()
        };
        let supporting = witnesses(Says::Supports);
        Self {
            kind: cause.kind.as_str(),
            subject: &cause.subject,
            headline: headline(cause),
            critical: cause.critical,
            since: Moment::new(cause.since, now),
            count: counted(cause.supporting, "check"),
            unnamed: cause.supporting.saturating_sub(supporting.len()),
            supporting,
            contradicting: witnesses(Says::Contradicts),
            explanation: cause.explanation(),
        }
    }
}

/// A cause in a sentence without its full stop.
pub(crate) fn headline(cause: &Cause) -> String {
    let subject = &cause.subject;
    match cause.kind {
        CauseKind::NetworkDown => "This machine reaches nothing at all".to_owned(),
        CauseKind::ResolverDown => format!("The resolver {subject} does not answer"),
        CauseKind::ResolverWrong => format!("The resolver {subject} gives wrong answers"),
        CauseKind::ProxyDown => format!("The proxy {subject} is down"),
        CauseKind::ProxyAuthentication => format!("The proxy {subject} does not accept the login"),
        CauseKind::ProxyPolicy => format!("The policy of the proxy {subject} denies endpoints"),
        CauseKind::ProxyUpstream => format!("The proxy {subject} gets nowhere itself"),
        CauseKind::ClockWrong => "The clock of this machine is wrong".to_owned(),
        CauseKind::TlsInspection => format!("TLS is inspected: {subject}"),
        CauseKind::TrustStore => format!("The trust store lacks a root: {subject}"),
        CauseKind::CertificateExpiring => {
            format!("A certificate has ended or soon will: {subject}")
        }
        CauseKind::RevocationBlocked => format!("Revocation cannot be looked up: {subject}"),
        CauseKind::EndpointDown => format!("{subject} is down"),
        CauseKind::RouteOnly => format!("Only over one route: {subject}"),
        CauseKind::IdleTimeout => format!("Idle connections are cut: {subject}"),
        CauseKind::ProxySlow => format!("The proxy {subject} is slow"),
        CauseKind::Flapping => format!("{subject} comes and goes"),
        CauseKind::Degraded => format!("{subject} is slower than it used to be"),
    }
}

impl<'a> Explained<'a> {
    /// What these causes explain.
    pub(crate) fn by(causes: &'a [Cause]) -> Self {
        let mut checks = HashMap::new();
        for cause in causes {
            for check in &cause.explains {
                let key = (&*check.service, &*check.endpoint, &*check.route);
                checks.entry(key).or_insert(cause);
            }
        }
        Self { checks }
    }

    /// Whether this failure is among them.
    pub(crate) fn has(&self, result: &CheckResult<'_>) -> bool {
        self.cause_of(result).is_some()
    }

    /// The cause of this failure, if one is known.
    pub(crate) fn cause_of(&self, result: &CheckResult<'_>) -> Option<&'a Cause> {
        self.checks.get(&key(&result.subject)).copied()
    }
}

fn key<'a>(subject: &Subject<'a>) -> (&'a str, &'a str, &'a str) {
    (subject.service, subject.endpoint, subject.route)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn what_a_cause_says_it_explains_is_not_told_again() {
        let results = sample::results();
        let results: Vec<_> = results
            .iter()
            .map(|(check, outcome)| CheckResult::new(check, outcome))
            .collect();
        let causes = sample::causes();
        let explained = Explained::by(&causes);
        let failing = results.iter().filter(|result| !result.finding.success);
        let (told, left): (Vec<_>, Vec<_>) = failing.partition(|result| explained.has(result));
        assert_eq!((told.len(), left.len()), (2, 4));
    }

    #[test]
    fn what_is_not_listed_is_explained_too() {
        let results = sample::results();
        let results: Vec<_> = results
            .iter()
            .map(|(check, outcome)| CheckResult::new(check, outcome))
            .collect();
        let mut causes = sample::causes();
        causes[0].evidence.clear();
        let explained = |causes: &[Cause]| {
            let explained = Explained::by(causes);
            results.iter().filter(|one| explained.has(one)).count()
        };
        assert_eq!(explained(&causes), 2);
        causes[0].explains.truncate(1);
        assert_eq!(explained(&causes), 1);
    }
}
