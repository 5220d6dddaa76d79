//! The three messages of NTLM, version 2 (MS-NLMP): what is asked for, the peer's challenge, and what proves the
//! password. Nothing is signed or sealed over HTTP, so that the proof and the code over all three messages (MIC)
//! are everything that is computed.

mod challenge;
mod proof;

use std::time::{Duration, SystemTime};

pub(super) use self::challenge::{Challenge, NotAscii};
use self::proof::{Proof, Secrets};
use crate::route::Secret;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// The flags of MS-NLMP §2.2.2.5 that matter here.
mod flag {
    pub(super) const UNICODE: u32 = 0x0000_0001;
    pub(super) const OEM: u32 = 0x0000_0002;
    pub(super) const REQUEST_TARGET: u32 = 0x0000_0004;
    pub(super) const NTLM: u32 = 0x0000_0200;
    pub(super) const ALWAYS_SIGN: u32 = 0x0000_8000;
    pub(super) const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
    pub(super) const TARGET_INFO: u32 = 0x0080_0000;
    pub(super) const VERSION: u32 = 0x0200_0000;
    pub(super) const KEY_OF_128_BITS: u32 = 0x2000_0000;
    pub(super) const KEY_OF_56_BITS: u32 = 0x8000_0000;
}

/// What is asked for. The version is always there, so that everybody finds the MIC at the same place.
const WANTED: u32 = flag::UNICODE
    | flag::REQUEST_TARGET
    | flag::NTLM
    | flag::ALWAYS_SIGN
    | flag::EXTENDED_SESSION_SECURITY
    | flag::VERSION
    | flag::KEY_OF_128_BITS
    | flag::KEY_OF_56_BITS;

/// Windows 10, and revision 15 of NTLM (MS-NLMP §2.2.2.10).
const VERSION: [u8; 8] = [10, 0, 0x61, 0x4a, 0, 0, 0, 15];

/// Where the payload of the third message begins: six fields, flags, version and MIC come before it.
const AUTHENTICATE_HEAD: usize = 88;
const MIC_AT: usize = 72;

/// From 1601, where Windows begins to count, to 1970.
const EPOCH_OF_WINDOWS: Duration = Duration::from_secs(11_644_473_600);

/// Whose password is proven.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<'a> {
    pub(super) username: &'a str,
    /// The peer's own where there is none.
    pub(super) domain: Option<&'a str>,
    pub(super) password: &'a Secret,
}

/// The first message: what is asked for.
pub(super) fn negotiate() -> Vec<u8> {
    let mut message = SIGNATURE.to_vec();
    message.extend(1_u32.to_le_bytes());
    message.extend(WANTED.to_le_bytes());
    // Neither domain nor workstation is said: nobody needs them.
    for _ in 0..2 {
        push_field(&mut message, 0, 40);
    }
    message.extend(VERSION);
    message
}

/// The third message: the proof of the password for this challenge.
pub(super) fn authenticate(
    account: &Account<'_>,
    challenge: &Challenge,
    client_challenge: [u8; 8],
    now: SystemTime,
) -> Result<Vec<u8>, NotAscii> {
    let domain = challenge.text(account.domain.unwrap_or_default())?;
    let username = challenge.text(account.username)?;
    let proof = Proof::new(&Secrets {
        account,
        challenge,
        client_challenge,
        time: challenge.timestamp().unwrap_or_else(|| windows_time(now)),
    });
    let fields = [
        proof.lm_response.as_slice(),
        &proof.nt_response,
        &domain,
        &username,
        &[],
        &[],
    ];
    let mut message = SIGNATURE.to_vec();
    message.extend(3_u32.to_le_bytes());
    let mut offset = AUTHENTICATE_HEAD;
    for field in fields {
        push_field(&mut message, field.len(), offset);
        offset += field.len();
    }
    // That it described itself is for the peer to say, and is said back to it.
    let mut agreed = challenge.flags() & (WANTED | flag::TARGET_INFO) | flag::VERSION;
    if agreed & flag::UNICODE == 0 {
        agreed |= flag::OEM;
    }
    message.extend(agreed.to_le_bytes());
    message.extend(VERSION);
    message.extend([0; 16]);
    for field in fields {
        message.extend(field);
    }
    if challenge.timestamp().is_some() {
        let mic = proof.mic(&[&negotiate(), challenge.message(), &message]);
        message[MIC_AT..AUTHENTICATE_HEAD].copy_from_slice(&mic);
    }
    Ok(message)
}

/// Length, the same again as the space taken, and where the data is (MS-NLMP §2.2).
fn push_field(message: &mut Vec<u8>, length: usize, offset: usize) {
    // What is longer was refused with the configuration, or with the challenge.
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();
    message.extend(length);
    message.extend(length);
    message.extend(u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes());
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A `FILETIME`: tenths of microseconds since 1601.
fn windows_time(time: SystemTime) -> [u8; 8] {
    let since_1970 = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let ticks = (since_1970 + EPOCH_OF_WINDOWS).as_nanos() / 100;
    u64::try_from(ticks).unwrap_or(u64::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests;
