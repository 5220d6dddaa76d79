//! What is written about packages is true: files, commands, flags, versions.

use std::collections::BTreeSet;
use std::path::Path;

use libtest_mimic::Trial;
use regex::Regex;

use super::{ROOT, assert_flags_exist, read, run_tool, trial};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("packages::systemd_exposure", exposure),
        trial("packages::flags_of_files", flags),
        trial("packages::versions_agree", versions),
        trial("packages::sample_configuration", sample),
        trial("packages::install_page", install_page),
    ]
}

/// 15 is 1.5 of 10.
fn exposure() {
    run_tool(
        "systemd-analyze",
        &[
            "security",
            "--offline=true",
            "--threshold=15",
            "deploy/systemd/reachd.service",
        ],
    );
}

fn flags() {
    for file in [
        "deploy/systemd/reachd.service",
        "deploy/systemd/reachd.socket",
        "deploy/debian/reachd.default",
    ] {
        assert_flags_exist(&read(file));
    }
}

fn versions() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, line) in [
        (
            "deploy/helm/reachd/Chart.yaml",
            format!("\nversion: {version}\n"),
        ),
        (
            "deploy/helm/reachd/Chart.yaml",
            format!("\nappVersion: {version}\n"),
        ),
        ("docs/install.md", format!("/reachd_{version}-1_amd64.deb")),
        ("deploy/debian/changelog", format!("reachd ({version}-1) ")),
    ] {
        assert!(read(file).contains(&line), "{file}: {line}");
    }
    // The package is made by what tests/run tests it with.
    let pinned = Regex::new(r"(?m)^cargo_deb_version=(\S+)$").unwrap();
    let run = read("tests/run");
    let pinned = pinned
        .captures(&run)
        .expect("a version")
        .get(1)
        .expect("a group");
    let install = format!("cargo-deb@{}\n", pinned.as_str());
    assert!(read("docs/install.md").contains(&install), "{install}");
}

fn sample() {
    run_tool(
        env!("CARGO_BIN_EXE_reachd"),
        &["config", "check", "deploy/debian/reachd.yml"],
    );
}

fn install_page() {
    let page = read("docs/install.md");
    let path = Regex::new(r"(?:deploy|docs|dashboards|tests)/[\w./-]*").unwrap();
    let mut paths: BTreeSet<&str> = path.find_iter(&page).map(|found| found.as_str()).collect();
    // What the reader makes.
    paths.retain(|path| !path.starts_with("deploy/docker/secrets/"));
    assert!(paths.len() > 10, "{paths:?}");
    for path in paths {
        let path = path.trim_end_matches('.');
        assert!(Path::new(ROOT).join(path).exists(), "{path} is not there");
    }
    assert_flags_exist(&page);
    let command =
        Regex::new(r"(?m)(?:^|[` /])reachd (config check|check|run|healthcheck)\b").unwrap();
    let commands: BTreeSet<&str> = command
        .captures_iter(&page)
        .map(|found| found.get(1).expect("a group").as_str())
        .collect();
    assert_eq!(commands.len(), 4, "{commands:?}");
    for command in commands {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.push("--help");
        run_tool(env!("CARGO_BIN_EXE_reachd"), &words);
    }
    let link = Regex::new(r"\]\(#([\w-]+)\)").unwrap();
    for (_, [anchor]) in link.captures_iter(&page).map(|found| found.extract()) {
        let is_there = page
            .lines()
            .filter_map(|line| line.strip_prefix("##"))
            .any(|title| anchor_of(title) == anchor);
        assert!(is_there, "#{anchor}");
    }
}

/// As GitHub makes it of a title.
fn anchor_of(title: &str) -> String {
    title
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-'))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}
