//! A derived endpoint: whether what an authority publishes at a place is to be had there, and is any good. No cache
//! answers here.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use url::Url;

use super::answer;
use super::certificate::{Subject, parse};
use super::document::{Document, Word};
use super::ledger::Chain;
use super::trouble::Trouble;
use crate::endpoint::Publication;
use crate::outcome::{Failure, Phase, RevocationReason};
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
        // Without one the endpoint is about to leave the plan: that somebody answers is all that can be said.
        let named = self.ledger.naming(&place);
        let (witness, count) = match named {
            Some((chain, index, count)) => (Some(Witness { chain, index }), count),
            None => (None, 0),
        };
        let looked = self.look(publication, url, witness.as_ref(), journal).await;
        looked.map_err(|failure| match &witness {
            Some(witness) => Failure {
                detail: format!(
                    "{} ({})",
                    failure.detail,
                    witness.named_by(publication, count)
                ),
                ..failure
            },
            None => failure,
        })
    }

    async fn look(
        &self,
        publication: Publication,
        url: &Url,
        witness: Option<&Witness>,
        journal: &mut Journal,
    ) -> Result<(), Failure> {
        let question = match (publication, witness) {
            (Publication::Answers, Some(witness)) => Some(
                answer::question(witness.subject())
                    .map_err(|trouble| trouble.at_publication(url))?,
            ),
            _ => None,
        };
        let post = question.map(|question| Post {
            content_type: "application/ocsp-request",
            body: Bytes::from(question),
        });
        let mut http = HttpProbe::fetching(url.clone(), self.expectation(), post);
        self.follow(&mut http, journal).await?;
        let Some(witness) = witness.cloned() else {
            return Ok(());
        };
        let started = Instant::now();
        let bytes = http.into_body();
        // Off the probing thread: a long list takes its time.
        let judged = spawn_blocking(move || judge(publication, witness.subject(), &bytes)).await;
        journal.took(Phase::Revocation.with_endpoint(), started);
        let broken_off = |_| Err(Trouble::malformed("reading it was broken off"));
        judged
            .unwrap_or_else(broken_off)
            .map_err(|trouble| trouble.at_publication(url))
    }
}

fn judge(publication: Publication, subject: &Subject, bytes: &[u8]) -> Result<(), Trouble> {
    let now = SystemTime::now();
    match publication {
        Publication::RevocationList => Document::of_list(bytes, subject, now, now).map(drop),
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
