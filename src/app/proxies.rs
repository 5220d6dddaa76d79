//! The command that shows what the machine says of proxies.

use std::io::{IsTerminal, Read, stdin};

use super::Fault;
use crate::config::Suggestion;
use crate::platform;

/// More than is read as settings, so that what is too long is known as such.
const MAX_READ: u64 = 64 * 1024 + 1;

/// What is piped in are the settings of WinHTTP; where nothing is, the environment is asked.
pub(super) fn run() -> Result<String, Fault> {
    let piped = piped()?;
    let suggestion = if piped.is_empty() {
        Suggestion::of_environment(&platform::environment)?
    } else {
        Suggestion::of_winhttp(&piped).map_err(|error| Fault::Usage(error.to_string()))?
    };
    Ok(suggestion.to_string())
}

fn piped() -> Result<Vec<u8>, Fault> {
    let mut piped = Vec::new();
    let stdin = stdin();
    if stdin.is_terminal() {
        return Ok(piped);
    }
    match stdin.lock().take(MAX_READ).read_to_end(&mut piped) {
        Ok(_) => Ok(piped),
        Err(error) => Err(Fault::Internal(format!(
            "standard input cannot be read: {error}"
        ))),
    }
}
