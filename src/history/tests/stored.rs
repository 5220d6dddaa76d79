//! What outlives the process, and what a bad file or disk does not do.

use std::fs;
use std::sync::atomic::{AtomicU8, Ordering};

use tempfile::TempDir;

use super::*;
use crate::history::store::FILE;

/// What the report said last; 2 before it said anything.
type Said = Arc<AtomicU8>;

fn open(folder: &Path) -> (History, Said) {
    let said = Said::new(AtomicU8::new(2));
    let heard = Arc::clone(&said);
    let report = Box::new(move |is_up| heard.store(u8::from(is_up), Ordering::SeqCst));
    (History::kept_in(folder, report), said)
}

fn check() -> Arc<Check> {
    fixture::check("site", "gate\"way", "https://gateway.example/")
}

/// Seconds since 1970 of a while ago, so that nothing is too old.
fn a_while_ago() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs() - 1_000
}

/// A daemon's life: from its start, over these outcomes, to its end.
fn live(folder: &Path, outcomes: &[Arc<Outcome>]) -> Vec<Outage> {
    let (history, said) = open(folder);
    assert_eq!(said.load(Ordering::SeqCst), 1, "the file is there");
    let check = check();
    history.planned(&fixture::plan([&check]));
    let watcher = history.watch(&check);
    for outcome in outcomes {
        watcher.observed(outcome);
    }
    assert!(history.close());
    history.outages(&OutageFilter::default(), 100)
}

#[test]
fn outages_and_uptime_outlive_the_process() {
    let folder = TempDir::new().unwrap();
    let start = a_while_ago();
    let known = live(
        folder.path(),
        &[success(start), expired(start + 60), success(start + 120)],
    );
    assert_eq!(known.len(), 1);
    assert_eq!(live(folder.path(), &[]), known);

    let (history, _) = open(folder.path());
    history.planned(&fixture::plan([&check()]));
    let uptime = history
        .uptime(&check().key(), seconds(start + 140))
        .unwrap();
    let [hour, ..] = uptime;
    assert_eq!((hour.succeeded.as_secs(), hour.failed.as_secs()), (80, 60));
    assert!(history.close());
}

#[test]
fn an_outage_goes_on_over_a_restart_or_ends_with_its_last_failure() {
    let folder = TempDir::new().unwrap();
    let start = a_while_ago();
    let first = live(folder.path(), &[expired(start), expired(start + 60)]);
    assert_eq!((first.len(), first[0].end), (1, None));
    // Long after, it still fails.
    let second = live(folder.path(), &[expired(start + 400)]);
    assert_eq!((second.len(), second[0].failures), (1, 3));
    assert_eq!((second[0].start, second[0].end), (seconds(start), None));
    // Long after that, it succeeds.
    let third = live(folder.path(), &[success(start + 800)]);
    assert_eq!(third[0].end, Some(seconds(start + 400)));
    assert_eq!(live(folder.path(), &[]), third);
}

#[test]
fn an_outage_of_a_check_that_is_not_there_any_more_is_over() {
    let folder = TempDir::new().unwrap();
    let start = a_while_ago();
    live(folder.path(), &[expired(start)]);
    let (history, _) = open(folder.path());
    history.planned(&fixture::plan([]));
    assert!(history.close());
    let (history, _) = open(folder.path());
    let outages = history.outages(&OutageFilter::default(), 100);
    assert_eq!((outages.len(), outages[0].end), (1, Some(seconds(start))));
}

#[test]
fn a_damaged_file_is_set_aside() {
    let start = a_while_ago();
    let healthy = TempDir::new().unwrap();
    live(healthy.path(), &[expired(start), success(start + 60)]);
    let whole = fs::read(healthy.path().join(FILE)).unwrap();
    let mut scribbled = whole.clone();
    scribbled[4_096..].fill(0xa5);
    let cases: [(&str, &[u8]); 4] = [
        (
            "text",
            b"this is no database, though it is long enough to look like one",
        ),
        ("cut", &whole[..whole.len() / 2]),
        ("head alone", &whole[..100]),
        ("scribbled", &scribbled),
    ];
    for (name, bytes) in cases {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(FILE), bytes).unwrap();
        live(folder.path(), &[expired(start), success(start + 60)]);
        let names = fs::read_dir(folder.path()).unwrap();
        let names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
        let aside: Vec<String> = names.filter(|name| name.contains(".bad-")).collect();
        assert_eq!(aside.len(), 1, "{name}");
        assert_eq!(
            fs::read(folder.path().join(&aside[0])).unwrap().len(),
            bytes.len(),
            "{name}"
        );
        assert_eq!(live(folder.path(), &[]).len(), 1, "{name}: it goes on");
    }
}

#[test]
fn a_file_of_a_later_version_is_set_aside() {
    let folder = TempDir::new().unwrap();
    let start = a_while_ago();
    live(folder.path(), &[expired(start), success(start + 60)]);
    let database = redb::Database::open(folder.path().join(FILE)).unwrap();
    let transaction = database.begin_write().unwrap();
    let format = redb::TableDefinition::<&str, u64>::new("format");
    transaction
        .open_table(format)
        .unwrap()
        .insert("version", 2)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_eq!(live(folder.path(), &[]), []);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn without_a_disk_it_goes_on_in_memory() {
    let folder = TempDir::new().unwrap();
    let no_folder = folder.path().join("file");
    fs::write(&no_folder, "").unwrap();
    let (history, said) = open(&no_folder);
    assert_eq!(said.load(Ordering::SeqCst), 0);
    history.planned(&fixture::plan([&check()]));
    history.watch(&check()).observed(&expired(0));
    assert_eq!(history.outages(&OutageFilter::default(), 100).len(), 1);
    assert!(!history.close());
}

#[test]
fn two_processes_do_not_share_a_file() {
    let folder = TempDir::new().unwrap();
    let (first, _) = open(folder.path());
    let (second, said) = open(folder.path());
    assert_eq!(said.load(Ordering::SeqCst), 0);
    assert!(first.close() && !second.close());
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is set aside"
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it waits for another thread")]
fn what_begins_is_on_the_disk_soon_without_an_orderly_end() {
    let folder = TempDir::new().unwrap();
    let start = a_while_ago();
    let (history, _) = open(folder.path());
    history.planned(&fixture::plan([&check()]));
    history.watch(&check()).observed(&expired(start));
    // As after a crash: the file as it is, under another name.
    let copy = TempDir::new().unwrap();
    let found = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        fs::copy(folder.path().join(FILE), copy.path().join(FILE)).unwrap();
        let (history, _) = open(copy.path());
        history.planned(&fixture::plan([&check()]));
        let found = history.outages(&OutageFilter::default(), 100).len() == 1;
        history.close() && found
    });
    assert!(found);
    assert!(history.close());
}
