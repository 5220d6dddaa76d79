//! What is asked of the catalog on the command line.

use clap::{Args, Subcommand, ValueEnum};

use crate::catalog::{Asked, ExportFormat};

/// What to do with the catalog.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// List the features: where each exists and since when, how much it needs, and who connects.
    List {
        /// For whom.
        #[command(flatten)]
        scope: ScopeArguments,
        /// How the answer is written.
        #[arg(long, value_enum, default_value = "text")]
        format: AnswerFormat,
    },
    /// Show what a feature requires, and why. A feature that the cloud does not have with the release is an error
    /// that says since when it is there (exit code 64).
    Show {
        /// The feature, such as `tenant-attach`.
        feature: String,
        /// For whom.
        #[command(flatten)]
        scope: ScopeArguments,
        /// What fills `<name>` in the URLs, as `name=value`; repeatable.
        #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
        variables: Vec<(String, String)>,
        /// How the answer is written.
        #[arg(long, value_enum, default_value = "text")]
        format: AnswerFormat,
    },
    /// Compare what two clouds or releases require: CLOUD, VERSION or CLOUD@VERSION, such as `public`, `2103` or
    /// `us-government@2107`. Exit code 0: the same, 1: different, 64: bad usage.
    Diff {
        /// The one side.
        #[arg(value_name = "A")]
        from: String,
        /// The other side.
        #[arg(value_name = "B")]
        to: String,
        /// Only this feature; repeatable. Without it, all that are not retired.
        #[arg(long = "feature", value_name = "FEATURE")]
        features: Vec<String>,
        /// How the answer is written.
        #[arg(long, value_enum, default_value = "text")]
        format: AnswerFormat,
    },
    /// Write what is required for a firewall, a proxy, a spreadsheet or another prober. With `--config.file` features,
    /// cloud, release, variables and overrides come from its section `catalog`; flags go before them.
    Export(ExportArguments),
    /// Look for faults of the catalog's data. Exit code 0: none, 1: those that are printed.
    Lint,
}

/// For whom something is required.
#[derive(Debug, Clone, Args)]
pub struct ScopeArguments {
    /// The cloud: public, us-government or china.
    #[arg(long, value_name = "CLOUD")]
    pub cloud: Option<String>,

    /// The Configuration Manager release, such as 2503; the newest known where there is none.
    #[arg(long, value_name = "VERSION")]
    pub configmgr_version: Option<u16>,
}

/// Flags of `catalog export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// How it is written.
    #[arg(long, value_enum)]
    pub format: ExportedAs,

    /// Only this feature; repeatable. Without it, all that are not retired.
    #[arg(long = "feature", value_name = "FEATURE")]
    pub features: Vec<String>,

    /// For whom.
    #[command(flatten)]
    pub scope: ScopeArguments,

    /// What fills `<name>` in the URLs, as `name=value`; repeatable.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    pub variables: Vec<(String, String)>,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnswerFormat {
    /// For people at a terminal.
    Text,
    /// For programs.
    Json,
    /// For a change request or a wiki.
    Markdown,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportedAs {
    /// Hosts and ports, for whoever runs the firewall.
    Allowlist,
    /// A table with everything that the catalog knows.
    Csv,
    /// Access control lists of squid.
    Squid,
    /// Targets of Prometheus, to be probed by blackbox exporter.
    #[value(name = "file_sd")]
    FileSd,
    /// A table to read.
    Markdown,
}

// === impl ScopeArguments ===

impl ScopeArguments {
    pub(in crate::app) fn asked(self, variables: Vec<(String, String)>) -> Asked {
        Asked {
            cloud: self.cloud,
            configmgr_version: self.configmgr_version,
            features: Vec::new(),
            variables,
        }
    }
}

impl From<ExportedAs> for ExportFormat {
    fn from(format: ExportedAs) -> Self {
        match format {
            ExportedAs::Allowlist => Self::Allowlist,
            ExportedAs::Csv => Self::Csv,
            ExportedAs::Squid => Self::Squid,
            ExportedAs::FileSd => Self::FileSd,
            ExportedAs::Markdown => Self::Markdown,
        }
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "expected NAME=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}
