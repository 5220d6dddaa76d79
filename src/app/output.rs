//! What goes to standard output and standard error besides the log.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;

use super::Fault;

/// Writes the answer of a command. A reader that has gone away, as `head` does, is no fault.
pub(super) fn print(text: &str) -> Result<ExitCode, Fault> {
    let mut out = stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(newline.as_bytes()));
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Fault::Internal(format!(
            "the answer cannot be written: {error}"
        ))),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Says why a command could not do its work.
pub(super) fn complain(text: &str) {
    // There is nobody left to tell when standard error is gone.
    writeln!(stderr().lock(), "reachd: {text}").ok();
}
