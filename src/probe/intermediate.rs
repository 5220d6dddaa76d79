//! Proves what is wrong with a chain that leads to no trusted root: the certificate that is missing is fetched from
//! where the last one says (Authority Information Access), over the check's own route, or directly where the chain is
//! that of the route's proxy, and the chain is verified with it. Whatever comes of that, the probe has failed: it is
//! the server that has to send its chain.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::Probe;
use super::fetch::{Document, Fetcher};
use super::http::HttpProbe;
use super::journal::Journal;
use super::tls::{Filled, Gap, Refused};
use crate::endpoint::{Authority, Expectation, StatusRule};
use crate::outcome::{CertificateSeen, Failure, Peer, TlsReason};

/// A certificate takes 1 or 2 KiB.
const MOST_BYTES: usize = 64 << 10;

/// So many certificates in a row may be missing.
const MOST_MISSING: usize = 3;

/// So long one fetch may take; never longer than the probe.
const LONGEST_FETCH: Duration = Duration::from_secs(5);

/// So long a diagnosis is believed, so that a check that goes on failing does not fetch with every probe.
const LIFETIME: Duration = Duration::from_secs(600);

/// The same where nothing could be fetched, which may be over soon.
const LIFETIME_UNPROVEN: Duration = Duration::from_secs(60);

/// More are forgotten all at once.
const MOST_REMEMBERED: usize = 1024;

/// What a certificate is to be fetched with.
static EXPECTATION: LazyLock<Expectation> = LazyLock::new(|| Expectation {
    status: StatusRule::OneOf(vec![200]),
    max_redirects: 2,
    max_body_bytes: MOST_BYTES,
    ..Expectation::default()
});

/// The diagnoses of late, by chain, whose it is, route and whom is trusted.
#[derive(Debug, Default)]
pub(super) struct Diagnoses(Mutex<HashMap<Key, (Instant, Diagnosis)>>);

type Key = ([u8; 32], Peer, String, Option<PathBuf>);

/// What is wrong with a chain.
#[derive(Debug, Clone)]
struct Diagnosis {
    /// None where the fetch came to nothing, and so what the chain alone says holds.
    reason: Option<TlsReason>,
    detail: String,
    /// The facts of what was fetched, which say more of who vouches for the chain.
    fetched: Arc<[CertificateSeen]>,
}

type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>>;

impl Diagnoses {
    fn of(&self, key: &Key) -> Option<Diagnosis> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, diagnosis) = known.get(key)?;
        let lifetime = match diagnosis.reason {
            Some(_) => LIFETIME,
            None => LIFETIME_UNPROVEN,
        };
        (made.elapsed() < lifetime).then(|| diagnosis.clone())
    }

    fn remember(&self, key: Key, diagnosis: Diagnosis) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(key, (Instant::now(), diagnosis));
    }
}

impl Probe {
    /// The failure of a handshake that was refused with a peer, as exact as it can be had, and the facts of what was
    /// fetched for that.
    pub(super) async fn diagnose(
        &self,
        refused: Refused,
        peer: Peer,
        authority: &Authority,
        journal: &Journal,
    ) -> (Failure, Arc<[CertificateSeen]>) {
        let Refused { mut failure, gap } = refused;
        // A certificate is not fetched from where another one would have to be fetched first.
        let Some(gap) = gap.filter(|_| !journal.is_errand) else {
            return (failure, Arc::default());
        };
        let route = &self.check.route;
        let trusted = match peer {
            Peer::Endpoint => Some(&*self.check.tls),
            Peer::Proxy => route.way.proxy_tls(),
        };
        let trusted = trusted.and_then(|tls| tls.ca_file.clone());
        let key = (gap.digest(), peer, route.name.clone(), trusted);
        let diagnosis = if let Some(known) = self.means.diagnoses.of(&key) {
            known
        } else {
            let found = self.fill(gap, peer, journal.deadline).await;
            self.means.diagnoses.remember(key, found.clone());
            found
        };
        match diagnosis.reason {
            Some(reason) => {
                let detail = format!("{authority}: {}", diagnosis.detail);
                failure = Failure::new(reason, peer, detail);
            }
            None => failure.detail = format!("{} ({})", failure.detail, diagnosis.detail),
        }
        (failure, diagnosis.fetched)
    }

    async fn fill(&self, mut gap: Gap, peer: Peer, deadline: Instant) -> Diagnosis {
        let mut steps = Vec::new();
        let mut fetched: Arc<[CertificateSeen]> = Arc::default();
        for _ in 0..MOST_MISSING {
            let Some(url) = gap.urls.first().cloned() else {
                let detail = format!(
                    "unproven: no address of plain HTTP is given for the certificate of {}",
                    gap.issuer
                );
                return Diagnosis::unproven(detail, fetched);
            };
            let fetch_by = deadline.min(Instant::now() + LONGEST_FETCH);
            let got = match peer {
                Peer::Endpoint => self.fetch_over_route(url.clone(), fetch_by).await,
                Peer::Proxy => self.fetch_directly(&url, fetch_by).await,
            };
            let filler = got.and_then(|bytes| gap.filler(&bytes)).map_err(|why| {
                // The failure of a request names its URL, one on the way to the server does not.
                let is_named = why.contains(url.as_str());
                if is_named {
                    why
                } else {
                    format!("GET {url}: {why}")
                }
            });
            let filler = match filler {
                Ok(filler) => filler,
                Err(why) => {
                    let detail = format!(
                        "unproven, for the certificate of {} cannot be fetched: {why}",
                        gap.issuer
                    );
                    return Diagnosis::unproven(detail, fetched);
                }
            };
            fetched = gap.facts_with(&filler).into();
            steps.push(format!("{}, fetched from {url}", gap.issuer));
            let added = steps.join(", and that of ");
            let trust = match peer {
                Peer::Endpoint => &self.means.trust,
                Peer::Proxy => &self.means.proxy_trust,
            };
            match trust.fill(&gap, &filler) {
                Filled::Whole => {
                    let detail = format!(
                        "the {} does not send the intermediate certificate: the chain verifies once the \
                         certificate of {added}, is added",
                        match peer {
                            Peer::Endpoint => "server",
                            Peer::Proxy => "proxy",
                        }
                    );
                    return Diagnosis {
                        reason: Some(TlsReason::IncompleteChain),
                        detail,
                        fetched,
                    };
                }
                Filled::Distrusted(what) => {
                    let detail = format!("with the certificate of {added}, {what}");
                    return Diagnosis {
                        reason: Some(TlsReason::UnknownIssuer),
                        detail,
                        fetched,
                    };
                }
                Filled::StillOpen(open) => gap = open,
            }
        }
        let detail = format!("unproven: more than {MOST_MISSING} certificates are missing");
        Diagnosis::unproven(detail, fetched)
    }

    /// Boxed, for it is a probe within a probe.
    fn fetch_over_route(&self, url: Url, deadline: Instant) -> Fetching<'_> {
        Box::pin(async move {
            // What is seen on this way is not the evidence of the probe's own steps.
            let mut journal = Journal::of_errand(deadline);
            let mut http = HttpProbe::fetching(url, &EXPECTATION, None);
            let followed = self.follow(&mut http, &mut journal).await;
            followed.map_err(|failure| failure.detail)?;
            Ok(http.into_body())
        })
    }

    /// Past the proxy, which cannot be spoken to.
    async fn fetch_directly(&self, url: &Url, deadline: Instant) -> Result<Vec<u8>, String> {
        let fetcher = Fetcher {
            resolver: Arc::clone(&self.means.proxy_resolver),
            trust: Arc::clone(&self.means.proxy_trust),
            peer: Peer::Proxy,
        };
        let document = Document::at(url, MOST_BYTES);
        let answer = fetcher.fetch(&document, deadline).await;
        answer.map_err(|error| error.to_string())
    }
}

impl Diagnosis {
    fn unproven(detail: String, fetched: Arc<[CertificateSeen]>) -> Self {
        Self {
            reason: None,
            detail,
            fetched,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_diagnosis_is_believed_for_a_while_and_only_on_its_route() {
        let diagnoses = Diagnoses::default();
        let key = |route: &str| ([7; 32], Peer::Endpoint, route.to_owned(), None);
        let unproven = Diagnosis::unproven("nobody answers".to_owned(), Arc::default());
        let proven = Diagnosis {
            reason: Some(TlsReason::IncompleteChain),
            ..unproven.clone()
        };
        diagnoses.remember(key("corp"), proven);
        diagnoses.remember(key("blocked"), unproven);
        let is_known = |route| diagnoses.of(&key(route)).is_some();
        assert!(is_known("corp") && is_known("blocked") && !is_known("direct"));
        advance(LIFETIME_UNPROVEN).await;
        assert!(is_known("corp") && !is_known("blocked"));
        advance(LIFETIME).await;
        assert!(!is_known("corp"));
    }

    #[test]
    fn diagnoses_do_not_pile_up() {
        let diagnoses = Diagnoses::default();
        for number in 0..=MOST_REMEMBERED {
            let found = Diagnosis::unproven(String::new(), Arc::default());
            diagnoses.remember(([0; 32], Peer::Endpoint, number.to_string(), None), found);
        }
        assert!(diagnoses.0.lock().unwrap().len() <= MOST_REMEMBERED);
    }
}
