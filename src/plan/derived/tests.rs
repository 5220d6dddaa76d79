use super::*;
use crate::endpoint::{Origin, RevocationMethod, Shared, Target};
use crate::plan::Revocation;
use crate::plan::fixture::{check, check_of, not_critical, plan, proxied};

const INTERVAL: Duration = Duration::from_secs(300);

fn place(publication: Publication, url: &str) -> Place {
    Place {
        publication,
        url: Url::parse(url).unwrap(),
    }
}

fn list(url: &str) -> Place {
    place(Publication::RevocationList, url)
}

fn alone(place: &Place) -> Named {
    let is = |publication| usize::from(place.publication == publication);
    Named {
        place: place.clone(),
        lists: is(Publication::RevocationList),
        responders: is(Publication::Answers),
    }
}

/// A check that looks for revocation, as `require` or merely as `report`.
fn looking(check: &Check, mode: RevocationMode) -> Arc<Check> {
    Arc::new(Check {
        revocation: Shared::from(Revocation {
            mode,
            methods: RevocationMethod::ALL.to_vec(),
            ..Revocation::clone(&check.revocation)
        }),
        ..check.clone()
    })
}

fn required(service: &str, endpoint: &str) -> Arc<Check> {
    let url = format!("https://{endpoint}/");
    looking(&check(service, endpoint, &url), RevocationMode::Require)
}

fn with(checks: &[Arc<Check>], found: &[(&Arc<Check>, &[Place])]) -> Plan {
    let found = found
        .iter()
        .map(|(check, places)| (check.key(), places.iter().map(alone).collect()));
    plan(checks).with_places(&found.collect(), INTERVAL)
}

fn derived(plan: &Plan) -> Vec<(&str, &str, bool)> {
    let checks = plan.checks.iter().map(|check| &check.endpoint);
    checks
        .filter(|endpoint| endpoint.origin.is_derived())
        .map(|endpoint| {
            let (service, name) = (endpoint.service.as_str(), endpoint.name.as_str());
            (service, name, endpoint.critical)
        })
        .collect()
}

#[test]
fn a_place_is_an_endpoint_of_the_service_over_the_revocation_route() {
    let other = Arc::new(proxied("proxy.example"));
    let parent = required("site", "a.example");
    let parent = Arc::new(Check {
        revocation: Shared::from(Revocation {
            route: Arc::clone(&other),
            ..Revocation::clone(&parent.revocation)
        }),
        ..Check::clone(&parent)
    });
    let plan = with(
        std::slice::from_ref(&parent),
        &[(&parent, &[list("http://crl.example/one.crl")])],
    );
    assert_eq!(derived(&plan), [("site", "crl.example/one.crl", true)]);
    let check = plan
        .checks
        .iter()
        .find(|check| check.endpoint.origin == Origin::Certificate)
        .unwrap();
    assert_eq!(check.route, other);
    assert_eq!(check.interval, INTERVAL);
    assert_eq!(check.revocation.mode, RevocationMode::Off);
    let target = Target::Http(Url::parse("http://crl.example/one.crl").unwrap());
    assert_eq!(check.endpoint.target, target);
    assert_eq!(check.endpoint.publishes, Some(Publication::RevocationList));
}

#[test]
fn places_of_many_checks_are_one_endpoint_in_each_service() {
    let checks = [
        required("one", "a.example"),
        required("one", "b.example"),
        required("two", "a.example"),
    ];
    let places = [list("http://crl.example/one.crl")];
    let found: Vec<(&Arc<Check>, &[Place])> =
        checks.iter().map(|check| (check, &places[..])).collect();
    let plan = with(&checks, &found);
    let expected = ["one", "two"].map(|service| (service, "crl.example/one.crl", true));
    assert_eq!(derived(&plan), expected);
}

#[test]
fn it_is_critical_where_a_critical_endpoint_fails_without_it() {
    let required = required("s", "required.example");
    let merely = looking(&required, RevocationMode::Report);
    let lesser = not_critical(&required);
    for (parents, publication, expected) in [
        (vec![&required], Publication::Answers, true),
        (vec![&required], Publication::Certificate, false),
        (vec![&merely], Publication::Answers, false),
        (vec![&lesser], Publication::Answers, false),
    ] {
        let places = [place(publication, "http://a.example/x")];
        let checks: Vec<Arc<Check>> = parents.iter().map(|check| Arc::clone(check)).collect();
        let found: Vec<(&Arc<Check>, &[Place])> =
            parents.iter().map(|check| (*check, &places[..])).collect();
        assert_eq!(derived(&with(&checks, &found))[0].2, expected);
    }
}

#[test]
fn a_name_that_is_taken_has_the_kind_behind_it() {
    let parent = required("s", "a.example");
    let taken = check("s", "ocsp.example", "http://ocsp.example/");
    let elsewhere = check("other", "free.example", "http://free.example/");
    let checks = [Arc::clone(&parent), taken, elsewhere];
    let places = [
        place(Publication::Answers, "http://ocsp.example/"),
        place(Publication::Answers, "http://both.example/"),
        place(Publication::Certificate, "http://both.example/"),
        place(Publication::Answers, "http://free.example/"),
        list("http://twice.example/a.crl"),
        list("https://twice.example/a.crl"),
    ];
    let plan = with(&checks, &[(&parent, &places)]);
    let names: Vec<&str> = derived(&plan).iter().map(|(_, name, _)| *name).collect();
    let expected = [
        "both.example#aia",
        "both.example#ocsp",
        "free.example",
        "ocsp.example#ocsp",
        "twice.example/a.crl#crl",
    ];
    assert_eq!(names, expected);
}

#[test]
fn there_are_no_more_than_so_many_and_that_is_said() {
    let parent = required("s", "a.example");
    let places: Vec<Place> = (0..MOST_OF_SERVICE + 3)
        .map(|number| list(&format!("http://crl.example/{number}.crl")))
        .collect();
    let plan = with(std::slice::from_ref(&parent), &[(&parent, &places)]);
    assert_eq!(derived(&plan).len(), MOST_OF_SERVICE);
    let told = plan.not_probed.last().unwrap();
    assert!(told.why.starts_with("3 more"), "{}", told.why);
}

#[test]
fn nothing_is_left_of_checks_that_are_gone() {
    let parent = required("s", "a.example");
    let gone = check_of(
        "s",
        "gone",
        Target::Http(Url::parse("https://gone.example/").unwrap()),
        proxied("proxy.example"),
    );
    let places = [list("http://crl.example/one.crl")];
    let plan = with(std::slice::from_ref(&parent), &[(&Arc::new(gone), &places)]);
    assert_eq!(derived(&plan), []);
}

#[test]
fn what_has_an_alternative_is_not_critical() {
    let check = required("s", "a.example");
    let only_lists = Arc::new(Check {
        revocation: Shared::from(Revocation {
            methods: vec![RevocationMethod::Crl],
            ..Revocation::clone(&check.revocation)
        }),
        ..Check::clone(&check)
    });
    let list = list("http://crl.example/a.crl");
    let answers = place(Publication::Answers, "http://ocsp.example/");
    for (check, place, lists, responders, expected) in [
        (&check, &list, 1, 0, true),
        (&check, &list, 2, 0, false),
        (&check, &list, 1, 1, false),
        (&check, &answers, 1, 1, false),
        (&only_lists, &list, 1, 1, true),
        (&only_lists, &answers, 1, 1, false),
        (&only_lists, &answers, 0, 1, false),
    ] {
        let named = Named {
            place: place.clone(),
            lists,
            responders,
        };
        let case = format!("{:?} {lists} {responders}", place.publication);
        assert_eq!(check.fails_without(&named), expected, "{case}");
    }
}

#[test]
fn nothing_is_derived_where_nobody_looks() {
    let off = looking(&required("s", "a.example"), RevocationMode::Off);
    let places = [list("http://crl.example/a.crl")];
    let plan = with(std::slice::from_ref(&off), &[(&off, &places)]);
    assert_eq!(derived(&plan), []);
}

#[test]
fn where_there_is_no_room_what_is_critical_goes_first() {
    let (required, merely) = (
        required("s", "z.example"),
        looking(&required("s", "a.example"), RevocationMode::Report),
    );
    let many: Vec<Place> = (0..MOST_OF_SERVICE)
        .map(|number| list(&format!("http://a.example/{number}.crl")))
        .collect();
    let needed = [list("http://z.example/needed.crl")];
    let checks = [Arc::clone(&required), Arc::clone(&merely)];
    let plan = with(&checks, &[(&required, &needed), (&merely, &many)]);
    assert!(derived(&plan).contains(&("s", "z.example/needed.crl", true)));
}
