//! One fetch at a time, remembered for as long as it is worth.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::time::{advance, sleep};

use super::*;
use crate::outcome::RevocationReason;
use crate::probe::revocation::fixture::{Authority, Crl};

const SECOND: Duration = Duration::from_secs(1);

fn key(url: &str) -> Key {
    Key {
        issuer: [0; 32],
        serial: None,
        url: url.to_owned(),
        route: "direct".to_owned(),
    }
}

fn document(until: Duration, renew: Duration) -> Document {
    let authority = Authority::new("CA");
    let bytes = authority.list(&Crl::default());
    let now = SystemTime::now();
    let made = Document::of_list(&bytes, &authority.subject(&[1]), now, now).unwrap();
    Document {
        until: now + until,
        renew: now + renew,
        ..made
    }
}

fn is_good(found: &Found) -> bool {
    matches!(found, Found::Known(Ok(_)))
}

#[tokio::test(start_paused = true)]
async fn many_wait_for_one_fetch_that_goes_on_without_them() {
    let store = Arc::new(RevocationStore::default());
    let fetches = Arc::new(AtomicUsize::new(0));
    let release = Arc::new(Notify::new());
    let find = || {
        store.find(&key("a"), SECOND, |_| {
            fetches.fetch_add(1, Ordering::Relaxed);
            let release = Arc::clone(&release);
            async move {
                release.notified().await;
                Ok(document(60 * SECOND, 50 * SECOND))
            }
        })
    };
    let waiting: Vec<Found> = (0..100).map(|_| find()).collect();
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
    drop(waiting);
    let Found::Awaited(pending) = find() else {
        panic!("nobody let it end");
    };
    release.notify_one();
    assert!(pending.wait().await.unwrap().is_ok());
    assert!(is_good(&find()));
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_moment() {
    let store = Arc::new(RevocationStore::default());
    let fetches = Arc::new(AtomicUsize::new(0));
    let find = || {
        store.find(&key("a"), 10 * SECOND, |_| {
            fetches.fetch_add(1, Ordering::Relaxed);
            async { Err(Trouble::new(RevocationReason::Unreachable, "gone")) }
        })
    };
    let Found::Awaited(pending) = find() else {
        panic!("nothing can be known yet");
    };
    assert!(pending.wait().await.unwrap().is_err());
    advance(9 * SECOND).await;
    assert!(matches!(find(), Found::Known(Err(_))));
    advance(2 * SECOND).await;
    assert!(matches!(find(), Found::Awaited(_)));
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_while_the_old_one_serves() {
    let store = Arc::new(RevocationStore::default());
    let renewals = Arc::new(AtomicUsize::new(0));
    let find = |renew: Duration| {
        store.find(&key("a"), SECOND, |renewal| {
            renewals.fetch_add(usize::from(renewal), Ordering::Relaxed);
            async move { Ok(document(60 * SECOND, renew)) }
        })
    };
    let Found::Awaited(pending) = find(Duration::ZERO) else {
        panic!("nothing can be known yet");
    };
    pending.wait().await.unwrap().unwrap();
    assert!(is_good(&find(50 * SECOND)));
    sleep(SECOND).await;
    assert!(is_good(&find(50 * SECOND)));
    assert_eq!(renewals.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_used_for_longest_goes() {
    let store = Arc::new(RevocationStore::default());
    for number in 0..MOST_ENTRIES + 10 {
        let fetched = store.find(&key(&number.to_string()), SECOND, |_| async {
            Err(Trouble::new(RevocationReason::Unreachable, "gone"))
        });
        let Found::Awaited(pending) = fetched else {
            panic!("{number}");
        };
        pending.wait().await;
    }
    let state = store.state();
    assert_eq!(state.entries.len(), MOST_ENTRIES);
    assert!(!state.entries.contains_key(&key("0")));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_broke_holds_nobody_up() {
    let store = Arc::new(RevocationStore::default());
    let found = store.find(&key("a"), SECOND, |_| async { panic!("as it should") });
    let Found::Awaited(pending) = found else {
        panic!("nothing can be known yet");
    };
    assert!(pending.wait().await.is_none());
    let again = store.find(&key("a"), SECOND, |_| async {
        Ok(document(60 * SECOND, SECOND))
    });
    let Found::Awaited(pending) = again else {
        panic!("the broken one was kept");
    };
    assert!(pending.wait().await.unwrap().is_ok());
}
