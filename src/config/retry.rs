//! `retry_interval`: when a check that begins to fail is probed once more.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::reader::Value;
use super::scalars::{duration, duration_text};
use super::yaml::Yaml;

const OFF: &str = "off";

const INTERVALS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(5 * 60);

/// `retry_interval` as written. No time at all is `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Only its next turn shows whether it goes on failing.
    Off,
    /// So long after the failure.
    After(Duration),
}

pub(super) fn read(value: &Value<'_>) -> Option<Retry> {
    if value.text()? == OFF {
        return Some(Retry::Off);
    }
    let after = duration(value, &INTERVALS)?;
    Some(Retry::of((!after.is_zero()).then_some(after)))
}

/// The effective setting.
pub(super) fn written(retry: Retry) -> Yaml {
    match retry {
        Retry::Off => Yaml::text(OFF),
        Retry::After(after) => Yaml::Plain(duration_text(after)),
    }
}

impl Retry {
    /// As a plan has it.
    #[must_use]
    pub fn after(self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::After(after) => Some(after),
        }
    }

    pub(super) fn of(after: Option<Duration>) -> Self {
        after.map_or(Self::Off, Self::After)
    }
}
