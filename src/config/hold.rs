//! `hold` of an endpoint: how long an idle connection to it must live.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::HoldChoice;
use super::reader::Value;
use super::scalars::{INTERVALS, duration, duration_text};
use super::yaml::Yaml;
use crate::endpoint::Hold;

/// How a hold that the catalog asks for is taken back.
const NONE: &str = "none";

/// How long a connection may be held.
const DURATIONS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);

/// How long TCP may wait before it asks for the peer.
const KEEP_ALIVES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);

/// Reads the section, or the word for none.
pub(super) fn read(value: &Value<'_>) -> Option<HoldChoice> {
    if !value.is_mapping() {
        return match value.text()?.as_str() {
            NONE => Some(HoldChoice::None),
            _ => value.refuse_with(
                format!("{} is no hold", value.shown()),
                "write {for: 180s}, or none".to_owned(),
            ),
        };
    }
    let hold = value.fields(|fields| {
        let lasts = fields.required("for", |value| duration(value, &DURATIONS));
        let interval = fields.optional("interval", |value| duration(value, &INTERVALS));
        let keep_alive = fields.optional("keep_alive", |value| keep_alive(value, lasts));
        Some(Hold {
            duration: lasts?,
            interval: interval.unwrap_or(Hold::DEFAULT_INTERVAL),
            keep_alive,
        })
    })??;
    Some(HoldChoice::For(hold))
}

/// After how much idle time TCP asks, which must come before the time is up.
fn keep_alive(value: &Value<'_>, lasts: Option<Duration>) -> Option<Duration> {
    let period = duration(value, &KEEP_ALIVES)?;
    match lasts {
        Some(lasts) if period >= lasts => {
            let (shown, lasts) = (value.shown(), duration_text(lasts));
            value.refuse_with(
                format!(
                    "{shown} is no shorter than `for`, {lasts}: TCP would never ask for the peer"
                ),
                "leave it out for a truly idle connection, or shorten it".to_owned(),
            )
        }
        _ => Some(period),
    }
}

/// The effective section.
pub(super) fn written(choice: &HoldChoice) -> Yaml {
    match choice {
        HoldChoice::None => Yaml::text(NONE),
        HoldChoice::For(hold) => {
            let text = |duration| Yaml::Plain(duration_text(duration));
            Yaml::mapping([
                ("for", Some(text(hold.duration))),
                ("interval", Some(text(hold.interval))),
                ("keep_alive", hold.keep_alive.map(text)),
            ])
        }
    }
}
