//! A request to a proxy that may want a login: asked again, leg by leg, until the proxy is content or nothing more can
//! be said. The legs go over one connection as long as the proxy keeps it open.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::header::{HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio::time::{Instant, timeout_at};
use url::Host;

use super::Head;
use crate::outcome::{Failure, ProxyReason};
use crate::probe::Probe;
use crate::probe::authentication::{Challenges, Login, LoginSeen, Purpose, Refusal};
use crate::probe::http::{Connection, Leg, Trouble};
use crate::probe::journal::Journal;
use crate::probe::way::ToProxy;
use crate::route::{Credentials, Proxy};

/// NTLM inside Negotiate takes three, and so does Digest with a nonce that grew old: the rest is for connections that
/// end in between.
const MOST_LEGS: u8 = 5;

/// How long the body of a demand for a login may take, where another connection serves as well.
const PATIENCE_WITH_BODY: Duration = Duration::from_secs(1);

/// What keeps a connection open with proxies of the days before HTTP/1.1.
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// What is asked of a proxy.
pub(in crate::probe) struct Question<'a> {
    pub(in crate::probe) probe: &'a Probe,
    pub(in crate::probe) proxy: &'a Arc<Proxy>,
    /// Without a login.
    pub(in crate::probe) request: Request<Full<Bytes>>,
    /// What is asked, for people.
    pub(in crate::probe) described: String,
}

/// The last answer.
pub(in crate::probe) struct Asked {
    pub(in crate::probe) response: Response<Incoming>,
    pub(in crate::probe) connection: Connection,
    /// Why the proxy's demand for a login is not met, where it makes one.
    pub(in crate::probe) refusal: Option<Refusal>,
    pub(in crate::probe) login: LoginSeen,
}

impl Question<'_> {
    /// Asks until the proxy is content or there is nothing more to say. Every leg but the last is written down as
    /// time in the phase `proxy`; the last one is `leg`, for the caller to judge.
    pub(in crate::probe) async fn ask(
        &self,
        to_proxy: ToProxy,
        leg: &mut Leg,
        journal: &mut Journal,
    ) -> Result<Asked, Trouble> {
        let mut connection = Connection::open(to_proxy.stream, &leg.watch).await?;
        let credentials = self.proxy.credentials.as_ref();
        let host = self.proxy.authority.host.to_string();
        let uri = self.request.uri().to_string();
        let purpose = Purpose {
            host: &host,
            method: self.request.method().as_str(),
            uri: &uri,
            deadline: journal.deadline,
        };
        self.check_name()?;
        let mut login = Login::new(credentials, &self.probe.means.tickets);
        let mut authorization = login
            .first(&purpose)
            .await
            .map_err(|why| self.no_login(why))?;
        if let Some(Credentials::Negotiate(_)) = credentials {
            // To wait for a ticket is part of the talk with the proxy, whatever comes after.
            leg.ends_in_phase_proxy(journal);
            leg.begins();
        }
        let mut seen = LoginSeen::default();
        let mut has_answered = false;
        loop {
            seen.legs += 1;
            let request = self.with(authorization.as_ref());
            let response = match connection.ask(request).await {
                Ok(response) => response,
                Err(error) if !(has_answered && leg.was_abandoned()) => return Err(error.into()),
                Err(_) if login.is_bound_to_connection() => return Err(self.closed_on_ntlm()),
                Err(error) if seen.legs >= MOST_LEGS => return Err(error.into()),
                Err(_) => {
                    has_answered = false;
                    connection = self.connect_anew(leg, journal).await?;
                    continue;
                }
            };
            has_answered = true;
            seen.scheme = login.scheme();
            if response.status() != StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                return Ok(Asked {
                    response,
                    connection,
                    refusal: None,
                    login: seen,
                });
            }
            let challenges = Challenges::of(response.headers().get_all(PROXY_AUTHENTICATE));
            seen.was_offered(challenges.schemes());
            let refusal = match login.next(&challenges, &purpose) {
                Ok(_) if seen.legs >= MOST_LEGS => {
                    let why = format!("it still asks for a login after {MOST_LEGS} requests");
                    Refusal::Rejected(why)
                }
                Ok(next) => {
                    authorization = Some(next);
                    self.note(&response, &seen, journal);
                    let version = response.version();
                    let body = response.into_body();
                    let patience = if login.is_bound_to_connection() {
                        journal.deadline
                    } else {
                        patience_until(journal.deadline)
                    };
                    let is_free = match timeout_at(patience, connection.is_free_after(body)).await {
                        Ok(is_free) => is_free,
                        Err(_) if login.is_bound_to_connection() => return Err(self.late_demand()),
                        Err(_) => false,
                    };
                    if is_free {
                        leg.ends_in_phase_proxy(journal);
                        leg.begins();
                    } else if login.is_bound_to_connection() {
                        return Err(self.not_kept_for_ntlm(version, leg));
                    } else {
                        has_answered = false;
                        connection = self.connect_anew(leg, journal).await?;
                    }
                    continue;
                }
                Err(refusal) => refusal,
            };
            return Ok(Asked {
                response,
                connection,
                refusal: Some(refusal),
                login: seen,
            });
        }
    }

    fn with(&self, authorization: Option<&HeaderValue>) -> Request<Full<Bytes>> {
        let mut request = self.request.clone();
        if self.proxy.credentials.is_some() {
            let keep_alive = HeaderValue::from_static("Keep-Alive");
            let headers = request.headers_mut();
            headers.entry(PROXY_CONNECTION).or_insert(keep_alive);
        }
        if let Some(authorization) = authorization {
            let headers = request.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        request
    }

    /// Writes down a demand for a login, in case nothing more is heard.
    fn note(&self, response: &Response<Incoming>, login: &LoginSeen, journal: &mut Journal) {
        let head = Head {
            status: response.status(),
            phrase: response.extensions().get::<ReasonPhrase>(),
            headers: response.headers(),
        };
        let mut seen = head.seen(self.request.method() == Method::CONNECT);
        login.write_into_proxy(&mut seen);
        journal.observed.proxy = Some(Box::new(seen));
    }

    async fn connect_anew(
        &self,
        leg: &mut Leg,
        journal: &mut Journal,
    ) -> Result<Connection, Trouble> {
        leg.ends_in_phase_proxy(journal);
        let to_proxy = self.probe.reach_proxy(self.proxy, journal).await?;
        leg.begins_elsewhere(to_proxy.demand);
        Ok(Connection::open(to_proxy.stream, &leg.watch).await?)
    }

    /// The configuration names no proxy of Kerberos by its address; a script may.
    fn check_name(&self) -> Result<(), Failure> {
        let Proxy {
            authority,
            credentials,
            ..
        } = &**self.proxy;
        let wants_ticket = matches!(credentials, Some(Credentials::Negotiate(_)));
        if wants_ticket && !matches!(authority.host, Host::Domain(_)) {
            let what = "Kerberos knows services by their names, and the proxy script gives this proxy's address: let \
                        it give the name";
            return Err(self.failure(ProxyReason::CredentialsUnavailable, what));
        }
        Ok(())
    }

    fn no_login(&self, why: Refusal) -> Trouble {
        let (reason, note) = why.told();
        self.failure(reason, &note).into()
    }

    fn late_demand(&self) -> Trouble {
        let what = "its demand for a login (407) did not end in time";
        self.failure(ProxyReason::Timeout, what).into()
    }

    fn closed_on_ntlm(&self) -> Trouble {
        let what =
            "it closed the connection on which its NTLM challenge came, and NTLM needs that one";
        self.failure(ProxyReason::Closed, what).into()
    }

    fn not_kept_for_ntlm(&self, version: Version, leg: &Leg) -> Trouble {
        if leg.watch.ended() || version != Version::HTTP_10 {
            return self.closed_on_ntlm();
        }
        let what = "its NTLM challenge came in HTTP/1.0 without `Connection: keep-alive`, and NTLM needs the connection \
                    on which it came: reachd keeps one open by HTTP/1.1, not by `Proxy-Connection`";
        self.failure(ProxyReason::UnsupportedAuth, what).into()
    }

    fn failure(&self, reason: ProxyReason, detail: &str) -> Failure {
        let Proxy {
            name, authority, ..
        } = &**self.proxy;
        let asked = &self.described;
        Failure::of_proxy(
            reason,
            format!("{asked} at proxy {name} ({authority}): {detail}"),
        )
    }
}

impl Refusal {
    /// The reason, and the note on it for people.
    pub(super) fn told(self) -> (ProxyReason, String) {
        match self {
            Self::NoCredentials => (
                ProxyReason::AuthRequired,
                "no credentials are configured".to_owned(),
            ),
            Self::NotOffered(note) => (ProxyReason::UnsupportedAuth, note),
            Self::Rejected(note) => (ProxyReason::AuthRejected, note),
            Self::Malformed(note) => (ProxyReason::ProtocolError, note),
            Self::Unavailable(note) => (ProxyReason::CredentialsUnavailable, note),
        }
    }
}

/// Until when the body of a demand for a login is read: most of the time is for what comes after.
fn patience_until(deadline: Instant) -> Instant {
    let now = Instant::now();
    let left = deadline.saturating_duration_since(now);
    now + PATIENCE_WITH_BODY.min(left / 10)
}
