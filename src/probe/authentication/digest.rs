//! Digest (RFC 7616): what proves a password without showing it. MD5 and SHA-256, with or without `-sess`, and
//! `qop=auth` or, as of RFC 2069, none.

use std::fmt::Write;

use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::challenge::{Challenge, Challenges, bytes};
use crate::route::Secret;

const SCHEME: &str = "digest";

/// Every answer is to a nonce of its own.
const NONCE_COUNT: &str = "00000001";

/// What is to be proven, and for which request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a Secret,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
}

/// A challenge that can be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    challenge: &'a Challenge,
    nonce: &'a str,
    hash: Hash,
    session: bool,
    quality: Quality,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
}

/// The quality of protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quality {
    Auth,
    None,
}

/// Finds the challenge to answer: the first that can be, for the peer names them in the order of its liking.
/// `Err` says what is offered instead; it is empty where there is no Digest at all.
pub(super) fn choose(challenges: &Challenges) -> Result<Offer<'_>, String> {
    let mut refused = Vec::new();
    for challenge in challenges.of_scheme(SCHEME) {
        match Offer::of(challenge) {
            Ok(offer) => return Ok(offer),
            Err(why) => refused.push(why),
        }
    }
    Err(refused.join(", "))
}

impl<'a> Offer<'a> {
    fn of(challenge: &'a Challenge) -> Result<Self, String> {
        let algorithm = challenge.parameter("algorithm").unwrap_or("MD5");
        let name = algorithm.to_ascii_lowercase();
        let (name, session) = match name.strip_suffix("-sess") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let hash = match name {
            "md5" => Hash::Md5,
            "sha-256" => Hash::Sha256,
            _ => return Err(format!("algorithm={}", shortened(algorithm))),
        };
        let quality = match challenge.parameter("qop") {
            None => Quality::None,
            Some(offered) => {
                let mut offered = offered.split([',', ' ', '\t']);
                if !offered.any(|quality| quality.eq_ignore_ascii_case("auth")) {
                    return Err("no qop=auth".to_owned());
                }
                Quality::Auth
            }
        };
        let Some(nonce) = challenge.parameter("nonce") else {
            return Err("no nonce".to_owned());
        };
        Ok(Self {
            challenge,
            nonce,
            hash,
            session,
            quality,
        })
    }

    /// Whether the login before was good, but its nonce too old.
    pub(super) fn is_stale(&self) -> bool {
        let stale = self.challenge.parameter("stale");
        stale.is_some_and(|stale| stale.eq_ignore_ascii_case("true"))
    }

    /// The value of the header that proves the password (RFC 7616 §3.4).
    pub(super) fn answer(&self, login: &Login<'_>, cnonce: &str) -> Vec<u8> {
        let realm = self.challenge.parameter("realm").unwrap_or_default();
        let mut value = b"Digest ".to_vec();
        quoted(&mut value, "username", login.username.as_bytes());
        quoted(&mut value, "realm", &bytes(realm));
        quoted(&mut value, "nonce", &bytes(self.nonce));
        quoted(&mut value, "uri", login.uri.as_bytes());
        let response = self.response(login, &bytes(realm), cnonce);
        quoted(&mut value, "response", response.as_bytes());
        if let Some(algorithm) = self.challenge.parameter("algorithm") {
            plain(&mut value, "algorithm", &bytes(algorithm));
        }
        if let Some(opaque) = self.challenge.parameter("opaque") {
            quoted(&mut value, "opaque", &bytes(opaque));
        }
        if self.quality == Quality::Auth {
            plain(&mut value, "qop", b"auth");
            plain(&mut value, "nc", NONCE_COUNT.as_bytes());
        }
        if self.quality == Quality::Auth || self.session {
            quoted(&mut value, "cnonce", cnonce.as_bytes());
        }
        value.truncate(value.len() - 2);
        value
    }

    fn response(&self, login: &Login<'_>, realm: &[u8], cnonce: &str) -> String {
        let nonce = bytes(self.nonce);
        let (username, password) = (
            login.username.as_bytes(),
            login.password.expose().as_bytes(),
        );
        let mut secret = self.hash.of(&[username, realm, password]);
        if self.session {
            secret = self
                .hash
                .of(&[secret.as_bytes(), &nonce, cnonce.as_bytes()]);
        }
        let request = self
            .hash
            .of(&[login.method.as_bytes(), login.uri.as_bytes()]);
        let (secret, request) = (secret.as_bytes(), request.as_bytes());
        match self.quality {
            Quality::None => self.hash.of(&[secret, &nonce, request]),
            Quality::Auth => {
                let (count, cnonce) = (NONCE_COUNT.as_bytes(), cnonce.as_bytes());
                self.hash
                    .of(&[secret, &nonce, count, cnonce, b"auth", request])
            }
        }
    }
}

impl Hash {
    /// Of the parts with colons between them, in hexadecimal.
    fn of(self, parts: &[&[u8]]) -> String {
        let text = parts.join(&b':');
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(&text)),
            Self::Sha256 => hexadecimal(&Sha256::digest(&text)),
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn plain(value: &mut Vec<u8>, name: &str, text: &[u8]) {
    value.extend_from_slice(name.as_bytes());
    value.push(b'=');
    value.extend_from_slice(text);
    value.extend_from_slice(b", ");
}

fn quoted(value: &mut Vec<u8>, name: &str, text: &[u8]) {
    let mut escaped = vec![b'"'];
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    escaped.push(b'"');
    plain(value, name, &escaped);
}

/// What a peer says, as far as a detail shows it.
fn shortened(text: &str) -> String {
    text.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use hyper::header::HeaderValue;

    use super::*;

    /// RFC 7616 §3.9.1.
    fn mufasa() -> Login<'static> {
        static PASSWORD: LazyLock<Secret> = LazyLock::new(|| secret("Circle of Life"));
        Login {
            username: "Mufasa",
            password: &PASSWORD,
            method: "GET",
            uri: "/dir/index.html",
        }
    }
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn challenges(value: &str) -> Challenges {
        Challenges::of([&HeaderValue::from_str(value).unwrap()])
    }

    fn answer(value: &str, login: &Login<'_>, cnonce: &str) -> String {
        let challenges = challenges(value);
        let answer = choose(&challenges).unwrap().answer(login, cnonce);
        String::from_utf8(answer).unwrap()
    }

    #[test]
    fn the_answers_of_rfc_7616() {
        let table = [
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ];
        for (algorithm, response) in table {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"{NONCE}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let expected = format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"{NONCE}\", \
                 uri=\"/dir/index.html\", response=\"{response}\", algorithm={algorithm}, \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001, \
                 cnonce=\"{CNONCE}\""
            );
            assert_eq!(answer(&challenge, &mufasa(), CNONCE), expected);
        }
    }

    #[test]
    fn without_quality_of_protection_the_answer_is_that_of_rfc_2069() {
        let password = secret("CircleOfLife");
        let login = Login {
            password: &password,
            ..mufasa()
        };
        let challenge = "Digest realm=\"testrealm@host.com\", \
                         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        // The RFC's own figure is wrong; this is the one of its erratum 749.
        let expected = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
                        nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
                        response=\"1949323746fe6a43ef61f9606e7febea\", \
                        opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        assert_eq!(answer(challenge, &login, CNONCE), expected);
    }

    #[test]
    fn a_session_makes_the_secret_depend_on_the_nonces() {
        let session = answer(
            "Digest realm=\"r\", nonce=\"n\", qop=auth, algorithm=MD5-sess",
            &mufasa(),
            "c",
        );
        let secret = Hash::Md5.of(&[b"Mufasa", b"r", b"Circle of Life"]);
        let secret = Hash::Md5.of(&[secret.as_bytes(), b"n", b"c"]);
        let request = Hash::Md5.of(&[b"GET", b"/dir/index.html"]);
        let response = Hash::Md5.of(&[
            secret.as_bytes(),
            b"n",
            b"00000001",
            b"c",
            b"auth",
            request.as_bytes(),
        ]);
        assert!(session.contains(&response), "{session}");
        assert!(session.contains("algorithm=MD5-sess"), "{session}");
    }

    #[test]
    fn the_first_challenge_that_can_be_answered_is() {
        let algorithm =
            |value: &str| choose(&challenges(value)).map(|offer| (offer.hash, offer.session));
        assert_eq!(algorithm("Basic realm=x"), Err(String::new()));
        assert_eq!(
            algorithm("Digest nonce=n, algorithm=SHA-512-256, Digest nonce=n, algorithm=sha-256"),
            Ok((Hash::Sha256, false))
        );
        assert_eq!(
            algorithm("Digest nonce=n, algorithm=SHA-512-256, Digest nonce=n, qop=auth-int"),
            Err("algorithm=SHA-512-256, no qop=auth".to_owned())
        );
        assert_eq!(algorithm("Digest realm=x"), Err("no nonce".to_owned()));
    }

    #[test]
    fn quotes_are_escaped_on_the_way_back() {
        let login = Login {
            username: "a\\b\"c",
            ..mufasa()
        };
        let answer = answer("Digest realm=\"x \\\"y\\\"\", nonce=n", &login, "c");
        assert!(answer.contains("username=\"a\\\\b\\\"c\""), "{answer}");
        assert!(answer.contains("realm=\"x \\\"y\\\"\""), "{answer}");
    }

    #[test]
    fn staleness_is_read() {
        let stale = |value: &str| choose(&challenges(value)).unwrap().is_stale();
        assert!(stale("Digest nonce=n, stale=TRUE"));
        assert!(stale("Digest nonce=n, stale=\"true\""));
        assert!(!stale("Digest nonce=n, stale=false"));
        assert!(!stale("Digest nonce=n"));
    }
}
