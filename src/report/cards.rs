//! Failures that are alike as a card of a page: what fails, what that means, and what to do.

use super::words::counted;
use super::{CheckResult, FailureGroup, Subject};
use crate::explain::Explanation;

/// How many endpoints of one kind of failure are named.
const NAMES_SHOWN: usize = 24;

/// How many different details of one kind of failure are told.
const DETAILS_SHOWN: usize = 3;

/// Failures that are alike.
pub(crate) struct Card<'a> {
    pub(crate) critical: bool,
    pub(crate) phase: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) route: &'a str,
    pub(crate) count: String,
    pub(crate) names: Vec<Name<'a>>,
    pub(crate) unnamed: usize,
    pub(crate) details: Vec<&'a str>,
    pub(crate) untold: usize,
    pub(crate) explanation: Explanation,
}

/// A check by its endpoint's name.
pub(crate) struct Name<'a> {
    pub(crate) href: String,
    pub(crate) endpoint: &'a str,
    pub(crate) service: &'a str,
    pub(crate) critical: bool,
}

impl<'a> Card<'a> {
    /// The card of a group, whose checks are linked to where `href` says.
    pub(crate) fn new(group: &FailureGroup<'_, 'a>, href: impl Fn(&Subject<'a>) -> String) -> Self {
        let named = group.critical().chain(group.not_critical());
        let name = |result: &CheckResult<'a>| Name {
            href: href(&result.subject),
            endpoint: result.subject.endpoint,
            service: result.subject.service,
            critical: result.subject.critical,
        };
        let details = group.details();
        Self {
            critical: group.critical().next().is_some(),
            phase: group.failure.phase.as_str(),
            peer: group.failure.peer.as_str(),
            reason: group.failure.reason,
            route: group.route,
            count: counted(group.checks.len(), "check"),
            names: named.take(NAMES_SHOWN).map(name).collect(),
            unnamed: group.checks.len().saturating_sub(NAMES_SHOWN),
            untold: details.len().saturating_sub(DETAILS_SHOWN),
            details: details.into_iter().take(DETAILS_SHOWN).collect(),
            explanation: group.failure.explanation,
        }
    }
}
