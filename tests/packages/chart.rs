//! The Helm chart: Helm's library renders it, and the tools that know what comes out look at it.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::{assert_flags_exist, python_tool, run_tool, trial};

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("packages::helm_chart", chart)]
}

fn chart() {
    let out = TempDir::new().unwrap();
    let path = |name: &str| out.path().join(name).to_str().expect("UTF-8").to_owned();
    let script = "tests/packages/chart.py";
    run_tool(
        python_tool("python"),
        &[script, "deploy/helm/reachd", &path("")],
    );

    let manifests = manifests(out.path());
    assert!(manifests.len() > 10, "{manifests:?}");
    let strictly: Vec<&str> = ["--strict"]
        .into_iter()
        .chain(manifests.iter().map(String::as_str))
        .collect();
    run_tool(python_tool("kubernetes-validate"), &strictly);
    run_tool("promtool", &["check", "rules", &path("rules.yml")]);
    run_tool(
        env!("CARGO_BIN_EXE_reachd"),
        &["config", "check", &path("reachd.yml")],
    );
    assert_flags_exist(&fs::read_to_string(path("flags")).unwrap());
}

fn manifests(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| path.to_str().expect("UTF-8").to_owned())
        .collect()
}
