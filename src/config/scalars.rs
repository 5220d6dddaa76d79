//! Decoders of single values: durations, sizes, numbers, names, regular expressions. Each is bounded.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use regex::bytes::{Regex, RegexBuilder};

use super::problem::did_you_mean;
use super::reader::Value;

/// What a compiled regular expression may take, in bytes.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// How often something may be probed.
pub(super) const INTERVALS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);

/// How long a probe may take.
pub(super) const TIMEOUTS: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(5 * 60);

/// A duration such as `500ms`, `60s`, `1m 30s`.
pub(super) fn duration(value: &Value<'_>, range: &RangeInclusive<Duration>) -> Option<Duration> {
    let text = value.text()?;
    let Ok(duration) = humantime::parse_duration(&text) else {
        return value.refuse_with(
            format!("{} is not a duration", value.shown()),
            "write a number and its unit, such as 500ms, 60s or 5m".to_owned(),
        );
    };
    if range.contains(&duration) {
        return Some(duration);
    }
    let (least, most) = (duration_text(*range.start()), duration_text(*range.end()));
    value.refuse(format!(
        "{} is not between {least} and {most}",
        value.shown()
    ))
}

/// The shortest way to write a duration that [`duration`] reads.
pub(super) fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.subsec_nanos() {
        0 if seconds > 0 && seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        0 if seconds > 60 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        0 => format!("{seconds}s"),
        nanos if nanos.is_multiple_of(1_000_000) => format!("{}ms", duration.as_millis()),
        _ => humantime::format_duration(duration).to_string(),
    }
}

/// A number of bytes such as `4096`, `64KiB`, `1MiB`.
pub(super) fn size(value: &Value<'_>, range: &RangeInclusive<usize>) -> Option<usize> {
    let text = value.text()?;
    let Some(size) = parsed_size(&text) else {
        return value.refuse_with(
            format!("{} is not a size", value.shown()),
            "write a number of bytes, such as 4096, 64KiB or 1MiB".to_owned(),
        );
    };
    if range.contains(&size) {
        return Some(size);
    }
    let (least, most) = (size_text(*range.start()), size_text(*range.end()));
    value.refuse(format!(
        "{} is not between {least} and {most}",
        value.shown()
    ))
}

/// The shortest way to write a size that [`size`] reads.
pub(super) fn size_text(bytes: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = KIB * KIB;
    match bytes {
        0 => "0B".to_owned(),
        _ if bytes.is_multiple_of(MIB) => format!("{}MiB", bytes / MIB),
        _ if bytes.is_multiple_of(KIB) => format!("{}KiB", bytes / KIB),
        _ => format!("{bytes}B"),
    }
}

fn parsed_size(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit: usize = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

/// A whole number of a range.
pub(super) fn integer<N>(value: &Value<'_>, range: &RangeInclusive<N>) -> Option<N>
where
    N: FromStr + PartialOrd + Display,
{
    let text = value.text()?;
    let (least, most) = (range.start(), range.end());
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .or_else(|| {
            value.refuse(format!(
                "{} is not a whole number from {least} to {most}",
                value.shown()
            ))
        })
}

/// `true` or `false`.
pub(super) fn boolean(value: &Value<'_>) -> Option<bool> {
    match value.text()?.as_str() {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => value.refuse(format!("{} is neither true nor false", value.shown())),
    }
}

/// One of a closed set of words.
pub(super) fn word<T: Copy>(value: &Value<'_>, words: &[(&'static str, T)]) -> Option<T> {
    let text = value.text()?;
    let named = words.iter().find(|(word, _)| *word == text);
    if let Some((_, meaning)) = named {
        return Some(*meaning);
    }
    let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    value.refuse_with(
        format!("{} is not one of {}", value.shown(), all.join(", ")),
        did_you_mean(&text, all),
    )
}

/// A name for a label and the command line: 1 to 128 letters, digits, `.`, `_`, `-`.
pub(super) fn name(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if is_name(&text) {
        return Some(text);
    }
    refuse_name(value, &value.shown())
}

/// Whether a key that the user chose is a name; notes the problem if not.
pub(super) fn key_is_name(key: &str, value: &Value<'_>) -> bool {
    is_name(key) || refuse_name::<()>(value, "the key").is_some()
}

pub(super) fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=128).contains(&text.len())
        && text.chars().all(inner)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn refuse_name<T>(value: &Value<'_>, shown: &str) -> Option<T> {
    value.refuse_with(
        format!("{shown} is not a name"),
        "a name is 1 to 128 letters, digits, `.`, `_` or `-`, and begins with a letter or digit"
            .to_owned(),
    )
}

/// A regular expression, with a bound on what it compiles to.
pub(super) fn regex(value: &Value<'_>) -> Option<Regex> {
    let pattern = value.text()?;
    let compiled = RegexBuilder::new(&pattern)
        .size_limit(MAX_REGEX_BYTES)
        .build();
    match compiled {
        Ok(regex) => Some(regex),
        Err(regex::Error::CompiledTooBig(_)) => {
            value.refuse("the regular expression is too large once compiled")
        }
        Err(error) => value.refuse(format!(
            "not a regular expression: {}",
            regex_error(&error.to_string())
        )),
    }
}

/// The library draws the pattern with a caret below the fault and names the fault in the last line; here it
/// becomes one line, without the pattern.
fn regex_error(drawn: &str) -> String {
    let fault = drawn.lines().last().unwrap_or_default();
    let fault = fault.trim_start_matches("error: ");
    let caret = drawn
        .lines()
        .find(|line| line.trim_start().starts_with('^') && line.trim().trim_matches('^').is_empty())
        .and_then(|line| line.find('^'));
    match caret {
        Some(column) if column >= 4 => format!("{fault}, at character {}", column - 3),
        _ => fault.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_short_as_they_are_read() {
        for text in ["500ms", "60s", "90s", "5m", "24h", "1500ms"] {
            let duration = humantime::parse_duration(text).unwrap();
            assert_eq!(duration_text(duration), text);
        }
        let odd = Duration::new(1, 1);
        let back = humantime::parse_duration(&duration_text(odd)).unwrap();
        assert_eq!(back, odd);
    }

    #[test]
    fn sizes_are_written_as_they_are_read() {
        for (text, bytes) in [("1MiB", 1 << 20), ("64KiB", 65536), ("1000B", 1000)] {
            assert_eq!(parsed_size(text), Some(bytes));
            assert_eq!(size_text(bytes), text);
        }
        assert_eq!(parsed_size("4096"), Some(4096));
        for text in ["", "MiB", "1GiB", "-1", "99999999999999999999", "1.5MiB"] {
            assert_eq!(parsed_size(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_fit_for_labels_and_the_command_line() {
        for text in ["corp", "a", "us.gateway.example", "cm-01_x", "9"] {
            assert!(is_name(text), "{text}");
        }
        for text in ["", "-x", ".x", "a b", "a/b", "ä", &"x".repeat(129)] {
            assert!(!is_name(text), "{text}");
        }
    }
}
