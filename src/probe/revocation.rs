//! The phase `revocation`: whether the server's certificate or an intermediate one was revoked. Each method is tried
//! in turn until one is conclusive: what the server staples to the handshake, the authority's responder, its list.

mod answer;
mod certificate;
mod courier;
mod der;
mod disk;
mod document;
#[cfg(test)]
mod fixture;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod ledger;
mod list;
mod publication;
mod store;
mod trouble;
mod turns;
mod verdict;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout_at};
use url::Url;

use self::certificate::Subject;
use self::courier::Errand;
use self::document::{Document, Word};
pub(super) use self::ledger::{Chain, Ledger, Page};
pub(super) use self::store::RevocationStore;
use self::store::{Found, Key, Known};
use self::trouble::Trouble;
use self::verdict::Verdict;
use super::connect::fair_share;
use super::journal::Journal;
use super::tls::Presented;
use super::{Means, Probe};
use crate::endpoint::{RevocationMethod, RevocationMode, Shared};
use crate::outcome::{
    CertificatePlace, Failure, Phase, RevocationReason, RevocationSeen, RevocationState,
};

/// How long a probe that cannot do without waits for another try of what failed before.
const PATIENCE: Duration = Duration::from_secs(1);

/// What finds out about revocation for one check.
#[derive(Debug, Clone)]
pub(super) struct Inquiry {
    /// With what lists and answers are fetched.
    pub(super) means: Shared<Means>,
    /// Where it is written down what the check meets.
    pub(super) page: Arc<Page>,
}

/// What one method says of one certificate.
struct Finding {
    state: RevocationState,
    url: Option<Url>,
    detail: Option<String>,
    trouble: Option<Trouble>,
    /// Why the next list or answer cannot be had, while this one is still good.
    renewal: Option<Trouble>,
    this_update: Option<SystemTime>,
    next_update: Option<SystemTime>,
}

impl Probe {
    /// Finds out whether what the server presented was revoked, and says what comes of it.
    pub(super) async fn look_for_revocation(
        &self,
        presented: &Presented,
        journal: &mut Journal,
    ) -> Result<(), Failure> {
        // Who asks for what an authority publishes does not ask whether that server was revoked.
        let Some(inquiry) = self.revocation.as_ref().filter(|_| !journal.is_errand) else {
            return Ok(());
        };
        let started = Instant::now();
        let settings = &self.check.revocation;
        let mut verdict = Verdict::new(settings.mode);
        // A merely reported fault must leave time for the request.
        let deadline = match settings.mode {
            RevocationMode::Require => journal.deadline,
            RevocationMode::Off | RevocationMode::Report => fair_share(journal.deadline, 2),
        };
        let chain = inquiry.page.read(&presented.path);
        journal.chains.push(Arc::clone(&chain));
        let subjects = &chain.subjects;
        let mut seen = journal.observed.revocation.to_vec();
        for (looked_at, subject) in subjects.iter().enumerate() {
            let share = fair_share(deadline, subjects.len() - looked_at);
            let methods: Vec<RevocationMethod> = settings
                .methods
                .iter()
                .copied()
                .filter(|method| applies(*method, subject))
                .collect();
            for (tried, method) in methods.iter().copied().enumerate() {
                let share = fair_share(share, methods.len() - tried);
                let finding = match method {
                    _ if !subject.readable => Finding::of_trouble(Trouble::unreadable()),
                    RevocationMethod::Stapled => stapled(&presented.staple, subject),
                    RevocationMethod::Ocsp => {
                        self.ask_authority(inquiry, subject, method, &subject.responders, share)
                            .await
                    }
                    RevocationMethod::Crl => {
                        self.ask_authority(inquiry, subject, method, &subject.lists, share)
                            .await
                    }
                };
                let state = finding.state;
                seen.push(finding.seen(subject, method));
                verdict.hear(subject, method, &finding);
                if state.is_conclusive() {
                    break;
                }
            }
            verdict.next();
        }
        journal.observed.revocation = chain.shared(seen);
        journal.took(Phase::Revocation.with_endpoint(), started);
        verdict.conclude(&mut journal.warnings)
    }

    /// Asks one place after the other, until one is conclusive.
    async fn ask_authority(
        &self,
        inquiry: &Inquiry,
        subject: &Subject,
        method: RevocationMethod,
        urls: &[Url],
        deadline: Instant,
    ) -> Finding {
        let mut best = Finding::not_offered(subject);
        for (tried, url) in urls.iter().enumerate() {
            let share = fair_share(deadline, urls.len() - tried);
            let known = self.find(inquiry, subject, method, url, share).await;
            let finding = match &known.fetched {
                Ok(document) => {
                    let renewal = known.renewal.as_deref();
                    Finding::of_document(document, subject).with_renewal(renewal, document)
                }
                Err(trouble) => Finding::of_trouble(Trouble::clone(trouble)),
            };
            let finding = finding.at(url);
            if finding.state.is_conclusive() {
                return finding;
            }
            best = best.or_better(finding);
        }
        best
    }

    /// What makes the small probes that fetch: seldom, so that no check keeps one.
    fn carrier(&self, inquiry: &Inquiry) -> Self {
        Self {
            check: Arc::new(self.check.carrier()),
            means: inquiry.means.clone(),
            revocation: None,
        }
    }

    async fn find(
        &self,
        inquiry: &Inquiry,
        subject: &Subject,
        method: RevocationMethod,
        url: &Url,
        deadline: Instant,
    ) -> Known {
        let route = &self.check.revocation.route.name;
        let is_answer = method == RevocationMethod::Ocsp;
        let key = Key {
            issuer: subject.issuer.digest,
            serial: is_answer.then(|| subject.serial.clone()),
            url: url.to_string(),
            route: route.clone(),
        };
        let store = &inquiry.means.store;
        let disk = store.disk();
        let found = store.find(&key, self.check.interval, |renewal| {
            let errand = Errand {
                carrier: self.carrier(inquiry),
                url: url.clone(),
                subject: subject.clone(),
                key: key.clone(),
                disk,
                lane: store.lane(route, url),
            };
            errand.run(renewal)
        });
        match found {
            Found::Known(known) => known,
            // What is merely reported may be told once more when it is over. A failure must not: it is worth a moment.
            Found::Retried(former, pending) => {
                let patience = match self.check.revocation.mode {
                    RevocationMode::Require => deadline.min(Instant::now() + PATIENCE),
                    RevocationMode::Report | RevocationMode::Off => Instant::now(),
                };
                let retried = timeout_at(patience, pending.wait()).await;
                retried.ok().flatten().unwrap_or(Err(former)).into()
            }
            Found::Awaited(pending) => {
                let fetched = match timeout_at(deadline, pending.wait()).await {
                    Ok(Some(fetched)) => fetched,
                    Ok(None) => Err(Arc::new(Trouble::malformed("reading it was broken off"))),
                    Err(_) => Err(Arc::new(Trouble::no_time(route))),
                };
                fetched.into()
            }
        }
    }
}

/// A server staples an answer about its own certificate only.
fn applies(method: RevocationMethod, subject: &Subject) -> bool {
    method != RevocationMethod::Stapled || subject.place == CertificatePlace::Leaf
}

fn stapled(staple: &[u8], subject: &Subject) -> Finding {
    if staple.is_empty() {
        return Finding::of_state(RevocationState::NotOffered);
    }
    let now = SystemTime::now();
    match Document::of_answer(staple, subject, now, now) {
        Ok(document) => Finding::of_document(&document, subject),
        Err(trouble) => Finding::of_trouble(trouble),
    }
}

impl Finding {
    fn of_state(state: RevocationState) -> Self {
        Self {
            state,
            url: None,
            detail: None,
            trouble: None,
            renewal: None,
            this_update: None,
            next_update: None,
        }
    }

    fn not_offered(subject: &Subject) -> Self {
        let skipped = (!subject.skipped.is_empty())
            .then(|| format!("it names {}", subject.skipped.join(", ")));
        Self {
            detail: skipped,
            ..Self::of_state(RevocationState::NotOffered)
        }
    }

    fn of_document(document: &Document, subject: &Subject) -> Self {
        let (this_update, next_update) = document.times();
        let finding = match document.on(subject) {
            Ok(Word::Good) => Self::of_state(RevocationState::Good),
            Ok(Word::Unknown) => {
                let what = "the responder does not know the certificate";
                Self::of_trouble(Trouble::new(RevocationReason::Unknown, what))
            }
            Ok(Word::Revoked(revoked)) => Self {
                detail: Some(format!(
                    "revoked at {}, {}",
                    humantime::format_rfc3339_seconds(revoked.at),
                    revoked.reason
                )),
                ..Self::of_state(RevocationState::Revoked)
            },
            Err(trouble) => Self::of_trouble(trouble),
        };
        Self {
            this_update: Some(this_update),
            next_update,
            ..finding
        }
    }

    fn of_trouble(trouble: Trouble) -> Self {
        Self {
            detail: Some(trouble.detail.clone()),
            this_update: trouble.this_update,
            next_update: trouble.next_update,
            ..Self::of_state(trouble.state())
        }
        .because(trouble)
    }

    fn because(self, trouble: Trouble) -> Self {
        Self {
            trouble: Some(trouble),
            ..self
        }
    }

    /// That a list or answer that is still good cannot be renewed is worth saying before it ends.
    fn with_renewal(self, trouble: Option<&Trouble>, kept: &Document) -> Self {
        let renewal = trouble.map(|trouble| {
            let until = humantime::format_rfc3339_seconds(kept.until);
            let why = &trouble.detail;
            let what = format!("it cannot be renewed {why}; what is kept is good until {until}");
            Trouble::new(trouble.reason, what)
        });
        Self { renewal, ..self }
    }

    fn at(self, url: &Url) -> Self {
        Self {
            url: Some(url.clone()),
            ..self
        }
    }

    /// What tells more of two places that both tell too little, with what both say.
    fn or_better(self, other: Self) -> Self {
        let rank = |finding: &Self| finding.trouble.as_ref().map(Trouble::rank);
        if rank(&other) > rank(&self) {
            other
        } else {
            self
        }
    }

    fn seen(&self, subject: &Subject, method: RevocationMethod) -> RevocationSeen {
        let renewal = self.renewal.as_ref().map(|trouble| trouble.detail.as_str());
        let details: Vec<&str> = self.detail.as_deref().into_iter().chain(renewal).collect();
        RevocationSeen {
            certificate: subject.place,
            subject: Arc::clone(&subject.name),
            method,
            state: self.state,
            url: self.url.as_ref().map(|url| url.as_str().into()),
            detail: (!details.is_empty()).then(|| details.join("; ").into()),
            this_update: self.this_update,
            next_update: self.next_update,
        }
    }
}

#[cfg(test)]
mod tests;
