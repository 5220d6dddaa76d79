//! What the folder keeps, and what it does not believe.

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
