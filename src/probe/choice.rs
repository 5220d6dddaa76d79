//! The way that one hop takes: what its route says, and, where a script names several proxies, one after the other as
//! long as they cannot be reached.

use std::sync::Arc;

use tokio::time::Instant;

use super::Probe;
use super::connect::fair_share;
use super::journal::Journal;
use super::pac::{Entry, NoAnswer, Question, bounded, entries};
use crate::endpoint::Authority;
use crate::outcome::{
    Failure, FailureReason, Observed, PacSeen, Peer, Phase, ProxyReason, RequestReason, TlsReason,
};
use crate::route::{Exit, Pac, Proxy, ProxyKind, Via};

/// So much of a script's answer is kept.
const MOST_CHARACTERS: usize = 512;

/// The ways that one hop may take, in their order.
#[derive(Debug)]
pub(super) struct Choice {
    candidates: Vec<Candidate>,
    /// How many of them have been tried.
    tried: usize,
    /// What came of those that failed.
    failed: Vec<String>,
    /// What had been seen before the attempt.
    before: Observed,
    /// Of the whole probe.
    deadline: Instant,
}

/// One way to leave.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Candidate {
    Direct,
    Bypass,
    Proxy(Arc<Proxy>),
}

impl Probe {
    /// Asks the route, and its script if it has one: that is the first part of the phase `proxy`.
    pub(super) async fn choose(
        &self,
        authority: &Authority,
        question: impl FnOnce() -> Question,
        journal: &mut Journal,
    ) -> Result<Choice, Failure> {
        let candidates = match self.check.route.to(&authority.host, authority.port) {
            Exit::Direct => vec![Candidate::Direct],
            Exit::Bypass => vec![Candidate::Bypass],
            Exit::Proxy(proxy) => vec![Candidate::Proxy(Arc::clone(proxy))],
            Exit::Pac(pac) => {
                let started = Instant::now();
                let candidates = self.ask(pac, &question(), journal).await;
                journal.took(Phase::Proxy.with_proxy(), started);
                candidates?
            }
        };
        Ok(Choice {
            candidates,
            tried: 0,
            failed: Vec::new(),
            before: Observed::default(),
            deadline: journal.deadline,
        })
    }

    async fn ask(
        &self,
        pac: &Pac,
        question: &Question,
        journal: &mut Journal,
    ) -> Result<Vec<Candidate>, Failure> {
        let failure = |why: NoAnswer| {
            let detail = format!("proxy script of {}: {}", pac.name, why.detail);
            Failure::of_proxy(why.reason, detail)
        };
        let Some(decider) = &self.means.decider else {
            let detail = "it was not prepared".to_owned();
            return Err(failure(NoAnswer::new(ProxyReason::PacUnavailable, detail)));
        };
        let seen = journal.pac.insert(PacSeen {
            source: decider.source().to_string(),
            ..PacSeen::default()
        });
        let asked = decider.ask(question, &self.means.proxy_resolver, journal.deadline);
        let answer = asked.await.map_err(|why| {
            seen.unanswered.clone_from(&why.unanswered);
            failure(why)
        })?;
        seen.answer = Some(bounded(&answer, MOST_CHARACTERS));
        let used = if pac.failover { usize::MAX } else { 1 };
        let read = entries(&answer).into_iter().take(used);
        let candidates: Result<Vec<Candidate>, _> = read
            .map(|entry| entry.map(|entry| Candidate::of(entry, pac)))
            .collect();
        candidates.map_err(|error| {
            let detail = format!("{} answered {error}", decider.source());
            failure(NoAnswer::new(ProxyReason::PacError, detail))
        })
    }
}

impl Choice {
    /// How the hop leaves, or left with the candidate that was tried last.
    pub(super) fn via(&self) -> Via {
        let candidate = self.candidates.get(self.tried.saturating_sub(1));
        candidate.map_or(Via::Direct, |candidate| candidate.exit().via())
    }

    /// The next candidate's proxy, if it has one. Until it is [reached](Self::reached), it has its share of the
    /// time that is left.
    pub(super) fn attempt(&mut self, journal: &mut Journal) -> Option<Arc<Proxy>> {
        let candidate = self.candidates.get(self.tried)?;
        let left = self.candidates.len() - self.tried;
        if left > 1 {
            journal.deadline = fair_share(self.deadline, left);
            self.before.clone_from(&journal.observed);
        }
        self.tried += 1;
        journal.leaves_by(candidate);
        match candidate {
            Candidate::Direct | Candidate::Bypass => None,
            Candidate::Proxy(proxy) => Some(Arc::clone(proxy)),
        }
    }

    /// What follows has all the time that is left.
    pub(super) fn reached(&self, journal: &mut Journal) {
        journal.deadline = self.deadline;
    }

    /// What came of an attempt; nothing where the next candidate is to be tried.
    pub(super) fn conclude<T>(
        &mut self,
        result: Result<T, Failure>,
        journal: &mut Journal,
    ) -> Option<Result<T, Failure>> {
        self.conclude_where(result, is_out_of_reach, journal)
    }

    /// The same where the proxy was asked without a tunnel: its silence is the endpoint's failure in what is
    /// reported, for nobody can tell the two apart, and yet another proxy may answer.
    pub(super) fn conclude_asked<T>(
        &mut self,
        result: Result<T, Failure>,
        journal: &mut Journal,
    ) -> Option<Result<T, Failure>> {
        let is_silence =
            |failure: &Failure| failure.reason == FailureReason::Request(RequestReason::Timeout);
        let may_fail_over = |failure: &Failure| is_out_of_reach(failure) || is_silence(failure);
        self.conclude_where(result, may_fail_over, journal)
    }

    fn conclude_where<T>(
        &mut self,
        result: Result<T, Failure>,
        may_fail_over: impl Fn(&Failure) -> bool,
        journal: &mut Journal,
    ) -> Option<Result<T, Failure>> {
        self.reached(journal);
        let mut failure = match result {
            Ok(value) => return Some(Ok(value)),
            Err(failure) => failure,
        };
        let candidate = self.candidates.get(self.tried.saturating_sub(1));
        let name = candidate.map(Candidate::name).unwrap_or_default();
        let told = format!("{name} ({}): {}", failure.reason, failure.detail);
        if self.tried < self.candidates.len() && may_fail_over(&failure) {
            if let Some(pac) = &mut journal.pac {
                pac.tried.push(bounded(&told, MOST_CHARACTERS));
            }
            // What was seen of a proxy that is not used is no evidence of the one that is.
            journal.observed = std::mem::take(&mut self.before);
            self.failed.push(told);
            return None;
        }
        if !self.failed.is_empty() {
            self.failed.push(told);
            failure.detail = format!("tried in turn: {}", self.failed.join("; "));
        }
        Some(Err(failure))
    }
}

impl Candidate {
    fn of(entry: Entry, pac: &Pac) -> Self {
        match entry {
            Entry::Direct => Self::Direct,
            Entry::Proxy(kind, authority) => {
                let kind = match kind {
                    ProxyKind::Https { .. } => ProxyKind::Https {
                        tls: pac.tls.clone(),
                    },
                    other => other,
                };
                Self::Proxy(Arc::new(pac.proxy(kind, authority)))
            }
        }
    }

    /// The same as a route's.
    pub(super) fn exit(&self) -> Exit<'_> {
        match self {
            Self::Direct => Exit::Direct,
            Self::Bypass => Exit::Bypass,
            Self::Proxy(proxy) => Exit::Proxy(proxy),
        }
    }

    /// As people write it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Direct | Self::Bypass => "direct".to_owned(),
            Self::Proxy(proxy) => format!("{}://{}", proxy.kind.scheme(), proxy.authority),
        }
    }
}

/// Whether it is the proxy itself that cannot be reached, and so another may serve. One whose certificate is not
/// accepted was reached: whoever stands in its place shall not choose which proxy gets the credentials.
fn is_out_of_reach(failure: &Failure) -> bool {
    failure.peer == Peer::Proxy
        && matches!(
            failure.reason,
            FailureReason::Dns(_)
                | FailureReason::Connect(_)
                | FailureReason::Tls(TlsReason::Timeout | TlsReason::Closed | TlsReason::Reset)
                | FailureReason::Proxy(ProxyReason::Closed | ProxyReason::Timeout)
        )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Two ways, the first of which fails so; whether the second is tried.
    fn fails_over(failure: Failure, asked_without_tunnel: bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut journal = Journal::new(deadline);
        journal.pac = Some(PacSeen::default());
        let mut choice = Choice {
            candidates: vec![Candidate::Direct, Candidate::Direct],
            tried: 0,
            failed: Vec::new(),
            before: Observed::default(),
            deadline,
        };
        choice.attempt(&mut journal);
        journal.observed.clock_offset_seconds = Some(1.0);
        let result: Result<(), Failure> = Err(failure);
        let concluded = if asked_without_tunnel {
            choice.conclude_asked(result, &mut journal)
        } else {
            choice.conclude(result, &mut journal)
        };
        let is_over = concluded.is_none();
        assert_eq!(journal.pac.unwrap().tried.len(), usize::from(is_over));
        let is_forgotten = journal.observed.clock_offset_seconds.is_none();
        assert_eq!(is_forgotten, is_over);
        is_over
    }

    #[test]
    fn when_the_next_proxy_is_tried() {
        let of_proxy = |reason: FailureReason| Failure::new(reason, Peer::Proxy, "why".to_owned());
        let table: [(FailureReason, bool); 8] = [
            (TlsReason::Timeout.into(), true),
            (TlsReason::Closed.into(), true),
            (TlsReason::Reset.into(), true),
            (TlsReason::UnknownIssuer.into(), false),
            (TlsReason::ClientCertificateRequired.into(), false),
            (ProxyReason::Closed.into(), true),
            (ProxyReason::Forbidden.into(), false),
            (ProxyReason::AuthRejected.into(), false),
        ];
        for (reason, expected) in table {
            assert_eq!(fails_over(of_proxy(reason), false), expected, "{reason}");
        }
        let silence = || Failure::of_endpoint(RequestReason::Timeout, "why".to_owned());
        assert!(fails_over(silence(), true));
        assert!(!fails_over(silence(), false));
    }
}
