//! The web configuration file, in the format of the Prometheus exporters: TLS, client certificates, who may log in,
//! headers, and how many requests are answered. Stricter than theirs: what would be ignored there is refused here.

mod headers;
mod limit;
mod tls;
mod users;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, NamedGroup};

use super::context::Context;
use super::reader::{Fields, Value};
use super::scalars::boolean;
use super::{MAX_FILE_BYTES, Problems, document, files};
use crate::endpoint::TlsVersion;
use crate::route::Secret;

/// What a web configuration file says.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// How TLS is spoken; plain HTTP without it.
    pub tls: Option<WebTls>,
    /// Whether HTTP/2 is offered over TLS.
    pub http2: bool,
    /// What answers carry besides, or instead of reachd's own.
    pub headers: Vec<(&'static str, String)>,
    /// Who may log in, with the bcrypt hash of the password; nobody has to where it is empty.
    pub users: BTreeMap<String, Secret>,
    /// How many requests are answered.
    pub rate_limit: Option<RateLimit>,
}

/// How TLS is spoken with clients.
#[derive(Debug, Clone)]
pub struct WebTls {
    /// The certificates with their key.
    pub pair: Arc<CertifiedKey>,
    /// What is asked of clients.
    pub client_policy: ClientPolicy,
    /// Who vouches for clients.
    pub client_authorities: Vec<CertificateDer<'static>>,
    /// The alternative names of which the certificate of a client must have one; any will do where it is empty.
    pub client_names: Vec<String>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// The newest version that is spoken.
    pub max_version: TlsVersion,
    /// Those of TLS 1.2 that are taken, the best first.
    pub cipher_suites: Vec<CipherSuite>,
    /// Whether the server chooses among the cipher suites; otherwise the client does.
    pub prefer_own_order: bool,
    /// How keys are agreed on, the best first; what the library prefers where it is empty.
    pub curves: Vec<NamedGroup>,
}

/// What is asked of clients, by the names that Go has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientPolicy {
    /// Nothing.
    NoClientCert,
    /// A certificate, but nobody looks at it, and none is as good.
    RequestClientCert,
    /// A certificate, whoever vouches for it.
    RequireAnyClientCert,
    /// A certificate that an authority vouches for, or none.
    VerifyClientCertIfGiven,
    /// A certificate that an authority vouches for.
    RequireAndVerifyClientCert,
}

/// A bucket of tokens, one for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How often a token is added.
    pub interval: Duration,
    /// How many fit in.
    pub burst: u32,
}

/// What came of reading a web configuration file.
#[derive(Debug)]
pub struct WebReading {
    /// What it says, or everything that is wrong.
    pub config: Result<WebConfig, Problems>,
    /// The file and all that it names, whatever came of it.
    pub files: Vec<PathBuf>,
}

// === impl WebReading ===

impl WebReading {
    /// Reads a file and those that it names. Relative paths count from its folder.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let file = path.display().to_string();
        let text = files::read_bounded(path, MAX_FILE_BYTES).and_then(|content| {
            String::from_utf8(content).map_err(|_| format!("{file} is not UTF-8 text"))
        });
        let text = match text {
            Ok(text) => text,
            Err(message) => {
                return Self {
                    config: Err(Problems::one(&file, "", message)),
                    files: vec![path.to_owned()],
                };
            }
        };
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let base_dir = absolute.parent().unwrap_or(Path::new(""));
        let context = Context::without_variables(&file, base_dir);
        let config = read(&text, &context);
        let named = context.named_files.take();
        Self {
            config,
            files: [path.to_owned()].into_iter().chain(named).collect(),
        }
    }
}

pub(super) fn read(text: &str, context: &Context<'_>) -> Result<WebConfig, Problems> {
    let document = document::parse(context.file, text)?;
    let root = Value::root(context, &document);
    context.conclude(root.fields(root_fields), |_| Problems::default())
}

fn root_fields(fields: &mut Fields<'_>) -> WebConfig {
    fields.not_empty(
        "tls_server_config",
        "leave the key out for HTTP without TLS",
    );
    fields.not_empty(
        "basic_auth_users",
        "leave the key out where nobody is to log in",
    );
    let tls = fields.optional("tls_server_config", tls::read);
    let http = fields.optional("http_server_config", |value| {
        value.fields(|fields| {
            let http2 = fields.optional("http2", boolean);
            (http2, fields.optional("headers", headers::read))
        })
    });
    let (http2, headers) = http.unwrap_or_default();
    let users = fields.optional("basic_auth_users", users::read);
    let rate_limit = fields.optional("rate_limit", limit::read);
    WebConfig {
        tls,
        http2: http2.unwrap_or(true),
        headers: headers.unwrap_or_default(),
        users: users.unwrap_or_default(),
        rate_limit,
    }
}

// === impl ClientPolicy ===

impl ClientPolicy {
    /// Whether nobody comes in without a certificate.
    #[must_use]
    pub fn is_mandatory(self) -> bool {
        matches!(
            self,
            Self::RequireAnyClientCert | Self::RequireAndVerifyClientCert
        )
    }

    /// Whether an authority must vouch for a certificate.
    #[must_use]
    pub fn verifies(self) -> bool {
        matches!(
            self,
            Self::VerifyClientCertIfGiven | Self::RequireAndVerifyClientCert
        )
    }
}

#[cfg(test)]
mod tests;
