//! The text that `/metrics` answers, as samples.

use std::collections::BTreeMap;
use std::fmt;

/// All samples of one scrape.
#[derive(Debug, Clone)]
pub(crate) struct Exposition {
    samples: Vec<Sample>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Exposition {
    /// Reads the text format, version 0.0.4.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let parse = |line| {
            Sample::parse(line).unwrap_or_else(|| panic!("not a sample of a metric: {line}"))
        };
        Self {
            samples: lines.map(parse).collect(),
        }
    }

    /// Every sample of this name with at least these labels.
    pub(crate) fn matching(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        self.samples
            .iter()
            .filter(|sample| sample.name == name && sample.has(labels))
            .collect()
    }

    /// The value of the only sample of this name with at least these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        match self.matching(name, labels)[..] {
            [sample] => Some(sample.value),
            _ => None,
        }
    }

    /// The sum over the samples of this name with at least these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let samples = self.matching(name, labels);
        samples.iter().map(|sample| sample.value).sum()
    }

    /// Every sample with at least these labels.
    pub(crate) fn all_with(&self, labels: &[(&str, &str)]) -> Vec<&Sample> {
        self.samples
            .iter()
            .filter(|sample| sample.has(labels))
            .collect()
    }
}

impl Sample {
    fn parse(line: &str) -> Option<Self> {
        let Some((name, mut rest)) = line.split_once('{') else {
            let (name, value) = line.split_once(' ')?;
            return Some(Self {
                name: name.to_owned(),
                labels: BTreeMap::new(),
                value: number(value)?,
            });
        };
        let mut labels = BTreeMap::new();
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.insert(label.to_owned(), value);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        Some(Self {
            name: name.to_owned(),
            labels,
            value: number(rest.strip_prefix('}')?)?,
        })
    }

    fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels
            .iter()
            .all(|(label, value)| self.labels.get(*label).is_some_and(|found| found == value))
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?} {}", self.name, self.labels, self.value)
    }
}

fn number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The text as far as the closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            plain => value.push(plain),
        }
    }
    None
}
