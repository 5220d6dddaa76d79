//! Lists of targets in Prometheus' format, as a YAML file has them: `[{targets: [...], labels: {...}}]`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Deserializer};

use super::context::Context;
use super::reader::Value;
use super::{Problems, document};

/// Targets that have their labels in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetGroup {
    /// As written: a URL, or a host with a port.
    pub targets: Vec<String>,
    /// What is said of them.
    #[serde(default, deserialize_with = "labels_or_null")]
    pub labels: BTreeMap<String, String>,
}

/// What Go writes for a map without entries.
fn labels_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads the YAML of such a list. Unlike in the configuration, `${NAME}` means nothing in it.
///
/// # Errors
/// Everything that is wrong, with line and field; `file` is what problems call it.
pub fn target_groups(file: &str, text: &str) -> Result<Vec<TargetGroup>, Problems> {
    let document = document::parse(file, text)?;
    let context = Context::new(file, Path::new(""), &|_| None);
    let groups = Value::root(&context, &document).items().map(|items| {
        let groups = items.iter().filter_map(group);
        groups.collect()
    });
    context.conclude(groups, |_| Problems::default())
}

fn group(value: &Value<'_>) -> Option<TargetGroup> {
    value.fields(|fields| {
        let targets = fields.required("targets", |value| {
            let items = value.items()?;
            let texts = items.iter().map(|item| item.written().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        let labels = fields.optional("labels", |value| {
            let entries = value.entries()?.into_iter();
            let labels = entries.map(|(name, value)| {
                let text = value.written()?;
                Some((name.to_owned(), text.to_owned()))
            });
            labels.collect::<Option<BTreeMap<_, _>>>()
        });
        Some(TargetGroup {
            targets: targets?,
            labels: labels.unwrap_or_default(),
        })
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_yaml() {
        let text = "- targets: [a.example:443, https://b.example/]\n  labels: {service: x, n: 1, t: '${HOME}'}\n- targets: []\n";
        let groups = target_groups("f.yml", text).unwrap();
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].targets, ["a.example:443", "https://b.example/"]);
        assert_eq!(groups[0].labels["n"], "1");
        assert_eq!(groups[0].labels["t"], "${HOME}");
        assert_eq!(target_groups("f.yml", "[]").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            (
                "targets: [a]",
                "f.yml:1:1: expected a list, found a mapping",
            ),
            (
                "- targets: [a]\n  label: {a: b}\n- labels: {}\n",
                "f.yml:2:3: [0].label: unknown key (did you mean \"labels\"?)\n\
                 f.yml:3:3: [1]: `targets` is missing",
            ),
            (
                "- targets: [a, [b]]\n  labels: {a: {}}\n",
                "f.yml:1:16: [0].targets[1]: expected a single value, found a list\n\
                 f.yml:2:15: [0].labels.a: expected a single value, found a mapping",
            ),
        ];
        for (text, expected) in cases {
            let problems = target_groups("f.yml", text).unwrap_err().to_string();
            assert_eq!(problems, expected);
        }
        for key in [
            "'https://u:hunter2@h.example/'",
            "u:hunter2@h",
            "'hunter2://'",
        ] {
            let text = format!("- {{{key}: x, targets: [a], labels: {{{key}: []}}}}");
            let problems = target_groups("f.yml", &text).unwrap_err().to_string();
            assert!(!problems.contains("hunter2"), "{problems}");
        }
        assert!(target_groups("f.yml", "- targets: [a").is_err());
        assert!(target_groups("f.yml", "").is_err());
    }
}
