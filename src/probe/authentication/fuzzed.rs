//! What the readers of challenges stand, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use std::time::{Duration, SystemTime};

use hyper::header::HeaderValue;
use tokio::time::Instant;

use super::{Challenges, Login, Purpose, Refusal, Tickets, ntlm};
use crate::probe::fuzzed::SECRET;
use crate::route::{Credentials, Secret};

/// So many challenges of one answer are looked at, and so long is the name of a scheme at most.
const MOST_CHALLENGES: usize = 16;
const LONGEST_SCHEME: usize = 32;

/// No word about a challenge is longer.
const LONGEST_REFUSAL: usize = 2048;

/// Where the third message of NTLM begins to carry its fields.
const FIELDS_OF_NTLM: usize = 88;

/// Challenges, a value of the header a line: schemes are few and short, and what is answered shows no password and means
/// to the peer what it asked.
pub fn challenges(bytes: &[u8]) {
    if bytes
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes())
    {
        return;
    }
    let lines = bytes.split(|byte| *byte == b'\n');
    let values = lines.filter_map(|line| HeaderValue::from_bytes(line).ok());
    let values: Vec<HeaderValue> = values.take(100).collect();
    let challenges = Challenges::of(&values);
    let schemes = challenges.schemes();
    assert!(schemes.len() <= MOST_CHALLENGES);
    assert!(schemes.iter().all(|scheme| scheme.len() <= LONGEST_SCHEME));
    let tickets = Tickets::default();
    let password = || Secret::new(SECRET.to_owned());
    let username = || "svc".to_owned();
    let ways = [
        Credentials::Basic {
            username: username(),
            password: password(),
        },
        Credentials::Digest {
            username: username(),
            password: password(),
        },
        Credentials::Ntlm {
            username: username(),
            domain: None,
            password: password(),
        },
    ];
    for credentials in &ways {
        let mut login = Login::new(Some(credentials), &tickets);
        // Nobody asks more often.
        for _ in 0..3 {
            match login.next(&challenges, &purpose()) {
                Ok(value) => is_answer(&value, credentials, &challenges),
                Err(refusal) => {
                    is_told(&refusal);
                    break;
                }
            }
        }
    }
}

fn purpose() -> Purpose<'static> {
    Purpose {
        host: "web.test",
        method: "GET",
        uri: "/",
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

fn is_answer(value: &HeaderValue, credentials: &Credentials, asked: &Challenges) {
    assert!(value.is_sensitive());
    let text = String::from_utf8_lossy(value.as_bytes());
    assert!(!text.contains(SECRET), "{text}");
    if !matches!(credentials, Credentials::Digest { .. }) {
        return;
    }
    // Read as a peer reads it.
    let answered = Challenges::of([value]);
    let answered = answered.of_scheme("digest").next();
    let parameter = |name| answered.and_then(|answered| answered.parameter(name));
    let is_asked = asked.of_scheme("digest").any(|asked| {
        asked.parameter("nonce") == parameter("nonce")
            && asked.parameter("realm").unwrap_or_default() == parameter("realm").unwrap_or("none")
    });
    assert!(is_asked, "{text}");
}

fn is_told(refusal: &Refusal) {
    let told = format!("{refusal:?}");
    assert!(told.len() <= LONGEST_REFUSAL, "{told}");
}

/// The second message of NTLM: what is made of it has its fields where it says.
pub fn ntlm_challenge(bytes: &[u8]) {
    let Ok(challenge) = ntlm::Challenge::read(bytes.to_vec()) else {
        return;
    };
    let secret = Secret::new(SECRET.to_owned());
    let account = ntlm::Account {
        username: "svc",
        domain: Some("CORP"),
        password: &secret,
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let answered = ntlm::authenticate(&account, &challenge, [7; 8], now);
    assert!(answered.is_ok(), "ASCII suits everybody");
    let message = answered.unwrap_or_default();
    assert!(message.starts_with(b"NTLMSSP\0\x03\0\0\0") && message.len() >= FIELDS_OF_NTLM);
    let mut next = FIELDS_OF_NTLM;
    for field in message[12..60].chunks_exact(8) {
        let length = usize::from(u16::from_le_bytes([field[0], field[1]]));
        let offset = u32::from_le_bytes([field[4], field[5], field[6], field[7]]);
        assert_eq!(usize::try_from(offset), Ok(next));
        next += length;
    }
    assert_eq!(next, message.len());
}
