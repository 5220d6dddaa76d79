//! What the folder keeps, and what it does not believe.

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::probe::revocation::fixture::{Authority, Crl};

fn key(url: &str) -> Key {
    Key {
        issuer: [0; 32],
        serial: None,
        url: url.to_owned(),
        route: "direct".to_owned(),
    }
}

#[test]
fn what_is_written_is_verified_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(&folder.path().join("made")).unwrap();
    let authority = Authority::new("CA");
    let subject = authority.subject(&[1]);
    let read = |key: &Key, now| {
        disk.read(key, |bytes, since| {
            Document::of_list(bytes, &subject, since, now)
        })
    };
    let now = SystemTime::now();
    disk.write(&key("a"), &authority.list(&Crl::default()));
    disk.write(&key("b"), b"garbage");
    disk.write(&key("c"), &Authority::new("CA").list(&Crl::default()));
    assert!(read(&key("a"), now).is_some());
    for other in ["b", "c", "d"] {
        assert!(read(&key(other), now).is_none(), "{other}");
    }
    // After its time it is good for nothing, and goes.
    let later = now + Duration::from_secs(24 * 3600);
    assert!(read(&key("a"), later).is_none());
    assert!(read(&key("a"), now).is_none());
    let left = fs::read_dir(folder.path().join("made").join(FOLDER)).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = Disk::open(&file).unwrap_err();
    assert!(error.contains("cannot be written to"), "{error}");
}

fn aged(path: &Path, modified: SystemTime) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(modified).unwrap();
}

#[test]
fn what_was_never_finished_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join(FOLDER);
    fs::create_dir(&files).unwrap();
    let now = SystemTime::now();
    let table = [
        ("old.part", now - 2 * LEFT_BEHIND, false),
        ("ahead.part", now + LEFT_BEHIND, false),
        ("young.part", now, true),
        ("old.der", now - 2 * LEFT_BEHIND, true),
    ];
    for (name, modified, _) in table {
        fs::write(files.join(name), b"some").unwrap();
        aged(&files.join(name), modified);
    }
    let disk = Disk::open(folder.path()).unwrap();
    for (name, _, stays) in table {
        assert_eq!(files.join(name).exists(), stays, "{name}");
    }
    assert_eq!(locked(&disk.kept).files, 1);
}

#[test]
fn a_file_of_the_future_came_now() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(folder.path()).unwrap();
    disk.write(&key("a"), b"some");
    let now = SystemTime::now();
    aged(
        &disk.path(&key("a")),
        now + Duration::from_secs(365 * 24 * 3600),
    );
    let mut told = None;
    disk.read(&key("a"), |_, since| {
        told = Some(since);
        Err(Trouble::malformed("no matter"))
    });
    assert!(told.unwrap() < now + Duration::from_secs(60), "{told:?}");
}

#[test]
fn a_pipe_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(folder.path()).unwrap();
    let pipe = disk.path(&key("a"));
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let (tell, told) = mpsc::channel();
    let reader = thread::spawn(move || {
        let read = disk.read(&key("a"), |_, _| Err(Trouble::malformed("no matter")));
        tell.send(read.is_none()).unwrap();
    });
    let told = told.recv_timeout(Duration::from_secs(10));
    assert!(told.expect("the pipe was opened"));
    reader.join().unwrap();
    assert!(!pipe.exists());
}

#[test]
fn what_lies_where_something_is_written_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, b"whole").unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    assert!(write_new(&link, b"broken").is_err());
    assert_eq!(fs::read(&victim).unwrap(), b"whole");
}

#[tokio::test]
async fn a_disk_that_hangs_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(folder.path()).unwrap();
    let (release, hangs) = mpsc::channel::<()>();
    tokio::time::pause();
    let hung = disk.in_turn(move || hangs.recv().ok());
    let hurry = async {
        // What runs off the thread keeps the paused clock from going on by itself.
        loop {
            tokio::task::yield_now().await;
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        hung = hung => assert!(hung.is_none()),
        () = hurry => {}
    }
    assert_eq!(disk.in_turn(|| 1).await, None, "it rests");
    release.send(()).unwrap();
    tokio::time::advance(REST).await;
    assert_eq!(disk.in_turn(|| 1).await, Some(1));
}
