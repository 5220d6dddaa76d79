//! The wiring: what each command does with the rooms below it, and with which exit code it ends.

mod arguments;
mod catalog;
mod check;
mod commands;
mod daemon;
mod healthcheck;
mod logging;
mod output;
mod pac;
mod planned;
mod prerequisites;
mod proxies;
mod setup;
mod sharding;
mod tokens;

use std::ffi::OsString;
use std::process::ExitCode;

pub use arguments::{Arguments, Command};
use clap::Parser;
use thiserror::Error;

use self::arguments::ProxiesCommand;
use self::output::print;

/// Why a command could not do its work. What a probe finds is never one of these.
#[derive(Debug, Error)]
pub enum Fault {
    /// The command line or the configuration is wrong: exit code 64 (`EX_USAGE` of sysexits.h).
    #[error("{0}")]
    Usage(String),
    /// reachd or the machine is at fault: exit code 70 (`EX_SOFTWARE` of sysexits.h).
    #[error("{0}")]
    Internal(String),
}

/// Runs the command that the arguments name, and says with which code to end: 0, what the command found (1, or
/// 2 for a critical failure of `check` or `prerequisites`), 64 or 70.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return help_or_usage(&error),
    };
    match run(arguments) {
        Ok(code) => code,
        Err(fault) => {
            output::complain(&fault.to_string());
            fault.exit_code()
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Fault> {
    let Arguments {
        config_file,
        log_level,
        log_format,
        shard,
        command,
        daemon,
    } = arguments;
    let file = config_file.as_deref();
    logging::start(log_level, log_format);
    match command.unwrap_or(Command::Run(daemon)) {
        Command::Run(arguments) => daemon::run(file, shard.shard()?, &arguments),
        Command::Check(arguments) => check::run(file, shard.shard()?, &arguments),
        Command::Prerequisites(arguments) => prerequisites::run(file, arguments),
        Command::Config(command) => {
            commands::config(file, &shard, command).and_then(|text| print(&text))
        }
        Command::Catalog(command) => catalog::run(file, command),
        Command::Explain(arguments) => commands::explain(&arguments).and_then(|text| print(&text)),
        Command::Proxies { command: None } => proxies::run().and_then(|text| print(&text)),
        Command::Proxies {
            command: Some(ProxiesCommand::Pac { script, urls }),
        } => pac::run(&script, &urls),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
        Command::KerberosTokens { principal } => tokens::run(principal),
        Command::PacScripts => pac::run_scripts(),
        Command::Completions { shell } => print(&commands::completions(shell)),
    }
}

/// clap's own answers: help and version are what was asked for, anything else is bad usage.
fn help_or_usage(error: &clap::Error) -> ExitCode {
    // There is nobody left to tell when the terminal is gone.
    error.print().ok();
    if error.use_stderr() {
        ExitCode::from(arguments::EXIT_USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

impl Fault {
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => arguments::EXIT_USAGE,
            Self::Internal(_) => arguments::EXIT_INTERNAL,
        })
    }
}
