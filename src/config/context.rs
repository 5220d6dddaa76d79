//! What all values of one file share while it is read: its name and folder, the environment, and the problems
//! found so far.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::path::Path;
use super::problem::told;
use super::{Environment, Location, Position, Problem, Problems};

/// What all values of one file share.
pub(super) struct Context<'a> {
    pub(super) file: &'a str,
    pub(super) base_dir: &'a std::path::Path,
    /// Where `${NAME}` is looked up; `None` where it means nothing.
    pub(super) environment: Option<Environment<'a>>,
    /// What was said of the certificate files seen so far, so that each is read once.
    pub(super) ca_files: RefCell<BTreeMap<PathBuf, Option<String>>>,
    /// Every file that was named.
    pub(super) named_files: RefCell<BTreeSet<PathBuf>>,
    problems: RefCell<Vec<Problem>>,
    /// The keys asked for, by the shape of the path.
    #[cfg(test)]
    pub(super) asked: RefCell<BTreeMap<String, BTreeSet<&'static str>>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        file: &'a str,
        base_dir: &'a std::path::Path,
        environment: Environment<'a>,
    ) -> Self {
        Self {
            file,
            base_dir,
            environment: Some(environment),
            ca_files: RefCell::default(),
            named_files: RefCell::default(),
            problems: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    /// The same for a file in which `${NAME}` means nothing.
    pub(super) fn without_variables(file: &'a str, base_dir: &'a std::path::Path) -> Self {
        Self {
            environment: None,
            ..Self::new(file, base_dir, &|_| None)
        }
    }

    /// The value, unless there was a problem anywhere; the problems come in the order of the file, with what `judge`
    /// finds in so much of the value as could be read.
    pub(super) fn conclude<T>(
        &self,
        value: Option<T>,
        judge: impl FnOnce(&T) -> Problems,
    ) -> Result<T, Problems> {
        let mut problems = self.problems.take();
        match value {
            Some(value) if problems.is_empty() => return Ok(value),
            Some(value) => problems.extend(judge(&value).0),
            None => {}
        }
        problems.sort_by_key(|problem| problem.at.position);
        Err(Problems(problems))
    }

    pub(super) fn note(
        &self,
        position: Position,
        path: &Path,
        message: String,
        hint: Option<String>,
    ) {
        self.problems.borrow_mut().push(Problem {
            at: self.location(position, path),
            message: told(message),
            hint: hint.map(told),
        });
    }

    pub(super) fn location(&self, position: Position, path: &Path) -> Location {
        Location {
            file: self.file.to_owned(),
            position: Some(position),
            field: path.to_string(),
        }
    }
}
