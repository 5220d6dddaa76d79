//! A list or an answer as it is kept: verified, with the time for which it is good.

use std::time::{Duration, SystemTime};

use super::answer::{Answer, Status};
use super::certificate::Subject;
use super::list::{List, Revoked};
use super::trouble::Trouble;
use crate::outcome::RevocationReason;

/// Clocks differ by so much.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// A server that keeps on giving what is about to end is not asked more often than this.
const SOONEST_RENEWAL: Duration = Duration::from_secs(60);

/// What names no next update is kept for so long.
const WITHOUT_NEXT_UPDATE: Duration = Duration::from_secs(60 * 60);

/// A verified list or answer.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) content: Content,
    /// Until when it is used.
    pub(super) until: SystemTime,
    /// From when on a new one is looked for.
    pub(super) renew: SystemTime,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Content {
    List(List),
    Answer(Answer),
}

/// What it says of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Good,
    Revoked(Revoked),
    Unknown,
}

impl Document {
    /// Reads what was fetched at `since`, verifies it, and looks whether it is its time.
    pub(super) fn of_list(
        bytes: &[u8],
        subject: &Subject,
        since: SystemTime,
        now: SystemTime,
    ) -> Result<Self, Trouble> {
        let list = List::verified(bytes, &subject.issuer)?;
        Self::current(Content::List(list), since, now)
    }

    /// The same for an answer.
    pub(super) fn of_answer(
        bytes: &[u8],
        subject: &Subject,
        since: SystemTime,
        now: SystemTime,
    ) -> Result<Self, Trouble> {
        let answer = Answer::verified(bytes, subject, now)?;
        Self::current(Content::Answer(answer), since, now)
    }

    fn current(content: Content, since: SystemTime, now: SystemTime) -> Result<Self, Trouble> {
        let (this_update, next_update) = content.times();
        let text = |time| humantime::format_rfc3339_seconds(time).to_string();
        let trouble = |reason, detail| Trouble {
            reason,
            detail,
            this_update: Some(this_update),
            next_update,
        };
        if this_update > now + TOLERANCE {
            let what = format!("it is of {}, which has not come", text(this_update));
            return Err(trouble(RevocationReason::Malformed, what));
        }
        let until = match next_update {
            Some(next) => next + TOLERANCE,
            None => since + WITHOUT_NEXT_UPDATE,
        };
        if until <= now {
            let what = match next_update {
                Some(next) => format!(
                    "it is of {}, and the next one was due at {}",
                    text(this_update),
                    text(next)
                ),
                None => format!("it is of {}", text(this_update)),
            };
            return Err(trouble(RevocationReason::Stale, what));
        }
        let left = next_update.unwrap_or(until).duration_since(now);
        let left = left.unwrap_or_default();
        Ok(Self {
            content,
            until,
            renew: now + (left / 10 * 9).max(SOONEST_RENEWAL),
        })
    }

    /// When it was made, and when the next one will be there.
    pub(super) fn times(&self) -> (SystemTime, Option<SystemTime>) {
        self.content.times()
    }

    /// What it says of a certificate.
    pub(super) fn on(&self, subject: &Subject) -> Result<Word, Trouble> {
        match &self.content {
            Content::List(list) => {
                list.covers(subject)?;
                let found = list.find(&subject.serial);
                Ok(found.map_or(Word::Good, Word::Revoked))
            }
            Content::Answer(answer) => Ok(match answer.status {
                Status::Good => Word::Good,
                Status::Revoked(revoked) => Word::Revoked(revoked),
                Status::Unknown => Word::Unknown,
            }),
        }
    }

    /// What it takes in memory.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + match &self.content {
                Content::List(list) => list.size(),
                Content::Answer(_) => 0,
            }
    }
}

impl Content {
    fn times(&self) -> (SystemTime, Option<SystemTime>) {
        match self {
            Self::List(list) => (list.this_update, list.next_update),
            Self::Answer(answer) => (answer.this_update, answer.next_update),
        }
    }
}
