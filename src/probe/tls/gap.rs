//! What is missing in a chain that leads to no trusted root, and what comes of it once it is added. That is how a
//! server that forgets its intermediate certificate is told from one that nobody here trusts.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use url::Url;
use webpki::{EndEntityCert, Error, KeyUsage};

use super::Trust;
use super::certificate::{self, Lack};
use super::chains::digest;
use super::witness::Witness;
use crate::outcome::CertificateSeen;

/// A chain that ends before it comes to a trusted root, and says where it goes on.
#[derive(Debug, Clone)]
pub(in crate::probe) struct Gap {
    presented: Vec<CertificateDer<'static>>,
    /// Those that were fetched to fill it.
    fetched: Vec<CertificateDer<'static>>,
    /// Whose certificate is missing.
    pub(in crate::probe) issuer: String,
    /// Where the last certificate says that it is to be had, by plain HTTP.
    pub(in crate::probe) urls: Vec<Url>,
}

/// What a chain comes to with what was fetched.
#[derive(Debug)]
pub(in crate::probe) enum Filled {
    /// It verifies.
    Whole,
    /// Another one is missing.
    StillOpen(Gap),
    /// It is whole, and nobody trusts where it ends, or it does not verify for another reason.
    Distrusted(String),
}

impl Gap {
    /// The gap in what was presented, if that is what is wrong with it.
    pub(super) fn of(witness: &Witness) -> Option<Self> {
        let refused = witness.refused()?;
        if !matches!(refused, rustls::CertificateError::UnknownIssuer) {
            return None;
        }
        Self::between(witness.presented().to_vec(), Vec::new())
    }

    fn between(
        presented: Vec<CertificateDer<'static>>,
        fetched: Vec<CertificateDer<'static>>,
    ) -> Option<Self> {
        let all: Vec<CertificateDer<'_>> = presented.iter().chain(&fetched).cloned().collect();
        let (issuer, urls) = match certificate::lack(&all)? {
            Lack::SelfSigned { .. } => return None,
            Lack::Intermediate { issuer, urls } | Lack::Trust { issuer, urls } => (issuer, urls),
        };
        if urls.is_empty() {
            return None;
        }
        let parsed = urls.iter().filter_map(|url| Url::parse(url).ok());
        let by_plain_http = parsed.filter(|url| url.scheme() == "http" && url.has_host());
        let urls = by_plain_http.collect();
        Some(Self {
            presented,
            fetched,
            issuer,
            urls,
        })
    }

    /// By what the chain is known.
    pub(in crate::probe) fn digest(&self) -> [u8; 32] {
        digest(&self.presented)
    }

    /// The certificate in what a server gave for it: DER as RFC 5280 §4.2.2.1 wants it, or PEM.
    pub(in crate::probe) fn filler(&self, bytes: &[u8]) -> Result<CertificateDer<'static>, String> {
        let certificate = CertificateDer::from_pem_slice(bytes)
            .unwrap_or_else(|_| CertificateDer::from(bytes.to_vec()));
        let seen = certificate::seen(std::slice::from_ref(&certificate));
        match seen.first() {
            None => Err("what came is not a certificate in DER or PEM".to_owned()),
            Some(seen) if seen.subject != self.issuer => {
                Err(format!("what came is the certificate of {}", seen.subject))
            }
            Some(_) => Ok(certificate),
        }
    }

    /// The facts of what was fetched and of `last`.
    pub(in crate::probe) fn facts_with(
        &self,
        last: &CertificateDer<'static>,
    ) -> Vec<CertificateSeen> {
        let all: Vec<_> = self.fetched.iter().chain([last]).cloned().collect();
        certificate::seen(&all)
    }
}

impl Trust {
    /// What the chain comes to with one more certificate.
    pub(in crate::probe) fn fill(&self, gap: &Gap, filler: &CertificateDer<'static>) -> Filled {
        let Some((leaf, others)) = gap.presented.split_first() else {
            return Filled::Distrusted("there is no certificate".to_owned());
        };
        let fetched: Vec<_> = gap.fetched.iter().chain([filler]).cloned().collect();
        let intermediates: Vec<_> = others.iter().chain(&fetched).cloned().collect();
        let verified = EndEntityCert::try_from(leaf).and_then(|leaf| {
            let verified = leaf.verify_for_usage(
                self.verifier.signature_algorithms(),
                self.verifier.anchors(),
                &intermediates,
                UnixTime::now(),
                KeyUsage::server_auth(),
                None,
                None,
            );
            verified.map(drop)
        });
        match verified {
            Ok(()) => Filled::Whole,
            Err(Error::UnknownIssuer) => {
                let top = certificate::seen(std::slice::from_ref(filler));
                let ends = top.first().map(|top| top.issuer.clone());
                match Gap::between(gap.presented.clone(), fetched) {
                    Some(open) if open.issuer != gap.issuer => Filled::StillOpen(open),
                    _ => Filled::Distrusted(format!(
                        "the chain ends at {}, which is not trusted",
                        ends.unwrap_or_default()
                    )),
                }
            }
            Err(error) => Filled::Distrusted(format!("the chain does not verify: {error:?}")),
        }
    }
}
