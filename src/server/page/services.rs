//! What works, and what it breaks: the services of which something fails, each in words that its users understand, and
//! the names of the others.

use std::collections::BTreeMap;

use crate::history::CheckHistory;
use crate::report::words::counted;
use crate::report::{ServiceReport, Verdict};
use crate::server::standing::roll_up;

/// How many services are told.
const SERVICES_SHOWN: usize = 12;

/// How many failing endpoints of a service are named.
const NAMES_SHOWN: usize = 6;

/// How much of what breaks is in sight at once.
const BREAKS_SHOWN: usize = 3;

/// All services.
pub(super) struct Services<'a> {
    pub(super) troubled: Vec<Troubled<'a>>,
    /// How many more there are.
    pub(super) untold: usize,
    /// `Works as it should: a, b`.
    pub(super) well: String,
}

/// A service of which something fails.
pub(super) struct Troubled<'a> {
    pub(super) title: &'a str,
    pub(super) state: &'static str,
    pub(super) ways: Vec<Way>,
    /// What fails, by name.
    pub(super) fails: String,
    /// What an administrator notices: the first of it, and the rest.
    pub(super) breaks: Vec<&'a str>,
    pub(super) breaks_too: Vec<&'a str>,
}

/// How it fares over some routes.
pub(super) struct Way {
    pub(super) state: &'static str,
    pub(super) symbol: &'static str,
    pub(super) words: String,
}

impl<'a> Services<'a> {
    pub(super) fn new(histories: &'a [CheckHistory]) -> Self {
        let mut services: BTreeMap<&'a str, Vec<ServiceReport<'a>>> = BTreeMap::new();
        for report in roll_up(histories) {
            services.entry(report.service).or_default().push(report);
        }
        let (well, troubled): (Vec<_>, Vec<_>) = services
            .into_values()
            .partition(|routes| routes.iter().all(|route| route.failing.is_empty()));
        let mut troubled: Vec<Troubled<'a>> = troubled.iter().map(|it| Troubled::new(it)).collect();
        troubled.sort_by_key(|service| service.state != "critical");
        let untold = troubled.len().saturating_sub(SERVICES_SHOWN);
        troubled.truncate(SERVICES_SHOWN);
        let well: Vec<&str> = well
            .iter()
            .filter_map(|it| it.first())
            .map(|it| it.title)
            .collect();
        Self {
            troubled,
            untold,
            well: named(&well, SERVICES_SHOWN),
        }
    }
}

impl<'a> Troubled<'a> {
    fn new(routes: &[ServiceReport<'a>]) -> Self {
        let mut failing: Vec<_> = routes.iter().flat_map(|route| &route.failing).collect();
        failing.sort_by_key(|check| !check.critical);
        let fails = distinct(failing.iter().map(|check| check.endpoint));
        let mut breaks = distinct(routes.iter().flat_map(|route| route.breaks.iter().copied()));
        let breaks_too = breaks.split_off(breaks.len().min(BREAKS_SHOWN));
        let is_critical = routes.iter().any(|it| it.status == Some(Verdict::Critical));
        Self {
            title: routes.first().map_or("", |route| route.title),
            state: if is_critical { "critical" } else { "warning" },
            ways: ways(routes),
            fails: named(&fails, NAMES_SHOWN),
            breaks,
            breaks_too,
        }
    }
}

/// The worst first, routes that fare alike together.
fn ways(routes: &[ServiceReport<'_>]) -> Vec<Way> {
    let of = |status: Option<Verdict>, state, symbol, words: &str| {
        let alike = routes.iter().filter(|route| route.status == status);
        let names: Vec<&str> = alike.map(|route| route.route).collect();
        (!names.is_empty()).then(|| Way {
            state,
            symbol,
            words: format!("{words} over {}", named(&names, NAMES_SHOWN)),
        })
    };
    let ways = [
        of(Some(Verdict::Critical), "critical", "✕", "does not work"),
        of(Some(Verdict::Warning), "warning", "!", "works in part"),
        of(Some(Verdict::Ok), "ok", "✓", "works"),
        of(None, "waiting", "…", "is not known yet"),
    ];
    ways.into_iter().flatten().collect()
}

fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut once = Vec::new();
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

/// `a, b and 3 more`.
fn named(names: &[&str], most: usize) -> String {
    let shown = names.get(..most).unwrap_or(names);
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `2 services`.
pub(super) fn more(untold: usize) -> String {
    counted(untold, "service")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::tests::histories;

    #[test]
    fn a_service_is_told_once_with_all_of_its_routes() {
        let histories = histories();
        let services = Services::new(&histories);
        let told: Vec<_> = services
            .troubled
            .iter()
            .map(|service| (service.title, service.state, service.fails.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("site", "critical", "admin-service"),
                (
                    "Tenant attach",
                    "critical",
                    "aadcdn.msauth.net, graph.microsoft.com, us.events.data.microsoft.com"
                ),
            ]
        );
        let ways = services.troubled[1].ways.iter();
        let ways: Vec<_> = ways.map(|way| (way.state, &*way.words)).collect();
        assert_eq!(
            ways,
            [
                ("critical", "does not work over direct"),
                ("warning", "works in part over corp")
            ]
        );
        assert_eq!((services.untold, &*services.well), (0, ""));
    }

    #[test]
    fn what_works_is_named() {
        let histories: Vec<_> = histories()
            .into_iter()
            .filter(|it| it.check.endpoint.service == "site" || it.check.route.name == "corp")
            .filter(|it| it.latest().is_some_and(|outcome| outcome.result.is_ok()))
            .collect();
        let services = Services::new(&histories);
        assert!(services.troubled.is_empty());
        assert_eq!(services.well, "site, Tenant attach");
    }

    #[test]
    fn many_names_are_cut() {
        assert_eq!(named(&["a", "b"], 2), "a, b");
        assert_eq!(named(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(named(&[], 2), "");
    }
}
