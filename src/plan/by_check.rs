//! Something for each check of a plan, found by the check's labels: ordered by them, without a copy of them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Check, CheckKey, Plan};

/// What somebody keeps of each check.
#[derive(Debug)]
pub struct ByCheck<T>(Vec<(Arc<Check>, T)>);

/// A check as its labels tell it from others, whatever else its definition says.
#[derive(Debug, Clone)]
pub struct Labelled(pub Arc<Check>);

// === impl ByCheck ===

impl<T> ByCheck<T> {
    /// What there is for each check of a plan, made of what there was for the former check of the same labels. Answers
    /// what there was for those that are not in the plan.
    pub fn replan(
        &mut self,
        plan: &Plan,
        mut make: impl FnMut(&Arc<Check>, Option<T>) -> T,
    ) -> Vec<(Arc<Check>, T)> {
        let mut checks: Vec<&Arc<Check>> = plan.checks.iter().collect();
        checks.sort_by_key(|check| check.labels());
        let mut former = std::mem::take(&mut self.0).into_iter().peekable();
        let mut gone = Vec::new();
        let mut kept = Vec::with_capacity(checks.len());
        for check in checks {
            let labels = check.labels();
            while let Some(left) = former.next_if(|(known, _)| known.labels() < labels) {
                gone.push(left);
            }
            let known = former.next_if(|(known, _)| known.labels() == labels);
            let value = make(check, known.map(|(_, known)| known));
            kept.push((Arc::clone(check), value));
        }
        gone.extend(former);
        self.0 = kept;
        gone
    }

    /// What there is for the check of this key.
    #[must_use]
    pub fn get(&self, key: &CheckKey) -> Option<&T> {
        self.at(key.labels())
    }

    /// What there is for a check of the same labels.
    #[must_use]
    pub fn of(&self, check: &Check) -> Option<&T> {
        self.at(check.labels())
    }

    /// All of it, ordered by key.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    fn at(&self, labels: [&str; 3]) -> Option<&T> {
        let found = self
            .0
            .binary_search_by(|(check, _)| check.labels().cmp(&labels));
        Some(&self.0[found.ok()?].1)
    }
}

impl<T> Default for ByCheck<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

// === impl Labelled ===

impl PartialEq for Labelled {
    fn eq(&self, other: &Self) -> bool {
        self.0.labels() == other.0.labels()
    }
}

impl Eq for Labelled {}

impl Ord for Labelled {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.labels().cmp(&other.0.labels())
    }
}

impl PartialOrd for Labelled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Labelled {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.labels().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{check, plan};

    fn named(endpoint: &str) -> Arc<Check> {
        check("site", endpoint, "https://gateway.example/")
    }

    #[test]
    fn what_was_kept_is_found_again_and_what_is_gone_is_handed_out() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(named);
        let mut known = ByCheck::default();
        let gone = known.replan(&plan([&c, &a, &b]), |check, former: Option<String>| {
            assert_eq!(former, None);
            check.endpoint.name.clone()
        });
        assert!(gone.is_empty());
        let gone = known.replan(&plan([&d, &b]), |check, former| match former {
            Some(former) => format!("{former} again"),
            None => check.endpoint.name.clone(),
        });
        let gone: Vec<String> = gone.into_iter().map(|(_, value)| value).collect();
        assert_eq!(gone, ["a", "c"]);
        let values: Vec<&str> = known.values().map(String::as_str).collect();
        assert_eq!(values, ["b again", "d"]);
        assert_eq!(known.get(&b.key()).unwrap(), "b again");
        assert_eq!(known.of(&named("d")).unwrap(), "d");
        assert_eq!(known.get(&a.key()), None);
    }
}
