//! One file for each rule in `testdata`, which ends in the problems that it has.

use std::fs;
use std::path::{Path, PathBuf};

use super::{SECRET, environment};
use crate::config::Config;
use crate::platform::HAS_KERBEROS;

/// What begins an expected problem at the end of a file.
const MARK: &str = "#! ";

#[test]
fn each_bad_file_has_exactly_its_problems() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/testdata");
    let of_this_build = if HAS_KERBEROS {
        "with-kerberos"
    } else {
        "without-kerberos"
    };
    let files: Vec<PathBuf> = [folder.clone(), folder.join(of_this_build)]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    assert!(files.len() > 25, "only {} files", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let expected: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(MARK))
            .collect();
        let problems = Config::parse("f.yml", &text, &folder, &environment).unwrap_err();
        let found = problems.to_string();
        assert!(!found.contains(SECRET), "{}: {found}", path.display());
        assert!(!format!("{problems:?}").contains(SECRET));
        let found = found
            .replace("f.yml:", "")
            .replace(&format!("{}/", folder.display()), "");
        if found.lines().collect::<Vec<_>>() != expected {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            wrong.push(format!("{name} has\n{}", prefixed(&found)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn prefixed(problems: &str) -> String {
    let lines: Vec<String> = problems
        .lines()
        .map(|line| format!("{MARK}{line}"))
        .collect();
    lines.join("\n")
}

#[test]
fn problems_come_in_the_order_of_the_file() {
    let text = "endpoints:\n  - {url: x, name: a}\nglobal: {timeout: 1, interval: 1}\n";
    let problems = Config::parse("f.yml", text, Path::new(""), &environment).unwrap_err();
    let positions: Vec<_> = problems
        .0
        .iter()
        .map(|problem| problem.at.position)
        .collect();
    assert_eq!(positions.len(), 3);
    assert!(positions.is_sorted());
}

#[test]
fn lists_are_bounded() {
    let names: Vec<String> = (0..1001).map(|number| format!("f{number}")).collect();
    let text = format!("catalog: {{features: [{}]}}", names.join(", "));
    let problems = Config::parse("f.yml", &text, Path::new(""), &environment).unwrap_err();
    let expected = "f.yml:1:21: catalog.features: more than 1000 items";
    assert_eq!(problems.to_string(), expected);
}
