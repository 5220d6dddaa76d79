//! Failures that are alike are told once: the same phase, peer and reason over the same route.

use std::collections::HashSet;

use super::{CheckResult, FailureReport};

/// Checks that fail alike.
#[derive(Debug)]
pub struct FailureGroup<'r, 'a> {
    /// The first one's failure; the others differ only in detail.
    pub failure: &'r FailureReport<'a>,
    /// The route of all of them.
    pub route: &'a str,
    /// In the order of the report; never empty.
    pub checks: Vec<&'r CheckResult<'a>>,
}

impl<'r, 'a> FailureGroup<'r, 'a> {
    /// Groups the failures among `results`: critical ones first, then by how many fail alike.
    #[must_use]
    pub fn among(results: impl IntoIterator<Item = &'r CheckResult<'a>>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for result in results {
            let Some(failure) = &result.finding.failure else {
                continue;
            };
            match groups.iter_mut().find(|group| group.takes(result, failure)) {
                Some(group) => group.checks.push(result),
                None => groups.push(Self {
                    failure,
                    route: result.subject.route,
                    checks: vec![result],
                }),
            }
        }
        groups.sort_by_key(|group| {
            (
                group.critical().count() == 0,
                usize::MAX - group.checks.len(),
            )
        });
        groups
    }

    /// Those that stop their service.
    pub fn critical(&self) -> impl Iterator<Item = &'r CheckResult<'a>> {
        self.checks
            .iter()
            .copied()
            .filter(|check| check.subject.critical)
    }

    /// Those whose service goes on.
    pub fn not_critical(&self) -> impl Iterator<Item = &'r CheckResult<'a>> {
        self.checks
            .iter()
            .copied()
            .filter(|check| !check.subject.critical)
    }

    /// The details, each once, in order.
    #[must_use]
    pub fn details(&self) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        let failures = self
            .checks
            .iter()
            .filter_map(|check| check.finding.failure.as_ref());
        failures
            .map(|failure| failure.detail)
            .filter(|detail| seen.insert(*detail))
            .collect()
    }

    fn takes(&self, result: &CheckResult<'_>, failure: &FailureReport<'_>) -> bool {
        (
            self.failure.phase,
            self.failure.peer,
            self.failure.reason,
            self.route,
        ) == (
            failure.phase,
            failure.peer,
            failure.reason,
            result.subject.route,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::outcome::{ConnectReason, DnsReason, Failure, Outcome};
    use crate::plan::Check;
    use crate::plan::fixture::not_critical;
    use crate::report::sample::{corp, failed, http};
    use crate::route::{Route, Via};

    fn failing(name: &str, route: Route, reason: DnsReason) -> (Arc<Check>, Arc<Outcome>) {
        let check = http("s", name, "https://host.example/", route);
        (
            check,
            failed(
                Via::Direct,
                Failure::of_endpoint(reason, format!("detail of {name}")),
                &[],
            ),
        )
    }

    fn names(group: &FailureGroup<'_, '_>) -> String {
        let names: Vec<&str> = group
            .checks
            .iter()
            .map(|check| check.subject.endpoint)
            .collect();
        format!(
            "{}/{} {}: {}",
            group.failure.phase,
            group.failure.reason,
            group.route,
            names.join(" ")
        )
    }

    #[test]
    fn only_what_has_phase_peer_reason_and_route_in_common_is_told_together() {
        let mut runs = vec![
            failing("a", Route::direct(), DnsReason::NxDomain),
            failing("b", Route::direct(), DnsReason::Refused),
            failing("c", corp(), DnsReason::NxDomain),
            failing("d", Route::direct(), DnsReason::NxDomain),
        ];
        // The same word for the reason, but another phase; and the same reason, but of the proxy.
        let refused = Failure::of_endpoint(ConnectReason::Refused, "");
        runs.push((
            http("s", "e", "https://host.example/", Route::direct()),
            failed(Via::Direct, refused, &[]),
        ));
        let of_proxy = Failure::of_proxy(DnsReason::NxDomain, "");
        runs.push((
            http("s", "f", "https://host.example/", corp()),
            failed(Via::Proxy, of_proxy, &[]),
        ));

        let results: Vec<_> = runs
            .iter()
            .map(|(check, outcome)| CheckResult::new(check, outcome))
            .collect();
        let groups = FailureGroup::among(&results);
        assert_eq!(
            groups.iter().map(names).collect::<Vec<_>>(),
            [
                "dns/nxdomain direct: a d",
                "dns/refused direct: b",
                "dns/nxdomain corp: c",
                "connect/refused direct: e",
                "dns/nxdomain corp: f",
            ]
        );
        assert_eq!(groups[0].details(), ["detail of a", "detail of d"]);
    }

    #[test]
    fn a_group_with_something_critical_comes_before_a_larger_one_without() {
        let mut runs = [
            failing("a", Route::direct(), DnsReason::NxDomain),
            failing("b", Route::direct(), DnsReason::NxDomain),
            failing("c", Route::direct(), DnsReason::Refused),
        ];
        for (check, _) in &mut runs[..2] {
            *check = not_critical(check);
        }
        let results: Vec<_> = runs
            .iter()
            .map(|(check, outcome)| CheckResult::new(check, outcome))
            .collect();
        let groups = FailureGroup::among(&results);
        assert_eq!(names(&groups[0]), "dns/refused direct: c");
        assert_eq!(groups[1].not_critical().count(), 2);
    }
}
