//! Which names are asked for when a host is wanted: the host itself, and what the operating system makes of it
//! with its search domains. As glibc does it (resolv.conf(5)), and within that as this system is set up.

use hickory_resolver::proto::rr::Name;
use tokio::time::Instant;

use super::answer::without_dot;
use super::exchange::Servers;
use super::findings::Findings;
use crate::outcome::DnsReason;
use crate::platform::NameSearch;

/// The name that decides, what was found for it, and which other names were asked for.
#[derive(Debug)]
pub(super) struct Sought {
    pub(super) name: Name,
    pub(super) findings: Findings,
    others: Vec<Name>,
}

/// The names to ask for, in order.
#[derive(Debug)]
struct Candidates {
    names: Vec<Name>,
    whole: Whole,
}

/// What part the host as it was written has among the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    /// It is meant; the domains are what might help.
    First,
    /// It may be meant, and comes after the domains.
    Last,
    /// It is a single label: asked for after the domains as a matter of form. A server that does not want to be
    /// asked for such a thing must not hide what the domains' servers said.
    LastResort,
}

/// Asks for one name after the other until one has addresses, or an answer forbids to go on.
pub(super) async fn seek(
    host: &str,
    search: &NameSearch,
    servers: &Servers,
    deadline: Instant,
) -> Result<Sought, String> {
    let candidates = Candidates::of(host, search)?;
    let mut asked: Vec<(Name, Findings)> = Vec::new();
    for name in &candidates.names {
        let findings = Findings::of(servers, name, deadline).await;
        let reason = findings.reason();
        asked.push((name.clone(), findings));
        if !candidates.go_on_after(reason) {
            break;
        }
    }
    let reasons: Vec<Option<DnsReason>> = asked.iter().map(|(_, found)| found.reason()).collect();
    let (name, findings) = asked.remove(candidates.deciding(&reasons));
    Ok(Sought {
        name,
        findings,
        others: asked.into_iter().map(|(name, _)| name).collect(),
    })
}

impl Sought {
    /// What the deciding answer was, and which names had none either.
    pub(super) fn detail(&self) -> String {
        let detail = self.findings.detail();
        if self.others.is_empty() {
            return detail;
        }
        let others: Vec<String> = self.others.iter().map(without_dot).collect();
        format!("{detail} (also asked for: {})", others.join(", "))
    }
}

impl Candidates {
    fn of(host: &str, search: &NameSearch) -> Result<Self, String> {
        let whole = fully_qualified(host)?;
        let dots = host.matches('.').count();
        let place = match dots {
            _ if dots >= search.dots => Whole::First,
            0 => Whole::LastResort,
            _ => Whole::Last,
        };
        let is_complete = host.ends_with('.') || (place == Whole::First && !search.whole_names);
        let domains = search.domains.iter().filter(|_| !is_complete);
        let mut names: Vec<Name> = domains
            .filter_map(|domain| whole.clone().append_domain(domain).ok())
            .collect();
        let at = if place == Whole::First {
            0
        } else {
            names.len()
        };
        names.insert(at, whole);
        Ok(Self {
            names,
            whole: place,
        })
    }

    /// Only where there is no such name, or no address for it. A name that was to be completed from the beginning
    /// is also sought on when a domain's servers are broken, for the domain may not be meant.
    fn go_on_after(&self, reason: Option<DnsReason>) -> bool {
        match reason {
            Some(DnsReason::NxDomain | DnsReason::NoAddress) => true,
            Some(DnsReason::ServFail) => self.whole != Whole::First,
            _ => false,
        }
    }

    /// The place of the name that decides, of what those brought that were asked for: the one with addresses, if
    /// any; else the host where it is the one that is meant, and otherwise the name that says more than that
    /// there is none.
    fn deciding(&self, reasons: &[Option<DnsReason>]) -> usize {
        let last = reasons.len().saturating_sub(1);
        if reasons.last() == Some(&None) {
            return last;
        }
        let weighed = match self.whole {
            Whole::First => &reasons[..reasons.len().min(1)],
            Whole::LastResort if last > 0 && reasons.len() == self.names.len() => &reasons[..last],
            Whole::Last | Whole::LastResort => reasons,
        };
        let rank = |(_, reason): &(usize, &Option<DnsReason>)| match reason {
            Some(DnsReason::NxDomain) => 0,
            Some(DnsReason::ServFail) => 1,
            Some(DnsReason::NoAddress) => 2,
            _ => 3,
        };
        let most_telling = weighed.iter().enumerate().max_by_key(rank);
        most_telling.map_or(last, |(place, _)| place)
    }
}

/// A label is taken as it is: whoever read the host did its IDNA, and to the DNS any octet is a letter (RFC 2181
/// §11). Windows hosts have names such as `cm_01`, which the rules for host names of RFC 1123 forbid.
pub(super) fn fully_qualified(host: &str) -> Result<Name, String> {
    let labels = host.strip_suffix('.').unwrap_or(host).split('.');
    Name::from_labels(labels.map(str::as_bytes))
        .map_err(|error| format!("not a domain name: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_the_dns_can_hold_can_be_asked_for() {
        let table = [
            "cm_01.corp.example",
            "cm01_.corp.example",
            "_ldap._tcp.corp.example",
            "-cm01-.corp.example",
            "xn--bcher-kva.example",
            "cm01",
        ];
        for host in table {
            for written in [host.to_owned(), format!("{host}.")] {
                let name = fully_qualified(&written).unwrap();
                let labels: Vec<&[u8]> = host.split('.').map(str::as_bytes).collect();
                assert_eq!(name.iter().collect::<Vec<_>>(), labels, "{written}");
                assert!(name.is_fqdn());
            }
        }
        let long = format!("{}.example", "a".repeat(64));
        for host in ["", ".", "a..example", long.as_str()] {
            assert!(fully_qualified(host).is_err(), "{host}");
        }
    }

    #[test]
    fn names_are_completed_as_the_system_does_it() {
        let search = |dots, whole_names| NameSearch {
            domains: ["a.example", "b.example"]
                .map(|domain| fully_qualified(domain).unwrap())
                .to_vec(),
            dots,
            whole_names,
        };
        let table: [(&str, NameSearch, &[&str]); 8] = [
            (
                "cm01",
                search(1, true),
                &["cm01.a.example.", "cm01.b.example.", "cm01."],
            ),
            (
                "cm01.site",
                search(1, true),
                &["cm01.site.", "cm01.site.a.example.", "cm01.site.b.example."],
            ),
            (
                "cm01.site",
                search(2, true),
                &["cm01.site.a.example.", "cm01.site.b.example.", "cm01.site."],
            ),
            (
                "cm01",
                search(0, true),
                &["cm01.", "cm01.a.example.", "cm01.b.example."],
            ),
            // Windows
            (
                "cm01",
                search(1, false),
                &["cm01.a.example.", "cm01.b.example.", "cm01."],
            ),
            ("cm01.site", search(1, false), &["cm01.site."]),
            // Whole by its own dot, and a resolver of one's own
            ("cm01.", search(1, true), &["cm01."]),
            ("cm01", NameSearch::default(), &["cm01."]),
        ];
        for (host, search, expected) in table {
            let candidates = Candidates::of(host, &search).unwrap();
            let names: Vec<String> = candidates.names.iter().map(Name::to_ascii).collect();
            assert_eq!(names, expected, "{host} {search:?}");
        }
    }

    #[test]
    fn the_search_ends_as_in_glibc_and_decides_for_people() {
        let (nx, empty, broken, refused, late) = (
            Some(DnsReason::NxDomain),
            Some(DnsReason::NoAddress),
            Some(DnsReason::ServFail),
            Some(DnsReason::Refused),
            Some(DnsReason::Timeout),
        );
        let search = NameSearch {
            domains: ["a.example", "b.example"]
                .map(|domain| fully_qualified(domain).unwrap())
                .to_vec(),
            dots: 2,
            whole_names: true,
        };
        // What each name brings in its turn, how many are asked for, and which one decides.
        let table = [
            ("cm01.site", [nx, None, nx], 2, 1),
            ("cm01.site", [nx, nx, nx], 3, 2),
            ("cm01.site", [empty, nx, nx], 3, 0),
            ("cm01.site", [broken, nx, None], 3, 2),
            ("cm01.site", [broken, nx, nx], 3, 0),
            ("cm01.site", [nx, nx, refused], 3, 2),
            ("cm01.site", [nx, late, None], 2, 1),
            ("cm01", [nx, nx, nx], 3, 1),
            ("cm01", [nx, nx, refused], 3, 1),
            ("cm01", [empty, nx, late], 3, 0),
            ("cm01", [nx, nx, None], 3, 2),
            ("cm01", [nx, late, None], 2, 1),
            ("www.corp.example", [None, nx, nx], 1, 0),
            ("www.corp.example", [nx, nx, None], 3, 2),
            ("www.corp.example", [nx, empty, nx], 3, 0),
            ("www.corp.example", [broken, None, nx], 1, 0),
            ("www.corp.example", [nx, late, None], 2, 0),
        ];
        for (host, brings, expected, decides) in table {
            let candidates = Candidates::of(host, &search).unwrap();
            let end = brings.iter().position(|it| !candidates.go_on_after(*it));
            let asked = end.map_or(brings.len(), |place| place + 1);
            assert_eq!(asked, expected, "{host} {brings:?}");
            let place = candidates.deciding(&brings[..asked]);
            assert_eq!(place, decides, "{host} {brings:?}");
        }
    }

    #[test]
    fn a_label_without_domains_stands_for_itself() {
        let candidates = Candidates::of("cm01", &NameSearch::default()).unwrap();
        assert_eq!(candidates.deciding(&[Some(DnsReason::Refused)]), 0);
    }
}
