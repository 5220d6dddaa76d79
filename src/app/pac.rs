//! The command that tries out a proxy script.

use std::fmt::Write;
use std::io::{stdin, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::Fault;
use super::output::print;
use crate::config;
use crate::endpoint::Target;
use crate::probe::{PacAnswer, PacTrial, PacTrialError, run_pac_scripts};
use crate::route::PacSource;

/// A script failed, or an answer is not understood.
const EXIT_FAILED: u8 = 1;

/// Asks the script for each URL and prints what it says.
pub(super) fn run(script: &str, urls: &[String]) -> Result<ExitCode, Fault> {
    let targets: Result<Vec<Target>, Fault> = urls.iter().map(|url| target(url)).collect();
    let targets = targets?;
    let source = source(script)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::Internal(format!("the runtime does not start: {error}")))?;
    let answers = runtime.block_on(ask(&source, &targets))?;
    let mut text = String::new();
    for (target, answer) in targets.iter().zip(&answers) {
        // Writing to a String cannot fail.
        writeln!(text, "{target}").ok();
        text.push_str(&told(answer));
    }
    print(&text)?;
    Ok(if answers.iter().all(is_understood) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILED)
    })
}

/// Runs scripts for the reachd that started this process.
pub(super) fn run_scripts() -> Result<ExitCode, Fault> {
    let gone = |error| Fault::Internal(format!("whoever asked is gone: {error}"));
    run_pac_scripts(stdin().lock(), stdout()).map_err(gone)?;
    Ok(ExitCode::SUCCESS)
}

async fn ask(source: &PacSource, targets: &[Target]) -> Result<Vec<PacAnswer>, Fault> {
    let trial = PacTrial::load(source).await?;
    let mut answers = Vec::new();
    for target in targets {
        answers.extend(trial.ask(target).await);
    }
    Ok(answers)
}

fn target(url: &str) -> Result<Target, Fault> {
    match config::target_of(url) {
        Ok(Target::Dns(_)) => Err(Fault::Usage(format!(
            "{url}: names are asked for without any proxy, so no script is asked either"
        ))),
        Ok(target) => Ok(target),
        Err(error) => Err(Fault::Usage(format!("{}: {error}", without_login(url)))),
    }
}

fn source(script: &str) -> Result<PacSource, Fault> {
    if !script.contains("://") {
        return Ok(PacSource::File(Path::new(script).to_owned()));
    }
    match config::target_of(script) {
        Ok(Target::Http(url)) => Ok(PacSource::Url {
            url,
            refresh: Duration::MAX,
        }),
        Ok(_) => Err(Fault::Usage(
            "a script is in a file, or at an http:// or https:// URL".to_owned(),
        )),
        Err(error) => Err(Fault::Usage(format!("{}: {error}", without_login(script)))),
    }
}

/// What is wrong with a URL may be the password in it.
fn without_login(url: &str) -> &str {
    if url.contains('@') { "the URL" } else { url }
}

/// Only the first entry is used where `failover` is not set, so the others may be what they like.
fn is_understood(answer: &PacAnswer) -> bool {
    answer.answer.is_ok() && answer.entries.first().is_some_and(Result::is_ok)
}

fn told(answer: &PacAnswer) -> String {
    let PacAnswer {
        asked: (url, host),
        answer,
        entries,
        alerts,
    } = answer;
    let mut text = format!("  asked    FindProxyForURL({url:?}, {host:?})\n");
    match answer {
        // Writing to a String cannot fail.
        Ok(answer) => writeln!(text, "  answer   {answer:?}").ok(),
        Err(error) => writeln!(text, "  error    {error}").ok(),
    };
    for (number, entry) in entries.iter().enumerate() {
        let what = match entry {
            Ok(entry) => entry.clone(),
            Err(error) => format!("error: {error}"),
        };
        let use_of_it = if number == 0 {
            "used"
        } else {
            "only with failover: true"
        };
        writeln!(text, "  {}        {what} ({use_of_it})", number + 1).ok();
    }
    for alert in alerts {
        writeln!(text, "  alert    {alert}").ok();
    }
    text
}

impl From<PacTrialError> for Fault {
    fn from(error: PacTrialError) -> Self {
        match error {
            PacTrialError::Unavailable(why) => Self::Usage(why),
            PacTrialError::Setup(error) => error.into(),
        }
    }
}
