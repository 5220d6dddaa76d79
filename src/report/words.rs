//! Times and figures the way people read them.

use std::time::{Duration, SystemTime};

use crate::outcome::{Peer, Step, WhyNotRun};
use crate::route::Via;

/// A moment: as people say it, and exactly.
pub(crate) struct Moment {
    /// `12 min ago`.
    pub(crate) ago: String,
    /// `12 min`, from then to now or the other way round.
    pub(crate) span: String,
    /// Whether it is over.
    pub(crate) past: bool,
    /// RFC 3339 in UTC.
    pub(crate) exact: String,
}

impl Moment {
    pub(crate) fn new(at: SystemTime, now: SystemTime) -> Self {
        let (past, span) = match now.duration_since(at) {
            Ok(past) => (true, past),
            Err(future) => (false, future.duration()),
        };
        let ago = match past {
            true if span.as_secs() == 0 => "just now".to_owned(),
            true => format!("{} ago", long(span)),
            false => format!("in {}", long(span)),
        };
        Self {
            ago,
            span: long(span),
            past,
            exact: humantime::format_rfc3339_seconds(at).to_string(),
        }
    }
}

/// A duration in its two largest units: `42 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
pub(crate) fn long(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |first: u64, unit: &str, rest: u64, lesser: &str| match rest {
        0 => format!("{first} {unit}"),
        _ => format!("{first} {unit} {rest} {lesser}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, 1..10) => two(minutes, "min", seconds % 60, "s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => two(hours, "h", minutes % 60, "min"),
        (..14, ..) => two(days, "d", hours % 24, "h"),
        _ => format!("{days} d"),
    }
}

/// The time of a phase or a probe: `0.42 ms`, `4.2 ms`, `42 ms`, `4.20 s`.
pub(crate) fn short(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    match milliseconds {
        ..0.9995 => format!("{milliseconds:.2} ms"),
        ..99.95 => format!("{milliseconds:.1} ms"),
        ..999.5 => format!("{milliseconds:.0} ms"),
        _ => format!("{:.2} s", milliseconds / 1000.0),
    }
}

/// A sentence in parts, each with whether it is code: what stands between backticks.
pub(crate) fn prose(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`')
        .enumerate()
        .map(|(number, part)| (number % 2 == 1, part))
}

/// `1 check`, `2 checks`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// What a step is called: the endpoint is meant unless the proxy is said.
pub(crate) fn step(step: Step) -> String {
    match step.peer {
        Peer::Endpoint => step.phase.to_string(),
        Peer::Proxy if step == step.phase.with_proxy() && step.phase.as_str() == "proxy" => {
            "proxy".to_owned()
        }
        Peer::Proxy => format!("{} (proxy)", step.phase),
    }
}

/// Why a step did not run, as a sentence's end.
pub(crate) fn why(why: WhyNotRun) -> &'static str {
    match why {
        WhyNotRun::ResolvedByProxy => "the proxy resolves the name",
        WhyNotRun::AddressLiteral => "the host is an address, not a name",
        WhyNotRun::PlainHttp => "plain HTTP has no TLS",
        WhyNotRun::Disabled => "the configuration switches it off",
        WhyNotRun::NoTunnel => "plain HTTP goes through the proxy without a tunnel",
        WhyNotRun::ConnectedByProxy => "the proxy connects to the endpoint",
        WhyNotRun::ScriptChoseDirect => "the proxy script says to go directly",
        WhyNotRun::EarlierFailure => "the probe failed before",
    }
}

/// How a probe left.
pub(crate) fn via(via: Via) -> &'static str {
    match via {
        Via::Direct => "direct",
        Via::Proxy => "over the proxy",
        Via::Bypass => "past the proxy (bypass list)",
        Via::Pac => "as the proxy script says, which gave no answer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let parts: Vec<_> = prose("Ask `nslookup HOST`, twice.").collect();
        assert_eq!(
            parts,
            [
                (false, "Ask "),
                (true, "nslookup HOST"),
                (false, ", twice.")
            ]
        );
    }

    #[test]
    fn durations_keep_their_two_largest_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (125, "2 min 5 s"),
            (754, "12 min"),
            (3600, "1 h"),
            (11_100, "3 h 5 min"),
            (187_200, "2 d 4 h"),
            (86_400 * 30 + 5, "30 d"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(long(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_nonsense() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        assert_eq!(
            Moment::new(now + Duration::from_secs(30), now).ago,
            "in 30 s"
        );
        assert_eq!(Moment::new(now, now).ago, "just now");
        assert_eq!(Moment::new(now, now).exact, "1970-01-01T00:16:40Z");
    }

    #[test]
    fn times_have_three_digits_that_tell() {
        let cases = [
            (420, "0.42 ms"),
            (4_200, "4.2 ms"),
            (421_000, "421 ms"),
            (999_600, "1.00 s"),
            (10_004_000, "10.00 s"),
        ];
        for (microseconds, expected) in cases {
            assert_eq!(short(Duration::from_micros(microseconds)), expected);
        }
    }
}
