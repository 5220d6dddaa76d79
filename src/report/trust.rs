//! What the trust store check adds to the report. It is apart from reachability: neither the verdict nor the exit code
//! knows of it.

use std::collections::BTreeSet;

use super::Report;
use crate::outcome::{RootStanding, RootState};

impl<'a> Report<'a> {
    /// Adds how the roots stand that the catalog requires.
    #[must_use]
    pub fn with_trust_store(mut self, roots: &'a [RootStanding]) -> Self {
        self.trust_store = roots;
        self
    }
}

/// What is to be said of roots, in one line each; the first one sums them up.
#[must_use]
pub fn of_trust_store(roots: &[RootStanding]) -> Vec<String> {
    let faulty: Vec<&RootStanding> = roots
        .iter()
        .filter(|root| root.state != RootState::Present)
        .collect();
    let count = |roots: &mut dyn Iterator<Item = &RootStanding>| {
        roots
            .map(|root| &root.sha256)
            .collect::<BTreeSet<_>>()
            .len()
    };
    let mut lines = match (count(&mut roots.iter()), count(&mut faulty.iter().copied())) {
        (0, _) => return Vec::new(),
        (all, 0) => vec![format!(
            "all {all} roots that the catalog's endpoints may need are there."
        )],
        (all, bad) => vec![format!(
            "{bad} of {all} roots that the catalog's endpoints may need cannot be relied on:"
        )],
    };
    lines.extend(faulty.iter().map(|root| {
        let elsewhere = match (root.state, root.bundled) {
            (RootState::Missing, true) => ", although Mozilla's set has it",
            _ => "",
        };
        format!(
            "{} {}{elsewhere} ({}, SHA-256 {})",
            root.root,
            root.state.words(),
            store(&root.store),
            root.sha256
        )
    }));
    if !faulty.is_empty() {
        lines.push(
            "Install what is missing: update the operating system's roots (on Debian the package ca-certificates, on \
             Windows the automatic root update), or add them to the file that tls.ca_file names."
                .to_owned(),
        );
    }
    let not_bundled = roots
        .iter()
        .filter(|root| root.state == RootState::Present && !root.bundled);
    let not_bundled: BTreeSet<&str> = not_bundled.map(|root| root.root.as_str()).collect();
    if !not_bundled.is_empty() {
        let names: Vec<&str> = not_bundled.into_iter().collect();
        lines.push(format!(
            "Programs that bring Mozilla's roots instead of using this store do not know {}.",
            names.join(", ")
        ));
    }
    lines
}

/// A trust store by its name, for people.
fn store(name: &str) -> String {
    match name {
        "system" => "the operating system's store".to_owned(),
        file => format!("the file {file}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(name: &str, state: RootState, bundled: bool) -> RootStanding {
        RootStanding {
            root: name.to_owned(),
            sha256: name.repeat(8),
            store: "system".to_owned(),
            state,
            bundled,
        }
    }

    #[test]
    fn one_line_when_all_is_well() {
        let roots = [
            root("a", RootState::Present, true),
            root("b", RootState::Present, true),
        ];
        let expected = ["all 2 roots that the catalog's endpoints may need are there."];
        assert_eq!(of_trust_store(&roots), expected);
        assert!(of_trust_store(&[]).is_empty());
    }

    #[test]
    fn a_root_that_one_store_has_and_another_lacks_is_one() {
        let missing = RootStanding {
            store: "corp.pem".to_owned(),
            ..root("a", RootState::Missing, false)
        };
        let roots = [root("a", RootState::Present, true), missing];
        let lines = of_trust_store(&roots);
        assert!(lines[0].starts_with("1 of 1 roots"), "{lines:?}");
        assert!(
            lines[1].starts_with("a is missing (the file corp.pem, "),
            "{lines:?}"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let roots = [
            root("here", RootState::Present, false),
            root("gone", RootState::Missing, true),
            root("old", RootState::Expired, false),
        ];
        let lines = of_trust_store(&roots).join("\n");
        for words in [
            "2 of 3 roots",
            "gone is missing, although Mozilla's set has it",
            "old has expired (the operating system's store, SHA-256",
            "do not know here.",
            "tls.ca_file",
        ] {
            assert!(lines.contains(words), "{words}: {lines}");
        }
    }
}
