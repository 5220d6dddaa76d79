//! A script as it was fetched, and the URLs for which it was found to run too long.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a script is not run again for a URL for which it ran too long twice in a row; twice as long each time.
const SHORTEST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_secs(300);

/// An overrun is forgotten when there was none for so long.
const REMEMBERED: Duration = Duration::from_secs(1800);

/// A script that rests for so many URLs is not run for any.
const MOST_AT_REST: usize = 16;

/// Of no more URLs it is known that it ran too long.
const MOST_KNOWN: usize = 1024;

/// A script. What was fetched anew and is the same stays the same value.
#[derive(Debug)]
pub(super) struct Script {
    /// Where it is from.
    pub(super) source: String,
    pub(super) text: String,
    overruns: Mutex<HashMap<String, Overruns>>,
}

/// Of one URL.
#[derive(Debug, Clone, Copy)]
struct Overruns {
    /// Without an answer in between.
    in_a_row: u32,
    last: Instant,
    /// How long it rests since then.
    rest: Duration,
}

impl Script {
    /// Scripts are UTF-8, or else they are taken for ISO 8859-1, as browsers do.
    pub(super) fn new(source: String, bytes: &[u8]) -> Self {
        Self {
            source,
            text: decoded(bytes),
            overruns: Mutex::default(),
        }
    }

    /// Whether these bytes are the script.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        self.text == decoded(bytes)
    }

    /// For how long it is not to be run for this URL.
    pub(super) fn pause(&self, url: &str) -> Option<Duration> {
        let mut overruns = self.overruns();
        overruns.retain(|_, overruns| overruns.last.elapsed() < REMEMBERED);
        let at_rest = overruns.values().filter_map(Overruns::left);
        if at_rest.clone().count() >= MOST_AT_REST {
            at_rest.min()
        } else {
            overruns.get(url).and_then(Overruns::left)
        }
    }

    /// Whether it ran too long for this URL the last time.
    pub(super) fn is_suspect(&self, url: &str) -> bool {
        self.overruns().contains_key(url)
    }

    /// Writes down that it ran too long for this URL. Once may be the machine's fault, twice is not.
    pub(super) fn overran(&self, url: &str) {
        let mut overruns = self.overruns();
        let in_a_row = overruns.get(url).map_or(1, |former| former.in_a_row + 1);
        if in_a_row == 1 && overruns.len() >= MOST_KNOWN {
            return;
        }
        let rest = match in_a_row.checked_sub(2) {
            None => Duration::ZERO,
            Some(doublings) => SHORTEST_REST * 2_u32.pow(doublings.min(10)),
        };
        let entry = Overruns {
            in_a_row,
            last: Instant::now(),
            rest: rest.min(LONGEST_REST),
        };
        overruns.insert(url.to_owned(), entry);
    }

    /// Writes down that it came to an end for this URL, whatever came of it.
    pub(super) fn ended(&self, url: &str) {
        self.overruns().remove(url);
    }

    /// Something else that is often found in a script's place.
    pub(super) fn is_page(&self) -> bool {
        self.text.trim_start().starts_with('<')
    }

    fn overruns(&self) -> MutexGuard<'_, HashMap<String, Overruns>> {
        self.overruns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Overruns {
    fn left(&self) -> Option<Duration> {
        let left = self.rest.saturating_sub(self.last.elapsed());
        (!left.is_zero()).then_some(left)
    }
}

fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[test]
    fn what_is_not_utf_8_is_latin_1() {
        let script = Script::new(String::new(), b"\xef\xbb\xbf// \xc3\xa4");
        assert_eq!(script.text, "// ä");
        assert!(script.is(b"// \xc3\xa4"));
        assert_eq!(Script::new(String::new(), b"// \xe4").text, "// ä");
    }

    #[tokio::test(start_paused = true)]
    async fn a_script_that_ran_too_long_twice_in_a_row_rests_for_that_url() {
        let script = Script::new(String::new(), b"");
        script.overran("a");
        assert_eq!(script.pause("a"), None);
        assert!(script.is_suspect("a"));
        script.ended("a");
        assert!(!script.is_suspect("a"));
        script.overran("a");
        let mut rests = Vec::new();
        for _ in 0..8 {
            script.overran("a");
            let rest = script.pause("a").unwrap();
            rests.push(rest.as_secs());
            assert_eq!(script.pause("b"), None);
            advance(rest).await;
            assert_eq!(script.pause("a"), None);
        }
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 300, 300]);
        advance(REMEMBERED).await;
        script.overran("a");
        script.pause("a");
        assert!(script.is_suspect("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_ran_too_long_for_many_rests_for_all() {
        let script = Script::new(String::new(), b"");
        for number in 0..MOST_AT_REST {
            assert_eq!(script.pause("another"), None);
            script.overran(&number.to_string());
            script.overran(&number.to_string());
            advance(Duration::from_millis(100)).await;
        }
        let left = Duration::from_millis(5000 - 100 * MOST_AT_REST as u64);
        assert_eq!(script.pause("another"), Some(left));
        advance(left).await;
        assert_eq!(script.pause("another"), None);
    }

    #[test]
    fn what_is_known_of_urls_is_bounded() {
        let script = Script::new(String::new(), b"");
        for number in 0..MOST_KNOWN * 2 {
            script.overran(&number.to_string());
        }
        assert_eq!(script.overruns().len(), MOST_KNOWN);
    }
}
