use std::sync::Arc;
use std::time::Duration;

use super::layout::WIDTH;
use super::*;
use crate::diagnosis::{Finding, diagnose};
use crate::explain::Explanation;
use crate::outcome::{ConnectReason, DnsReason, Failure, Outcome, Phase, Step, TlsReason};
use crate::plan::Check;
use crate::plan::fixture::{cut, expired, held, never_held, success, with_hold};
use crate::report::sample::{self, failed, http};
use crate::route::{Route, Via};

const EXPLANATION: Explanation = Explanation {
    what: "What it means, told at such a length that it does not fit into a single line of the report, and so goes on.",
    likely: &[
        "the likeliest cause, which also takes somewhat more room than a line of this report has to give to it",
        "another one",
    ],
    steps: &["the first thing to do", "the second"],
    owner: "the people who can mend it",
};

fn text_of(results: &[(Arc<Check>, Arc<Outcome>)], colour: bool) -> String {
    let not_probed = sample::not_probed();
    let mut report = Report::new(
        results,
        &not_probed,
        sample::started(),
        Duration::from_millis(1800),
    );
    report.version = "0.0.0";
    for check in &mut report.checks {
        if let Some(failure) = &mut check.finding.failure {
            failure.explanation = EXPLANATION;
        }
    }
    report.text(colour).to_string()
}

#[test]
fn a_stranger_reads_verdict_failures_checks_and_what_was_not_probed() {
    let text = text_of(&sample::results(), false);
    assert_eq!(
        text,
        include_str!("golden.txt"),
        "the report is now:\n{text}"
    );
}

#[test]
fn causes_come_first_with_their_evidence_and_what_to_do() {
    let check = |number: usize| {
        let name = format!("host-{number}");
        http("site", &name, "https://host.example/", sample::corp())
    };
    let refused = || Failure::of_proxy(ConnectReason::Refused, "10.0.0.1:3128: refused\u{1b}");
    let results: Vec<_> = (0..5)
        .map(|number| (check(number), failed(Via::Proxy, refused(), &[])))
        .collect();
    let findings = results.iter();
    let findings =
        findings.map(|(check, outcome)| Finding::of_round(check, outcome, sample::started()));
    let causes = diagnose(&findings.collect::<Vec<_>>(), &[], sample::started());
    let report = Report::new(&results, &[], sample::started(), Duration::ZERO).with_causes(causes);
    let text = report.text(false).to_string();
    let cause = text.find("\nCAUSE: proxy_down corp (critical)\n").unwrap();
    let told =
        "\n- connect/refused at the proxy, over route corp: 5 checks, because of proxy_down corp\n";
    assert!(cause < text.find(told).unwrap(), "{text}");
    assert!(!text.contains("\n1. "), "{text}");
    assert_eq!(text.matches("Means").count(), 1, "{text}");
    let verbose = report.in_full(true).text(false).to_string();
    assert!(
        verbose.contains("\n1. connect/refused at the proxy"),
        "{verbose}"
    );
    assert!(!verbose.contains("because of"), "{verbose}");
    for expected in [
        "   Evidence      5 checks say so\n",
        "                 - host-0 (site) over route corp: connect/refused, proxy: 10.0.0.1:3128: refused",
        "                 - and 2 more\n",
        "   Means         The proxy cannot be reached or used",
        "   Owner         proxy team\n",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn only_what_a_cause_explains_is_told_in_a_line() {
    let (results, not_probed) = (sample::results(), sample::not_probed());
    let text = sample::report(&results, &not_probed)
        .text(false)
        .to_string();
    let line = "\n- dns/nxdomain at the endpoint, over route direct: 2 checks, because of resolver_wrong system\n";
    assert!(text.contains(line), "{text}");
    assert!(!text.contains(". dns/nxdomain"), "{text}");
    let (first, last) = (
        "\n1. tls/expired at the endpoint",
        "\n4. response/bad_status",
    );
    assert!(text.contains(first) && text.contains(last), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= WIDTH),
        "{text}"
    );
}

#[test]
fn no_line_is_longer_than_the_width() {
    let long = "a-name-that-never-ends".repeat(9);
    let mut results = sample::results();
    let steps: Vec<(Step, u64)> = Phase::OF_PROBE
        .map(|phase| (phase.with_endpoint(), 9_999_000))
        .to_vec();
    let failure = Failure::of_endpoint(TlsReason::Timeout, "no answer");
    results.push((
        http("z", &long, "https://host.example/", sample::corp()),
        failed(Via::Direct, failure, &steps),
    ));
    // A name that somebody may want to copy stays whole where it stands by itself.
    for line in text_of(&results, false)
        .lines()
        .filter(|line| !line.contains(&long))
    {
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
}

#[test]
fn colours_repeat_the_words_and_nothing_else() {
    let results = sample::results();
    let mut plain = text_of(&results, true);
    assert!(plain.contains("\u{1b}[1;31mCRITICAL\u{1b}[0m: "), "{plain}");
    for code in [
        "\u{1b}[1;31m",
        "\u{1b}[1;32m",
        "\u{1b}[1;33m",
        "\u{1b}[1m",
        "\u{1b}[0m",
    ] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, text_of(&results, false));
}

#[test]
fn a_terminal_does_not_obey_what_the_network_said() {
    let failure =
        Failure::of_endpoint(DnsReason::BadAnswer, "\u{1b}]0;owned\u{7}\nOK: all is well");
    let check = http(
        "s\u{1b}[2J",
        "e\u{1b}[2J",
        "https://host.example/",
        Route::direct(),
    );
    let steps = [(Phase::Dns.with_endpoint(), 1)];
    let text = text_of(&[(check, failed(Via::Direct, failure, &steps))], false);
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text}"
    );
    assert!(!text.contains("\nOK: all"), "{text}");
}

#[test]
fn many_details_are_told_by_example() {
    let results: Vec<_> = (0..7)
        .map(|number| {
            let check = http(
                "s",
                &format!("e{number}"),
                "https://host.example/",
                Route::direct(),
            );
            let failure = Failure::of_endpoint(DnsReason::Timeout, format!("detail {number}"));
            (check, failed(Via::Direct, failure, &[]))
        })
        .collect();
    let text = text_of(&results, false);
    assert!(text.contains("detail 2\n"), "{text}");
    assert!(!text.contains("detail 3"), "{text}");
    assert!(text.contains("... and 4 more like these"), "{text}");
}

#[test]
fn the_headline_says_how_bad_it_is() {
    let results = sample::results();
    let (failing, succeeding): (Vec<_>, Vec<_>) = results
        .into_iter()
        .partition(|(_, outcome)| outcome.result.is_err());
    let (critical, not_critical): (Vec<_>, Vec<_>) = failing
        .into_iter()
        .partition(|(check, _)| check.endpoint.critical);
    let cases = [
        (Vec::new(), "OK: there is nothing to check."),
        (
            succeeding[..1].to_vec(),
            "OK: the one required check succeeds.",
        ),
        (succeeding.clone(), "OK: all 5 required checks succeed."),
        (
            not_critical.clone(),
            "WARNING: 2 of 2 required checks fail, none of them critical.",
        ),
        (
            critical.clone(),
            "CRITICAL: 4 of 4 required checks fail, all of them critical.",
        ),
        (
            critical[..1].to_vec(),
            "CRITICAL: 1 of 1 required check fails, and it is critical.",
        ),
        (
            [not_critical[..1].to_vec(), succeeding.clone()].concat(),
            "WARNING: 1 of 6 required checks fails, and it is not critical.",
        ),
    ];
    for (results, headline) in cases {
        assert_eq!(text_of(&results, false).lines().next(), Some(headline));
    }
}

#[test]
fn what_is_tolerated_is_told_after_the_table() {
    let mut results = sample::results();
    let mut outcome = Outcome::clone(&results[0].1);
    let detail = "www.example.test:443: the certificate was issued by CN=Corp Inspection CA";
    outcome.warnings = vec![Failure::of_endpoint(TlsReason::Intercepted, detail)];
    results[0].1 = Arc::new(outcome);
    let text = text_of(&results, false);
    let (before, after) = text.split_once("Reachable, but\n").unwrap();
    assert!(!before.contains("Corp Inspection CA"), "{text}");
    assert!(after.contains("tls/intercepted at the endpoint"), "{text}");
    assert!(after.contains("Corp Inspection CA"), "{text}");
}

#[test]
fn idle_connections_are_told_one_a_line_and_each_failure_explained_once() {
    let long = "a-name-that-never-ends".repeat(2);
    let check = |name: &str| with_hold(&http("s", name, "https://host.example/", sample::corp()));
    let checks = ["a\u{1b}[2J", "b", &long].map(check);
    let results = checks.clone().map(|check| (check, success(1)));
    let holds: Vec<_> = checks.into_iter().zip([cut(1), held(1), cut(1)]).collect();
    let started = sample::started();
    let report = Report::new(&results, &[], started, Duration::from_secs(180));
    let text = report.with_holds(&holds).text(false).to_string();
    assert!(
        text.starts_with(
            "WARNING: all 3 required checks succeed.\n2 of 3 idle connections did not last.\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("OK    b (s) over corp: held 180 s of 180 s\n"),
        "{text}"
    );
    assert_eq!(text.matches("Means").count(), 1, "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= WIDTH),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text}");

    let failing = [(results[0].0.clone(), expired(1))];
    let holds = [(results[0].0.clone(), never_held(1, TlsReason::Expired))];
    let report = Report::new(&failing, &[], started, Duration::from_secs(1));
    let text = report.with_holds(&holds).text(false).to_string();
    assert_eq!(text.matches("Means").count(), 1, "above: {text}");

    let silent = Report::new(&results, &[], started, Duration::from_secs(1));
    let text = silent.without_holds(2).text(false).to_string();
    assert!(text.starts_with("OK: "), "{text}");
    assert!(
        text.contains("Not held: 2 idle connections. `--hold`"),
        "{text}"
    );
}
