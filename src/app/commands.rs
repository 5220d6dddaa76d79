//! The commands that only look something up.

use std::fmt::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Fault;
use super::arguments::{Arguments, ConfigCommand, ExplainArguments, ExplainFormat};
use super::planned::Planned;
use crate::metrics::series_of;
use crate::plan::{HistogramMode, Plan};
use crate::server::WebFile;
use crate::{config, explain};

pub(super) fn config(file: Option<&Path>, command: ConfigCommand) -> Result<String, Fault> {
    match command {
        ConfigCommand::Check { file: named, web } => {
            let file = named.as_deref().or(file);
            let web = web.as_deref().map(WebFile::load).transpose();
            let web = web.map_err(Fault::Usage)?.map(|web| web.summary());
            if let (Some(web), None) = (&web, file) {
                return Ok(web.clone());
            }
            let Planned {
                discovery,
                plan,
                mut notices,
                ..
            } = Planned::load(file)?;
            notices.extend(discovery.problems());
            let summary = summary(file, &plan, &notices);
            Ok(web.map_or(summary.clone(), |web| format!("{summary}{web}\n")))
        }
        ConfigCommand::Show => Ok(Planned::load(file)?.config.effective_yaml()),
        ConfigCommand::Schema => Ok(config::schema().to_owned()),
    }
}

pub(super) fn explain(arguments: &ExplainArguments) -> Result<String, Fault> {
    match arguments.format {
        ExplainFormat::Markdown => Ok(explain::markdown()),
        ExplainFormat::Text => explain::text(arguments.reason.as_deref())
            .map_err(|error| Fault::Usage(error.to_string())),
    }
}

pub(super) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "reachd", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn summary(file: Option<&Path>, plan: &Plan, notices: &[String]) -> String {
    let name = file.map_or("the embedded default".to_owned(), |file| {
        file.display().to_string()
    });
    let histograms = match plan.histograms.mode {
        HistogramMode::Check => "histograms for each check",
        HistogramMode::Service => "histograms for each service and route",
        HistogramMode::None => "no histograms",
    };
    let mut text = format!(
        "{name} is valid: {} checks, about {} series on /metrics ({histograms})\n",
        plan.checks.len(),
        series_of(plan),
    );
    // Writing to a String cannot fail.
    for notice in notices {
        writeln!(text, "note: {notice}").ok();
    }
    if let Some(shortage) = plan.shortage_of_holds() {
        writeln!(text, "note: {shortage}").ok();
    }
    for missing in &plan.not_probed {
        writeln!(
            text,
            "not probed: {} {}: {}",
            missing.service, missing.endpoint, missing.why
        )
        .ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture;

    #[test]
    fn the_summary_tells_of_holds_that_do_not_get_their_turns() {
        let checks: Vec<_> = (0..9)
            .map(|_| fixture::with_hold(&fixture::check("s", "a", "https://a.example/")))
            .collect();
        let mut plan = fixture::plan(&checks);
        assert!(!summary(None, &plan, &[]).contains("note:"));
        plan.hold_concurrency = 1;
        let text = summary(None, &plan, &[]);
        assert!(
            text.contains("\nnote: holds stand up to 2 at once"),
            "{text}"
        );
    }
}
