//! The path of keys to a value, as problems show it: `catalog.overrides["us.gateway.example"].routes[1]`.

use std::fmt;

use super::problem::shortened;

/// What stands in for a key that may hold a password.
const HIDDEN: &str = "a key that is not shown";

/// The way from the root of the document to a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// A key that the configuration's syntax fixes.
    Key(String),
    /// A name that the user chose.
    Entry(String),
    /// A place in a list, from 0.
    Index(usize),
}

impl Path {
    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    pub(super) fn entry(&self, name: &str) -> Self {
        self.with(Segment::Entry(name.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The path with what the user chose struck out, to compare the decoder with the schema.
    #[cfg(test)]
    pub(super) fn shape(&self) -> String {
        let segments: Vec<&str> = self
            .0
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => key.as_str(),
                Segment::Entry(_) => "NAME",
                Segment::Index(_) => "[]",
            })
            .collect();
        segments.join(".").replace(".[]", "[]")
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(name) | Segment::Entry(name) if may_be_secret(name) => {
                    write!(f, "[{HIDDEN}]")?;
                }
                Segment::Entry(name) if !is_simple(name) => write!(f, "[\"{}\"]", shortened(name))?,
                Segment::Key(name) | Segment::Entry(name) => {
                    let dot = if number == 0 { "" } else { "." };
                    write!(f, "{dot}{}", shortened(name))?;
                }
            }
        }
        Ok(())
    }
}

/// A URL with a password in it that stands where a key should.
fn may_be_secret(name: &str) -> bool {
    name.contains('@') || name.contains("://")
}

fn is_simple(name: &str) -> bool {
    let simple = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(simple)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_paths_are_quoted() {
        let path = Path::default().key("overrides").entry("a.b");
        let path = path.key("routes").index(1);
        assert_eq!(path.to_string(), "overrides[\"a.b\"].routes[1]");
        assert_eq!(path.shape(), "overrides.NAME.routes[]");
    }
}
