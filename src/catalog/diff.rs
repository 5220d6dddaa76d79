//! What changes between two clouds, or two releases: what `reachd catalog diff` shows.

mod text;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::text::{diff_markdown, diff_text};
use super::ask::{AskError, feature_named};
use super::feature::{Feature, RouteChoice};
use super::need::Need;
use super::scope::{Scope, present};
use super::table::yes_or_no;

/// What one side needs and the other does not, feature by feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The first side: `public@2603`.
    pub from: String,
    /// The second.
    pub to: String,
    /// The features that differ.
    pub features: Vec<Changes>,
}

/// How what a feature needs differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changes {
    /// The feature.
    pub feature: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Why the first side does not have the feature, where it does not.
    pub not_in_from: Option<String>,
    /// Why the second side does not have it.
    pub not_in_to: Option<String>,
    /// What the second side alone needs.
    pub added: Vec<Need<'static>>,
    /// What the first side alone needs.
    pub removed: Vec<Need<'static>>,
    /// What both need, but not alike.
    pub changed: Vec<Changed>,
}

/// An entry that both sides have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// As the data file writes it.
    pub url: String,
    /// What differs, by the key of the data file.
    pub what: Vec<Change>,
}

/// One key of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The key.
    pub key: &'static str,
    /// Its value on the first side.
    pub from: String,
    /// Its value on the second side.
    pub to: String,
}

// === impl Difference ===

impl Difference {
    /// Compares two scopes over the features of these names, or over all that are not retired.
    ///
    /// # Errors
    /// There is no such feature.
    pub fn between(from: &Scope, to: &Scope, names: &[String]) -> Result<Self, AskError> {
        let features = if names.is_empty() {
            present()?
        } else {
            let chosen = names.iter().map(|name| feature_named(name));
            chosen.collect::<Result<_, _>>()?
        };
        let mut differing = Vec::new();
        for feature in features {
            differing.extend(Changes::between(from, to, feature)?);
        }
        Ok(Self {
            from: from.to_string(),
            to: to.to_string(),
            features: differing,
        })
    }

    /// Whether both sides need the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }
}

impl Changes {
    /// What differs, if anything does.
    fn between(
        from: &Scope,
        to: &Scope,
        feature: &'static Feature,
    ) -> Result<Option<Self>, AskError> {
        let (not_in_from, before) = side(from, feature)?;
        let (not_in_to, after) = side(to, feature)?;
        let former: BTreeMap<&str, &Need<'_>> = by_url(&before);
        let latter: BTreeMap<&str, &Need<'_>> = by_url(&after);
        let both = after
            .iter()
            .filter_map(|need| Some((*former.get(need.url.as_str())?, need)));
        let changed: Vec<Changed> = both
            .filter_map(|(former, latter)| Changed::between(former, latter))
            .collect();
        let only = |needs: &[Need<'static>], there: &BTreeMap<&str, &Need<'_>>| {
            let missing = needs
                .iter()
                .filter(|need| !there.contains_key(need.url.as_str()));
            missing.cloned().collect::<Vec<_>>()
        };
        let (added, removed) = (only(&after, &former), only(&before, &latter));
        if added.is_empty() && removed.is_empty() && changed.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            feature: &feature.name,
            title: &feature.title,
            not_in_from,
            not_in_to,
            added,
            removed,
            changed,
        }))
    }
}

/// Why a side does not have the feature, or what it needs there.
fn side(
    scope: &Scope,
    feature: &'static Feature,
) -> Result<(Option<String>, Vec<Need<'static>>), AskError> {
    match scope.check(feature) {
        Ok(()) => Ok((None, scope.needs(feature)?)),
        Err(missing) => Ok((Some(missing.to_string()), Vec::new())),
    }
}

fn by_url<'n>(needs: &'n [Need<'static>]) -> BTreeMap<&'n str, &'n Need<'static>> {
    needs.iter().map(|need| (need.url.as_str(), need)).collect()
}

impl Changed {
    /// What differs of what a probe or a firewall has to do with; the texts are for people.
    fn between(former: &Need<'_>, latter: &Need<'_>) -> Option<Self> {
        let [before, after] = [former, latter].map(compared);
        let pairs = before.into_iter().zip(after);
        let what: Vec<Change> = pairs
            .filter(|((_, from), (_, to))| from != to)
            .map(|((key, from), (_, to))| Change { key, from, to })
            .collect();
        (!what.is_empty()).then(|| Self {
            url: former.url.clone(),
            what,
        })
    }
}

fn compared(need: &Need<'_>) -> [(&'static str, String); 9] {
    let or_none = |value: Option<&str>| value.unwrap_or("none").to_owned();
    let status = if need.status.is_empty() {
        "by the usual rule".to_owned()
    } else {
        let status: Vec<String> = need.status.iter().map(u16::to_string).collect();
        status.join(", ")
    };
    [
        ("critical", yes_or_no(need.critical)),
        ("kind", need.kind.as_str().to_owned()),
        ("stands_in_for", or_none(need.stands_in_for)),
        ("follow_redirects", yes_or_no(need.follow_redirects)),
        ("inspection", need.inspection.as_str().to_owned()),
        ("hold", or_none(need.hold.as_deref())),
        ("status", status),
        ("route", or_none(need.route.map(RouteChoice::as_str))),
        ("probed", yes_or_no(need.not_probed.is_none())),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{scope, small};
    use super::*;

    fn small_between(from: &str, to: &str) -> Difference {
        let (from, to) = (scope(from), scope(to));
        let changes = Changes::between(&from, &to, small()).unwrap();
        Difference {
            from: from.to_string(),
            to: to.to_string(),
            features: changes.into_iter().collect(),
        }
    }

    #[test]
    fn what_is_added_and_removed_is_told() {
        assert_eq!(
            diff_text(&small_between("us-government@2107", "public")),
            "\
--- us-government@2107
+++ public@2603

Small (small)
+ https://<region>.wild.example  endpoint, critical
+ https://later.example  endpoint, critical

2 added, 0 removed, 0 changed, in 1 feature
"
        );
        let back = diff_markdown(&small_between("public", "us-government@2107"));
        assert_eq!(
            back,
            "\
From `public@2603` to `us-government@2107`: 0 added, 2 removed, 0 changed, in 1 feature.

| Feature | Endpoint | Change | More |
|---|---|---|---|
| `small` | `https://<region>.wild.example` | removed | endpoint, critical |
| `small` | `https://later.example` | removed | endpoint, critical |
"
        );
    }

    #[test]
    fn a_side_without_the_feature_says_why() {
        let difference = small_between("public@2603", "china");
        let text = diff_text(&difference);
        let expected =
            "- all of it: Small is not in the catalog for the cloud china (21Vianet): not there\n";
        assert!(text.contains(expected), "{text}");
        assert_eq!(difference.features[0].removed.len(), 8);
    }

    #[test]
    fn what_both_need_is_compared() {
        let difference = Difference::between(
            &scope("public"),
            &scope("us-government"),
            &["tenant-attach".to_owned()],
        )
        .unwrap();
        let changed = &difference.features[0].changed;
        assert_eq!(changed[0].url, "https://<gateway_host>");
        let keys: Vec<&str> = changed[0].what.iter().map(|change| change.key).collect();
        assert_eq!(keys, ["stands_in_for", "hold"]);
        assert!(diff_text(&difference).contains(
            "~ https://<gateway_host>  stands_in_for: *.manage.microsoft.com -> *.manage.microsoft.us, hold: 3m -> none"
        ));
    }

    #[test]
    fn a_side_is_the_same_as_itself() {
        for side in ["public", "us-government@2107", "china", "2103"] {
            let difference = Difference::between(&scope(side), &scope(side), &[]).unwrap();
            assert!(difference.is_empty(), "{side}");
            assert!(diff_text(&difference).ends_with("need the same\n"));
        }
        let unknown = Difference::between(&scope("public"), &scope("china"), &["x".to_owned()]);
        assert!(matches!(unknown, Err(AskError::UnknownFeature { .. })));
    }
}
