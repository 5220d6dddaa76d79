//! A login to the server itself, which asks for it by a 401: leg by leg, until the server is content or nothing more
//! can be said. It goes to the endpoint's own origin alone, over TLS, and never to where a redirect leads.

use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Response, StatusCode};
use tokio::time::Instant;

use super::wire::{Asked, Session, target_at_server};
use super::{ALPN, Hop, HttpProbe, Leg, Server, Trouble, Verdict, steps};
use crate::endpoint::{Authority, Target};
use crate::outcome::{Failure, RequestReason, ResponseReason};
use crate::probe::Probe;
use crate::probe::authentication::{Challenges, Login, LoginSeen, Purpose, Refusal};
use crate::probe::journal::Journal;
use crate::route::Credentials;

/// What is offered by ALPN where it is the connection that is logged in: HTTP/2 has no such thing.
const ALPN_OF_A_CONNECTION: &[&str] = &["http/1.1"];

/// NTLM inside Negotiate takes three, and so does Digest with a nonce that grew old: the rest is for connections that
/// end in between.
const MOST_LEGS: u8 = 5;

/// A login under way, over all connections that it takes.
#[derive(Debug)]
pub(in crate::probe) struct ServerLogin<'a> {
    credentials: &'a Credentials,
    login: Login<'a>,
    /// What goes with the next request.
    authorization: Option<HeaderValue>,
    seen: LoginSeen,
}

/// The head of the last answer, and the connection over which its body comes.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) session: Session,
}

impl Probe {
    /// The login that goes with a request, if one does.
    pub(in crate::probe) fn login_at(
        &self,
        hop: &Hop,
        journal: &Journal,
    ) -> Option<ServerLogin<'_>> {
        let credentials = self.check.credentials.as_deref()?;
        let Target::Http(own) = &self.check.endpoint.target else {
            return None;
        };
        let is_own = own.scheme() == "https" && Authority::of(own).as_ref() == Some(&hop.authority);
        (hop.secure && is_own && !journal.is_errand).then(|| ServerLogin {
            credentials,
            login: Login::new(Some(credentials), &self.means.tickets),
            authorization: None,
            seen: LoginSeen::default(),
        })
    }
}

impl HttpProbe<'_> {
    /// Asks the server itself. Nothing where the login has to go on over another connection.
    pub(super) async fn ask_server(
        &mut self,
        server: Server,
        leg: &mut Leg,
        journal: &mut Journal,
    ) -> Result<Option<Answer>, Trouble> {
        let mut session = Session::open(server, &leg.watch).await?;
        let Some(mut login) = self.login.take() else {
            let asked = Asked {
                url: &self.url,
                post: self.post.as_ref(),
                authorization: None,
                headers: &self.headers,
            };
            let response = session.ask(&asked, &leg.watch).await?;
            let challenges = Challenges::of(response.headers().get_all(WWW_AUTHENTICATE));
            let mut seen = LoginSeen::default();
            if response.status() == StatusCode::UNAUTHORIZED {
                seen.was_offered(challenges.schemes());
            }
            self.note_answer(&response, &seen, &mut journal.observed);
            return Ok(Some(Answer { response, session }));
        };
        let answer = self.log_in(&mut login, session, leg, journal).await?;
        if answer.is_none() {
            self.login = Some(login);
        }
        Ok(answer)
    }

    async fn log_in(
        &self,
        login: &mut ServerLogin<'_>,
        mut session: Session,
        leg: &mut Leg,
        journal: &mut Journal,
    ) -> Result<Option<Answer>, Trouble> {
        let purpose = Purpose {
            host: self.url.host_str().unwrap_or_default(),
            method: Method::GET.as_str(),
            uri: target_at_server(&self.url),
            deadline: journal.deadline,
        };
        if login.seen.legs == 0 {
            let first = login.login.first(&purpose).await;
            login.authorization = first.map_err(|why| self.refusal(login, why))?;
        }
        let mut was_answered_here = false;
        loop {
            login.seen.legs += 1;
            let asked = Asked {
                url: &self.url,
                post: None,
                authorization: login.authorization.as_ref(),
                headers: &self.headers,
            };
            let response = match session.ask(&asked, &leg.watch).await {
                Ok(response) => response,
                Err(_) if was_answered_here && login.may_go_on() && leg.was_abandoned() => {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            };
            was_answered_here = true;
            login.seen.scheme = login.login.scheme();
            let is_refused = response.status() == StatusCode::UNAUTHORIZED;
            let challenges = Challenges::of(response.headers().get_all(WWW_AUTHENTICATE));
            if is_refused {
                login.seen.was_offered(challenges.schemes());
            }
            self.note_answer(&response, &login.seen, &mut journal.observed);
            if !is_refused {
                return Ok(Some(Answer { response, session }));
            }
            let next = login.next(&challenges, &purpose);
            login.authorization = Some(next.map_err(|why| self.refusal(login, why))?);
            if !session.is_free_after(response.into_body()).await {
                if login.login.is_bound_to_connection() {
                    let why = "it closes the connection on which its NTLM challenge came, and NTLM needs that one";
                    return Err(self
                        .refusal(login, Refusal::NotOffered(why.to_owned()))
                        .into());
                }
                return Ok(None);
            }
            for (step, elapsed) in steps(&Ok(Verdict::LoginGoesOn), leg, Instant::now()) {
                journal.timings.add(step, elapsed);
            }
            leg.begins();
        }
    }

    /// What it comes to that a login goes no further. Says as whom and by what, never with what password.
    fn refusal(&self, login: &ServerLogin<'_>, why: Refusal) -> Failure {
        let (url, seen) = (&self.url, &login.seen);
        let account = login.credentials.account();
        let scheme = login.credentials.scheme();
        let told = |note: &str| {
            let offers = seen.offers();
            let meaning = self.expectation.meaning_of(StatusCode::UNAUTHORIZED.into());
            format!(
                "GET {url}: answered 401 to a login by {scheme} as {account}: {note}; it offers {offers}{meaning}"
            )
        };
        match why {
            Refusal::Rejected(note) => {
                Failure::of_endpoint(ResponseReason::AuthRejected, told(&note))
            }
            Refusal::NotOffered(note) => {
                Failure::of_endpoint(ResponseReason::UnsupportedAuth, told(&note))
            }
            Refusal::NoCredentials => Failure::of_endpoint(
                ResponseReason::UnsupportedAuth,
                told("no credentials are configured"),
            ),
            Refusal::Malformed(note) => {
                Failure::of_endpoint(ResponseReason::ProtocolError, told(&note))
            }
            Refusal::Unavailable(note) => Failure::of_endpoint(
                RequestReason::CredentialsUnavailable,
                format!("GET {url}: no login by {scheme} as {account}: {note}"),
            ),
        }
    }
}

impl ServerLogin<'_> {
    /// By what an HTTP connection for it may speak.
    pub(in crate::probe) fn alpn(&self) -> &'static [&'static str] {
        if self.credentials.are_for_a_connection() {
            ALPN_OF_A_CONNECTION
        } else {
            ALPN
        }
    }

    fn next(
        &mut self,
        challenges: &Challenges,
        purpose: &Purpose<'_>,
    ) -> Result<HeaderValue, Refusal> {
        let next = self.login.next(challenges, purpose)?;
        if self.seen.legs >= MOST_LEGS {
            let why = format!("it still asks for a login after {MOST_LEGS} requests");
            return Err(Refusal::Rejected(why));
        }
        Ok(next)
    }

    /// Whether another connection serves as well.
    fn may_go_on(&self) -> bool {
        self.seen.legs < MOST_LEGS && !self.login.is_bound_to_connection()
    }
}

/// What a demand for a login says to those who sent none.
pub(super) fn demand(status: u16, headers: &HeaderMap) -> String {
    if status != StatusCode::UNAUTHORIZED {
        return String::new();
    }
    let mut seen = LoginSeen::default();
    seen.was_offered(Challenges::of(headers.get_all(WWW_AUTHENTICATE)).schemes());
    format!("; it offers {}, and was sent no login", seen.offers())
}
