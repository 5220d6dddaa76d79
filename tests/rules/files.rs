//! The files of deploy/prometheus and deploy/alertmanager: what the tools say of them, and whether rules, tests,
//! explanations and documents say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use regex::Regex;
use serde_json::Value;

use crate::kit::{command, run_to_end, run_to_end_within, yaml};

/// For some thousand evaluations of all rules, on a busy machine.
const PROMTOOL_WITHIN: Duration = Duration::from_secs(240);

pub(super) fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: fn()| {
        Trial::test(format!("rules::{name}"), move || {
            test();
            Ok(())
        })
    };
    vec![
        trial("the_tools_find_nothing", the_tools_find_nothing),
        trial("promtool_tests_pass", promtool_tests_pass),
        trial("every_rule_is_tested", every_rule_is_tested),
        trial("every_metric_exists", every_metric_exists),
        trial("every_alert_is_explained", every_alert_is_explained),
        trial("every_cause_is_explained", every_cause_is_explained),
        trial("every_alert_is_documented", every_alert_is_documented),
    ]
}

/// A rule of the files, alert or record.
struct Rule {
    /// Of the alert or the recorded series.
    name: String,
    is_alert: bool,
    written: Value,
}

impl Rule {
    fn text(&self, pointer: &str) -> &str {
        let text = self.written.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default()
    }
}

pub(super) fn rule_files() -> Vec<PathBuf> {
    files("deploy/prometheus/rules")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// The causes come first, as they do for whoever is told.
fn rules() -> Vec<Rule> {
    let mut files = rule_files();
    files.sort_by_key(|file| !file.ends_with("reachd-causes.yml"));
    let mut rules = Vec::new();
    for file in files {
        let written = yaml::read(&file);
        for group in written["groups"].as_array().unwrap() {
            for rule in group["rules"].as_array().unwrap() {
                let alert = rule["alert"].as_str();
                let name = alert.or_else(|| rule["record"].as_str()).unwrap();
                rules.push(Rule {
                    name: name.to_owned(),
                    is_alert: alert.is_some(),
                    written: rule.clone(),
                });
            }
        }
    }
    rules
}

fn alerts() -> Vec<Rule> {
    let mut rules = rules();
    rules.retain(|rule| rule.is_alert);
    rules
}

fn tool(program: &str, arguments: &[&str], files: &[PathBuf]) {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(files)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let finished = run_to_end_within(PROMTOOL_WITHIN, command, Stdio::null());
    assert_eq!(finished.exit_code, 0, "{program}: {finished:?}");
}

fn the_tools_find_nothing() {
    tool("promtool", &["check", "rules"], &rule_files());
    let alertmanager = ["check-config", "deploy/alertmanager/alertmanager.yml"];
    tool("amtool", &alertmanager, &[]);
    let config = "deploy/prometheus/yamllint.yml";
    let folders = ["deploy/prometheus", "deploy/alertmanager"];
    tool(
        "yamllint",
        &[&["--strict", "-c", config][..], &folders].concat(),
        &[],
    );
}

fn promtool_tests_pass() {
    tool(
        "promtool",
        &["test", "rules"],
        &files("deploy/prometheus/tests"),
    );
}

/// An expression that promtool's tests evaluate, with how many series are expected of it.
struct Evaluation {
    test: String,
    expression: String,
    expected: usize,
}

fn evaluations() -> Vec<Evaluation> {
    let mut evaluations = Vec::new();
    for file in files("deploy/prometheus/tests") {
        let written = yaml::read(&file);
        for test in written["tests"].as_array().unwrap() {
            for evaluated in test["promql_expr_test"].as_array().into_iter().flatten() {
                evaluations.push(Evaluation {
                    test: format!("{} {}", file.display(), test["name"]),
                    expression: evaluated["expr"].as_str().unwrap().to_owned(),
                    expected: evaluated["exp_samples"].as_array().unwrap().len(),
                });
            }
        }
    }
    evaluations
}

/// Each alert is shown firing, and not firing before and after that; each record has a value.
fn every_rule_is_tested() {
    let evaluations = evaluations();
    let mut untested = Vec::new();
    for rule in rules() {
        let asked = if rule.is_alert {
            let firing = format!(
                "ALERTS{{alertname=\"{}\", alertstate=\"firing\"}}",
                rule.name
            );
            regex::escape(&firing)
        } else {
            format!(r"(^|[^\w:]){}($|[^\w:])", rule.name)
        };
        let asked = Regex::new(&asked).unwrap();
        let asked = |evaluation: &&Evaluation| asked.is_match(&evaluation.expression);
        let of_rule: Vec<&Evaluation> = evaluations.iter().filter(asked).collect();
        let is_quiet = |evaluation: &&&Evaluation| evaluation.expected == 0;
        let mut fires = of_rule.iter().enumerate();
        let is_tested = fires.any(|(at, evaluation)| {
            let mut after = of_rule[at..].iter().filter(is_quiet);
            let resolves = after.any(|other| other.test == evaluation.test);
            let was_quiet = of_rule[..at].iter().any(|other| other.expected == 0);
            evaluation.expected > 0 && (!rule.is_alert || (was_quiet && resolves))
        });
        if !is_tested {
            untested.push(rule.name);
        }
    }
    assert_eq!(untested, [""; 0]);
}

/// Whatever a rule asks for, reachd exposes (a unit test holds the reference and the exposition equal), or another rule
/// records.
fn every_metric_exists() {
    let reference = fs::read_to_string(root("docs/metrics.md")).unwrap();
    let exposed: BTreeSet<&str> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let rules = rules();
    let records = rules.iter().filter(|rule| !rule.is_alert);
    let recorded: BTreeSet<&str> = records.map(|rule| rule.name.as_str()).collect();
    let label_value = Regex::new(r#"[=~]"[^"]*""#).unwrap();
    let metric = Regex::new(r"[a-z_:]*\breachd[a-z0-9_:]*[a-z0-9]").unwrap();
    for rule in &rules {
        let annotations = rule.written["annotations"].as_object();
        let templates = annotations.into_iter().flatten();
        let templates = templates.filter_map(|(_, template)| template.as_str());
        let queries = templates.flat_map(|template| template.split("query ").skip(1));
        let queries = queries.filter_map(|query| query.split('"').nth(1));
        for expression in queries.chain([rule.text("/expr")]) {
            let code = label_value.replace_all(expression, "");
            for found in metric.find_iter(&code) {
                let name = found.as_str();
                let family = name.trim_end_matches("_bucket");
                let is_known = exposed.contains(family) || recorded.contains(name);
                assert!(is_known, "{}: {name}", rule.name);
            }
        }
    }
}

fn root(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// What `reachd explain` says of the name: what it means and what to do, a line each as the rules have them.
fn explained(name: &str) -> Vec<String> {
    let finished = run_to_end(command(&["explain", name]));
    assert_eq!(finished.exit_code, 0, "{name}: {}", finished.stderr);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert!(lines[0].starts_with(&format!("{name}, a")), "{}", lines[0]);
    let steps = lines.iter().skip_while(|line| **line != "  Do:");
    let steps = steps.filter_map(|line| line.strip_prefix("    "));
    let what = lines[1].trim().to_owned();
    [what].into_iter().chain(steps.map(str::to_owned)).collect()
}

fn assert_lines(description: &str, expected: &[String], of: &str) {
    let lines: Vec<&str> = description.lines().map(str::trim).collect();
    let missing = expected
        .iter()
        .filter(|line| !lines.contains(&line.as_str()));
    let missing: Vec<_> = missing.collect();
    assert!(
        missing.is_empty(),
        "the rules' text of {of} lacks {missing:#?}"
    );
}

/// With the words of `reachd explain`, which knows no other alerts, and with a link to its name.
fn every_alert_is_explained() {
    let alerts = alerts();
    for alert in &alerts {
        let explanation = explained(&alert.name);
        let link = alert.text("/annotations/runbook_url");
        assert!(
            !alert.text("/annotations/summary").is_empty(),
            "{}",
            alert.name
        );
        if alert.name == "ReachdCause" {
            assert!(link.ends_with("{{ $labels.cause }}"), "{link}");
        } else {
            assert_lines(
                alert.text("/annotations/description"),
                &explanation,
                &alert.name,
            );
            let end = format!("{{{{ end }}}}{}", alert.name);
            assert!(link.ends_with(&end), "{link}");
        }
    }
    let page = fs::read_to_string(root("deploy/runbook.md")).unwrap();
    let section = page.split("## Alerts").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let known = section.lines().filter_map(|line| line.strip_prefix("### "));
    let written = alerts.iter().map(|alert| alert.name.as_str());
    assert_eq!(known.collect::<Vec<_>>(), written.collect::<Vec<_>>());
}

fn every_cause_is_explained() {
    let alerts = alerts();
    let alert = alerts.iter().find(|alert| alert.name == "ReachdCause");
    let description = alert.unwrap().text("/annotations/description");
    let mut branches = description.split("if eq $labels.cause \"").skip(1);
    let page = fs::read_to_string(root("deploy/runbook.md")).unwrap();
    let causes = page.split("## Causes").nth(1).unwrap();
    let causes = causes.split("\n## ").next().unwrap();
    for cause in causes.lines().filter_map(|line| line.strip_prefix("### ")) {
        let branch = branches.next().unwrap_or_default();
        let (name, branch) = branch.split_once('"').unwrap_or_default();
        assert_eq!(name, cause);
        assert_lines(branch, &explained(cause), cause);
    }
    assert_eq!(branches.next(), None);
}

/// The table of docs/alerting.md: name, severity, and how long it has to be so.
fn every_alert_is_documented() {
    let page = fs::read_to_string(root("docs/alerting.md")).unwrap();
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `Reachd"));
    let documented = rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        format!(
            "Reachd{} {} {}",
            cells[0].trim_end_matches('`'),
            cells[1],
            cells[2]
        )
    });
    let alerts = alerts();
    let written = alerts.iter().map(|alert| {
        let severity = match alert.text("/labels/severity") {
            templated if templated.contains("$labels.critical") => "critical or warning",
            severity => severity,
        };
        format!("{} {severity} {}", alert.name, alert.text("/for"))
    });
    assert_eq!(documented.collect::<Vec<_>>(), written.collect::<Vec<_>>());
}
