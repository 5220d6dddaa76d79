//! Whether the report and the exit code of `reachd check` say what a scenario expects.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::data::{ExpectedFailure, Scenario};
use crate::kit::Finished;

/// By how much a delay may be off: a few milliseconds, unless the machine is busy.
const TOLERATED_MILLISECONDS: RangeInclusive<f64> = -5.0..=200.0;

/// Everything in which the outcome is not the expected one, after a `reachd check` of these scenarios.
pub(super) fn differences(
    scenario: &Scenario,
    probed: &[Scenario],
    finished: &Finished,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let fails = probed.iter().any(|scenario| scenario.failure().is_some());
    let expected_code = if fails { 2 } else { 0 };
    if finished.exit_code != expected_code {
        let code = finished.exit_code;
        wrong.push(format!("exit code {code}, expected {expected_code}"));
    }
    let Ok(report) = serde_json::from_str::<Value>(&finished.stdout) else {
        wrong.push("the report is not JSON".to_owned());
        return wrong;
    };
    let checks = report["checks"].as_array().map_or(&[][..], Vec::as_slice);
    let mut own = checks
        .iter()
        .filter(|check| check["endpoint"] == *scenario.name);
    let (Some(check), None, true) = (own.next(), own.next(), checks.len() == probed.len()) else {
        wrong.push("the report has not exactly the checks that were asked for".to_owned());
        return wrong;
    };
    match scenario.failure() {
        None if check["success"] == true && check["failure"].is_null() => {}
        None => wrong.push(format!("expected success, got {}", told(&check["failure"]))),
        Some(failure) => wrong.extend(failure_differences(failure, check)),
    }
    if let Some(via) = &scenario.via
        && check["via"] != **via
    {
        wrong.push(format!("via {}, expected {via}", check["via"]));
    }
    wrong.extend(step_differences(scenario, check));
    for (pointer, expected) in &scenario.observed {
        let found = check["observed"].pointer(pointer).unwrap_or(&Value::Null);
        if !is_as_expected(found, expected) {
            wrong.push(format!("observed {pointer}: {found}, expected {expected}"));
        }
    }
    wrong
}

fn failure_differences(expected: &ExpectedFailure, check: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let failure = &check["failure"];
    let ExpectedFailure {
        phase,
        peer,
        reason,
        detail,
    } = expected;
    let is_it =
        failure["phase"] == **phase && failure["peer"] == **peer && failure["reason"] == **reason;
    if !is_it {
        let found = told(failure);
        wrong.push(format!("expected {phase}/{peer}/{reason}, got {found}"));
        return wrong;
    }
    let found = failure["detail"].as_str().unwrap_or_default();
    if let Some(detail) = detail
        && !found.contains(detail.as_str())
    {
        wrong.push(format!("the detail does not say {detail:?}: {found:?}"));
    }
    if found.is_empty() {
        wrong.push("the failure has no detail".to_owned());
    }
    for part in ["what", "likely", "do", "owner"] {
        if matches!(&failure["explanation"][part], Value::Null) {
            wrong.push(format!("the explanation has no {part:?}"));
        }
    }
    if step(&check["phases"], &format!("{phase}/{peer}")).is_none() {
        wrong.push(format!("the failing step {phase}/{peer} has no time"));
    }
    wrong
}

/// Steps that ran and steps that did not: none twice, none in both, and as the scenario says.
fn step_differences(scenario: &Scenario, check: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let names = |list: &Value| -> Vec<String> {
        let steps = list.as_array().into_iter().flatten();
        steps.map(name_of).collect()
    };
    let mut all = [names(&check["phases"]), names(&check["not_run"])].concat();
    let count = all.len();
    all.sort();
    all.dedup();
    if all.len() != count {
        wrong.push("a step is there twice".to_owned());
    }
    for (name, why) in &scenario.not_run {
        let found = step(&check["not_run"], name).map(|step| &step["why"]);
        if found.and_then(Value::as_str) != Some(why) {
            wrong.push(format!("{name} must not run because {why}: {found:?}"));
        }
    }
    let seconds_of = |name: &String| step(&check["phases"], name)?["seconds"].as_f64();
    for (name, delay) in &scenario.delay {
        let Some(seconds) = seconds_of(name) else {
            wrong.push(format!("{name} took no time instead of {delay} s"));
            continue;
        };
        let error = (seconds - delay) * 1000.0;
        eprintln!("{name}: {delay} s were put in, {error:+.2} ms off");
        if !TOLERATED_MILLISECONDS.contains(&error) {
            wrong.push(format!("{name} took {seconds} s instead of {delay} s"));
        }
    }
    for (name, (least, most)) in &scenario.seconds {
        let seconds = seconds_of(name);
        match seconds {
            Some(seconds) if (*least..=*most).contains(&seconds) => {}
            _ => wrong.push(format!("{name} took {seconds:?} s, not {least} to {most}")),
        }
    }
    wrong
}

fn step<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
    list.as_array()?.iter().find(|step| name_of(step) == name)
}

fn name_of(step: &Value) -> String {
    let text = |key: &str| step[key].as_str().unwrap_or_default();
    format!("{}/{}", text("phase"), text("peer"))
}

/// `{from, to}` is a range, everything else must be equal.
fn is_as_expected(found: &Value, expected: &Value) -> bool {
    match (expected["from"].as_f64(), expected["to"].as_f64()) {
        (Some(from), Some(to)) => found
            .as_f64()
            .is_some_and(|number| (from..=to).contains(&number)),
        _ => found == expected,
    }
}

fn told(failure: &Value) -> String {
    let text = |key: &str| failure[key].as_str().unwrap_or("?");
    let [phase, peer, reason, detail] = ["phase", "peer", "reason", "detail"].map(text);
    format!("{phase}/{peer}/{reason}: {detail}")
}
