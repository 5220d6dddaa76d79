//! Logging in to whoever asks for it, by Basic, Digest, NTLM or Negotiate: given the challenges of a peer, the next
//! value of `Authorization` or `Proxy-Authorization`, or why there is none. Knows nothing of connections, and
//! nothing of what proxies and servers do differently.

mod challenge;
mod digest;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod negotiate;
mod ntlm;
mod seen;

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use rustls::crypto::aws_lc_rs;
use tokio::time::Instant;

pub(super) use self::challenge::Challenges;
pub(super) use self::negotiate::Tickets;
pub(super) use self::seen::LoginSeen;
use crate::route::{Credentials, KerberosIdentity, Secret};

const NTLM: &str = "NTLM";
const NEGOTIATE: &str = "Negotiate";

/// So often a nonce may have grown old before that counts as a refusal.
const MOST_STALE: u8 = 1;

/// The request with which the login goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purpose<'a> {
    /// Of whom it is asked: the host for which a Kerberos ticket is got.
    pub(super) host: &'a str,
    pub(super) method: &'a str,
    /// As it stands in the request.
    pub(super) uri: &'a str,
    /// When everything must be over.
    pub(super) deadline: Instant,
}

/// A login under way.
#[derive(Debug)]
pub(super) struct Login<'a>(State<'a>);

/// How far it is, by scheme.
#[derive(Debug)]
enum State<'a> {
    Anonymous,
    Basic {
        username: &'a str,
        password: &'a Secret,
    },
    Digest {
        username: &'a str,
        password: &'a Secret,
        answered: bool,
        stale: u8,
    },
    Ntlm {
        account: ntlm::Account<'a>,
        carrier: &'static str,
        step: NtlmStep,
    },
    Negotiate {
        identity: &'a KerberosIdentity,
        tickets: &'a Tickets,
    },
}

/// Which message of NTLM was sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NtlmStep {
    Nothing,
    Negotiated,
    /// Once more, for the first time it was not heard.
    NegotiatedAgain,
    Authenticated,
}

/// Why a login goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are no credentials.
    NoCredentials,
    /// The scheme of the credentials is not offered, or not in a form that is known.
    NotOffered(String),
    /// The credentials were refused.
    Rejected(String),
    /// The challenge makes no sense.
    Malformed(String),
    /// The credentials themselves could not be had.
    Unavailable(String),
}

impl<'a> Login<'a> {
    pub(super) fn new(credentials: Option<&'a Credentials>, tickets: &'a Tickets) -> Self {
        Self(match credentials {
            None => State::Anonymous,
            Some(Credentials::Basic { username, password }) => State::Basic { username, password },
            Some(Credentials::Digest { username, password }) => State::Digest {
                username,
                password,
                answered: false,
                stale: 0,
            },
            Some(Credentials::Ntlm {
                username,
                domain,
                password,
            }) => State::Ntlm {
                account: ntlm::Account {
                    username,
                    domain: domain.as_deref(),
                    password,
                },
                carrier: NTLM,
                step: NtlmStep::Nothing,
            },
            Some(Credentials::Negotiate(identity)) => State::Negotiate { identity, tickets },
        })
    }

    /// What goes with the first request, as far as that can be known before the peer asks.
    pub(super) async fn first(
        &mut self,
        purpose: &Purpose<'_>,
    ) -> Result<Option<HeaderValue>, Refusal> {
        match &mut self.0 {
            State::Anonymous | State::Digest { .. } => Ok(None),
            State::Basic { username, password } => {
                let login = STANDARD.encode(format!("{username}:{}", password.expose()));
                sensitive(format!("Basic {login}").into_bytes()).map(Some)
            }
            State::Ntlm { carrier, step, .. } => {
                *step = NtlmStep::Negotiated;
                with_token(carrier, &ntlm::negotiate()).map(Some)
            }
            State::Negotiate { identity, tickets } => {
                let token = tickets
                    .token(identity, purpose.host, purpose.deadline)
                    .await;
                let token = token.map_err(|why| Refusal::Unavailable(why.to_string()))?;
                with_token(NEGOTIATE, &token).map(Some)
            }
        }
    }

    /// What goes with the next request, after the peer refused the one before it.
    pub(super) fn next(
        &mut self,
        challenges: &Challenges,
        purpose: &Purpose<'_>,
    ) -> Result<HeaderValue, Refusal> {
        match &mut self.0 {
            State::Anonymous => Err(Refusal::NoCredentials),
            State::Basic { .. } => Err(refused(challenges, "Basic")),
            State::Negotiate { .. } => Err(refused(challenges, NEGOTIATE)),
            State::Digest {
                username,
                password,
                answered,
                stale,
            } => {
                let offer = digest::choose(challenges).map_err(|instead| {
                    Refusal::NotOffered(if instead.is_empty() {
                        "Digest credentials are configured".to_owned()
                    } else {
                        format!("its Digest cannot be answered ({instead})")
                    })
                })?;
                if *answered {
                    if !offer.is_stale() {
                        return Err(refused(challenges, "Digest"));
                    }
                    *stale += 1;
                    if *stale > MOST_STALE {
                        let why = "it called each nonce of its own stale at once";
                        return Err(Refusal::Rejected(why.to_owned()));
                    }
                }
                *answered = true;
                let login = digest::Login {
                    username,
                    password,
                    method: purpose.method,
                    uri: purpose.uri,
                };
                let cnonce = digest::hexadecimal(&random::<16>()?);
                sensitive(offer.answer(&login, &cnonce))
            }
            State::Ntlm {
                account,
                carrier,
                step,
            } => next_of_ntlm(account, carrier, step, challenges),
        }
    }

    /// Whether the next request must go over the connection on which the challenge came.
    pub(super) fn is_bound_to_connection(&self) -> bool {
        let State::Ntlm { step, .. } = &self.0 else {
            return false;
        };
        *step == NtlmStep::Authenticated
    }

    /// The scheme that the last request carried, in lower case.
    pub(super) fn scheme(&self) -> Option<&'static str> {
        match &self.0 {
            State::Anonymous
            | State::Digest {
                answered: false, ..
            } => None,
            State::Basic { .. } => Some("basic"),
            State::Digest { .. } => Some("digest"),
            State::Ntlm { carrier, .. } if *carrier == NTLM => Some("ntlm"),
            State::Ntlm { .. } | State::Negotiate { .. } => Some("negotiate"),
        }
    }
}

/// NTLM goes by its own name, else inside Negotiate.
fn next_of_ntlm(
    account: &ntlm::Account<'_>,
    carrier: &mut &'static str,
    step: &mut NtlmStep,
    challenges: &Challenges,
) -> Result<HeaderValue, Refusal> {
    let offered = |scheme: &str| challenges.of_scheme(&scheme.to_ascii_lowercase()).next();
    if *carrier == NTLM && offered(NTLM).is_none() && offered(NEGOTIATE).is_some() {
        *carrier = NEGOTIATE;
        *step = NtlmStep::Negotiated;
        return with_token(carrier, &ntlm::negotiate());
    }
    let Some(offer) = offered(carrier) else {
        return Err(refused(challenges, NTLM));
    };
    match (*step, &offer.token) {
        (NtlmStep::Negotiated | NtlmStep::NegotiatedAgain, Some(token)) => {
            let malformed = |why: String| Refusal::Malformed(format!("{carrier}: {why}"));
            let message = STANDARD
                .decode(token)
                .map_err(|_| malformed("the challenge is not base64".to_owned()))?;
            let challenge =
                ntlm::Challenge::read(message).map_err(|error| malformed(error.to_string()))?;
            *step = NtlmStep::Authenticated;
            let message = ntlm::authenticate(account, &challenge, random()?, SystemTime::now())
                .map_err(|error| Refusal::NotOffered(error.to_string()))?;
            with_token(carrier, &message)
        }
        (NtlmStep::Nothing | NtlmStep::Negotiated, _) if *carrier == NTLM => {
            *step = NtlmStep::NegotiatedAgain;
            with_token(carrier, &ntlm::negotiate())
        }
        (NtlmStep::Authenticated, _) => Err(refused(challenges, carrier)),
        _ if *carrier == NEGOTIATE => Err(Refusal::NotOffered(
            "NTLM credentials are configured, and its Negotiate does not take NTLM".to_owned(),
        )),
        _ => Err(Refusal::Rejected(
            "it answers the first message of NTLM with no challenge".to_owned(),
        )),
    }
}

/// The scheme of the credentials is offered again after they were sent, or it never was.
fn refused(challenges: &Challenges, scheme: &str) -> Refusal {
    let name = scheme.to_ascii_lowercase();
    if challenges.of_scheme(&name).next().is_some() {
        Refusal::Rejected("the configured credentials were refused".to_owned())
    } else {
        Refusal::NotOffered(format!("{scheme} credentials are configured"))
    }
}

fn with_token(scheme: &str, token: &[u8]) -> Result<HeaderValue, Refusal> {
    sensitive(format!("{scheme} {}", STANDARD.encode(token)).into_bytes())
}

/// A value that is kept out of every Debug output.
fn sensitive(value: Vec<u8>) -> Result<HeaderValue, Refusal> {
    let mut value = HeaderValue::from_maybe_shared(hyper::body::Bytes::from(value))
        .map_err(|_| Refusal::Malformed("the login cannot be put into a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    match aws_lc_rs::default_provider().secure_random.fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Refusal::Unavailable(
            "this machine has no random numbers to give".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests;
