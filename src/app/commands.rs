//! The commands that only look something up.

use std::fmt::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Fault;
use super::arguments::{Arguments, ConfigCommand, ExplainArguments, ExplainFormat};
use super::planned::Planned;
use super::sharding::ShardArguments;
use crate::metrics::series_of;
use crate::plan::{HistogramMode, Plan, Shard};
use crate::server::WebFile;
use crate::{config, explain};

pub(super) fn config(
    file: Option<&Path>,
    shard: &ShardArguments,
    command: ConfigCommand,
) -> Result<String, Fault> {
    match command {
        ConfigCommand::Check { file: named, web } => {
            let file = named.as_deref().or(file);
            let shard = shard.shard()?;
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
            let summary = summary(file, shard, plan, &notices);
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

fn summary(file: Option<&Path>, shard: Option<Shard>, plan: Plan, notices: &[String]) -> String {
    let name = file.map_or("the embedded default".to_owned(), |file| {
        file.display().to_string()
    });
    let histograms = match plan.histograms.mode {
        HistogramMode::Check => "histograms for each check",
        HistogramMode::Service => "histograms for each service and route",
        HistogramMode::None => "no histograms",
    };
    let all = plan.checks.len();
    let plan = match shard {
        Some(shard) => plan.of_shard(shard),
        None => plan,
    };
    let own = plan.checks.len();
    let checks = shard.map_or(format!("{all} checks"), |shard| {
        format!("{all} checks, {own} of which {shard} runs")
    });
    let series = series_of(&plan);
    let mut text =
        format!("{name} is valid: {checks}, about {series} series on /metrics ({histograms})\n");
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
        assert!(!summary(None, None, plan.clone(), &[]).contains("note:"));
        plan.hold_concurrency = 1;
        let text = summary(None, None, plan, &[]);
        assert!(
            text.contains("\nnote: holds stand up to 2 at once"),
            "{text}"
        );
    }

    #[test]
    fn the_summary_tells_what_a_shard_runs() {
        let checks: Vec<_> = (0..30)
            .map(|number| fixture::check("s", &format!("e{number}"), "https://a.example/"))
            .collect();
        let plan = fixture::plan(&checks);
        let told: Vec<usize> = (0..3)
            .map(|index| {
                let shard = Shard::new(index, 3).unwrap();
                let text = summary(None, Some(shard), plan.clone(), &[]);
                let (_, rest) = text.split_once("is valid: 30 checks, ").unwrap();
                let (own, rest) = rest.split_once(' ').unwrap();
                assert!(
                    rest.starts_with(&format!("of which {shard} runs, ")),
                    "{text}"
                );
                own.parse().unwrap()
            })
            .collect();
        assert_eq!(told.iter().sum::<usize>(), 30);
    }
}
