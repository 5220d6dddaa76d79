//! What the readers of this room stand, given anything at all.

use super::MOST_TARGETS;
use super::board::{Found, printable};
pub use super::m365::fuzzed::{m365_endpoints, m365_memory};
use super::target::{endpoints, groups_in_json};
use crate::config::{TargetDefaults, TargetGroup, target_groups};
use crate::endpoint::Origin;

/// In no problem, where it stands in a URL as a password.
const SECRET: &str = "hunter2";
const AS_PASSWORD: &str = "://user:hunter2@";

/// No word about a target is longer.
const LONGEST_WHY: usize = 1000;

/// A file of targets, as JSON and as YAML: each of them is probed, or it is told why not.
pub fn targets(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let is_hidden = text.matches(SECRET).count() == text.matches(AS_PASSWORD).count();
    match groups_in_json("f.json", bytes) {
        Ok(groups) => are_accounted_for(&groups, is_hidden),
        Err(problem) => is_told(&problem, is_hidden),
    }
    match target_groups("f.yml", &text) {
        Ok(groups) => are_accounted_for(&groups, is_hidden),
        Err(problems) => is_told(&problems.to_string(), is_hidden),
    }
}

fn is_told(problem: &str, is_hidden: bool) {
    let told = printable(problem);
    assert!(!told.is_empty() && told.len() <= 4 * LONGEST_WHY, "{told}");
    assert!(!(is_hidden && told.contains(SECRET)), "{told}");
}

fn are_accounted_for(groups: &[TargetGroup], is_hidden: bool) {
    let count: usize = groups.iter().map(|group| group.targets.len()).sum();
    let read = endpoints(groups, &TargetDefaults::default(), Origin::FileSd);
    assert_eq!(read.is_ok(), count <= MOST_TARGETS);
    let found = read.unwrap_or_default();
    assert_eq!(
        found.endpoints.len() + found.not_probed.len(),
        count.min(MOST_TARGETS)
    );
    are_fit(&found);
    for entry in &found.not_probed {
        let shown = format!("{} {}", entry.endpoint, entry.why);
        let has_login = groups.iter().any(|group| {
            let mut values = group.labels.values();
            values.any(|value| value.contains(SECRET))
        });
        assert!(
            !(is_hidden && !has_login && shown.contains(SECRET)),
            "{shown}"
        );
    }
}

/// What is found can be a label, and what is not probed is told in few words.
pub(super) fn are_fit(found: &Found) {
    for settings in &found.endpoints {
        let (name, target) = (&settings.endpoint.name, &settings.endpoint.target);
        assert!(!name.is_empty() && name.len() <= LONGEST_WHY, "{name:?}");
        assert!(!name.contains(char::is_control), "{name:?}");
        assert!(
            !target.to_string().contains(char::is_whitespace),
            "{target}"
        );
    }
    for entry in &found.not_probed {
        assert!(entry.why.len() <= LONGEST_WHY, "{}", entry.why);
        assert!(entry.endpoint.len() <= LONGEST_WHY, "{}", entry.endpoint);
    }
}
