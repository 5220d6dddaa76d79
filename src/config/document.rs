//! YAML text to a tree of nodes that know their place. Bounded in depth and in what aliases may expand to;
//! what a scalar means is left to whoever reads it.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};

use super::{Location, Position, Problem, Problems};

/// Deep enough for everything the configuration holds, shallow enough for the stack.
const MAX_DEPTH: usize = 32;

/// How many nodes all aliases of a file may stand for.
const MAX_ALIASED_NODES: usize = 100_000;

/// A piece of the document.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) position: Position,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Nothing after the colon, or `null`.
    Null,
    /// The text, quoted or not.
    Scalar(String),
    Sequence(Vec<Node>),
    /// In the order of the file, repeated keys included.
    Mapping(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) position: Position,
    pub(super) value: Node,
}

/// Reads the one document of a file.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, Problems> {
    let mut builder = Builder {
        file,
        parser: Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)),
        anchors: BTreeMap::new(),
        aliased: 0,
    };
    builder.document()
}

struct Builder<'a> {
    file: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    anchors: BTreeMap<usize, Node>,
    aliased: usize,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, Problems> {
        let mut document = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if document.is_some() => {
                    let message = "a second YAML document: the configuration is one document";
                    return Err(self.problem(span.start, message));
                }
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    document = Some(self.node(event, span, 0)?);
                }
                _ => {}
            }
        }
        document
            .filter(|node| !matches!(node.kind, Kind::Null))
            .ok_or_else(|| self.problem(Marker::new(0, 1, 0), "the file holds no configuration"))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Problems> {
        if depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(self.problem(span.start, message));
        }
        let (kind, anchor, tagged) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let kind = if is_null {
                    Kind::Null
                } else {
                    Kind::Scalar(text.into_owned())
                };
                (kind, anchor, tag.is_some())
            }
            Event::SequenceStart(anchor, tag) => (self.sequence(depth)?, anchor, tag.is_some()),
            Event::MappingStart(anchor, tag) => (self.mapping(depth)?, anchor, tag.is_some()),
            Event::Alias(anchor) => return self.alias(anchor, span, depth),
            _ => return Err(self.problem(span.start, "not valid YAML")),
        };
        if tagged {
            return Err(self.problem(span.start, "YAML tags (`!name`) mean nothing here"));
        }
        let node = Node {
            position: position_of(span.start),
            kind,
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Kind, Problems> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::Sequence(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Kind, Problems> {
        let mut entries = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Kind::Mapping(entries));
            }
            let Event::Scalar(key, ..) = event else {
                return Err(self.problem(span.start, "a key must be plain text"));
            };
            let (event, value_span) = self.next()?;
            entries.push(Entry {
                key: key.into_owned(),
                position: position_of(span.start),
                value: self.node(event, value_span, depth + 1)?,
            });
        }
    }

    /// An alias is a copy, and copies of copies grow without bound: so both their number and their depth
    /// are counted before anything is copied.
    fn alias(&mut self, anchor: usize, span: Span, depth: usize) -> Result<Node, Problems> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.problem(span.start, "an alias (`*name`) inside its own anchor"));
        };
        let (nodes, levels) = measure(node);
        self.aliased = self.aliased.saturating_add(nodes);
        if self.aliased > MAX_ALIASED_NODES || depth + levels > MAX_DEPTH {
            let message = "the aliases (`*name`) of this file expand to too much";
            return Err(self.problem(span.start, message));
        }
        Ok(node.clone())
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Problems> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let message = format!("not valid YAML: {}", error.info());
                Err(self.problem(*error.marker(), message))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn problem(&self, marker: Marker, message: impl Into<String>) -> Problems {
        Problems(vec![Problem {
            at: Location {
                file: self.file.to_owned(),
                position: Some(position_of(marker)),
                field: String::new(),
            },
            message: message.into(),
            hint: None,
        }])
    }
}

/// How many nodes there are, and on how many levels.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.kind {
        Kind::Null | Kind::Scalar(_) => Vec::new(),
        Kind::Sequence(items) => items.iter().collect(),
        Kind::Mapping(entries) => entries.iter().map(|entry| &entry.value).collect(),
    };
    let (nodes, levels) = children
        .into_iter()
        .map(measure)
        .fold((0, 0), |(nodes, levels), (more, deep)| {
            (nodes + more, levels.max(deep))
        });
    (nodes + 1, levels + 1)
}

fn position_of(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse("f.yml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_tree_with_positions() {
        let node = parse("f.yml", "a: 1\nb:\n  - x\n  - ~\n").unwrap();
        let Kind::Mapping(entries) = node.kind else {
            panic!("not a mapping")
        };
        assert_eq!(entries[1].key, "b");
        assert_eq!(entries[1].position, Position { line: 2, column: 1 });
        let Kind::Sequence(items) = &entries[1].value.kind else {
            panic!("not a sequence")
        };
        assert_eq!(items[0].position, Position { line: 3, column: 5 });
        assert!(matches!(items[1].kind, Kind::Null));
    }

    #[test]
    fn an_alias_is_a_copy() {
        let node = parse("f.yml", "a: &r [x, y]\nb: *r\n").unwrap();
        assert_eq!(measure(&node), (7, 3));
    }

    #[test]
    fn what_is_no_single_document_is_refused() {
        let table = [
            ("", "f.yml:1:1: the file holds no configuration"),
            ("# only\n", "f.yml:1:1: the file holds no configuration"),
            (
                "a: 1\n---\nb: 2\n",
                "f.yml:2:1: a second YAML document: the configuration is one document",
            ),
            ("? [a]\n: b\n", "f.yml:1:3: a key must be plain text"),
            (
                "a: !x b\n",
                "f.yml:1:4: YAML tags (`!name`) mean nothing here",
            ),
            (
                "a: &r [*r]\n",
                "f.yml:1:8: an alias (`*name`) inside its own anchor",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(refused(text), expected);
        }
        assert!(refused("a: [1\n").starts_with("f.yml:2:1: not valid YAML: "));
    }

    #[test]
    fn depth_is_bounded() {
        for deep in ["- ".repeat(200_000), "[".repeat(100), "{b: ".repeat(40)] {
            let refused = refused(&deep);
            assert!(
                refused.contains("nested deeper than 32 levels"),
                "{refused}"
            );
        }
    }

    #[test]
    fn aliases_of_aliases_are_bounded() {
        use std::fmt::Write as _;
        let mut bomb = String::from("a0: &a0 [x]\n");
        for level in 1..20 {
            let below = level - 1;
            let copies = vec![format!("*a{below}"); 10].join(", ");
            writeln!(bomb, "a{level}: &a{level} [{copies}]").unwrap();
        }
        assert!(refused(&bomb).contains("expand to too much"));
    }
}
