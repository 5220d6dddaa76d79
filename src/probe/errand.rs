//! Fetches for reachd itself: a document over a named route, with the phases, the deadline and the failures of a probe.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use tokio::time::Instant;
use url::Url;

use super::Probe;
use super::http::HttpProbe;
use super::journal::Journal;
use crate::endpoint::{Endpoint, Expectation};
use crate::outcome::Failure;
use crate::plan::Check;

/// More redirects are not followed.
const MOST_REDIRECTS: u8 = 5;

/// What fetches documents over one route.
#[derive(Debug, Clone)]
pub struct Errand(pub(super) Probe);

/// An answer, of any status that says that the server itself was reached.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Errand {
    /// Gets what is at a URL, with these headers. A login goes to nobody else: with one, no redirect is followed.
    ///
    /// # Errors
    /// The failure of the phase that failed. It does not show the headers.
    pub async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Fetched, Failure> {
        let check = &self.0.check;
        let expectation = Expectation {
            max_redirects: if headers.contains_key(AUTHORIZATION) {
                0
            } else {
                MOST_REDIRECTS
            },
            ..Expectation::clone(&check.endpoint.expectation)
        };
        let probe = Probe {
            check: Arc::new(Check {
                endpoint: Arc::new(Endpoint {
                    expectation: expectation.into(),
                    ..Endpoint::clone(&check.endpoint)
                }),
                ..Check::clone(check)
            }),
            ..self.0.clone()
        };
        let mut journal = Journal::of_errand(Instant::now() + probe.check.timeout);
        let mut http = HttpProbe::fetching(url.clone(), probe.expectation(), None).with(headers);
        probe.follow(&mut http, &mut journal).await?;
        Ok(http.into_answer())
    }
}
