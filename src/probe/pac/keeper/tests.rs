//! How long a script is kept, and how long the reason why there is none.

use tokio::time::advance;

use super::*;
use crate::endpoint::ResolverSettings;
use crate::outcome::Peer;
use crate::probe::dns::Resolver;
use crate::probe::tls::{ANY_VERSION, Trust};

const REFRESH: Duration = Duration::from_secs(600);

fn keeper(source: PacSource) -> Keeper {
    let fetcher = Fetcher {
        resolver: Arc::new(Resolver::new(&ResolverSettings::System).unwrap()),
        trust: Arc::new(Trust::new(None, ANY_VERSION).unwrap()),
        peer: Peer::Proxy,
    };
    Keeper::new(source, fetcher)
}

fn fetched() -> Keeper {
    keeper(PacSource::Url {
        url: "http://127.0.0.1:9/wpad.dat".parse().unwrap(),
        refresh: REFRESH,
    })
}

fn script(text: &str) -> Arc<Script> {
    Arc::new(Script::new("test".to_owned(), text.as_bytes()))
}

fn kept(result: Result<Arc<Script>, String>, too_short: Option<Duration>) -> Kept {
    Kept {
        result,
        since: Instant::now(),
        stamp: None,
        too_short,
    }
}

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_script_is_kept_for_its_time() {
    let keeper = fetched();
    let script = kept(Ok(script("")), None);
    assert!(keeper.is_fresh(&script, in_seconds(10)));
    advance(REFRESH).await;
    assert!(!keeper.is_fresh(&script, in_seconds(10)));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_moment() {
    let keeper = fetched();
    let failed = kept(Err("refused".to_owned()), None);
    assert!(keeper.is_fresh(&failed, in_seconds(10)));
    advance(REMEMBERED).await;
    assert!(!keeper.is_fresh(&failed, in_seconds(10)));
}

#[tokio::test(start_paused = true)]
async fn whoever_has_far_more_time_tries_again() {
    let keeper = fetched();
    let late = kept(Err("late".to_owned()), Some(Duration::from_secs(1)));
    assert!(keeper.is_fresh(&late, in_seconds(2)));
    assert!(!keeper.is_fresh(&late, in_seconds(3)));
}

#[tokio::test]
async fn nobody_waits_longer_than_its_deadline_for_another_fetch() {
    let keeper = fetched();
    let _held = keeper.kept.lock().await;
    let deadline = Instant::now() + Duration::from_millis(20);
    let why = keeper.script(deadline).await.unwrap_err();
    assert!(why.contains("another check fetches it"), "{why}");
}

#[test]
fn what_did_not_change_stays_the_same() {
    let keeper = fetched();
    let former = script("a");
    let renewed = |bytes: &[u8]| {
        let former = kept(Ok(Arc::clone(&former)), None);
        keeper
            .same_or_new(Some(former), Ok(bytes.to_vec()))
            .unwrap()
    };
    assert!(Arc::ptr_eq(&renewed(b"a"), &former));
    assert!(!Arc::ptr_eq(&renewed(b"b"), &former));
}

#[tokio::test]
async fn a_file_that_is_too_long_or_no_file_is_none() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("proxy.pac");
    fs::write(&path, vec![b' '; MOST_BYTES + 1]).unwrap();
    let why = keeper(PacSource::File(path)).script(in_seconds(10)).await;
    assert!(why.unwrap_err().contains("longer than 1024 KiB"));
    let source = PacSource::File(folder.path().to_owned());
    let why = keeper(source).script(in_seconds(10)).await.unwrap_err();
    assert!(why.contains("not a regular file"), "{why}");
}

#[tokio::test]
async fn a_file_system_that_hangs_is_asked_once() {
    let keeper = keeper(PacSource::File("/nowhere/proxy.pac".into()));
    let hanging = tokio::spawn(std::future::pending());
    let id = hanging.id();
    *keeper.unfinished.lock().await = Some(hanging);
    for _ in 0..2 {
        *keeper.kept.lock().await = None;
        let deadline = Instant::now() + Duration::from_millis(20);
        let why = keeper.script(deadline).await.unwrap_err();
        assert!(why.contains("could not be read in time"), "{why}");
        let unfinished = keeper.unfinished.lock().await;
        assert_eq!(unfinished.as_ref().map(JoinHandle::id), Some(id));
    }
}
