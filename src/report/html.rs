//! The report as one HTML file to attach to a ticket: it asks for nothing else, runs nothing, and looks like the page.

use std::collections::HashMap;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::bar::{self, Piece};
use super::cards::Card;
use super::causes::{CauseCard, Explained};
use super::words::{self, Moment, counted, short};
use super::{CheckResult, FailureGroup, NotProbed, Report, Verdict, of_trust_store};

/// The look, the same as the status page's.
const STYLE: &str = include_str!("../../templates/style.css");

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page<'r, 'a> {
    style: &'static str,
    /// By which the browser knows that the style is ours.
    style_hash: String,
    state: &'static str,
    word: &'static str,
    headline: String,
    message: (u16, &'static str),
    started: String,
    took: String,
    causes: Vec<CauseCard<'r>>,
    cards: Vec<Card<'a>>,
    key: [(&'static str, &'static str); 7],
    services: Vec<Service<'r>>,
    trust_store: Vec<String>,
    not_probed: &'r [NotProbed<'a>],
}

struct Service<'r> {
    name: &'r str,
    rows: Vec<Row<'r>>,
}

struct Row<'r> {
    number: usize,
    state: &'static str,
    symbol: &'static str,
    endpoint: &'r str,
    critical: bool,
    route: &'r str,
    url: &'r str,
    found: String,
    detail: &'r str,
    warnings: Vec<String>,
    hold: Option<String>,
    time: String,
    pieces: Vec<Piece>,
    seen: Vec<String>,
}

type Key<'a> = (&'a str, &'a str, &'a str);

impl<'r, 'a> Page<'r, 'a> {
    pub(super) fn new(report: &'r Report<'a>) -> Self {
        let numbers: HashMap<Key<'_>, usize> = report.checks.iter().map(key).zip(1..).collect();
        let href = |service: &str, endpoint: &str, route: &str| {
            let number = numbers.get(&(service, endpoint, route));
            number.map_or_else(String::new, |number| format!("#check-{number}"))
        };
        let explained = Explained::by(&report.causes);
        let groups = FailureGroup::among(&report.checks);
        let is_told =
            |group: &FailureGroup<'_, '_>| group.checks.iter().all(|check| explained.has(check));
        let (state, word) = match report.verdict {
            Verdict::Ok => ("ok", "OK"),
            Verdict::Warning => ("warning", "WARNING"),
            Verdict::Critical => ("critical", "CRITICAL"),
        };
        let numbered: Vec<(usize, &CheckResult<'a>)> = (1..).zip(&report.checks).collect();
        Self {
            style: STYLE,
            style_hash: STANDARD.encode(Sha256::digest(STYLE)),
            state,
            word,
            headline: headline(report),
            message: (report.message_id, report.verdict.message()),
            started: humantime::format_rfc3339_seconds(report.started).to_string(),
            took: format!("{:.1} s", report.seconds),
            causes: report
                .causes
                .iter()
                .map(|cause| CauseCard::new(cause, report.started, href))
                .collect(),
            cards: groups
                .iter()
                .filter(|group| !is_told(group))
                .map(|group| Card::new(group, |it| href(it.service, it.endpoint, it.route)))
                .collect(),
            key: bar::key(),
            services: numbered
                .chunk_by(|(_, one), (_, other)| one.subject.service == other.subject.service)
                .map(Service::new)
                .collect(),
            trust_store: of_trust_store(report.trust_store),
            not_probed: &report.not_probed,
        }
    }
}

fn key<'a>(check: &CheckResult<'a>) -> Key<'a> {
    let subject = &check.subject;
    (subject.service, subject.endpoint, subject.route)
}

fn headline(report: &Report<'_>) -> String {
    let failing = report.checks.iter();
    match failing.filter(|check| !check.finding.success).count() {
        0 => format!("{} reachable", counted(report.checks.len(), "check")),
        failing => format!(
            "{failing} of {} failing",
            counted(report.checks.len(), "check")
        ),
    }
}

impl<'r> Service<'r> {
    fn new(checks: &[(usize, &'r CheckResult<'_>)]) -> Self {
        let name = checks
            .first()
            .map_or("", |(_, check)| check.subject.service);
        Self {
            name,
            rows: checks
                .iter()
                .map(|(number, check)| Row::new(*number, check))
                .collect(),
        }
    }
}

impl<'r> Row<'r> {
    fn new(number: usize, check: &'r CheckResult<'_>) -> Self {
        let (subject, finding) = (&check.subject, &check.finding);
        let (state, symbol) = match (finding.success, subject.critical) {
            (true, _) => ("ok", "✓"),
            (false, true) => ("critical", "✕"),
            (false, false) => ("warning", "!"),
        };
        let failure = finding.failure.as_ref();
        let failed = failure.map(|failure| (failure.phase, failure.peer));
        Self {
            number,
            state,
            symbol,
            endpoint: subject.endpoint,
            critical: subject.critical,
            route: subject.route,
            url: &subject.url,
            found: failure.map_or("reachable".to_owned(), |failure| {
                format!(
                    "{}/{} at the {}",
                    failure.phase, failure.reason, failure.peer
                )
            }),
            detail: failure.map_or("", |failure| failure.detail),
            warnings: finding
                .warnings
                .iter()
                .map(|warning| format!("{}/{}: {}", warning.phase, warning.reason, warning.detail))
                .collect(),
            hold: check.hold.as_ref().map(super::HoldResult::words),
            time: short(finding.phases.total()),
            pieces: bar::pieces_of(finding.phases, failed),
            seen: seen(check),
        }
    }
}

/// What the probe saw, in a few lines.
fn seen(check: &CheckResult<'_>) -> Vec<String> {
    let observed = check.finding.observed;
    let mut lines = vec![format!("went {}", words::via(check.finding.via))];
    for connect in &observed.connects {
        let error = connect.error.as_deref().unwrap_or("connected");
        lines.push(format!("{} {}: {error}", connect.peer, connect.address));
    }
    for tls in &observed.tls {
        lines.push(format!("TLS with the {}: {}", tls.peer, tls.agreed()));
        for certificate in tls.certificates.iter() {
            let ends = Moment::new(certificate.not_after, certificate.not_after).exact;
            lines.push(format!(
                "{}, issued by {}, ends {ends}",
                certificate.subject, certificate.issuer
            ));
        }
    }
    for asked in observed.revocation.iter() {
        lines.push(format!(
            "revocation of {} by {}: {}",
            asked.subject,
            asked.method.as_str(),
            asked.state.as_str()
        ));
    }
    if let Some(http) = &observed.http {
        lines.push(format!("{} {}", http.version, http.status));
        for redirect in &http.redirects {
            lines.push(format!("{} to {}", redirect.status, redirect.url));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::report::sample;

    #[test]
    fn one_file_says_everything_and_asks_for_nothing() {
        let (results, not_probed) = (sample::results(), sample::not_probed());
        let report = sample::report(&results, &not_probed);
        let page = report.html().unwrap();
        for expected in [
            "The resolver system gives wrong answers",
            "6 of 11 checks failing",
            "<tr id=\"check-7\"",
            "href=\"#check-7\"",
            "&#60;cmg&#62;.cloudapp.net",
            "default-src &#39;none&#39;; style-src &#39;sha256-",
        ] {
            let plain = expected.replace("&#39;", "'");
            assert!(page.contains(&plain), "{plain} is not in {page}");
        }
        for forbidden in ["<script", "src=", "<link", "@import", "url(", " style="] {
            assert!(!page.contains(forbidden), "{forbidden} is in the report");
        }
    }
}
