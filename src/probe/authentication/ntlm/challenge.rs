//! The second message of NTLM: the peer's challenge (MS-NLMP §2.2.1.2), read as something that anybody may have
//! sent.

use thiserror::Error;

use super::{SIGNATURE, flag, utf16};

/// A longer one is nobody's: Windows sends some hundred bytes.
const MOST_BYTES: usize = 16 * 1024;

/// What is before the payload, without what newer peers add.
const HEAD_BYTES: usize = 32;

/// Ids of what is said of the target (MS-NLMP §2.2.2.1).
const END: u16 = 0;
pub(super) const FLAGS: u16 = 6;
const TIMESTAMP: u16 = 7;

/// A challenge that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::probe::authentication) struct Challenge {
    message: Vec<u8>,
    flags: u32,
    nonce: [u8; 8],
    target: Vec<(u16, Vec<u8>)>,
}

/// Why a message is no challenge that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::probe::authentication) enum Malformed {
    #[error("the challenge is not NTLM's")]
    NotNtlm,
    #[error("the challenge is longer than 16 KiB")]
    TooLong,
    #[error("the challenge is cut off")]
    Truncated,
}

/// Why an account cannot be named to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "its NTLM knows no Unicode, and the user name or the domain of the configured NTLM credentials is not ASCII"
)]
pub(in crate::probe::authentication) struct NotAscii;

impl Challenge {
    pub(in crate::probe::authentication) fn read(message: Vec<u8>) -> Result<Self, Malformed> {
        if message.len() > MOST_BYTES {
            return Err(Malformed::TooLong);
        }
        if !message.starts_with(SIGNATURE) || u32_at(&message, 8)? != 2 {
            return Err(Malformed::NotNtlm);
        }
        if message.len() < HEAD_BYTES {
            return Err(Malformed::Truncated);
        }
        let flags = u32_at(&message, 20)?;
        let nonce = array_at(&message, 24)?;
        let target = if flags & flag::TARGET_INFO == 0 {
            Vec::new()
        } else {
            let length = u16::from_le_bytes(array_at(&message, 40)?);
            let offset = usize::try_from(u32_at(&message, 44)?).unwrap_or(usize::MAX);
            pairs(slice(&message, offset, length.into())?)?
        };
        Ok(Self {
            message,
            flags,
            nonce,
            target,
        })
    }

    /// As it was received.
    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }

    pub(super) fn flags(&self) -> u32 {
        self.flags
    }

    pub(super) fn nonce(&self) -> [u8; 8] {
        self.nonce
    }

    /// A text in the encoding that the peer agreed to: one of Windows 95 knows no Unicode, and is told no more than
    /// ASCII, for who knows which code page it has.
    pub(super) fn text(&self, text: &str) -> Result<Vec<u8>, NotAscii> {
        if self.flags & flag::UNICODE != 0 {
            Ok(utf16(text))
        } else if text.is_ascii() {
            Ok(text.as_bytes().to_vec())
        } else {
            Err(NotAscii)
        }
    }

    /// What the peer says of itself, in its order.
    pub(super) fn target(&self) -> &[(u16, Vec<u8>)] {
        &self.target
    }

    /// The peer's clock. One that says it wants the three messages bound together by a code.
    pub(super) fn timestamp(&self) -> Option<[u8; 8]> {
        let (_, time) = self.target.iter().find(|(id, _)| *id == TIMESTAMP)?;
        time.as_slice().try_into().ok()
    }
}

/// `AV_PAIR`s up to the one that ends them.
fn pairs(mut bytes: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, Malformed> {
    let mut pairs = Vec::new();
    loop {
        let id = u16::from_le_bytes(array_at(bytes, 0)?);
        let length = usize::from(u16::from_le_bytes(array_at(bytes, 2)?));
        let value = slice(bytes, 4, length)?;
        if id == END {
            return Ok(pairs);
        }
        pairs.push((id, value.to_vec()));
        bytes = &bytes[4 + length..];
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    let part = slice(bytes, at, N)?;
    part.try_into().map_err(|_| Malformed::Truncated)
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Result<&[u8], Malformed> {
    let end = at.checked_add(length).ok_or(Malformed::Truncated)?;
    bytes.get(at..end).ok_or(Malformed::Truncated)
}
