//! A tunnel through a SOCKS proxy: version 5 (RFC 1928), without a login or with user name and password
//! (RFC 1929). Every message is read to its last byte and no further, for what follows is the endpoint's.

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use url::Host;

use crate::endpoint::Authority;
use crate::outcome::{Failure, Observed, ProxyReason, ProxySeen};
use crate::probe::stream::BoxedStream;
use crate::route::{Credentials, Proxy};

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;
const LOGIN_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const DOMAIN: u8 = 3;
const IPV6: u8 = 4;
const SUCCEEDED: u8 = 0;

/// A tunnel to be had from a SOCKS proxy.
#[derive(Debug, Clone, Copy)]
pub(in crate::probe) struct Request<'a> {
    pub(in crate::probe) proxy: &'a Proxy,
    pub(in crate::probe) target: &'a Authority,
    /// What to tell the proxy in place of the target's name.
    pub(in crate::probe) address: Option<IpAddr>,
}

/// A request under way.
struct Conversation<'a> {
    request: &'a Request<'a>,
    stream: BoxedStream,
    deadline: Instant,
}

/// The one address that a proxy is told. Which families it can reach is not known from here: IPv4 is likelier.
pub(in crate::probe) fn preferred(addresses: &[IpAddr]) -> Option<IpAddr> {
    let ipv4 = addresses.iter().find(|address| address.is_ipv4());
    ipv4.or(addresses.first()).copied()
}

impl Request<'_> {
    /// Asks for the tunnel over a connection to the proxy.
    pub(in crate::probe) async fn open(
        &self,
        stream: BoxedStream,
        deadline: Instant,
        observed: &mut Observed,
    ) -> Result<BoxedStream, Failure> {
        let mut conversation = Conversation {
            request: self,
            stream,
            deadline,
        };
        conversation.log_in().await?;
        conversation.connect(observed).await?;
        Ok(conversation.stream)
    }

    /// `CONNECT` with the address or the name (RFC 1928 §4).
    fn message(&self) -> Result<Vec<u8>, Failure> {
        let mut message = vec![VERSION, CONNECT, 0];
        match (self.address, &self.target.host) {
            (Some(IpAddr::V4(address)), _) => {
                message.push(IPV4);
                message.extend(address.octets());
            }
            (Some(IpAddr::V6(address)), _) => {
                message.push(IPV6);
                message.extend(address.octets());
            }
            (None, host) => {
                message.push(DOMAIN);
                self.push_text(&mut message, "the name", &host.to_string())?;
            }
        }
        message.extend(self.target.port.to_be_bytes());
        Ok(message)
    }

    /// User name and password (RFC 1929 §2).
    fn login(&self, username: &str, password: &str) -> Result<Vec<u8>, Failure> {
        let mut message = vec![LOGIN_VERSION];
        self.push_text(&mut message, "the user name", username)?;
        self.push_text(&mut message, "the password", password)?;
        Ok(message)
    }

    fn push_text(&self, message: &mut Vec<u8>, what: &str, text: &str) -> Result<(), Failure> {
        let Ok(length) = u8::try_from(text.len()) else {
            let detail = format!("{what} is longer than the 255 bytes that SOCKS carries");
            return Err(self.failure(ProxyReason::ProtocolError, &detail));
        };
        message.push(length);
        message.extend(text.as_bytes());
        Ok(())
    }

    fn refusal(&self, reply: u8) -> Failure {
        let (reason, meaning) = match reply {
            1 => (ProxyReason::SocksRejected, "general failure"),
            2 => (ProxyReason::Forbidden, "not allowed by the ruleset"),
            3 => (ProxyReason::BadGateway, "network unreachable"),
            4 if self.told_a_name() => (
                ProxyReason::BadGateway,
                "host unreachable, or its name does not resolve at the proxy",
            ),
            4 => (ProxyReason::BadGateway, "host unreachable"),
            5 => (ProxyReason::BadGateway, "connection refused"),
            6 => (ProxyReason::GatewayTimeout, "TTL expired"),
            7 => (ProxyReason::SocksRejected, "command not supported"),
            8 => (ProxyReason::SocksRejected, "address type not supported"),
            _ => (ProxyReason::SocksRejected, "not a reply of RFC 1928"),
        };
        self.failure(reason, &format!("answered with reply {reply}: {meaning}"))
    }

    fn told_a_name(&self) -> bool {
        self.address.is_none() && matches!(self.target.host, Host::Domain(_))
    }

    fn failure(&self, reason: ProxyReason, detail: &str) -> Failure {
        let Self {
            proxy,
            target,
            address,
        } = self;
        let address = match (address, &target.host) {
            (Some(address), Host::Domain(_)) => format!(" ({address})"),
            _ => String::new(),
        };
        let detail = format!(
            "SOCKS5 CONNECT {target}{address} at proxy {} ({}): {detail}",
            proxy.name, proxy.authority
        );
        Failure::of_proxy(reason, detail)
    }
}

impl Conversation<'_> {
    /// Agrees on a method, and goes through it.
    async fn log_in(&mut self) -> Result<(), Failure> {
        let credentials = self.request.proxy.credentials.as_ref();
        let methods: &[u8] = match credentials {
            Some(Credentials::Basic { .. }) => &[VERSION, 2, NO_LOGIN, USERNAME_PASSWORD],
            Some(_) | None => &[VERSION, 1, NO_LOGIN],
        };
        let [version, method] = self.ask(methods, "the greeting").await?;
        self.check(version)?;
        match (method, credentials) {
            (NO_LOGIN, _) => Ok(()),
            (USERNAME_PASSWORD, Some(Credentials::Basic { username, password })) => {
                let login = self.request.login(username, password.expose())?;
                // The version of this answer is not looked at: proxies disagree about it.
                let [_, status] = self.ask(&login, "the login").await?;
                if status == SUCCEEDED {
                    return Ok(());
                }
                let detail =
                    format!("the configured credentials were refused with status {status}");
                Err(self.request.failure(ProxyReason::AuthRejected, &detail))
            }
            (NO_ACCEPTABLE_METHOD, None) => Err(self.request.failure(
                ProxyReason::AuthRequired,
                "it wants a login (no acceptable method), and no credentials are configured",
            )),
            (NO_ACCEPTABLE_METHOD, Some(Credentials::Basic { .. })) => Err(self.request.failure(
                ProxyReason::UnsupportedAuth,
                "it accepts neither user name and password nor no login (no acceptable method)",
            )),
            (NO_ACCEPTABLE_METHOD, Some(credentials)) => {
                let scheme = credentials.scheme();
                let detail = format!(
                    "it wants a login (no acceptable method), and {scheme} credentials are configured; SOCKS takes \
                     basic only"
                );
                Err(self.request.failure(ProxyReason::UnsupportedAuth, &detail))
            }
            (method, _) => {
                let detail = format!("it chose method {method}, which was not offered");
                Err(self.request.failure(ProxyReason::ProtocolError, &detail))
            }
        }
    }

    async fn connect(&mut self, observed: &mut Observed) -> Result<(), Failure> {
        let message = self.request.message()?;
        let [version, reply, _, kind] = self.ask(&message, "the request").await?;
        self.check(version)?;
        observed.proxy = Some(Box::new(ProxySeen {
            socks_reply: Some(reply),
            ..ProxySeen::default()
        }));
        if reply != SUCCEEDED {
            return Err(self.request.refusal(reply));
        }
        // The address from which the proxy connects says nothing of use, but stands before the endpoint's bytes.
        let length = match kind {
            IPV4 => 4,
            IPV6 => 16,
            DOMAIN => {
                let [length] = self.ask(&[], "the request").await?;
                usize::from(length)
            }
            other => {
                let detail = format!("its reply has an address of the unknown type {other}");
                return Err(self.request.failure(ProxyReason::ProtocolError, &detail));
            }
        };
        let mut address_and_port = [0; 255 + 2];
        self.exchange(&[], &mut address_and_port[..length + 2], "the request")
            .await
    }

    fn check(&self, version: u8) -> Result<(), Failure> {
        let detail = match version {
            VERSION => return Ok(()),
            b'H' => "the answer looks like HTTP: this may be an HTTP proxy".to_owned(),
            other => format!("the answer is not SOCKS version 5 (it begins with 0x{other:02x})"),
        };
        Err(self.request.failure(ProxyReason::ProtocolError, &detail))
    }

    /// Sends a message and reads so many bytes of the answer.
    async fn ask<const LENGTH: usize>(
        &mut self,
        message: &[u8],
        what: &str,
    ) -> Result<[u8; LENGTH], Failure> {
        let mut answer = [0; LENGTH];
        self.exchange(message, &mut answer, what).await?;
        Ok(answer)
    }

    async fn exchange(
        &mut self,
        message: &[u8],
        answer: &mut [u8],
        what: &str,
    ) -> Result<(), Failure> {
        let stream = &mut self.stream;
        let exchange = async {
            stream.write_all(message).await?;
            stream.flush().await?;
            stream.read_exact(answer).await.map(drop)
        };
        let error = match timeout_at(self.deadline, exchange).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => {
                let detail = format!("no answer to {what} in time");
                return Err(self.request.failure(ProxyReason::Timeout, &detail));
            }
        };
        let detail = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                format!("the connection was closed without an answer to {what}")
            }
            _ => format!("no answer to {what}: {error}"),
        };
        Err(self.request.failure(ProxyReason::Closed, &detail))
    }
}

#[cfg(test)]
mod tests;
