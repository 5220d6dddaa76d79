//! A script as it was fetched, and the URLs for which it was found to run too long.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a script is not run again for a URL for which it ran too long.
const PAUSE: Duration = Duration::from_secs(300);

/// A script that ran too long for so many URLs is not run for any.
const MOST_OVERRUNS: usize = 16;

/// A script. What was fetched anew and is the same stays the same value.
#[derive(Debug)]
pub(super) struct Script {
    /// Where it is from.
    pub(super) source: String,
    pub(super) text: String,
    overruns: Mutex<HashMap<String, Instant>>,
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
        let now = Instant::now();
        let mut overruns = self.overruns();
        overruns.retain(|_, until| *until > now);
        let until = if overruns.len() >= MOST_OVERRUNS {
            overruns.values().min()
        } else {
            overruns.get(url)
        };
        until.map(|until| until.duration_since(now))
    }

    /// Writes down that it ran too long for this URL.
    pub(super) fn overran(&self, url: &str) {
        let until = Instant::now() + PAUSE;
        self.overruns().insert(url.to_owned(), until);
    }

    /// Something else that is often found in a script's place.
    pub(super) fn is_page(&self) -> bool {
        self.text.trim_start().starts_with('<')
    }

    fn overruns(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.overruns.lock().unwrap_or_else(PoisonError::into_inner)
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
    async fn a_script_that_ran_too_long_rests_for_that_url() {
        let script = Script::new(String::new(), b"");
        assert_eq!(script.pause("a"), None);
        script.overran("a");
        assert_eq!(script.pause("a"), Some(PAUSE));
        assert_eq!(script.pause("b"), None);
        advance(PAUSE).await;
        assert_eq!(script.pause("a"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_ran_too_long_for_many_rests_for_all() {
        let script = Script::new(String::new(), b"");
        for number in 0..MOST_OVERRUNS {
            script.overran(&number.to_string());
            advance(Duration::from_secs(1)).await;
        }
        let left = PAUSE.saturating_sub(Duration::from_secs(MOST_OVERRUNS as u64));
        assert_eq!(script.pause("another"), Some(left));
        advance(left).await;
        assert_eq!(script.pause("another"), None);
    }
}
