//! A small writer of YAML, for the effective configuration.

use std::fmt;

use super::substitution::escaped;

/// A value to be written. Mappings keep their order.
#[derive(Debug, Clone)]
pub(super) enum Yaml {
    /// Written as it is: a number, a truth value, a duration.
    Plain(String),
    /// Quoted where it must be.
    Text(String),
    List(Vec<Self>),
    Mapping(Vec<(String, Self)>),
}

impl Yaml {
    pub(super) fn plain(value: impl ToString + Copy) -> Self {
        Self::Plain(value.to_string())
    }

    pub(super) fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    pub(super) fn texts<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Self::text).collect())
    }

    /// A mapping without the keys that have no value.
    pub(super) fn mapping<const N: usize>(entries: [(&str, Option<Self>); N]) -> Self {
        let present = |(key, value): (&str, Option<Self>)| Some((key.to_owned(), value?));
        Self::Mapping(entries.into_iter().filter_map(present).collect())
    }

    /// Two mappings as one.
    pub(super) fn and(self, more: Self) -> Self {
        match (self, more) {
            (Self::Mapping(own), Self::Mapping(more)) => {
                Self::Mapping(own.into_iter().chain(more).collect())
            }
            (own, _) => own,
        }
    }

    /// The value, if there is anything in it.
    pub(super) fn if_any(self) -> Option<Self> {
        let empty = match &self {
            Self::List(items) => items.is_empty(),
            Self::Mapping(entries) => entries.is_empty(),
            Self::Plain(_) | Self::Text(_) => false,
        };
        (!empty).then_some(self)
    }

    fn is_block(&self) -> bool {
        match self {
            Self::Mapping(entries) => !entries.is_empty(),
            Self::List(items) => items.iter().any(Self::is_block),
            Self::Plain(_) | Self::Text(_) => false,
        }
    }

    /// Writes a block. Its first line is already indented.
    fn block(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        match self {
            Self::Mapping(entries) if self.is_block() => {
                for (number, (key, value)) in entries.iter().enumerate() {
                    begin_line(f, number, indent)?;
                    write!(f, "{}:", quoted(key))?;
                    if value.is_block() {
                        write!(f, "\n{:indent$}  ", "")?;
                        value.block(f, indent + 2)?;
                    } else {
                        write!(f, " {}", value.inline())?;
                    }
                }
                Ok(())
            }
            Self::List(items) if self.is_block() => {
                for (number, item) in items.iter().enumerate() {
                    begin_line(f, number, indent)?;
                    f.write_str("- ")?;
                    item.block(f, indent + 2)?;
                }
                Ok(())
            }
            other => f.write_str(&other.inline()),
        }
    }

    fn inline(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Text(text) => quoted(&escaped(text)),
            Self::Mapping(_) => "{}".to_owned(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::inline).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

impl fmt::Display for Yaml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.block(f, 0)?;
        f.write_str("\n")
    }
}

fn begin_line(f: &mut fmt::Formatter<'_>, number: usize, indent: usize) -> fmt::Result {
    if number == 0 {
        return Ok(());
    }
    write!(f, "\n{:indent$}", "")
}

/// Plain where no YAML reader could take it for anything but this text; a JSON string otherwise, which YAML
/// reads as well.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(plain)
        && !text.ends_with(':');
    let word = text.to_ascii_lowercase();
    let means_something = matches!(
        word.as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if is_plain && !means_something {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_lists() {
        let item = Yaml::mapping([
            ("name", Some(Yaml::text("a"))),
            ("absent", None),
            ("statuses", Some(Yaml::List(vec![Yaml::plain(200)]))),
        ]);
        let yaml = Yaml::mapping([
            ("timeout", Some(Yaml::plain("10s"))),
            ("items", Some(Yaml::List(vec![item.clone(), item]))),
            ("no", Some(Yaml::text("^a: \"b\"$"))),
            ("empty", Some(Yaml::Mapping(vec![]))),
        ]);
        let expected = "timeout: 10s\nitems:\n  - name: a\n    statuses: [200]\n  - name: a\n    \
                        statuses: [200]\n\"no\": \"^a: \\\"b\\\"$\"\nempty: {}\n";
        assert_eq!(yaml.to_string(), expected);
    }
}
