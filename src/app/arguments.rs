//! The command line. Flags follow the habit of the Prometheus exporters.

mod web;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(super) use self::web::HealthcheckArguments;
use self::web::{WebArguments, listen_address};
use super::catalog::{AnswerFormat, CatalogCommand, ScopeArguments};
use super::sharding::ShardArguments;
use crate::platform::KERBEROS_COMMAND;
use crate::probe::PAC_COMMAND;

/// Bad usage or configuration.
pub(super) const EXIT_USAGE: u8 = 64;

/// A fault of reachd or of the machine.
pub(super) const EXIT_INTERNAL: u8 = 70;

/// Is every required internet endpoint reachable, by every way out, and if not, which hop is at fault?
///
/// Without a command the daemon runs. Without a configuration file it probes what Configuration Manager tenant
/// attach requires in the public cloud, over the proxy that the environment names or directly.
#[derive(Debug, Parser)]
#[command(
    name = "reachd",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = false
)]
pub struct Arguments {
    /// The configuration file (YAML). Without one the embedded default runs.
    #[arg(
        long = "config.file",
        value_name = "FILE",
        global = true,
        env = "REACHD_CONFIG_FILE"
    )]
    pub config_file: Option<PathBuf>,

    /// The least severe messages that are logged.
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        global = true,
        default_value = "info"
    )]
    pub log_level: LogLevel,

    /// How messages are written to standard error.
    #[arg(
        long = "log.format",
        value_name = "FORMAT",
        global = true,
        default_value = "logfmt"
    )]
    pub log_format: LogFormat,

    /// Which of several reachd this is.
    #[command(flatten)]
    pub shard: ShardArguments,

    /// What to do; the daemon runs where nothing is named.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The daemon's flags, without the command.
    #[command(flatten)]
    pub daemon: DaemonArguments,
}

/// What reachd can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon: probe all day, serve the page, the metrics and the API (the default).
    Run(DaemonArguments),
    /// Run every check once and report. Exit code 0: all reachable, 1: only non-critical failures, 2: a critical
    /// failure, 64: bad usage or configuration, 70: a fault of reachd.
    Check(CheckArguments),
    /// Say what tenant attach needs beside its endpoints, too: what reachd verifies, with its present result, and what
    /// only a person can verify, with the way to do it. Exit code 0: all that was verified is met, 1: nothing critical
    /// is not, 2: something critical is not met, 64: bad usage or configuration, or no tenant attach in the cloud with
    /// the release, 70: a fault of reachd.
    Prerequisites(PrerequisitesArguments),
    /// Look at a configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the built-in catalog of required endpoints.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Print what the machine says of proxies as a piece of configuration, without passwords: its environment, or
    /// what is piped in of `netsh winhttp show proxy` or `netsh winhttp show advproxy`, in any language.
    #[command(args_conflicts_with_subcommands = true)]
    Proxies {
        /// What else to do.
        #[command(subcommand)]
        command: Option<ProxiesCommand>,
    },
    /// Say what a reason means and what to do; without one, all of them.
    Explain(ExplainArguments),
    /// Ask the running daemon whether it is healthy, for container health checks and scripts. Exit code 0: it is, 1: it is
    /// not, or does not answer, 64: bad usage.
    Healthcheck(HealthcheckArguments),
    /// Make Kerberos tokens for the reachd that starts this: a service a line in, a token a line out.
    #[command(name = KERBEROS_COMMAND, hide = true)]
    KerberosTokens {
        /// Whose; without it, the one of the credential cache.
        #[arg(long)]
        principal: Option<String>,
    },
    /// Run proxy scripts for the reachd that starts this: an order a line in, a reply a line out.
    #[command(name = PAC_COMMAND, hide = true)]
    PacScripts,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Flags of the daemon.
#[derive(Debug, Clone, Args)]
pub struct DaemonArguments {
    /// The address to serve on; repeatable.
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9797",
        value_parser = listen_address
    )]
    pub listen_addresses: Vec<SocketAddr>,

    /// How clients come in.
    #[command(flatten)]
    pub web: WebArguments,

    /// Allow `POST /-/reload`.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// How the report is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: ReportFormat,

    /// Only endpoints of this name; repeatable.
    #[arg(long = "endpoint", value_name = "NAME")]
    pub endpoints: Vec<String>,

    /// Only over this route; repeatable.
    #[arg(long = "route", value_name = "NAME")]
    pub routes: Vec<String>,

    /// Only endpoints of this service; repeatable.
    #[arg(long = "service", value_name = "NAME")]
    pub services: Vec<String>,

    /// Also hold the idle connections that endpoints have a `hold` for, and wait until their time is up. One that
    /// does not last is a failure that is not critical.
    #[arg(long)]
    pub hold: bool,

    /// Show in the text what TLS agreed on, every certificate from the leaf to the root, and in full the failures that
    /// a cause explains.
    #[arg(long)]
    pub verbose: bool,
}

/// Flags of `prerequisites`.
#[derive(Debug, Args)]
pub struct PrerequisitesArguments {
    /// For whom; without these flags, for whom the section `catalog` of the configuration says.
    #[command(flatten)]
    pub scope: ScopeArguments,

    /// How the report is written.
    #[arg(long, value_enum, default_value = "text")]
    pub format: AnswerFormat,

    /// Also hold idle connections to the gateway, which takes 3 minutes.
    #[arg(long, conflicts_with = "no_probe")]
    pub hold: bool,

    /// Probe nothing: only list them.
    #[arg(long)]
    pub no_probe: bool,
}

/// What to do with a configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a file without running it, and say what it plans.
    Check {
        /// The file, instead of `--config.file`.
        file: Option<PathBuf>,

        /// A web configuration file to check, too; alone, where no other file is named.
        #[arg(long = "web.config.file", value_name = "FILE")]
        web: Option<PathBuf>,
    },
    /// Print the effective configuration, with defaults and without secrets.
    Show,
    /// Print the JSON Schema of the configuration, for editors.
    Schema,
}

/// What else to do about proxies.
#[derive(Debug, Subcommand)]
pub enum ProxiesCommand {
    /// Print what a proxy script (PAC) answers for URLs, and what reachd makes of it. Exit code 0: every answer is
    /// understood, 1: a script failed or an answer is not understood, 64: no script or a bad URL.
    Pac {
        /// The script: a file, or an http:// or https:// URL.
        #[arg(value_name = "FILE")]
        script: String,

        /// What to ask it for: URLs as endpoints have them.
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
    },
}

/// Flags of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A reason, such as `expired` or `tls/expired`, a cause such as `proxy_down`, or an alert such as `ReachdDown`.
    pub reason: Option<String>,

    /// How it is written; markdown is always all of them.
    #[arg(long, value_enum, default_value = "text", conflicts_with = "reason")]
    pub format: ExplainFormat,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a ticket or a wiki.
    Markdown,
    /// For CI servers: `JUnit` XML, a test case a check.
    Junit,
    /// One file to attach to a ticket, which looks like the status page.
    Html,
}

/// How explanations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// For a terminal.
    Text,
    /// For documentation.
    Markdown,
}

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// The severities of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What stops reachd from working.
    Error,
    /// Checks that began to fail, too.
    Warn,
    /// Checks that recovered, starts, reloads and stops, too.
    Info,
    /// What is of use to a developer, too.
    Debug,
    /// Everything.
    Trace,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_daemon_runs_with_and_without_its_name() {
        for line in [
            [
                "reachd",
                "--web.listen-address",
                "127.0.0.1:0",
                "--config.file",
                "a.yml",
            ]
            .as_slice(),
            &[
                "reachd",
                "run",
                "--web.listen-address",
                "127.0.0.1:0",
                "--config.file",
                "a.yml",
            ],
            &[
                "reachd",
                "--config.file",
                "a.yml",
                "run",
                "--web.listen-address",
                "127.0.0.1:0",
            ],
        ] {
            let arguments = Arguments::try_parse_from(line).unwrap();
            let daemon = match arguments.command {
                Some(Command::Run(daemon)) => daemon,
                _ => arguments.daemon,
            };
            assert_eq!(daemon.listen_addresses, ["127.0.0.1:0".parse().unwrap()]);
            assert_eq!(arguments.config_file, Some(PathBuf::from("a.yml")));
        }
    }

    #[test]
    fn the_command_line_is_that_of_the_page_on_security() {
        const PAGE: &str = include_str!("../../docs/security.md");
        let arguments = Arguments::try_parse_from(["reachd"]).unwrap();
        let [address] = arguments.daemon.listen_addresses[..] else {
            panic!("{:?}", arguments.daemon.listen_addresses);
        };
        assert!(address.ip().is_loopback());
        let told = format!("It listens on {address} unless told otherwise");
        assert!(PAGE.contains(&told), "{told}");
        let mut waiting = vec![Arguments::command()];
        let mut flags = 0;
        while let Some(command) = waiting.pop() {
            waiting.extend(command.get_subcommands().cloned());
            for flag in command
                .get_arguments()
                .filter_map(|argument| argument.get_long())
            {
                let may_be_secret = ["password", "secret", "token", "credential"];
                let is_secret = may_be_secret.iter().any(|word| flag.contains(word));
                assert!(
                    !is_secret || flag.ends_with("-file"),
                    "--{flag} shows in the list of processes"
                );
                flags += 1;
            }
        }
        assert!(flags > 20, "{flags}");
    }
}
