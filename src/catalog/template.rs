//! URLs with `<name>` in them, which variables of the configuration fill.

use std::collections::BTreeMap;

use crate::config::Located;

/// A URL as the data file writes it. Most have nothing to fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

// === impl Template ===

impl Template {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A text with every `<name>` as `*`.
    pub(super) fn open(text: &str) -> String {
        let mut open = String::new();
        let mut rest = text;
        while let Some((head, (_, tail))) = rest
            .split_once('<')
            .and_then(|(head, name)| Some((head, name.split_once('>')?)))
        {
            open.push_str(head);
            open.push('*');
            rest = tail;
        }
        open + rest
    }

    /// The names to fill, in order of appearance.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0
            .split('<')
            .skip(1)
            .filter_map(|rest| rest.split_once('>'))
            .map(|(name, _)| name)
    }

    /// The URL with every name filled, or the names that have no value.
    pub(super) fn fill(
        &self,
        values: &BTreeMap<String, Located<String>>,
    ) -> Result<String, Vec<&str>> {
        let mut url = self.0.clone();
        let mut missing = Vec::new();
        for name in self.variables() {
            match values.get(name) {
                Some(value) => url = url.replace(&format!("<{name}>"), &value.value),
                None => missing.push(name),
            }
        }
        if missing.is_empty() {
            Ok(url)
        } else {
            Err(missing)
        }
    }
}

impl From<String> for Template {
    fn from(url: String) -> Self {
        Self(url)
    }
}

/// Whether a value can stand for a part of a host or path without changing what else the URL says.
pub(super) fn is_fit(value: &str) -> bool {
    !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Location;

    fn template(url: &str) -> Template {
        Template(url.to_owned())
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, Located<String>> {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = Located {
                value: (*value).to_owned(),
                at: Location::default(),
            };
            ((*name).to_owned(), value)
        });
        pairs.collect()
    }

    #[test]
    fn every_name_is_filled() {
        let url = template("https://<prefix>.<region>.cloudapp.example/<prefix>");
        let values = values(&[("prefix", "falls"), ("region", "eu"), ("other", "x")]);
        assert_eq!(
            url.fill(&values),
            Ok("https://falls.eu.cloudapp.example/falls".to_owned())
        );
        assert_eq!(
            template("https://aka.ms").fill(&values),
            Ok("https://aka.ms".to_owned())
        );
    }

    #[test]
    fn names_without_a_value_are_told() {
        let url = template("https://<prefix>.<region>.cloudapp.example");
        let values = values(&[("prefix", "falls")]);
        assert_eq!(url.fill(&values), Err(vec!["region"]));
        assert_eq!(
            url.variables().collect::<Vec<_>>(),
            vec!["prefix", "region"]
        );
    }

    #[test]
    fn a_value_cannot_break_out_of_its_place() {
        for value in ["falls", "us.gateway.example", "a-b_c"] {
            assert!(is_fit(value), "{value}");
        }
        for value in ["", "https://x", "a/b", "a:1", "a@b", "<a>", "a b", "ä"] {
            assert!(!is_fit(value), "{value}");
        }
    }
}
