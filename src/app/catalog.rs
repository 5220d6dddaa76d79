//! The commands that look into the built-in catalog.

mod arguments;

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use self::arguments::ExportArguments;
pub(super) use self::arguments::{AnswerFormat, CatalogCommand, ScopeArguments};
use super::Fault;
use super::output::{complain, print};
use crate::catalog::{
    self, AskError, Asked, Cloud, Difference, Export, Listing, Release, Scope, Sheet,
};
use crate::config::{CatalogSelection, Config};
use crate::platform;

/// The two sides of `diff` differ, or `lint` found something.
const EXIT_FOUND: u8 = 1;

pub(super) fn run(file: Option<&Path>, command: CatalogCommand) -> Result<ExitCode, Fault> {
    match command {
        CatalogCommand::List { scope, format } => print(&list(&scope, format)?),
        CatalogCommand::Show {
            feature,
            scope,
            variables,
            format,
        } => print(&show(&feature, &scope.asked(variables), format)?),
        CatalogCommand::Diff {
            from,
            to,
            features,
            format,
        } => diff(&from, &to, &features, format),
        CatalogCommand::Export(arguments) => export(file, arguments),
        CatalogCommand::Lint => lint(),
    }
}

fn list(scope: &ScopeArguments, format: AnswerFormat) -> Result<String, Fault> {
    let selected = Scope::of(&scope.clone().asked(Vec::new()).over(None))?;
    // Every cloud unless one is named.
    let cloud: Option<Cloud> = scope.cloud.as_ref().map(|_| selected.cloud);
    let release: Release = selected.release;
    let listing = Listing::new(cloud, release)?;
    match format {
        AnswerFormat::Text => Ok(catalog::list_text(&listing)),
        AnswerFormat::Markdown => Ok(catalog::list_markdown(&listing)),
        AnswerFormat::Json => json(&listing),
    }
}

fn show(feature: &str, asked: &Asked, format: AnswerFormat) -> Result<String, Fault> {
    let sheet = Sheet::new(feature, &Scope::of(&asked.over(None))?)?;
    match format {
        AnswerFormat::Text => Ok(catalog::show_text(&sheet)),
        AnswerFormat::Markdown => Ok(catalog::show_markdown(&sheet)),
        AnswerFormat::Json => json(&sheet),
    }
}

fn diff(
    from: &str,
    to: &str,
    features: &[String],
    format: AnswerFormat,
) -> Result<ExitCode, Fault> {
    let (from, to) = (Scope::parse(from)?, Scope::parse(to)?);
    let difference = Difference::between(&from, &to, features)?;
    let text = match format {
        AnswerFormat::Text => catalog::diff_text(&difference),
        AnswerFormat::Markdown => catalog::diff_markdown(&difference),
        AnswerFormat::Json => json(&difference)?,
    };
    print(&text)?;
    Ok(found(!difference.is_empty()))
}

fn export(file: Option<&Path>, arguments: ExportArguments) -> Result<ExitCode, Fault> {
    let configured = file.map(configured).transpose()?;
    let ExportArguments {
        format,
        features,
        scope,
        variables,
    } = arguments;
    let asked = Asked {
        features,
        ..scope.asked(variables)
    };
    let export = Export::new(&asked.over(configured.as_ref()))?;
    let format = format.into();
    let text = export.written(format)?;
    for notice in export.notices(format) {
        complain(&format!("not exported: {notice}"));
    }
    print(&text)
}

/// What a configuration takes from the catalog.
fn configured(file: &Path) -> Result<CatalogSelection, Fault> {
    let config = Config::load(file, &platform::environment)?;
    config.catalog.ok_or_else(|| {
        let file = file.display();
        Fault::Usage(format!(
            "{file} takes nothing from the catalog: it has no section `catalog`"
        ))
    })
}

fn lint() -> Result<ExitCode, Fault> {
    let faults = catalog::lint();
    if faults.is_empty() {
        return print("the catalog keeps every rule\n");
    }
    print(&faults.join("\n"))?;
    Ok(found(true))
}

fn found(something: bool) -> ExitCode {
    if something {
        ExitCode::from(EXIT_FOUND)
    } else {
        ExitCode::SUCCESS
    }
}

fn json(answer: &impl Serialize) -> Result<String, Fault> {
    let text = serde_json::to_string_pretty(answer);
    text.map_err(|error| Fault::Internal(format!("the answer cannot be written: {error}")))
}

impl From<AskError> for Fault {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Data(_) | AskError::Unwritable(_) => Self::Internal(error.to_string()),
            AskError::Unknown(_) | AskError::UnknownFeature { .. } | AskError::Missing(_) => {
                Self::Usage(error.to_string())
            }
        }
    }
}
