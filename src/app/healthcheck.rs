//! `reachd healthcheck`: asks a running daemon how it is, for containers and scripts.

mod trust;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderValue, Request, Uri};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::Fault;
use super::arguments::HealthcheckArguments;
use super::output::{complain, print};
use crate::config::read_bounded;
use crate::server::{PathFlag, Place, WebFile};

/// What the daemon answers is a line.
const LONGEST_ANSWER: usize = 4096;

const LONGEST_PASSWORD: u64 = 4096;

/// The daemon is not well, or cannot be asked.
const UNHEALTHY: u8 = 1;

/// Whom to ask, for what, and how.
struct Question {
    address: String,
    url: Url,
    tls: Option<Arc<ClientConfig>>,
    login: Option<HeaderValue>,
}

pub(super) fn run(arguments: &HealthcheckArguments) -> Result<ExitCode, Fault> {
    let question = Question::of(arguments).map_err(Fault::Usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::Internal(format!("no runtime can be started: {error}")))?;
    let answer = runtime.block_on(async { timeout(arguments.timeout, question.ask()).await });
    // A name that is still looked up is waited for by nobody.
    runtime.shutdown_background();
    let answer = answer.unwrap_or_else(|_| {
        let patience = humantime::format_duration(arguments.timeout);
        Err(format!("no answer within {patience}"))
    });
    match answer {
        Ok(text) => print(text.trim_end()),
        Err(why) => {
            complain(&format!("{}: {why}", question.url));
            Ok(ExitCode::from(UNHEALTHY))
        }
    }
}

// === impl Question ===

impl Question {
    fn of(arguments: &HealthcheckArguments) -> Result<Self, String> {
        let web = arguments.web_config_file.as_deref();
        let web = web.map(WebFile::load).transpose()?;
        let place = Place::new(&arguments.route_prefix, &PathFlag::metrics())?;
        let path = if arguments.ready {
            "/-/ready"
        } else {
            "/-/healthy"
        };
        let mut url = match (&arguments.url, arguments.listen_addresses.first()) {
            (Some(url), _) => url.clone(),
            (None, Some(address)) => {
                let tls =
                    web.as_ref().is_some_and(WebFile::speaks_tls) || arguments.ca_file.is_some();
                let scheme = if tls { "https" } else { "http" };
                let url = format!("{scheme}://{}{}", reachable(*address), place.path("/"));
                Url::parse(&url).map_err(|error| error.to_string())?
            }
            (None, None) => return Err("there is no address to ask".to_owned()),
        };
        if !["http", "https"].contains(&url.scheme()) || !url.username().is_empty() {
            return Err("--url: expected http://HOST… or https://HOST… without a login".to_owned());
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err("--url: it names no host".to_owned());
        };
        let is_tls = url.scheme() == "https";
        let tls = is_tls.then(|| trust::client_config(arguments, web.as_ref()));
        Ok(Self {
            address: format!("{host}:{port}"),
            tls: tls.transpose()?.map(Arc::new),
            login: login(arguments)?,
            url,
        })
    }

    /// What a daemon that is well says; otherwise why it is not, or was not to be asked.
    async fn ask(&self) -> Result<String, String> {
        let stream = self.connected().await?;
        let Some(tls) = &self.tls else {
            return self.ask_over(stream).await;
        };
        let name = match self.url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
            Some(Host::Ipv4(address)) => Some(ServerName::from(std::net::IpAddr::from(address))),
            Some(Host::Ipv6(address)) => Some(ServerName::from(std::net::IpAddr::from(address))),
            None => None,
        };
        let name = name.ok_or("its host is no name of TLS")?;
        let handshake = TlsConnector::from(Arc::clone(tls)).connect(name, stream);
        let stream = handshake.await.map_err(|error| format!("TLS: {error}"))?;
        self.ask_over(stream).await
    }

    /// To the first of its addresses that answers.
    async fn connected(&self) -> Result<TcpStream, String> {
        let addresses = lookup_host(&self.address).await;
        let mut refused = "it has no address".to_owned();
        for address in addresses.map_err(|error| error.to_string())? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => refused = format!("cannot connect to {address}: {error}"),
            }
        }
        Err(refused)
    }

    async fn ask_over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<String, String> {
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
        let request = self.request().map_err(|error| error.to_string())?;
        let exchange = async {
            let response = sender.send_request(request).await;
            let response = response.map_err(|error| format!("it does not answer: {error}"))?;
            let status = response.status();
            let text = text_of(response.into_body()).await;
            if status.is_success() {
                Ok(text)
            } else {
                Err(format!("{status}: {}", text.trim()))
            }
        };
        tokio::select! {
            answer = exchange => answer,
            // It ends before the answer only where there will be none.
            Err(error) = connection => Err(error.to_string()),
        }
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, axum::http::Error> {
        let host = self.url.host_str().unwrap_or_default();
        let host = match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let path: Uri = self.url.path().parse()?;
        let mut request = Request::get(path).header(HOST, host);
        if let Some(login) = &self.login {
            request = request.header(AUTHORIZATION, login);
        }
        request.body(Empty::new())
    }
}

async fn text_of(body: Incoming) -> String {
    let collected = Limited::new(body, LONGEST_ANSWER).collect().await;
    let bytes = collected.map(http_body_util::Collected::to_bytes);
    let text = bytes.unwrap_or_default();
    let visible = |c: char| c == '\n' || !c.is_control();
    String::from_utf8_lossy(&text)
        .chars()
        .filter(|c| visible(*c))
        .collect()
}

/// Who listens everywhere is asked on this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        match address {
            SocketAddr::V4(_) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(_) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        }
    }
    address
}

fn login(arguments: &HealthcheckArguments) -> Result<Option<HeaderValue>, String> {
    let (Some(user), Some(file)) = (&arguments.username, &arguments.password_file) else {
        return Ok(None);
    };
    let password = password(file)?;
    let encoded = BASE64_STANDARD.encode([user.as_bytes(), b":", &password].concat());
    let mut header = HeaderValue::try_from(format!("Basic {encoded}"))
        .map_err(|error| format!("--username: {error}"))?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// Without the newline at its end.
fn password(file: &Path) -> Result<Vec<u8>, String> {
    let content = read_bounded(file, LONGEST_PASSWORD)?;
    let line = content.strip_suffix(b"\n").unwrap_or(&content);
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::app::{Arguments, Command};

    fn asked(flags: &[&str]) -> Result<String, String> {
        let line = [&["reachd", "healthcheck"], flags].concat();
        let arguments = Arguments::try_parse_from(line).map_err(|error| error.to_string())?;
        let Some(Command::Healthcheck(arguments)) = arguments.command else {
            panic!("another command");
        };
        Question::of(&arguments).map(|question| question.url.to_string())
    }

    #[test]
    fn the_daemon_is_asked_where_its_flags_say() {
        let table: [(&[&str], &str); 7] = [
            (&[], "http://127.0.0.1:9797/-/healthy"),
            (&["--ready"], "http://127.0.0.1:9797/-/ready"),
            (
                &["--web.listen-address", "0.0.0.0:80"],
                "http://127.0.0.1/-/healthy",
            ),
            (
                &["--web.listen-address", ":9797"],
                "http://[::1]:9797/-/healthy",
            ),
            (
                &["--web.route-prefix", "/r/"],
                "http://127.0.0.1:9797/r/-/healthy",
            ),
            (
                &["--url", "http://r.example:1/x/"],
                "http://r.example:1/x/-/healthy",
            ),
            (&["--url", "http://r.example"], "http://r.example/-/healthy"),
        ];
        for (flags, expected) in table {
            assert_eq!(asked(flags).as_deref(), Ok(expected), "{flags:?}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let table: [&[&str]; 6] = [
            &["--url", "ftp://r.example/"],
            &["--url", "http://u:p@r.example/"],
            &["--url", "http://r.example/", "--web.route-prefix", "/r"],
            &["--username", "alice"],
            &["--client-certificate", "a.pem"],
            &["--web.config.file", "/no/such/web.yml"],
        ];
        for flags in table {
            assert!(asked(flags).is_err(), "{flags:?}");
        }
    }
}
