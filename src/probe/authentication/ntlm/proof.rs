//! What proves a password to NTLM, version 2 (MS-NLMP §3.3.2).

use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;

use super::challenge::FLAGS;
use super::{Account, Challenge, utf16};

/// In the flags of the target's description: there is a code over the three messages.
const MIC_PROVIDED: u32 = 2;

const KEY_BYTES: usize = 16;

type Key = [u8; KEY_BYTES];

/// What goes into a proof.
pub(super) struct Secrets<'a> {
    pub(super) account: &'a Account<'a>,
    pub(super) challenge: &'a Challenge,
    pub(super) client_challenge: [u8; 8],
    /// A `FILETIME`.
    pub(super) time: [u8; 8],
}

/// The answers of the third message, and the key that comes out of them.
pub(super) struct Proof {
    pub(super) lm_response: Vec<u8>,
    pub(super) nt_response: Vec<u8>,
    key: Key,
}

impl Proof {
    pub(super) fn new(secrets: &Secrets<'_>) -> Self {
        let key = response_key(secrets.account);
        let nonce = secrets.challenge.nonce();
        let described = described(secrets);
        let proof = code(&key, &[&nonce, &described]);
        // A peer that says its time wants to see no answer of the older kind.
        let lm_response = if secrets.challenge.timestamp().is_some() {
            vec![0; 24]
        } else {
            let ours = secrets.client_challenge;
            [code(&key, &[&nonce, &ours]).as_slice(), &ours].concat()
        };
        Self {
            lm_response,
            nt_response: [proof.as_slice(), &described].concat(),
            key: code(&key, &[&proof]),
        }
    }

    /// The code that binds the messages together.
    pub(super) fn mic(&self, messages: &[&[u8]]) -> Key {
        code(&self.key, messages)
    }
}

/// `NTOWFv2`: the password, the user and the domain as one key.
fn response_key(account: &Account<'_>) -> Key {
    let password: Key = Md4::digest(utf16(account.password.expose())).into();
    let user = utf16(&in_upper_case(account.username));
    code(
        &password,
        &[&user, &utf16(account.domain.unwrap_or_default())],
    )
}

/// As Windows does it, unit of UTF-16 by unit: what would become two letters, or takes two units, stays as it is.
fn in_upper_case(text: &str) -> String {
    let upper = |character: char| {
        let mut upper = character.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(upper), None) if character.len_utf16() == 1 => upper,
            _ => character,
        }
    };
    text.chars().map(upper).collect()
}

/// `NTLMv2_CLIENT_CHALLENGE` (MS-NLMP §2.2.2.7): time, our challenge, and what the peer said of itself.
fn described(secrets: &Secrets<'_>) -> Vec<u8> {
    let Secrets {
        challenge,
        client_challenge,
        time,
        ..
    } = secrets;
    let mut described = vec![1, 1, 0, 0, 0, 0, 0, 0];
    described.extend(time);
    described.extend(client_challenge);
    described.extend([0; 4]);
    let mut flags = 0;
    for (id, value) in challenge.target() {
        match <[u8; 4]>::try_from(value.as_slice()) {
            Ok(value) if *id == FLAGS => flags |= u32::from_le_bytes(value),
            _ => push_pair(&mut described, *id, value),
        }
    }
    if challenge.timestamp().is_some() {
        flags |= MIC_PROVIDED;
    }
    if flags != 0 {
        push_pair(&mut described, FLAGS, &flags.to_le_bytes());
    }
    described.extend([0; 8]);
    described
}

fn push_pair(bytes: &mut Vec<u8>, id: u16, value: &[u8]) {
    // It was read with a length of two bytes.
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    bytes.extend(id.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(value);
}

/// HMAC-MD5 over the parts in a row.
fn code(key: &Key, parts: &[&[u8]]) -> Key {
    // A block is longer than the key, so that it is taken as it is, with zeros behind it.
    let mut block = hmac::digest::Key::<Hmac<Md5>>::default();
    block[..KEY_BYTES].copy_from_slice(key);
    let mut code = Hmac::<Md5>::new(&block);
    for part in parts {
        code.update(part);
    }
    code.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_is_that_of_windows() {
        let table = [
            ("alice", "ALICE"),
            ("jürgen", "JÜRGEN"),
            ("weiß", "WEIß"),
            ("ŉ\u{fb01}", "ŉ\u{fb01}"),
            ("\u{10428}", "\u{10428}"),
        ];
        for (text, expected) in table {
            assert_eq!(in_upper_case(text), expected);
        }
    }
}
