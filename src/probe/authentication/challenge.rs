//! What a peer asks for that wants a login: the challenges of `WWW-Authenticate` and `Proxy-Authenticate`
//! (RFC 9110 §11.6.1).

use hyper::header::HeaderValue;

use crate::probe::list;

/// So many challenges of one answer are looked at.
const MOST_CHALLENGES: usize = 16;

/// No scheme that is known has half of it.
const MOST_CHARACTERS_OF_SCHEME: usize = 32;

/// So many parameters of one challenge are.
const MOST_PARAMETERS: usize = 32;

/// The challenges of one answer, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::probe) struct Challenges(Vec<Challenge>);

/// One of them. A character stands for a byte (ISO 8859-1), so that whatever a peer sends is kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// In lower case.
    pub(super) scheme: String,
    /// The data of a scheme that has no parameters.
    pub(super) token: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Challenges {
    /// Reads the values of the header, of which there may be several with several challenges each.
    pub(in crate::probe) fn of<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let mut challenges = Vec::new();
        for value in values {
            let text: String = value.as_bytes().iter().copied().map(char::from).collect();
            // Parameters of what is no scheme, or without one, are nobody's.
            let mut has_begun = false;
            for member in list::members(&text) {
                if let Some(scheme) = list::scheme(member) {
                    has_begun = is_scheme(scheme) && challenges.len() < MOST_CHALLENGES;
                    if has_begun {
                        challenges.push(Challenge::begin(scheme, &member[scheme.len()..]));
                    }
                } else if let Some(challenge) = challenges.last_mut().filter(|_| has_begun) {
                    challenge.add(member);
                }
            }
        }
        Self(challenges)
    }

    /// The schemes in lower case, each once.
    pub(in crate::probe) fn schemes(&self) -> Vec<String> {
        let mut schemes: Vec<String> = Vec::new();
        for Challenge { scheme, .. } in &self.0 {
            if !schemes.contains(scheme) {
                schemes.push(scheme.clone());
            }
        }
        schemes
    }

    /// Those of a scheme.
    pub(super) fn of_scheme(&self, scheme: &str) -> impl Iterator<Item = &Challenge> {
        let of_it = move |challenge: &&Challenge| challenge.scheme == scheme;
        self.0.iter().filter(of_it)
    }
}

impl Challenge {
    fn begin(scheme: &str, rest: &str) -> Self {
        let mut challenge = Self {
            scheme: scheme.to_ascii_lowercase(),
            token: None,
            parameters: Vec::new(),
        };
        let rest = rest.trim();
        if is_token68(rest) {
            challenge.token = Some(rest.to_owned());
        } else {
            challenge.add(rest);
        }
        challenge
    }

    fn add(&mut self, parameter: &str) {
        if let Some((name, value)) = parameter.split_once('=')
            && self.parameters.len() < MOST_PARAMETERS
        {
            let name = name.trim().to_ascii_lowercase();
            self.parameters.push((name, unquoted(value.trim())));
        }
    }

    /// A parameter by its name in lower case, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(found, _)| found == name)?;
        Some(&found.1)
    }
}

/// The bytes that a text of a challenge stands for.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .filter_map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}

/// A `token` of RFC 9110 §5.6.2, as long as a name may be.
fn is_scheme(text: &str) -> bool {
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.len() <= MOST_CHARACTERS_OF_SCHEME && text.chars().all(is_in_token)
}

/// `token68` of RFC 9110 §11.2.
fn is_token68(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    !unpadded.is_empty() && unpadded.chars().all(is_in_token)
}

fn unquoted(value: &str) -> String {
    let Some(quoted) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static [u8]]) -> Challenges {
        let values: Vec<HeaderValue> = values
            .iter()
            .map(|value| HeaderValue::from_bytes(value).unwrap())
            .collect();
        Challenges::of(&values)
    }

    #[test]
    fn schemes_tokens_and_parameters_are_told_apart() {
        let challenges = read(&[
            b"Negotiate, NTLM TlRMTVNTUAACAAAA==",
            b"Digest realm=\"a, \\\"b\\\"\", Nonce = \"n==\", qop=\"auth,auth-int\", stale=TRUE, Basic realm=x",
        ]);
        assert_eq!(
            challenges.schemes(),
            ["negotiate", "ntlm", "digest", "basic"]
        );
        let token = |scheme| challenges.of_scheme(scheme).next().unwrap().token.clone();
        assert_eq!(token("negotiate"), None);
        assert_eq!(token("ntlm").as_deref(), Some("TlRMTVNTUAACAAAA=="));
        let digest = challenges.of_scheme("digest").next().unwrap();
        assert_eq!(digest.parameter("realm"), Some("a, \"b\""));
        assert_eq!(digest.parameter("nonce"), Some("n=="));
        assert_eq!(digest.parameter("qop"), Some("auth,auth-int"));
        assert_eq!(digest.parameter("stale"), Some("TRUE"));
        assert_eq!(digest.parameter("opaque"), None);
    }

    #[test]
    fn what_is_no_scheme_is_left_out_with_its_parameters() {
        let long = format!("{} realm=x", "a".repeat(33));
        let table = [
            (format!("Basic realm=x, {long}, nonce=n"), vec!["basic"]),
            (
                "<b>Login</b> realm=x, Digest nonce=n".to_owned(),
                vec!["digest"],
            ),
            (long, vec![]),
            ("a".repeat(60_000), vec![]),
            ("a".repeat(32), vec!["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]),
        ];
        for (value, expected) in table {
            let value = HeaderValue::from_str(&value).unwrap();
            let challenges = Challenges::of([&value]);
            assert_eq!(challenges.schemes(), expected, "{value:?}");
            if let Some(basic) = challenges.of_scheme("basic").next() {
                assert_eq!(basic.parameter("nonce"), None);
            }
        }
    }

    #[test]
    fn bytes_beyond_ascii_are_kept() {
        let challenges = read(&[b"Basic realm=\"f\xfcr alle\""]);
        let basic = challenges.of_scheme("basic").next().unwrap();
        assert_eq!(bytes(basic.parameter("realm").unwrap()), b"f\xfcr alle");
    }

    #[test]
    fn what_is_no_challenge_does_no_harm() {
        for value in [
            "",
            ",",
            "=",
            "a=b",
            "\"",
            "Digest realm=\"",
            "Digest realm=\"\\",
        ] {
            let value = HeaderValue::from_str(value).unwrap();
            assert!(Challenges::of([&value]).schemes().len() < 2, "{value:?}");
        }
        let many = vec![HeaderValue::from_static("A, B, C, D, E, F"); 100];
        assert_eq!(Challenges::of(&many).0.len(), MOST_CHALLENGES);
    }
}
