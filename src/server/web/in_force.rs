//! What a good file comes to, ready to be used by every request.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use rustls::ServerConfig;
use tokio::sync::Semaphore;

use super::limit::Limiter;
use super::login::Logins;
use super::tls::server_config;
use crate::config::WebConfig;

/// A web configuration in force.
#[derive(Debug)]
pub(crate) struct InForce {
    /// How TLS is spoken; plain HTTP without it.
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) logins: Logins,
    pub(super) limiter: Option<Arc<Limiter>>,
    headers: HeaderMap,
}

impl InForce {
    /// What comes after `former`, whose bucket of tokens goes on where the limit is the same.
    ///
    /// # Errors
    /// What cannot be brought into force, in one line.
    pub(super) fn new(
        config: WebConfig,
        former: Option<&Self>,
        turn: Arc<Semaphore>,
    ) -> Result<Self, String> {
        let tls = config.tls.as_ref();
        let tls = tls
            .map(|tls| server_config(tls, config.http2))
            .transpose()
            .map_err(|error| format!("tls_server_config: {error}"))?;
        let kept = former.and_then(|former| former.limiter.clone());
        let kept = kept.filter(|kept| Some(kept.limit()) == config.rate_limit);
        let fresh = || config.rate_limit.map(|limit| Arc::new(Limiter::new(limit)));
        let mut headers = HeaderMap::new();
        for (name, value) in config.headers {
            let (name, value) = (
                HeaderName::try_from(name).map_err(|error| error.to_string())?,
                HeaderValue::try_from(value).map_err(|error| error.to_string())?,
            );
            headers.insert(name, value);
        }
        Ok(Self {
            tls: tls.map(Arc::new),
            logins: Logins::new(config.users, turn),
            limiter: kept.or_else(fresh),
            headers,
        })
    }

    /// Whether anybody has to log in.
    pub(crate) fn has_logins(&self) -> bool {
        !self.logins.is_open()
    }

    /// Gives an answer the headers that are configured, in place of reachd's own of the same name.
    pub(super) fn add_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }
}
