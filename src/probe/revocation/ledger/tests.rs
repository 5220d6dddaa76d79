use super::*;
use crate::endpoint::RevocationMethod;
use crate::outcome::{CertificatePlace, RevocationState};
use crate::plan::fixture;
use crate::probe::revocation::fixture::{Authority, ISSUER, LIST, RESPONDER};

fn key(endpoint: &str) -> CheckKey {
    CheckKey {
        service: "s".to_owned(),
        endpoint: endpoint.to_owned(),
        route: "direct".to_owned(),
    }
}

fn check(endpoint: &str) -> Arc<Check> {
    let mut check = (*fixture::check("s", endpoint, "https://web.test/")).clone();
    check.revocation.mode = RevocationMode::Report;
    Arc::new(check)
}

fn path(authority: &Authority, serial: &[u8]) -> Arc<[CertificateDer<'static>]> {
    authority.path(serial).into()
}

/// A probe that met these chains.
fn meet(page: &Page, paths: &[&Arc<[CertificateDer<'static>]>], came_to_its_end: bool) {
    let chains: Vec<Arc<Chain>> = paths.iter().map(|path| page.read(path)).collect();
    page.write(&chains, came_to_its_end);
}

fn urls(ledger: &Ledger, endpoint: &str) -> Vec<(Publication, String)> {
    let places = ledger.places().remove(&key(endpoint)).unwrap_or_default();
    let pairs = places.iter();
    pairs
        .map(|named| (named.place.publication, named.place.url.to_string()))
        .collect()
}

#[test]
fn what_a_certificate_names_is_told_once() {
    let ledger = Ledger::default();
    let authority = Authority::new("Lab CA");
    let page = ledger.page(&check("a"), "direct");
    meet(
        &page,
        &[&path(&authority, &[1]), &path(&authority, &[2])],
        true,
    );
    let responder = format!("{RESPONDER}/");
    assert_eq!(
        urls(&ledger, "a"),
        [
            (Publication::RevocationList, LIST.to_owned()),
            (Publication::Answers, responder),
            (Publication::Certificate, ISSUER.to_owned()),
        ]
    );
}

#[test]
fn a_chain_is_parsed_once() {
    let ledger = Ledger::default();
    let page = ledger.page(&check("a"), "direct");
    let path = path(&Authority::new("Lab CA"), &[1]);
    meet(&page, &[&path], true);
    assert!(Arc::ptr_eq(&page.read(&path), &page.read(&path)));
}

#[test]
fn what_many_checks_find_out_about_a_chain_is_kept_once() {
    let ledger = Ledger::default();
    let path = path(&Authority::new("Lab CA"), &[1]);
    let chain = |endpoint| ledger.page(&check(endpoint), "direct").read(&path);
    let seen = |state| RevocationSeen {
        certificate: CertificatePlace::Leaf,
        subject: "CN=web.test".into(),
        method: RevocationMethod::Crl,
        state,
        url: Some(LIST.into()),
        detail: None,
        this_update: None,
        next_update: None,
    };
    let (a, b) = (chain("a"), chain("b"));
    let [good, same, revoked] = [
        a.shared(vec![seen(RevocationState::Good)]),
        b.shared(vec![seen(RevocationState::Good)]),
        a.shared(vec![seen(RevocationState::Revoked)]),
    ];
    assert!(Arc::ptr_eq(&good, &same));
    assert_eq!(revoked[0].state, RevocationState::Revoked);
    assert_eq!(good[0].state, RevocationState::Good);
}

#[test]
fn changes_are_told_and_only_they() {
    let ledger = Ledger::default();
    let mut changes = ledger.changes();
    let page = ledger.page(&check("a"), "direct");
    let path = path(&Authority::new("Lab CA"), &[1]);
    meet(&page, &[&path], true);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    meet(&page, &[&path], true);
    meet(&page, &[], false);
    assert!(!changes.has_changed().unwrap());
}

#[test]
fn a_chain_is_forgotten_when_no_probe_of_late_met_it() {
    let ledger = Ledger::default();
    let page = ledger.page(&check("a"), "direct");
    let authority = Authority::new("Lab CA");
    let (first, second) = (path(&authority, &[1]), path(&authority, &[2]));
    meet(&page, &[&first], true);
    // A probe that failed on its way tells nothing of what there is.
    for _ in 0..PROBES_OF_LATE * 2 {
        meet(&page, &[], false);
    }
    assert!(!urls(&ledger, "a").is_empty());
    // Two servers that take turns are both there.
    for _ in 0..PROBES_OF_LATE {
        meet(&page, &[&second], true);
        meet(&page, &[&first], true);
    }
    assert_eq!(page.chains().len(), 2);
    let mut changes = ledger.changes();
    changes.mark_unchanged();
    for _ in 0..PROBES_OF_LATE {
        meet(&page, &[], true);
    }
    assert!(urls(&ledger, "a").is_empty());
    assert!(changes.has_changed().unwrap());
}

#[test]
fn another_route_of_a_check_does_not_make_its_certificates_unknown() {
    let ledger = Ledger::default();
    let path = path(&Authority::new("Lab CA"), &[1]);
    meet(&ledger.page(&check("a"), "direct"), &[&path], true);
    let page = ledger.page(&check("a"), "corp");
    assert_eq!(page.chains().len(), 1);
    assert!(!urls(&ledger, "a").is_empty());
}

#[test]
fn more_chains_than_so_many_are_not_looked_at() {
    let ledger = Ledger::default();
    let page = ledger.page(&check("a"), "direct");
    let authority = Authority::new("Lab CA");
    for serial in 1..=u8::try_from(MOST_CHAINS).unwrap() + 2 {
        meet(&page, &[&path(&authority, &[serial])], false);
    }
    assert_eq!(page.chains().len(), MOST_CHAINS);
}

#[test]
fn a_place_is_looked_at_with_a_certificate_that_names_it() {
    let ledger = Ledger::default();
    let authority = Authority::new("Lab CA");
    let path = path(&authority, &[7]);
    let place = Place {
        publication: Publication::RevocationList,
        url: Url::parse(LIST).unwrap(),
    };
    assert!(ledger.naming(&place, "s", "direct").is_none());
    for endpoint in ["a", "b"] {
        meet(&ledger.page(&check(endpoint), "direct"), &[&path], true);
    }
    let (chain, index, count) = ledger.naming(&place, "s", "direct").unwrap();
    assert_eq!(
        (chain.subjects[index].serial.as_slice(), count),
        (&[7][..], 2)
    );
    assert!(ledger.naming(&place, "s", "corp").is_none());
    assert!(ledger.naming(&place, "other", "direct").is_none());
    // What is published as a list is no responder.
    let other = Place {
        publication: Publication::Answers,
        ..place
    };
    assert!(ledger.naming(&other, "s", "direct").is_none());
}

#[test]
fn checks_that_are_gone_are_forgotten() {
    let ledger = Ledger::default();
    let path = path(&Authority::new("Lab CA"), &[7]);
    for endpoint in ["a", "b"] {
        meet(&ledger.page(&check(endpoint), "direct"), &[&path], true);
    }
    ledger.keep_only(&fixture::plan([&check("b")]));
    let left: Vec<CheckKey> = ledger.places().into_keys().collect();
    assert_eq!(left, [key("b")]);
}
