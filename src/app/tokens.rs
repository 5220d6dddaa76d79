//! The command that makes Kerberos tokens for the reachd that started it: a service a line there, a token or an
//! error a line back, until the questions end.

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Fault;
use crate::platform::Tokens;

pub(super) fn run(principal: Option<String>) -> Result<ExitCode, Fault> {
    let tokens = Tokens::new(principal);
    let gone = |error| Fault::Internal(format!("whoever asked is gone: {error}"));
    for service in stdin().lock().lines() {
        let answer = match tokens.first(&service.map_err(gone)?) {
            Ok(token) => format!("token {}\n", STANDARD.encode(token)),
            Err(why) => format!("error {}\n", on_one_line(&why)),
        };
        let mut out = stdout().lock();
        out.write_all(answer.as_bytes())
            .and_then(|()| out.flush())
            .map_err(gone)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
