//! What comes of everything that was found out about a path: a revoked certificate is a failure; one of which nobody
//! could tell is one where that is required, and else a warning.

use super::Finding;
use super::certificate::Subject;
use super::trouble::Trouble;
use crate::endpoint::{RevocationMethod, RevocationMode};
use crate::outcome::{Failure, RevocationReason, RevocationState, TlsReason};

/// The verdict while it is being made.
pub(super) struct Verdict {
    mode: RevocationMode,
    revoked: Option<String>,
    /// Of the certificates of which nobody could tell.
    open: Vec<Open>,
    /// Of lists and answers that are good for now.
    renewals: Vec<Failure>,
    /// Of the certificate that is being looked at.
    heard: Heard,
}

#[derive(Default)]
struct Heard {
    name: String,
    /// Whether anybody was asked at all.
    asked: bool,
    conclusive: bool,
    best: Option<Trouble>,
    said: Vec<String>,
}

/// A certificate of which nobody could tell.
struct Open {
    reason: RevocationReason,
    offered: bool,
    detail: String,
}

impl Verdict {
    pub(super) fn new(mode: RevocationMode) -> Self {
        Self {
            mode,
            revoked: None,
            open: Vec::new(),
            renewals: Vec::new(),
            heard: Heard::default(),
        }
    }

    /// Hears what one method says of the certificate.
    pub(super) fn hear(&mut self, subject: &Subject, method: RevocationMethod, finding: &Finding) {
        let heard = &mut self.heard;
        heard.name = subject.name.to_string();
        heard.asked = true;
        let what = match method {
            RevocationMethod::Stapled => "stapled answer",
            RevocationMethod::Ocsp => "OCSP",
            RevocationMethod::Crl => "CRL",
        };
        let place = finding.url.as_ref();
        let place = place.map_or_else(String::new, |url| format!(" {url}"));
        let detail = finding.detail.as_deref();
        if let Some(renewal) = &finding.renewal {
            let said = format!("{}: {what}{place}: {}", subject.name, renewal.detail);
            self.renewals
                .push(Failure::of_endpoint(renewal.reason, said));
        }
        match finding.state {
            RevocationState::Good => heard.conclusive = true,
            RevocationState::Revoked => {
                heard.conclusive = true;
                let detail = detail.unwrap_or_default();
                let said = format!("{}: {detail}, says {what}{place}", subject.name);
                self.revoked.get_or_insert(said);
            }
            RevocationState::NotOffered => {
                let why = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
                heard.said.push(format!("{what}: not offered{why}"));
            }
            _ => {
                let detail = detail.unwrap_or_default();
                heard.said.push(format!("{what}{place}: {detail}"));
            }
        }
        if let Some(trouble) = &finding.trouble {
            let rank = heard.best.as_ref().map(Trouble::rank);
            if Some(trouble.rank()) > rank {
                heard.best = Some(trouble.clone());
            }
        }
    }

    /// The next certificate's turn.
    pub(super) fn next(&mut self) {
        let heard = std::mem::take(&mut self.heard);
        if heard.conclusive || !heard.asked {
            return;
        }
        let reason = heard.best.as_ref().map(|trouble| trouble.reason);
        self.open.push(Open {
            reason: reason.unwrap_or(RevocationReason::Unknown),
            offered: heard.best.is_some(),
            detail: format!("{}: {}", heard.name, heard.said.join("; ")),
        });
    }

    /// What comes of it. That an authority offers nothing by design is worth no warning: nobody can mend it.
    pub(super) fn conclude(self, warnings: &mut Vec<Failure>) -> Result<(), Failure> {
        warnings.extend(self.renewals);
        if let Some(detail) = self.revoked {
            return Err(Failure::of_endpoint(TlsReason::Revoked, detail));
        }
        if self.mode == RevocationMode::Require {
            let Some(first) = self.open.first() else {
                return Ok(());
            };
            let details: Vec<&str> = self.open.iter().map(|open| open.detail.as_str()).collect();
            return Err(Failure::of_endpoint(first.reason, details.join("; ")));
        }
        let told = self.open.into_iter().filter(|open| open.offered);
        warnings.extend(told.map(|open| Failure::of_endpoint(open.reason, open.detail)));
        Ok(())
    }
}
