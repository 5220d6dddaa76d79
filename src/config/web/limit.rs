//! `rate_limit`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::RateLimit;
use crate::config::reader::Value;
use crate::config::scalars::{duration, integer};

const INTERVALS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60 * 60);
const BURSTS: RangeInclusive<u32> = 1..=1_000_000;

/// Nothing where the interval is 0, which switches the limit off.
pub(super) fn read(value: &Value<'_>) -> Option<RateLimit> {
    value.fields(|fields| {
        fields.known(["burst"]);
        let interval = fields.required("interval", |value| match value.written() {
            Some("0") => Some(Duration::ZERO),
            _ => duration(value, &INTERVALS),
        })?;
        if interval.is_zero() {
            fields.optional("burst", |value| integer(value, &(0..=*BURSTS.end())));
            return None;
        }
        // The exporters take 0 where there is none, and then refuse every request.
        let burst = fields.required("burst", |value| integer(value, &BURSTS))?;
        Some(RateLimit { interval, burst })
    })?
}
