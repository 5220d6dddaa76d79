//! One fetch at a time, remembered for as long as it is worth.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::time::sleep;

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
    matches!(found, Found::Known(known) if known.fetched.is_ok())
}

/// What is told at once, if it is a failure.
fn told(found: &Found) -> Option<&str> {
    match found {
        Found::Known(known) => known.fetched.as_ref().err().map(|why| why.detail.as_str()),
        Found::Retried(former, _) => Some(former.detail.as_str()),
        Found::Awaited(_) => None,
    }
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
async fn a_failure_is_told_at_once_until_it_is_over() {
    let store = Arc::new(RevocationStore::default());
    let fetches = Arc::new(AtomicUsize::new(0));
    let find = |ends: Result<(), &'static str>| {
        store.find(&key("a"), 10 * SECOND, |_| {
            fetches.fetch_add(1, Ordering::Relaxed);
            async move {
                sleep(3 * SECOND).await;
                let why = |why| Trouble::new(RevocationReason::Timeout, why);
                ends.map(|()| document(60 * SECOND, 50 * SECOND))
                    .map_err(why)
            }
        })
    };
    let tried = || fetches.load(Ordering::Relaxed);
    let Found::Awaited(pending) = find(Err("first")) else {
        panic!("nothing can be known yet");
    };
    assert!(pending.wait().await.unwrap().is_err());
    sleep(9 * SECOND).await;
    assert_eq!(told(&find(Err("second"))), Some("first"));
    assert_eq!(tried(), 1, "it is not tried more often than that");
    // Far later than it used to be remembered: whoever asks still waits for nothing, and one tries again.
    sleep(300 * SECOND).await;
    for _ in 0..10 {
        assert_eq!(told(&find(Err("second"))), Some("first"));
    }
    assert_eq!(tried(), 2, "one at a time");
    sleep(4 * SECOND).await;
    assert_eq!(told(&find(Ok(()))), Some("second"), "the last one is told");
    sleep(20 * SECOND).await;
    assert_eq!(told(&find(Ok(()))), Some("second"));
    sleep(4 * SECOND).await;
    assert!(is_good(&find(Ok(()))));
    assert_eq!(tried(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_new_plan_may_have_another_way() {
    let store = Arc::new(RevocationStore::default());
    let find = || {
        store.find(&key("a"), 10 * SECOND, |_| async {
            Err(Trouble::new(RevocationReason::Timeout, "gone"))
        })
    };
    let Found::Awaited(pending) = find() else {
        panic!("nothing can be known yet");
    };
    pending.wait().await.unwrap().unwrap_err();
    assert_eq!(told(&find()), Some("gone"));
    store.forget_failures();
    assert!(matches!(find(), Found::Awaited(_)));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_renewed_serves_on_and_says_so() {
    let store = Arc::new(RevocationStore::default());
    let find = |fetched: Result<Document, Trouble>| {
        store.find(&key("a"), SECOND, |_| async move { fetched })
    };
    let Found::Awaited(pending) = find(Ok(document(60 * SECOND, Duration::ZERO))) else {
        panic!("nothing can be known yet");
    };
    pending.wait().await.unwrap().unwrap();
    let gone = || Err(Trouble::new(RevocationReason::Unreachable, "gone"));
    assert!(is_good(&find(gone())));
    sleep(SECOND).await;
    let Found::Known(known) = find(gone()) else {
        panic!("it was there");
    };
    assert!(known.fetched.is_ok());
    assert_eq!(known.renewal.unwrap().detail, "gone");
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
    assert!(state.entries.len() <= MOST_ENTRIES);
    assert!(state.entries.len() >= MOST_ENTRIES / 8 * 7);
    assert!(!state.entries.contains_key(&key("0")));
    let last = (MOST_ENTRIES + 9).to_string();
    assert!(state.entries.contains_key(&key(&last)));
    let counted: usize = state
        .entries
        .iter()
        .map(|(key, entry)| entry.size(key))
        .sum();
    assert_eq!(state.bytes, counted);
}

#[tokio::test(start_paused = true)]
async fn there_is_room_for_an_answer_to_each_of_ten_thousand_checks() {
    let store = Arc::new(RevocationStore::default());
    let answer = Arc::new(document(60 * SECOND, 50 * SECOND));
    let keys: Vec<Key> = (0..20_000).map(|number| key(&number.to_string())).collect();
    for key in &keys {
        store.keep(key, &Ok(Arc::clone(&answer)), SECOND);
    }
    let state = store.state();
    assert!(keys.iter().all(|key| state.entries.contains_key(key)));
    assert!(state.bytes < MOST_BYTES / 4, "{}", state.bytes);
}

#[tokio::test(start_paused = true)]
async fn what_takes_much_goes_by_its_bytes() {
    let store = Arc::new(RevocationStore::default());
    let long = "x".repeat(MOST_BYTES / 16);
    for number in 0..32 {
        let why = Trouble::new(RevocationReason::Malformed, long.as_str());
        store.keep(&key(&number.to_string()), &Err(Arc::new(why)), SECOND);
    }
    let state = store.state();
    assert!(state.bytes <= MOST_BYTES, "{}", state.bytes);
    assert!(state.entries.contains_key(&key("31")));
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
