//! A derived endpoint: whether what an authority publishes at a place is to be had there, and is any good. No cache
//! answers here.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::SemaphorePermit;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use url::Url;

use super::answer;
use super::certificate::{Subject, parse};
use super::document::{Document, Word};
use super::ledger::Chain;
use super::trouble::Trouble;
use crate::endpoint::Publication;
use crate::outcome::{Failure, Phase, ResponseReason, RevocationReason};
use crate::plan::Place;
use crate::probe::Probe;
use crate::probe::http::{HttpProbe, Post};
use crate::probe::journal::Journal;

/// A certificate that names the place, in its chain.
#[derive(Clone)]
struct Witness {
    chain: Arc<Chain>,
    index: usize,
}

impl Probe {
    /// Fetches what is published at a URL, and looks at it with the certificate that names the place.
    pub(in crate::probe) async fn look_at_publication(
        &self,
        publication: Publication,
        url: &Url,
        journal: &mut Journal,
    ) -> Result<(), Failure> {
        let place = Place {
            publication,
            url: url.clone(),
        };
        let check = &self.check;
        let named = self
            .means
            .ledger
            .naming(&place, &check.endpoint.service, &check.route.name);
        let Some((chain, index, count)) = named else {
            return self.look_without_witness(url, journal).await;
        };
        let witness = Witness { chain, index };
        let looked = match publication {
            Publication::Answers => self.ask_responder(&witness, url, journal).await,
            Publication::RevocationList | Publication::Certificate => {
                self.look(publication, &witness, url, None, journal).await
            }
        };
        looked.map_err(|failure| Failure {
            detail: format!(
                "{} ({})",
                failure.detail,
                witness.named_by(publication, count)
            ),
            ..failure
        })
    }

    /// The endpoint is about to leave the plan: that somebody answers is all that can be said.
    async fn look_without_witness(&self, url: &Url, journal: &mut Journal) -> Result<(), Failure> {
        let mut http = HttpProbe::fetching(url.clone(), self.expectation(), None);
        match self.follow(&mut http, journal).await {
            Err(failure) if failure.reason == ResponseReason::BadStatus.into() => Ok(()),
            result => result,
        }
    }

    /// By GET as Windows does, and by POST where that leads to nothing usable.
    async fn ask_responder(
        &self,
        witness: &Witness,
        url: &Url,
        journal: &mut Journal,
    ) -> Result<(), Failure> {
        let question = answer::question(witness.subject());
        let question = question.map_err(|trouble| trouble.at_publication(url))?;
        if let Some(whole) = answer::get_url(url, &question) {
            let by_get = self.look(Publication::Answers, witness, &whole, None, journal);
            match by_get.await {
                Ok(()) => return Ok(()),
                Err(failure) if Instant::now() >= journal.deadline => return Err(failure),
                Err(_) => {}
            }
        }
        let post = Post {
            content_type: "application/ocsp-request",
            body: Bytes::from(question),
        };
        self.look(Publication::Answers, witness, url, Some(post), journal)
            .await
    }

    async fn look(
        &self,
        publication: Publication,
        witness: &Witness,
        url: &Url,
        post: Option<Post>,
        journal: &mut Journal,
    ) -> Result<(), Failure> {
        let mut http = HttpProbe::fetching(url.clone(), self.expectation(), post);
        self.follow(&mut http, journal)
            .await
            .map_err(of_publication)?;
        let started = Instant::now();
        let bytes = http.into_body();
        let witness = witness.clone();
        // Off the probing thread: a long list takes its time.
        let judged = spawn_blocking(move || judge(publication, witness.subject(), &bytes)).await;
        journal.took(Phase::Revocation.with_endpoint(), started);
        let broken_off = |_| Err(Trouble::malformed("reading it was broken off"));
        judged
            .unwrap_or_else(broken_off)
            .map_err(|trouble| trouble.at_publication(url))
    }

    /// Waits for the turn to read a list, where this is one: a moment before the probe's time begins.
    pub(in crate::probe) async fn turn_to_read(&self) -> Option<SemaphorePermit<'_>> {
        match self.check.endpoint.publishes {
            Some(Publication::RevocationList) => self.means.ledger.lists.acquire().await.ok(),
            Some(Publication::Answers | Publication::Certificate) | None => None,
        }
    }
}

/// What is too long to be a list is no fault of the answer as such.
fn of_publication(failure: Failure) -> Failure {
    if failure.reason == ResponseReason::TooLarge.into() {
        return Failure::of_endpoint(RevocationReason::TooLarge, failure.detail);
    }
    failure
}

fn judge(publication: Publication, subject: &Subject, bytes: &[u8]) -> Result<(), Trouble> {
    let now = SystemTime::now();
    match publication {
        // What it says of the certificate is told by the endpoint that presents it; that it covers it is looked at here.
        Publication::RevocationList => Document::of_list(bytes, subject, now, now)?
            .on(subject)
            .map(drop),
        Publication::Answers => match Document::of_answer(bytes, subject, now, now)?.on(subject)? {
            Word::Unknown => Err(Trouble::new(
                RevocationReason::Unknown,
                "the responder does not know the certificate",
            )),
            Word::Good | Word::Revoked(_) => Ok(()),
        },
        Publication::Certificate => is_issuer(subject, bytes),
    }
}

/// Whether it is a certificate of the authority: DER as RFC 5280 §4.2.2.1 wants it, PEM, or a bundle (PKCS #7) that holds
/// the very one which vouches here. An authority may have several certificates for one key.
fn is_issuer(subject: &Subject, bytes: &[u8]) -> Result<(), Trouble> {
    let issuer = subject.issuer.certificate()?;
    let der = subject.issuer.der();
    if memmem(bytes, der) {
        return Ok(());
    }
    let from_pem = CertificateDer::from_pem_slice(bytes).ok();
    let published = from_pem.as_deref().unwrap_or(bytes);
    match parse(published) {
        None => Err(Trouble::malformed(
            "what came is neither a certificate in DER or PEM nor a bundle that holds the authority's",
        )),
        Some(published)
            if published.subject().as_raw() == issuer.subject().as_raw()
                && published.public_key().raw == issuer.public_key().raw =>
        {
            Ok(())
        }
        Some(published) => Err(Trouble::malformed(format!(
            "what came is a certificate of {}, and not that of {}",
            published.subject(),
            issuer.subject()
        ))),
    }
}

fn memmem(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

impl Witness {
    fn subject(&self) -> &Subject {
        &self.chain.subjects[self.index]
    }

    fn named_by(&self, publication: Publication, checks: usize) -> String {
        let subject = self.subject();
        let others = match checks {
            0 | 1 => String::new(),
            _ => format!(", met by {checks} checks"),
        };
        format!(
            "the {} that the certificate of {} names{others}",
            publication.title(),
            subject.name
        )
    }
}

impl Trouble {
    fn at_publication(self, url: &Url) -> Failure {
        Failure::of_endpoint(self.reason, format!("{url}: {}", self.detail))
    }
}

#[cfg(test)]
mod tests;
