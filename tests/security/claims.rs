//! The items of the page on security: each ends with the names of tests, and each name is a test's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use super::{ROOT, files_below, read};

/// How the names of an item begin.
const MARK: &str = "(tests: ";

pub(super) fn have_tests() {
    let known = Known::of_project();
    let page = read("docs/security.md");
    let claims = claims(&page);
    assert!(claims.len() > 40, "{}", claims.len());
    let mut wrong = Vec::new();
    for claim in &claims {
        let Some(names) = names_of(claim) else {
            wrong.push(format!("{claim}: names no tests at its end"));
            continue;
        };
        for name in names.iter().filter(|name| !known.has(name)) {
            wrong.push(format!("{claim}: there is no test {name}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    recognizes_what_is_wrong(&known);
}

/// What would pass for anything holds nothing.
fn recognizes_what_is_wrong(known: &Known) {
    assert!(names_of("It is safe.").is_none());
    assert!(names_of("It is safe (tests: none).").is_none());
    assert!(names_of("It is safe (tests: `a`) and sound.").is_none());
    assert_eq!(
        names_of("It is (tests: `a`, `b::c`).").unwrap(),
        ["a", "b::c"]
    );
    for name in [
        "main",
        "have_tests",
        "read",
        "security::nothing",
        "nobody::*",
        "tls::nobody",
    ] {
        assert!(!known.has(name), "{name}");
    }
}

/// The items of all lists with a dot, each in one line.
fn claims(page: &str) -> Vec<String> {
    let mut claims: Vec<String> = Vec::new();
    let mut within = false;
    for line in page.lines() {
        if let Some(first) = line.strip_prefix("- ") {
            claims.push(first.to_owned());
            within = true;
        } else if let (true, Some(next)) = (within, line.strip_prefix("  ")) {
            let claim = claims.last_mut().expect("an item has begun");
            claim.push(' ');
            claim.push_str(next);
        } else {
            within = false;
        }
    }
    claims
}

fn names_of(claim: &str) -> Option<Vec<&str>> {
    let (_, names) = claim.rsplit_once(MARK)?;
    let names = names.strip_suffix(").")?.split(", ");
    names
        .map(|name| {
            name.strip_prefix('`')?
                .strip_suffix('`')
                .filter(|name| !name.contains('`'))
        })
        .collect()
}

/// The names of all tests.
struct Known {
    /// Functions of unit tests.
    units: BTreeSet<String>,
    /// `room::test` and `file::scenario`.
    trials: BTreeSet<String>,
}

impl Known {
    fn of_project() -> Self {
        let root = Path::new(ROOT);
        let unit = Regex::new(
            r"#\[(?:test|tokio::test)[^\n]*\]\n(?:\s*#\[[^\n]*\n)*\s*(?:async )?fn (\w+)\(",
        )
        .unwrap();
        let trial = Regex::new(r#""(\w+::\w+)""#).unwrap();
        let scenario = Regex::new(r"(?m)^  - name: (\S+)$").unwrap();
        let mut known = Self {
            units: BTreeSet::new(),
            trials: BTreeSet::new(),
        };
        for file in files_below(&root.join("src"), ".rs") {
            let text = fs::read_to_string(file).unwrap();
            let found = unit.captures_iter(&text).map(|found| found[1].to_owned());
            known.units.extend(found);
        }
        for file in files_below(&root.join("tests"), ".rs") {
            let text = fs::read_to_string(&file).unwrap();
            if !file.ends_with("security/claims.rs") {
                let found = trial.captures_iter(&text).map(|found| found[1].to_owned());
                known.trials.extend(found);
            }
        }
        for file in files_below(&root.join("tests/scenarios"), ".yml") {
            let text = fs::read_to_string(&file).unwrap();
            let stem = file.file_stem().unwrap().to_string_lossy();
            let found = scenario
                .captures_iter(&text)
                .map(|found| format!("{stem}::{}", &found[1]));
            known.trials.extend(found);
        }
        known
    }

    fn has(&self, name: &str) -> bool {
        match name.strip_suffix("::*") {
            Some(file) => self
                .trials
                .iter()
                .any(|trial| trial.split("::").next() == Some(file)),
            None => self.units.contains(name) || self.trials.contains(name),
        }
    }
}
