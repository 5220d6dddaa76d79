//! Names that the file declares in one place and uses in another.

use super::problem::did_you_mean;
use super::reader::Value;

/// What was declared, by name, in the order of the file.
pub(super) struct Names<T> {
    /// What they name, such as `resolver`.
    what: &'static str,
    /// A declaration that could not be read is kept without its value: whoever uses it is not wrong.
    declared: Vec<(String, Option<T>)>,
}

impl<T> Names<T> {
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            what,
            declared: Vec::new(),
        }
    }

    pub(super) fn declare(&mut self, name: impl Into<String>, declared: Option<T>) {
        self.declared.push((name.into(), declared));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.declared.iter().any(|(declared, _)| declared == name)
    }

    /// What the value names.
    pub(super) fn find(&self, value: &Value<'_>) -> Option<&T> {
        let name = value.text()?;
        match self.declared.iter().find(|(declared, _)| *declared == name) {
            Some((_, declared)) => declared.as_ref(),
            None => self.refuse(value, &name),
        }
    }

    /// The name that the value is, if it was declared.
    pub(super) fn name(&self, value: &Value<'_>) -> Option<String> {
        let name = value.text()?;
        if self.has(&name) {
            return Some(name);
        }
        self.refuse(value, &name)
    }

    /// Everything that was declared and could be read.
    pub(super) fn into_values(self) -> impl Iterator<Item = T> {
        self.declared.into_iter().filter_map(|(_, value)| value)
    }

    /// Every name, with what was declared if it could be read.
    pub(super) fn into_declared(self) -> impl Iterator<Item = (String, Option<T>)> {
        self.declared.into_iter()
    }

    fn refuse<R>(&self, value: &Value<'_>, name: &str) -> Option<R> {
        let known = self.declared.iter().map(|(name, _)| name.as_str());
        let what = self.what;
        value.refuse_with(
            format!("there is no {what} named {}", value.shown()),
            did_you_mean(name, known),
        )
    }
}
