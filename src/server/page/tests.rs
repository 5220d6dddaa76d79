use std::fs;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::endpoint::Origin;
use crate::history::CheckHistory;
use crate::outcome::{DnsReason, Failure, Outcome, RootStanding, RootState};
use crate::plan::fixture::{check, cut, failure, held, success, with_hold};
use crate::plan::{Check, Shard};
use crate::report::sample;
use crate::route::{Route, Via};
use crate::server::tests::{histories, history_of};

const HOSTILE: &str = "<script>alert(\"1\")</script>'&<img src=x onerror=alert(1)>";

fn now() -> SystemTime {
    sample::started() + Duration::from_secs(754)
}

fn overview_of(histories: &[CheckHistory]) -> String {
    asked(histories, &Selection::default(), 1)
}

fn asked(histories: &[CheckHistory], selection: &Selection, page: usize) -> String {
    let shown = Shown {
        histories,
        causes: &sample::causes(),
        not_probed: &sample::not_probed(),
        trust_store: &[],
        selection,
        page,
        now: now(),
        shard: None,
    };
    Overview::new(&shown).render().unwrap()
}

#[test]
fn a_shard_says_that_it_is_one() {
    let histories = histories();
    let page = |shard| {
        let shown = Shown {
            histories: &histories,
            causes: &[],
            not_probed: &[],
            trust_store: &[],
            selection: &Selection::default(),
            page: 1,
            now: now(),
            shard,
        };
        Overview::new(&shown).render().unwrap()
    };
    let words = "This reachd is shard 1 of 3";
    assert!(page(Shard::new(1, 3).ok()).contains(words));
    assert!(!page(None).contains("shard"));
}

/// Leaves the pages of the sample in `target/page`, to be looked at with a browser.
#[test]
fn the_sample_can_be_looked_at() {
    let directory = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("target/page");
    fs::create_dir_all(directory.join("assets")).unwrap();
    let histories = histories();
    let local = |page: String| {
        page.replace("\"/assets/", "\"assets/")
            .replace("http-equiv=\"refresh\"", "")
    };
    let write = |name: &str, content: String| fs::write(directory.join(name), content).unwrap();
    write("assets/style.css", STYLE.to_owned());
    write("assets/page.js", SCRIPT.to_owned());
    write("assets/icon.svg", ICON.to_owned());
    write("index.html", local(overview_of(&histories)));
    for (name, history) in ["failing", "bypassed", "plain"].iter().zip(&histories) {
        write(
            &format!("{name}.html"),
            local(CheckPage::new(history, now()).render().unwrap()),
        );
    }
    let proxied = histories
        .iter()
        .find(|history| history.check.endpoint.name == "login.microsoftonline.com");
    write(
        "proxied.html",
        local(CheckPage::new(proxied.unwrap(), now()).render().unwrap()),
    );
}

/// The catalog marks up what is typed, and the page shows it as such.
#[test]
fn what_breaks_is_told_in_the_catalogs_words() {
    let aka = check("tenant-attach", "aka.ms", "https://aka.ms/");
    let mut aka = Check::clone(&aka);
    let endpoint = Arc::make_mut(&mut aka.endpoint);
    endpoint.origin = Origin::Catalog;
    endpoint.cloud = Some("public".to_owned());
    let fails = failure(1, DnsReason::NxDomain);
    let page = overview_of(&[history_of(&Arc::new(aka), &[fails])]);
    assert!(
        page.contains("<code>aka.ms/configmgrgateway</code> among it."),
        "{page}"
    );
}

#[test]
fn the_page_says_the_verdict_in_words() {
    let all = histories();
    let (failing, fine): (Vec<_>, Vec<_>) = all.into_iter().partition(|history| {
        history
            .latest()
            .is_some_and(|outcome| outcome.result.is_err())
    });
    let (ran, waiting): (Vec<_>, Vec<_>) = fine
        .into_iter()
        .partition(|history| history.latest().is_some());
    let lesser: Vec<_> = failing
        .iter()
        .filter(|history| !history.check.endpoint.critical)
        .cloned()
        .collect();
    let cases = [
        (
            vec![],
            "NO CHECKS",
            "Nothing is configured to be checked",
            "0 checks: 0 succeeding",
        ),
        (
            ran,
            "OK",
            "Everything required is reachable",
            "5 checks: 5 succeeding",
        ),
        (
            waiting,
            "WAITING",
            "Nothing fails so far",
            "1 check: 0 succeeding, 1 waiting for the first probe",
        ),
        (
            lesser,
            "WARNING",
            "Something is not reachable, but nothing critical",
            "2 checks: 2 failing (none of them critical), 0 succeeding",
        ),
        (
            failing,
            "CRITICAL",
            "Something critical is not reachable",
            "6 checks: 6 failing (4 critical), 0 succeeding",
        ),
    ];
    for (histories, word, headline, tally) in cases {
        let page = overview_of(&histories);
        for expected in [
            format!("<title>{word} · reachd</title>"),
            format!("<h1>{headline}</h1>"),
            format!(">{tally}</p>"),
        ] {
            assert!(page.contains(&expected), "{expected} is not in {page}");
        }
    }
}

#[test]
fn a_check_without_an_outcome_says_that_it_waits() {
    let waiting = history_of(&check("s", "e", "https://host.example/"), &[]);
    assert!(overview_of(std::slice::from_ref(&waiting)).contains("<a class=\"cell waiting\""));
    let page = CheckPage::new(&waiting, now()).render().unwrap();
    assert!(page.contains("Waiting for its first probe"), "{page}");
}

#[test]
fn whatever_the_network_or_the_configuration_says_is_escaped() {
    let failure = Failure::of_endpoint(DnsReason::BadAnswer, HOSTILE);
    let mut outcome = Outcome::clone(&sample::results()[0].1);
    outcome.result = Err(failure);
    for dns in &mut outcome.observed.dns {
        HOSTILE.clone_into(&mut dns.name);
    }
    for seen in &mut outcome.observed.tls {
        let mut certificates = seen.certificates.to_vec();
        for certificate in &mut certificates {
            HOSTILE.clone_into(&mut certificate.subject);
            certificate.names = vec![HOSTILE.to_owned()];
        }
        seen.certificates = certificates.into();
    }
    let route = Route {
        name: HOSTILE.to_owned(),
        ..Route::direct()
    };
    let check = sample::http(HOSTILE, HOSTILE, "https://host.example/", route);
    let history = history_of(&check, &[Arc::new(outcome)]);

    let not_probed = [crate::catalog::NotProbed {
        service: HOSTILE.to_owned(),
        endpoint: HOSTILE.to_owned(),
        why: HOSTILE.to_owned(),
    }];
    let trust_store = [RootStanding {
        root: HOSTILE.to_owned(),
        sha256: HOSTILE.to_owned(),
        store: HOSTILE.to_owned(),
        state: RootState::Missing,
        bundled: false,
    }];
    let mut causes = sample::causes();
    for cause in &mut causes {
        HOSTILE.clone_into(&mut cause.subject);
        for evidence in &mut cause.evidence {
            HOSTILE.clone_into(&mut evidence.words);
            HOSTILE.clone_into(&mut evidence.check.endpoint);
        }
    }
    let histories = [history];
    let pages = [
        Overview::new(&Shown {
            histories: &histories,
            causes: &causes,
            not_probed: &not_probed,
            trust_store: &trust_store,
            selection: &Selection {
                text: HOSTILE.to_owned(),
                ..Selection::default()
            },
            page: 1,
            now: now(),
            shard: None,
        })
        .render()
        .unwrap(),
        overview_of(&histories),
        CheckPage::new(&histories[0], now()).render().unwrap(),
    ];
    for page in pages {
        assert!(page.contains("&#60;script&#62;"), "{page}");
        for raw in ["<script>", "<img src=x", "alert(\"1\")", "\"1\")<"] {
            assert!(!page.contains(raw), "{raw} is in {page}");
        }
    }
}

#[test]
fn no_page_needs_what_the_content_security_policy_forbids() {
    let histories = histories();
    let mut pages = vec![overview_of(&histories)];
    pages.extend(
        histories
            .iter()
            .map(|history| CheckPage::new(history, now()).render().unwrap()),
    );
    for page in pages {
        for forbidden in [
            "<script>",
            "<style",
            " style=",
            " onclick=",
            "http://www",
            "javascript:",
        ] {
            assert!(!page.contains(forbidden), "{forbidden} is in {page}");
        }
    }
}

#[test]
fn a_large_plan_keeps_the_page_bounded_and_shows_what_fails() {
    let mut histories: Vec<_> = (0..1200)
        .map(|number| {
            let check = check("s", &format!("e{number:04}"), "https://host.example/");
            history_of(&check, &[Arc::clone(&sample::results()[2].1)])
        })
        .collect();
    let failure = Failure::of_endpoint(DnsReason::NxDomain, "no such name");
    let check = check("z", "the-last", "https://host.example/");
    histories.push(history_of(
        &check,
        &[sample::failed(Via::Direct, failure, &[])],
    ));

    let page = overview_of(&histories);
    assert_eq!(page.matches("class=\"cell ").count(), 100);
    assert!(page.len() < 100_000, "{} bytes", page.len());
    // What fails is told first, whatever page of the matrix it is on.
    assert_eq!(page.matches("/checks/z/the-last/direct").count(), 1);
    assert!(page.contains("1–100 of 1202 endpoints"), "{page}");
    assert!(page.contains("/?page=2#checks"), "{page}");
    let last = asked(&histories, &Selection::default(), 99);
    assert!(last.contains("1201–1202 of 1202 endpoints"), "{last}");
    let failing = Selection {
        state: Some(crate::server::standing::State::Failing),
        ..Selection::default()
    };
    let failing = asked(&histories, &failing, 1);
    assert_eq!(failing.matches("class=\"cell critical\"").count(), 1);
    assert!(failing.contains("<option selected>failing</option>"));
}

#[test]
fn everything_together_is_light() {
    let page = overview_of(&histories()).len();
    let together = page + STYLE.len() + SCRIPT.len() + ICON.len();
    assert!(together < 100_000, "{together} bytes");
}

#[test]
fn the_overview_marks_checks_whose_idle_connection_was_not_held() {
    let check = with_hold(&check("s", "held", "https://host.example/"));
    let mut history = history_of(&check, &[success(1)]);
    history.hold = Some(held(1));
    let page = |history: &CheckHistory| overview_of(std::slice::from_ref(history));
    assert!(!page(&history).contains("idle connection"));
    history.hold = Some(cut(1));
    let text = page(&history);
    let mark = "<small>idle connection closed after 4.0 s of 180 s by the proxy";
    assert!(text.contains(mark), "{text}");
    assert!(
        text.contains("1 check: 1 succeeding, 1 idle connection not held"),
        "{text}"
    );
}

#[test]
fn the_page_of_a_check_says_how_its_idle_connection_fared() {
    let check = with_hold(&check("s", "held", "https://host.example/"));
    let mut history = history_of(&check, &[Arc::clone(&sample::results()[2].1)]);
    let page = |history: &CheckHistory| CheckPage::new(history, now()).render().unwrap();
    assert!(page(&history).contains("The first one is still to end."));
    history.hold = Some(held(1));
    assert!(page(&history).contains("held 180 s of 180 s"));
    history.hold = Some(cut(1));
    let text = page(&history);
    assert!(text.contains("closed after 4.0 s of 180 s by the proxy: hold/closed_early"));
    assert!(text.contains("without a word of the endpoint"), "{text}");
}
