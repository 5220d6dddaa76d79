//! Which service works over which route: a line each, and below it what fails and what that breaks.

use std::fmt;

use super::layout::{Colour, Paint, cut, wrapped, wrapped_behind};
use crate::report::{Report, ServiceReport, Verdict};

/// How many failing endpoints of one service and route are named; the table below has all of them.
const NAMES_SHOWN: usize = 8;

/// How much of what breaks is told.
const BREAKS_SHOWN: usize = 4;

/// Names of services never get more columns.
const SERVICE_MOST: usize = 36;

/// Names of routes never get more columns.
const ROUTE_MOST: usize = 16;

/// As wide as the longest state.
const STATE: usize = "NOT WORKING".len();

pub(super) fn write(f: &mut fmt::Formatter<'_>, paint: Paint, report: &Report<'_>) -> fmt::Result {
    let services = &report.services;
    if services.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}", paint.bold("Services"))?;
    let width = |text: fn(&ServiceReport<'_>) -> usize, most: usize| {
        services
            .iter()
            .map(text)
            .max()
            .unwrap_or_default()
            .min(most)
    };
    let name = width(|service| service.service.chars().count(), SERVICE_MOST);
    let route = width(|service| service.route.chars().count(), ROUTE_MOST);
    for service in services {
        let word = service.word();
        let colour = match service.status {
            Some(Verdict::Ok) => Colour::Green,
            Some(Verdict::Critical) => Colour::Red,
            Some(Verdict::Warning) | None => Colour::Yellow,
        };
        let state = paint.word(word, colour);
        write!(f, "{state}{:1$}  ", "", STATE - word.len())?;
        let columns = format!(
            "{:<name$}  {:<route$}  ",
            cut(service.service, name),
            cut(service.route, route)
        );
        wrapped_behind(f, STATE + 2, &columns, &service.summary())?;
        details(f, service)?;
    }
    Ok(())
}

fn details(f: &mut fmt::Formatter<'_>, service: &ServiceReport<'_>) -> fmt::Result {
    let label = |label: &str| format!("{:STATE$}  {label:<8}", "");
    let mut names: Vec<&str> = service.failing.iter().map(|check| check.endpoint).collect();
    if names.is_empty() {
        return Ok(());
    }
    let unnamed = names.len().saturating_sub(NAMES_SHOWN);
    names.truncate(NAMES_SHOWN);
    let more = match unnamed {
        0 => String::new(),
        _ => format!(" and {unnamed} more"),
    };
    wrapped(f, &label("fails"), &format!("{}{more}", names.join(", ")))?;
    let mut first = "breaks";
    for breaks in service.breaks.iter().take(BREAKS_SHOWN) {
        wrapped(f, &label(first), &format!("- {breaks}"))?;
        first = "";
    }
    let untold = service.breaks.len().saturating_sub(BREAKS_SHOWN);
    if untold > 0 {
        wrapped(f, &label(""), &format!("- and {untold} more"))?;
    }
    Ok(())
}
