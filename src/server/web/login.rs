//! Basic authentication. A password is compared with its hash on a thread of its own and one at a time, for that is
//! meant to take long; what was right is remembered, and never as it was sent.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::route::Secret;

/// So many logins are remembered. Only right ones are, so that nobody can push them out by guessing.
const REMEMBERED: usize = 100;

/// Stands in for the hash of a user that does not exist, after the cost: what it takes to say no then tells nobody which
/// users there are.
const DECOY: &str = "$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// Who may log in.
#[derive(Debug)]
pub(super) struct Logins {
    users: BTreeMap<String, Secret>,
    decoy: Secret,
    /// Digests of those that were right.
    right: Arc<Mutex<HashSet<[u8; 32]>>>,
    /// One comparison at a time, whatever is in force.
    turn: Arc<Semaphore>,
}

impl Logins {
    pub(super) fn new(users: BTreeMap<String, Secret>, turn: Arc<Semaphore>) -> Self {
        let costs = users.values().filter_map(|hash| hash.expose().get(4..6));
        let cost = costs.max().unwrap_or("10");
        Self {
            decoy: Secret::new(format!("$2y${cost}{DECOY}")),
            users,
            right: Arc::default(),
            turn,
        }
    }

    /// Whether nobody has to log in.
    pub(super) fn is_open(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether whoever sent this header, or none, is to be answered.
    pub(super) async fn admit(&self, header: Option<&HeaderValue>) -> bool {
        if self.is_open() {
            return true;
        }
        let Some((user, password)) = header.and_then(credentials) else {
            return false;
        };
        let known = self.users.get(&user);
        let hash = known.unwrap_or(&self.decoy).clone();
        let digest = digest([user.as_bytes(), hash.expose().as_bytes(), &password]);
        if self.remembers(&digest) {
            return true;
        }
        // The turn goes with the work, which goes on when the client does not wait for its end.
        let Ok(turn) = Arc::clone(&self.turn).acquire_owned().await else {
            return false;
        };
        // Somebody else may have had the same to say in the meantime.
        if self.remembers(&digest) {
            return true;
        }
        let compare = move || {
            let _turn = turn;
            bcrypt::verify(&password, hash.expose()).unwrap_or(false)
        };
        let is_right = spawn_blocking(compare).await.unwrap_or(false) && known.is_some();
        if is_right {
            self.remember(digest);
        }
        is_right
    }

    fn remembers(&self, digest: &[u8; 32]) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.contains(digest)
    }

    fn remember(&self, digest: [u8; 32]) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.clear();
        }
        right.insert(digest);
    }
}

/// User and password of `Authorization: Basic` (RFC 7617).
fn credentials(header: &HeaderValue) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let mut decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let password = decoded.split_off(colon + 1);
    decoded.pop();
    Some((String::from_utf8(decoded).ok()?, password))
}

/// Each part with its length, so that no other parts come to the same.
fn digest(parts: [&[u8]; 3]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logins(turn: &Arc<Semaphore>) -> Logins {
        let hash = |password: &str| Secret::new(bcrypt::hash(password, 4).unwrap());
        let users = [("alice", "wonderland"), ("bob", "s:3cret")];
        let users = users.map(|(user, password)| (user.to_owned(), hash(password)));
        Logins::new(users.into_iter().collect(), Arc::clone(turn))
    }

    fn basic(text: &str) -> HeaderValue {
        let encoded = BASE64_STANDARD.encode(text);
        HeaderValue::try_from(format!("Basic {encoded}")).unwrap()
    }

    #[tokio::test]
    async fn only_users_with_their_passwords_come_in() {
        let logins = logins(&Arc::new(Semaphore::new(1)));
        let table = [
            ("alice:wonderland", true),
            ("alice:wonderland", true),
            ("bob:s:3cret", true),
            ("alice:s:3cret", false),
            ("alice:", false),
            ("alice", false),
            ("carol:fakepassword", false),
            ("carol:wonderland", false),
            (":", false),
            ("", false),
        ];
        for (text, expected) in table {
            assert_eq!(logins.admit(Some(&basic(text))).await, expected, "{text}");
        }
        assert!(!logins.admit(None).await);
        for header in [
            "Bearer x",
            "Basic",
            "Basic !",
            "Negotiate YWxpY2U6d29uZGVybGFuZA==",
        ] {
            let header = HeaderValue::from_static(header);
            assert!(!logins.admit(Some(&header)).await, "{header:?}");
        }
        let lower = basic("alice:wonderland");
        let lower = lower.to_str().unwrap().replace("Basic", "basic");
        let lower = HeaderValue::try_from(lower).unwrap();
        assert!(logins.admit(Some(&lower)).await);
        assert_eq!(logins.right.lock().unwrap().len(), 2, "only right ones");
    }

    #[tokio::test]
    async fn the_decoy_takes_as_long_and_opens_to_nobody() {
        let logins = logins(&Arc::new(Semaphore::new(1)));
        assert!(logins.decoy.expose().starts_with("$2y$04$"));
        assert_eq!(
            bcrypt::verify("fakepassword", logins.decoy.expose()).ok(),
            Some(false)
        );
        let fake = Secret::new(format!("$2y$10{DECOY}"));
        assert_eq!(
            bcrypt::verify("fakepassword", fake.expose()).ok(),
            Some(true)
        );
    }

    #[tokio::test]
    async fn who_is_remembered_does_not_wait_for_those_who_guess() {
        let turn = Arc::new(Semaphore::new(1));
        let logins = logins(&turn);
        let alice = basic("alice:wonderland");
        assert!(logins.admit(Some(&alice)).await);
        let _taken = turn.acquire().await.unwrap();
        assert!(logins.admit(Some(&alice)).await);
    }

    #[test]
    fn no_other_parts_come_to_the_same() {
        let one = digest([b"ab", b"c", b""]);
        assert_ne!(one, digest([b"a", b"bc", b""]));
        assert_ne!(one, digest([b"ab", b"", b"c"]));
        assert_eq!(one, digest([b"ab", b"c", b""]));
    }

    #[tokio::test]
    async fn without_users_everybody_comes_in() {
        let logins = Logins::new(BTreeMap::new(), Arc::new(Semaphore::new(1)));
        assert!(logins.admit(None).await);
    }
}
