//! The user's own labels of an endpoint: which names they may have.

use std::collections::BTreeMap;

/// So many of an endpoint.
pub const MOST_LABELS: usize = 10;

/// The longest name and value, in bytes.
const LONGEST_NAME: usize = 128;
const LONGEST_VALUE: usize = 512;

/// What `reachd_endpoint_info` has itself.
const OWN: [&str; 10] = [
    "cloud",
    "critical",
    "endpoint",
    "host",
    "origin",
    "route",
    "service",
    "stands_in_for",
    "url",
    "via",
];

/// Whether reachd itself has a label of this name where the user's own are shown.
#[must_use]
pub fn is_own_label(name: &str) -> bool {
    OWN.contains(&name)
}

/// Why these cannot be the labels of an endpoint, in one line; `None` where they can.
#[must_use]
pub fn fault_of_labels(labels: &BTreeMap<String, String>) -> Option<String> {
    if labels.len() > MOST_LABELS {
        return Some(format!(
            "an endpoint has at most {MOST_LABELS} labels of its own, not {}",
            labels.len()
        ));
    }
    labels
        .iter()
        .find_map(|(name, value)| fault_of_label(name, value))
}

/// Why this cannot be a label of an endpoint, in one line.
#[must_use]
pub fn fault_of_label(name: &str, value: &str) -> Option<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(inner)
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_name {
        return Some(
            "the name of a label is up to 128 letters, digits and `_`, and begins with no digit"
                .to_owned(),
        );
    }
    if name.starts_with("__") {
        return Some(format!(
            "`{name}`: names with `__` before them are Prometheus' own"
        ));
    }
    if is_own_label(name) || name == "le" {
        return Some(format!("`{name}` is a label that reachd has itself"));
    }
    (value.len() > LONGEST_VALUE)
        .then(|| format!("`{name}`: a value has at most {LONGEST_VALUE} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_prometheus_takes_and_reachd_does_not_have() {
        let cases = [
            ("team", true),
            ("_x9", true),
            ("exported_service", true),
            ("9x", false),
            ("a-b", false),
            ("", false),
            ("ä", false),
            ("__meta", false),
            ("service", false),
            ("le", false),
        ];
        for (name, good) in cases {
            assert_eq!(fault_of_label(name, "v").is_none(), good, "{name}");
        }
        assert!(fault_of_label("a", &"x".repeat(513)).is_some());
        let many = |count: usize| {
            (0..count)
                .map(|n| (format!("l{n}"), String::new()))
                .collect()
        };
        assert_eq!(fault_of_labels(&many(10)), None);
        assert!(fault_of_labels(&many(11)).is_some());
    }
}
