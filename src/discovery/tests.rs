//! Several sources together, and over a reload.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with these files of targets.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn discovery(folder: &TempDir, text: &str, former: Option<&Discovery>) -> (Config, Discovery) {
    let config = Config::parse("f.yml", text, folder.path(), &|_| None).unwrap();
    let plan = Plan::build(&config).unwrap();
    let discovery = Discovery::new(&config, &plan, former);
    (config, discovery)
}

fn names(findings: &Findings) -> Vec<String> {
    let endpoints = findings.endpoints.iter().map(|settings| &settings.endpoint);
    endpoints
        .map(|endpoint| format!("{} {}", endpoint.service, endpoint.name))
        .collect()
}

#[test]
fn the_same_target_of_two_sources_is_one() {
    let folder = folder(&[
        ("a.yml", "[{targets: ['a:1', 'b:1', 'a:1']}]"),
        (
            "b.json",
            r#"[{"targets": ["a:1"]}, {"targets": ["b:1"], "labels": {"critical": "false"}}]"#,
        ),
    ]);
    let (config, discovery) = discovery(&folder, "discovery: {file_sd: [a.yml, b.json]}", None);
    let found = discovery.found(&config);
    // The other `b:1` is another one of this name, which the plan will refuse.
    assert_eq!(names(&found), ["default a:1", "default b:1", "default b:1"]);
    assert_eq!(discovery.problems(), Vec::<String>::new());
}

#[test]
fn all_together_are_bounded() {
    let many = |prefix: &str| {
        let targets: Vec<String> = (0..6000).map(|n| format!("'{prefix}{n}:1'")).collect();
        format!("[{{targets: [{}]}}]", targets.join(", "))
    };
    let folder = folder(&[("a.yml", &many("a")), ("b.yml", &many("b"))]);
    let (config, sources) = discovery(&folder, "discovery: {file_sd: [a.yml, b.yml]}", None);
    let found = sources.found(&config);
    assert_eq!(found.endpoints.len(), MOST_TARGETS);
    assert!(found.not_probed[0].why.starts_with("2000 targets: "));
    let (_, together) = discovery(&folder, "discovery: {file_sd: ['*.yml']}", None);
    assert!(together.problems()[0].contains("12000 targets in all files: at most 10000"));
}

#[test]
fn a_file_that_grows_too_long_takes_no_other_file_away() {
    let folder = folder(&[
        ("a.yml", "[{targets: ['a:1']}]"),
        ("b.yml", "[{targets: ['b:1']}]"),
    ]);
    let config = "discovery: {file_sd: ['*.yml']}";
    let (parsed, first) = discovery(&folder, config, None);
    assert_eq!(first.found(&parsed).endpoints.len(), 2);
    let targets: Vec<String> = (0..MOST_TARGETS).map(|n| format!("'a{n}:1'")).collect();
    let text = format!("[{{targets: [{}]}}]", targets.join(", "));
    fs::write(folder.path().join("a.yml"), text).unwrap();
    // Other settings have all files read anew.
    let config = "discovery: {file_sd: [{files: ['*.yml'], service: other}]}";
    let (parsed, second) = discovery(&folder, config, Some(&first));
    assert_eq!(second.found(&parsed).endpoints.len(), 2);
    assert!(second.problems()[0].contains("10001 targets"));
}

#[test]
fn what_is_broken_while_its_settings_change_keeps_what_it_named() {
    let folder = folder(&[("a.yml", "[{targets: ['a:1']}]")]);
    let (_, first) = discovery(&folder, "discovery: {file_sd: [a.yml]}", None);
    fs::write(folder.path().join("a.yml"), "[{targets: {").unwrap();
    let config = "discovery: {file_sd: [{files: [a.yml], service: other}]}";
    let (parsed, second) = discovery(&folder, config, Some(&first));
    assert_eq!(names(&second.found(&parsed)), ["default a:1"]);
    assert_eq!(second.problems().len(), 1);
}

#[test]
fn what_did_not_change_goes_on_over_a_reload() {
    let folder = folder(&[
        ("a.yml", "[{targets: ['a:1']}]"),
        ("b.yml", "[{targets: ['b:1']}]"),
    ]);
    let text =
        "discovery: {file_sd: [a.yml, b.yml], http_sd: [{url: 'http://sd.test/'}], m365: {}}";
    let (_, former) = discovery(&folder, text, None);
    fs::remove_file(folder.path().join("a.yml")).unwrap();
    let text = "global: {interval: 5s}
routes: [direct]
discovery:
  file_sd: [a.yml, {files: [b.yml], service: s}]
  http_sd: [{url: 'http://sd.test/', refresh_interval: 5s}]";
    let (config, next) = discovery(&folder, text, Some(&former));
    let same = |index: usize| Arc::ptr_eq(&former.sources[index], &next.sources[index]);
    assert_eq!([same(0), same(1), same(2)], [true, false, false]);
    // It did not look again, and so did not miss the file yet.
    assert_eq!(names(&next.found(&config)), ["default a:1", "s b:1"]);
    let kinds: Vec<Origin> = next.statuses().iter().map(|status| status.kind).collect();
    assert_eq!(kinds, [Origin::FileSd, Origin::FileSd, Origin::HttpSd]);
    assert_eq!(next.statuses()[2].up, None);
}
