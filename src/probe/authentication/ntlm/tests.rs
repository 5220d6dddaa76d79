//! The vectors of MS-NLMP §4.2.4, and challenges that nobody should send.

use std::sync::LazyLock;

use super::challenge::Malformed;
use super::proof::{Proof, Secrets};
use super::*;
use crate::probe::authentication::digest::hexadecimal;

/// MS-NLMP §4.2.1.
fn user() -> Account<'static> {
    static PASSWORD: LazyLock<Secret> = LazyLock::new(|| Secret::new("Password".to_owned()));
    Account {
        username: "User",
        domain: Some("Domain"),
        password: &PASSWORD,
    }
}

/// The challenge of MS-NLMP §4.2.4.3: the server `Server` of the domain `Domain`.
const CHALLENGE: &str = "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef\
                         0000000000000000240024004400000006007017 0000000f53006500720076006500\
                         720002000c0044006f006d00610069006e0001000c00530065007200760065007200\
                         00000000";

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn challenge() -> Challenge {
    Challenge::read(bytes(CHALLENGE)).unwrap()
}

/// The same from a peer that says its time.
fn challenge_with_time() -> Vec<u8> {
    let mut message = bytes(CHALLENGE);
    let end = message.len() - 4;
    message.truncate(end);
    message.extend([7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    message.extend([0; 4]);
    message[40..44].copy_from_slice(&[48, 0, 48, 0]);
    message
}

#[test]
fn the_vectors_of_the_specification() {
    let challenge = challenge();
    let proof = Proof::new(&Secrets {
        account: &user(),
        challenge: &challenge,
        client_challenge: [0xaa; 8],
        time: [0; 8],
    });
    assert_eq!(
        hexadecimal(&proof.lm_response),
        "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"
    );
    assert_eq!(
        hexadecimal(&proof.nt_response[..16]),
        "68cd0ab851e51c96aabc927bebef6a1c"
    );
    assert_eq!(
        hexadecimal(&proof.nt_response[16..]),
        "01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e\
         0001000c005300650072007600650072000000000000000000"
    );
    // The session key of §4.2.4.1.2 shows in the code that it makes.
    let key = bytes("8de40ccadbc14a82f15cb0ad0de95ca3");
    let mut expected = <hmac::Hmac<md5::Md5> as hmac::KeyInit>::new_from_slice(&key).unwrap();
    hmac::Mac::update(&mut expected, b"abc");
    let expected: [u8; 16] = hmac::Mac::finalize(expected).into_bytes().into();
    assert_eq!(proof.mic(&[b"a", b"bc"]), expected);
}

#[test]
fn the_third_message_has_everything_at_its_place() {
    let message = authenticate(&user(), &challenge(), [0xaa; 8], SystemTime::now()).unwrap();
    let field = |at: usize| {
        let length = usize::from(u16::from_le_bytes([message[at], message[at + 1]]));
        let offset = u32::from_le_bytes(message[at + 4..at + 8].try_into().unwrap());
        let offset = usize::try_from(offset).unwrap();
        message[offset..offset + length].to_vec()
    };
    let proof = Proof::new(&Secrets {
        account: &user(),
        challenge: &challenge(),
        client_challenge: [0xaa; 8],
        time: field(20)[24..32].try_into().unwrap(),
    });
    assert_eq!(field(12), proof.lm_response);
    assert_eq!(field(20), proof.nt_response);
    assert_eq!(field(28), utf16("Domain"));
    assert_eq!(field(36), utf16("User"));
    assert_eq!(field(44), b"");
    assert_eq!(message[MIC_AT..AUTHENTICATE_HEAD], [0; 16]);
    let end = AUTHENTICATE_HEAD + field(12).len() + field(20).len() + 12 + 8;
    assert_eq!(message.len(), end);
}

#[test]
fn a_peer_that_says_its_time_gets_it_back_with_a_code_over_all_messages() {
    let challenge = Challenge::read(challenge_with_time()).unwrap();
    let mut message = authenticate(&user(), &challenge, [0xaa; 8], SystemTime::now()).unwrap();
    let lm_response = &message[AUTHENTICATE_HEAD..AUTHENTICATE_HEAD + 24];
    assert_eq!(lm_response, [0; 24]);
    let nt_response = &message[AUTHENTICATE_HEAD + 24..];
    assert_eq!(nt_response[24..32], [1, 2, 3, 4, 5, 6, 7, 8]);
    let flags = [6, 0, 4, 0, 2, 0, 0, 0];
    assert!(nt_response.windows(8).any(|pair| pair == flags));

    let mic = message[MIC_AT..AUTHENTICATE_HEAD].to_vec();
    message[MIC_AT..AUTHENTICATE_HEAD].fill(0);
    let proof = Proof::new(&Secrets {
        account: &user(),
        challenge: &challenge,
        client_challenge: [0xaa; 8],
        time: [1, 2, 3, 4, 5, 6, 7, 8],
    });
    let all = [&negotiate(), challenge.message(), &message];
    assert_eq!(mic, proof.mic(&all));
}

#[test]
fn no_challenge_does_harm() {
    let good = challenge_with_time();
    for length in 0..good.len() {
        let cut = Challenge::read(good[..length].to_vec());
        assert!(cut.is_err(), "{length}");
    }
    let with = |at: usize, bytes: &[u8]| {
        let mut message = good.clone();
        message[at..at + bytes.len()].copy_from_slice(bytes);
        Challenge::read(message)
    };
    let table = [
        (with(0, b"NTLMSSQ"), Malformed::NotNtlm),
        (with(8, &[3]), Malformed::NotNtlm),
        (with(44, &[0xff; 4]), Malformed::Truncated),
        (with(40, &[0xff; 4]), Malformed::Truncated),
        // One pair that is longer than all of them, and pairs that never end.
        (with(70, &[0xff, 0xff]), Malformed::Truncated),
        (with(40, &[16, 0]), Malformed::Truncated),
        (Challenge::read(vec![0; 20_000]), Malformed::TooLong),
    ];
    for (number, (found, expected)) in table.into_iter().enumerate() {
        assert_eq!(found, Err(expected), "{number}");
    }
}

#[test]
fn flags_that_nobody_knows_are_not_repeated() {
    let mut message = challenge_with_time();
    message[20..24].copy_from_slice(&[0xff; 4]);
    let challenge = Challenge::read(message).unwrap();
    let message = authenticate(&user(), &challenge, [1; 8], SystemTime::now()).unwrap();
    let flags = u32::from_le_bytes(message[60..64].try_into().unwrap());
    assert_eq!(flags, WANTED | flag::TARGET_INFO);
}

#[test]
fn a_challenge_that_says_nothing_of_its_sender_is_answered() {
    let mut message = bytes(CHALLENGE);
    message[22] &= 0x7f;
    let challenge = Challenge::read(message).unwrap();
    let message = authenticate(&user(), &challenge, [1; 8], SystemTime::now()).unwrap();
    let length = u16::from_le_bytes([message[20], message[21]]);
    assert_eq!(length, 16 + 28 + 8);
}

#[test]
fn a_peer_without_unicode_is_told_ascii_or_nothing() {
    let mut message = bytes(CHALLENGE);
    message[20] &= 0xfe;
    let challenge = Challenge::read(message).unwrap();
    for (username, domain) in [("Jürgen", "Domain"), ("User", "Köln")] {
        let account = Account {
            username,
            domain: Some(domain),
            ..user()
        };
        let found = authenticate(&account, &challenge, [1; 8], SystemTime::now());
        assert_eq!(found, Err(NotAscii));
    }
    let message = authenticate(&user(), &challenge, [1; 8], SystemTime::now()).unwrap();
    assert_eq!(message[28..32], [6, 0, 6, 0]);
    let flags = u32::from_le_bytes(message[60..64].try_into().unwrap());
    assert_eq!(flags & (flag::UNICODE | flag::OEM), flag::OEM);
    assert!(message.ends_with(b"DomainUser"));
}

#[test]
fn time_is_counted_as_windows_does() {
    let nineteen_seventy = windows_time(SystemTime::UNIX_EPOCH);
    assert_eq!(
        u64::from_le_bytes(nineteen_seventy),
        116_444_736_000_000_000
    );
}
