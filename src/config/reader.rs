//! The combinators that every section of the configuration is read with. A mapping is asked for its keys; what
//! nobody asked for is unknown. A decoder that cannot read a value notes a problem and returns nothing, so that
//! reading goes on and every problem is found at once.

use std::collections::{BTreeMap, BTreeSet};

use super::Located;
use super::context::Context;
use super::document::{Entry, Kind, Node};
use super::path::Path;
use super::problem::{did_you_mean, shortened};
use super::substitution::substitute;

/// Lists are written by hand: a longer one is a mistake.
const MAX_LISTED: usize = 1000;

/// A value of the file, with its path.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) context: &'a Context<'a>,
    node: &'a Node,
    path: Path,
}

/// The keys of a mapping while it is read.
pub(super) struct Fields<'a> {
    value: Value<'a>,
    entries: Vec<&'a Entry>,
    asked: BTreeSet<&'static str>,
}

impl<'a> Value<'a> {
    pub(super) fn root(context: &'a Context<'a>, node: &'a Node) -> Self {
        Self {
            context,
            node,
            path: Path::default(),
        }
    }

    /// Notes what is wrong with this value. Returns nothing, as the decoder then does.
    pub(super) fn refuse<T>(&self, message: impl Into<String>) -> Option<T> {
        self.refuse_with(message, None)
    }

    /// The same, with what to do about it.
    pub(super) fn refuse_with<T>(
        &self,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) -> Option<T> {
        let (message, hint) = (message.into(), hint.into());
        self.context
            .note(self.node.position, &self.path, message, hint);
        None
    }

    /// The same, for a feature that is documented but does not exist yet.
    pub(super) fn not_supported<T>(&self, what: &str) -> Option<T> {
        self.refuse(format!("{what} is not supported by this version of reachd"))
    }

    pub(super) fn located<T>(&self, value: T) -> Located<T> {
        let at = self.context.location(self.node.position, &self.path);
        Located { value, at }
    }

    /// The text, with its environment variables filled in where they mean something.
    pub(super) fn text(&self) -> Option<String> {
        let written = self.written()?;
        let Some(environment) = self.context.environment else {
            return Some(written.to_owned());
        };
        match substitute(written, environment) {
            Ok(text) => Some(text.into_owned()),
            Err(error) => self.refuse(error.to_string()),
        }
    }

    /// The text as it stands in the file.
    pub(super) fn written(&self) -> Option<&'a str> {
        match &self.node.kind {
            Kind::Scalar(text) => Some(text),
            _ => self.expected("a single value"),
        }
    }

    /// The text as problems show it: as written, so that the value of a variable never appears.
    pub(super) fn shown(&self) -> String {
        match &self.node.kind {
            Kind::Scalar(text) => format!("`{}`", shortened(text)),
            _ => "this".to_owned(),
        }
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.node.kind, Kind::Mapping(_))
    }

    /// Reads a mapping whose keys the syntax fixes. What `read` does not ask for is unknown.
    pub(super) fn fields<T>(&self, read: impl FnOnce(&mut Fields<'a>) -> T) -> Option<T> {
        let entries = self.distinct_entries(Path::key)?;
        let mut fields = Fields {
            value: self.clone(),
            entries,
            asked: BTreeSet::new(),
        };
        let read = read(&mut fields);
        fields.refuse_unknown();
        Some(read)
    }

    /// The entries of a mapping whose keys are names that the user chose.
    pub(super) fn entries(&self) -> Option<Vec<(&'a str, Self)>> {
        let entries = self.distinct_entries(Path::entry)?.into_iter();
        let value = |entry: &'a Entry| Self {
            context: self.context,
            node: &entry.value,
            path: self.path.entry(&entry.key),
        };
        Some(
            entries
                .map(|entry| (entry.key.as_str(), value(entry)))
                .collect(),
        )
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let Kind::Sequence(items) = &self.node.kind else {
            return self.expected("a list");
        };
        let value = |(index, node): (usize, &'a Node)| Self {
            context: self.context,
            node,
            path: self.path.index(index),
        };
        Some(items.iter().enumerate().map(value).collect())
    }

    /// A list that holds at least one item, and no item twice.
    pub(super) fn filled_list<T: PartialEq>(
        &self,
        read: impl FnMut(&Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        if self.items()?.is_empty() {
            return self.refuse("the list is empty");
        }
        self.list(read)
    }

    /// A list that holds no item twice. Items that cannot be read are left out.
    pub(super) fn list<T: PartialEq>(
        &self,
        mut read: impl FnMut(&Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.items()?;
        if items.len() > MAX_LISTED {
            return self.refuse(format!("more than {MAX_LISTED} items"));
        }
        let mut values = Vec::new();
        for item in items {
            match read(&item) {
                Some(value) if values.contains(&value) => {
                    item.refuse::<T>(format!("{} is listed twice", item.shown()));
                }
                Some(value) => values.push(value),
                None => {}
            }
        }
        Some(values)
    }

    fn distinct_entries(&self, child: fn(&Path, &str) -> Path) -> Option<Vec<&'a Entry>> {
        let Kind::Mapping(entries) = &self.node.kind else {
            return self.expected("a mapping (`key: value`)");
        };
        let mut first_lines = BTreeMap::new();
        let mut distinct = Vec::new();
        for entry in entries {
            if let Some(line) = first_lines.get(entry.key.as_str()) {
                let hint = Some(format!("it stands already in line {line}"));
                let path = child(&self.path, &entry.key);
                let message = "the key is given twice".to_owned();
                self.context.note(entry.position, &path, message, hint);
            } else {
                first_lines.insert(entry.key.as_str(), entry.position.line);
                distinct.push(entry);
            }
        }
        Some(distinct)
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        let found = match &self.node.kind {
            Kind::Null => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        };
        self.refuse(format!("expected {what}, found {found}"))
    }
}

impl<'a> Fields<'a> {
    /// The value of a key, if it is there. A key with nothing after its colon counts as absent.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.asked.insert(key);
        self.peek(key)
    }

    /// Reads the value of a key, if it is there.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        read(&self.get(key)?)
    }

    /// Reads the value of a key that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(value) => read(&value),
            None => self.value.refuse(format!("`{key}` is missing")),
        }
    }

    /// Refuses a key with nothing after its colon, where that could be taken for something else than its absence.
    pub(super) fn not_empty(&mut self, key: &'static str, hint: &str) {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        if let Some(entry) = entry.filter(|entry| matches!(entry.value.kind, Kind::Null)) {
            let path = self.value.path.key(key);
            let message = "nothing stands after the colon".to_owned();
            let context = self.value.context;
            context.note(entry.position, &path, message, Some(hint.to_owned()));
        }
    }

    /// Keys that are known even where they are not looked at.
    pub(super) fn known(&mut self, keys: impl IntoIterator<Item = &'static str>) {
        self.asked.extend(keys);
    }

    /// Refuses a key that has no meaning beside the others.
    pub(super) fn meaningless(&mut self, key: &'static str, why: &str) {
        if let Some(value) = self.get(key) {
            value.refuse::<()>(why);
        }
    }

    /// The mapping itself, for problems that concern it as a whole.
    pub(super) fn whole(&self) -> &Value<'a> {
        &self.value
    }

    fn peek(&self, key: &str) -> Option<Value<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.value.kind, Kind::Null)).then(|| Value {
            context: self.value.context,
            node: &entry.value,
            path: self.value.path.key(key),
        })
    }

    fn refuse_unknown(self) {
        let Self {
            value,
            entries,
            asked,
        } = self;
        for entry in entries {
            let key = entry.key.as_str();
            if asked.contains(key) {
                continue;
            }
            let hint = did_you_mean(key, asked.iter().copied()).unwrap_or_else(|| {
                let known: Vec<&str> = asked.iter().copied().collect();
                format!("known here: {}", known.join(", "))
            });
            let path = value.path.key(key);
            let message = "unknown key".to_owned();
            value
                .context
                .note(entry.position, &path, message, Some(hint));
        }
        #[cfg(test)]
        value
            .context
            .asked
            .borrow_mut()
            .entry(value.path.shape())
            .or_default()
            .extend(asked);
    }
}
