//! The exposition against its reference, docs/metrics.md.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::config::Config;
use crate::outcome::{CauseKind, RootStanding, RootState};
use crate::plan::fixture;

/// The name, type and labels of every family of an exposition that has something of everything.
fn exposed() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let check = gateway();
    let metrics = metrics_of(&fixture::plan([&check]));
    metrics.trust_store(&[RootStanding {
        root: "Some Root".to_owned(),
        sha256: "ab".repeat(32),
        store: "system".to_owned(),
        state: RootState::Missing,
        bundled: true,
    }]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yml"), "[{targets: ['a:1']}]").unwrap();
    let config = "discovery: {file_sd: [a.yml]}";
    let config = Config::parse("f.yml", config, folder.path(), &|_| None).unwrap();
    let plan = Plan::build(&config).unwrap();
    metrics.sources(&Arc::new(Discovery::new(&config, &plan, None)));
    metrics.history_store(true);
    metrics.shard(Shard::new(0, 1).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    metrics.runtime("probing", runtime.unwrap().handle());
    metrics.causes([(CauseKind::ProxyDown, "corp", true)].into_iter());
    metrics.explained([(CauseKind::ProxyDown, "corp", &check.key())].into_iter());
    metrics.watch(&check).observed(&full_failure(1));
    metrics.watch(&check).held(&fixture::cut(1));
    metrics.watch(&check).started(Duration::from_millis(1));

    let mut families = BTreeMap::new();
    let mut current = String::new();
    for line in scrape(&metrics).lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            let (name, kind) = head.split_once(' ').unwrap();
            name.clone_into(&mut current);
            families.insert(current.clone(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&current), "{line} belongs to {current}?");
            let (_, labels) = families.get_mut(&current).unwrap();
            let words = line.split(['{', ',']).skip(1);
            let names = words.filter_map(|word| Some(word.split_once("=\"")?.0.to_owned()));
            labels.extend(names.filter(|name| name != "le"));
        }
    }
    families
}

#[test]
fn the_reference_names_every_family_with_its_type_and_labels() {
    let reference = include_str!("../../../docs/metrics.md");
    let mut documented = BTreeMap::new();
    for row in reference.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let labels: BTreeSet<String> = cells[2]
            .split([',', ' '])
            .filter(|label| !label.is_empty())
            .map(|label| label.trim_matches('`').to_owned())
            .collect();
        let name = cells[0].trim_matches('`').to_owned();
        documented.insert(name, (cells[1].to_owned(), labels));
    }
    let mut exposed = exposed();
    // Commas within a distinguished name look like labels to this test's simple eye.
    for (_, labels) in exposed.values_mut() {
        labels.retain(|label| !label.contains(['=', ' ']));
    }
    let names = |families: &BTreeMap<String, _>| families.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&documented), names(&exposed));
    assert_eq!(documented, exposed);
}
