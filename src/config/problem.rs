//! What is wrong with the configuration: all of it at once, each with its place.

use std::borrow::Cow;
use std::fmt;

use super::Location;

/// Longer texts of the file are cut in problems.
const MAX_SHOWN: usize = 80;

/// Longer messages are cut, in characters.
const MAX_TOLD: usize = 1000;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: Location,
    /// What.
    pub message: String,
    /// What to do, such as `did you mean "interval"?`.
    pub hint: Option<String>,
}

/// Everything that is wrong. Displayed one problem a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl Problems {
    /// A single problem that has no place in a text.
    pub(super) fn one(file: &str, field: &str, message: impl Into<String>) -> Self {
        Self(vec![Problem {
            at: Location {
                file: file.to_owned(),
                position: None,
                field: field.to_owned(),
            },
            message: message.into(),
            hint: None,
        }])
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at.file)?;
        if let Some(Position { line, column }) = self.at.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.at.field.is_empty() {
            write!(f, ": {}", self.at.field)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// A text of the file as a problem shows it: cut, and without control characters.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_SHOWN && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(MAX_SHOWN).map(visible).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    Cow::Owned(shown)
}

/// A message as it is told: what comes from a file or names one may be long, and have in it what a terminal would obey.
pub(super) fn told(message: String) -> String {
    let is_fit = message.len() <= MAX_TOLD && !message.contains(char::is_control);
    if is_fit {
        return message;
    }
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    message.chars().take(MAX_TOLD).map(visible).collect()
}

/// The hint for a misspelt name: the most similar of the known ones, if any is similar.
#[must_use]
pub fn did_you_mean<'k>(unknown: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    if unknown.len() > MAX_SHOWN {
        return None;
    }
    let distance =
        |name: &str| strsim::damerau_levenshtein(&unknown.to_lowercase(), &name.to_lowercase());
    let (best, away) = known
        .into_iter()
        .filter(|name| name.len() <= MAX_SHOWN)
        .map(|name| (name, distance(name)))
        .min_by_key(|(_, away)| *away)?;
    let tolerated = (best.chars().count() / 3).max(1);
    (away <= tolerated).then(|| format!("did you mean \"{best}\"?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_similar_is_suggested() {
        let known = ["interval", "timeout", "url"];
        let table = [
            ("intervall", Some("did you mean \"interval\"?")),
            ("Timeout", Some("did you mean \"timeout\"?")),
            ("uri", Some("did you mean \"url\"?")),
            ("routes", None),
        ];
        for (unknown, expected) in table {
            assert_eq!(did_you_mean(unknown, known).as_deref(), expected);
        }
    }

    #[test]
    fn what_is_told_is_bounded_and_harmless() {
        assert_eq!(told("cannot read a.pem".to_owned()), "cannot read a.pem");
        assert_eq!(
            told("cannot read \u{1b}[2J\n".to_owned()),
            "cannot read  [2J "
        );
        assert_eq!(told("x".repeat(5000)).len(), MAX_TOLD);
    }

    #[test]
    fn what_is_shown_is_short_and_harmless() {
        assert_eq!(shortened("fine"), "fine");
        assert_eq!(shortened("a\u{1b}[2Jb"), "a [2Jb");
        assert_eq!(shortened(&"x".repeat(500)).chars().count(), 81);
    }
}
