//! For whom a command of the catalog asks: a cloud, a release, and what fills templates.

use std::collections::BTreeMap;
use std::fmt;

use super::ask::{AskError, all_features, feature_named};
use super::cloud::{Cloud, Release};
use super::feature::{Feature, Missing};
use super::select::{self, ALL};
use crate::config::{CatalogSelection, Located, Location, Problem, Problems};

/// What is asked of the catalog on a command line. What is left out comes from the configuration, if one is
/// named, or is the default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// `--cloud`
    pub cloud: Option<String>,
    /// `--configmgr-version`
    pub configmgr_version: Option<u16>,
    /// `--feature`, each of them
    pub features: Vec<String>,
    /// `--variable`, each of them
    pub variables: Vec<(String, String)>,
}

/// A cloud, a release, and what fills templates; all of it known to the catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// The cloud.
    pub cloud: Cloud,
    /// The release.
    pub release: Release,
    pub(super) variables: BTreeMap<String, Located<String>>,
}

// === impl Asked ===

impl Asked {
    /// What is asked for, over what the configuration says.
    #[must_use]
    pub fn over(&self, configured: Option<&CatalogSelection>) -> CatalogSelection {
        let mut selection = configured.cloned().unwrap_or_else(everything);
        if let Some(cloud) = &self.cloud {
            selection.cloud = of_flag("--cloud", cloud.clone());
        }
        if let Some(version) = self.configmgr_version {
            selection.configmgr_version = Some(of_flag("--configmgr-version", version));
        }
        if !self.features.is_empty() {
            let features = self.features.iter().cloned();
            selection.features = features
                .map(|feature| of_flag("--feature", feature))
                .collect();
        }
        for (name, value) in &self.variables {
            let value = of_flag(&format!("--variable {name}"), value.clone());
            selection.variables.insert(name.clone(), value);
        }
        selection
    }
}

/// Every feature of the public cloud, with the newest release.
fn everything() -> CatalogSelection {
    CatalogSelection {
        cloud: of_flag("--cloud", Cloud::Public.as_str().to_owned()),
        configmgr_version: None,
        features: vec![of_flag("--feature", ALL.to_owned())],
        variables: BTreeMap::new(),
        overrides: BTreeMap::new(),
        discover_redirects: false,
    }
}

/// A value of the command line: problems name the flag instead of a file.
fn of_flag<T>(flag: &str, value: T) -> Located<T> {
    Located {
        value,
        at: Location {
            file: flag.to_owned(),
            ..Location::default()
        },
    }
}

// === impl Scope ===

impl Scope {
    /// The scope of a selection.
    ///
    /// # Errors
    /// An unknown cloud, release or variable; all of them at once.
    pub fn of(selection: &CatalogSelection) -> Result<Self, AskError> {
        let mut problems = Vec::new();
        let cloud = select::cloud(&selection.cloud, &mut problems);
        let release = select::release(selection.configmgr_version.as_ref(), &mut problems);
        select::check_variables(all_features()?, &selection.variables, &mut problems);
        match (cloud, release) {
            (Some(cloud), Some(release)) if problems.is_empty() => Ok(Self {
                cloud,
                release,
                variables: selection.variables.clone(),
            }),
            _ => Err(Problems(problems).into()),
        }
    }

    /// The scope that a text names: `CLOUD`, `VERSION` or `CLOUD@VERSION`.
    ///
    /// # Errors
    /// It names an unknown cloud or release.
    pub fn parse(text: &str) -> Result<Self, AskError> {
        let is_version = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let (cloud, version) = match text.split_once('@') {
            Some((cloud, version)) => (Some(cloud), Some(version)),
            None if is_version => (None, Some(text)),
            None => (Some(text), None),
        };
        let at = |message: String| Problem {
            at: of_flag(text, ()).at,
            message,
            hint: Some("CLOUD, VERSION or CLOUD@VERSION, such as us-government@2107".to_owned()),
        };
        let number = |version: &str| {
            let number = version.parse::<u16>();
            number.map_err(|_| Problems(vec![at(format!("\"{version}\" is no release"))]))
        };
        let mut selection = everything();
        if let Some(cloud) = cloud {
            selection.cloud = of_flag(text, cloud.to_owned());
        }
        if let Some(version) = version {
            selection.configmgr_version = Some(of_flag(text, number(version)?));
        }
        Self::of(&selection)
    }

    /// Whether the cloud has the feature with the release.
    pub fn check(&self, feature: &Feature) -> Result<(), Missing> {
        feature.check(self.cloud, self.release)
    }

    /// The features of these names; `all` stands for every one that is not retired and that the scope has.
    ///
    /// # Errors
    /// An unknown feature, or one that the scope does not have.
    pub(super) fn features<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Vec<&'static Feature>, AskError> {
        let mut chosen: Vec<&'static Feature> = Vec::new();
        for name in names {
            let meant: Vec<&'static Feature> = if name == ALL {
                let current = present()?.into_iter();
                current
                    .filter(|feature| self.check(feature).is_ok())
                    .collect()
            } else {
                let feature = feature_named(name)?;
                self.check(feature)?;
                vec![feature]
            };
            for feature in meant {
                if !chosen.iter().any(|other| other.name == feature.name) {
                    chosen.push(feature);
                }
            }
        }
        Ok(chosen)
    }
}

/// Every feature that is not retired.
pub(super) fn present() -> Result<Vec<&'static Feature>, AskError> {
    let features = all_features()?.iter();
    Ok(features
        .filter(|feature| feature.retired.is_none())
        .collect())
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.cloud, self.release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_a_cloud_a_version_or_both() {
        for (text, expected) in [
            ("public", "public@2603"),
            ("2103", "public@2103"),
            ("us-government@2107", "us-government@2107"),
        ] {
            assert_eq!(Scope::parse(text).unwrap().to_string(), expected);
        }
        for (text, expected) in [
            ("", "there is no cloud \"\""),
            ("publik", "did you mean \"public\"?"),
            ("2104", "2104 is no release"),
            ("99999", "\"99999\" is no release"),
            (
                "public@",
                "\"\" is no release (CLOUD, VERSION or CLOUD@VERSION",
            ),
            ("2103@public", "\"public\" is no release"),
            ("mars@2107", "mars@2107: there is no cloud \"mars\""),
        ] {
            let error = Scope::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_command_line_goes_before_the_configuration() {
        let mut configured = everything();
        configured.cloud = of_flag("reachd.yml", "us-government".to_owned());
        configured.features = vec![of_flag("reachd.yml", "tenant-attach".to_owned())];
        let kept = Asked::default().over(Some(&configured));
        assert_eq!(kept, configured);

        let asked = Asked {
            cloud: Some("public".to_owned()),
            configmgr_version: Some(2503),
            features: vec!["a".to_owned(), "b".to_owned()],
            variables: vec![("gateway_host".to_owned(), "x".to_owned())],
        };
        let selection = asked.over(Some(&configured));
        assert_eq!(selection.cloud.value, "public");
        assert_eq!(
            selection.configmgr_version.map(|version| version.value),
            Some(2503)
        );
        assert_eq!(selection.features.len(), 2);
        assert_eq!(
            selection.variables["gateway_host"].at.file,
            "--variable gateway_host"
        );
    }
}
