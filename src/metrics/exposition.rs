//! One scrape: the families one after the other, row by row, cut into pieces at the ends of lines. Nothing is
//! locked, and no more than a piece is in memory, while the reader takes its time.

use std::sync::Arc;

use bytes::Bytes;

use super::families::{FAMILIES, Family, Rows};
use super::own::OwnHealth;
use super::published::Published;
use super::text::{self, Lines};
use crate::discovery::SourceStatus;

/// The most bytes of a piece.
pub(super) const PIECE: usize = 64 * 1024;

/// A piece is cut off once it is full; what its last row has too much goes into the next one.
const CAPACITY: usize = PIECE + 24 * 1024;

/// What is still to be written, and what is written but not handed out.
pub(super) struct Exposition {
    published: Arc<Published>,
    sources: Vec<SourceStatus>,
    own: Arc<OwnHealth>,
    place: Place,
    text: String,
}

/// Where in the exposition the writer stands.
enum Place {
    Family {
        family: usize,
        row: usize,
        headed: bool,
    },
    Own,
    End,
}

// === impl Exposition ===

impl Exposition {
    pub(super) fn new(
        published: Arc<Published>,
        sources: Vec<SourceStatus>,
        own: Arc<OwnHealth>,
    ) -> Self {
        Self {
            published,
            sources,
            own,
            place: Place::of_family(0),
            text: String::with_capacity(CAPACITY),
        }
    }

    /// Writes the next row, or the rest.
    fn advance(&mut self) {
        match self.place {
            Place::Family {
                family: index,
                row,
                headed,
            } => {
                let Some(family) = FAMILIES.get(index) else {
                    self.place = Place::Own;
                    return;
                };
                self.place = match self.write_row(family, row, headed) {
                    Some(headed) => Place::Family {
                        family: index,
                        row: row + 1,
                        headed,
                    },
                    None => Place::of_family(index + 1),
                };
            }
            Place::Own => {
                self.own.write(&mut self.text);
                self.place = Place::End;
            }
            Place::End => {}
        }
    }

    /// Writes a row, below the family's head when it is the first that has something to say. Answers whether
    /// the head is written by now; `None` when there is no such row.
    fn write_row(&mut self, family: &Family, row: usize, headed: bool) -> Option<bool> {
        let start = self.text.len();
        if !headed {
            text::header(&mut self.text, family.name, family.kind, family.help);
        }
        let body = self.text.len();
        let mut lines = Lines {
            out: &mut self.text,
            family: family.name,
        };
        let published = &*self.published;
        let written = match family.rows {
            Rows::Checks(write) => published.checks.get(row).map(|row| write(&mut lines, row)),
            Rows::Histograms(write) => {
                let set = published.histograms.get(row);
                set.map(|set| write(&mut lines, set))
            }
            Rows::Services(write) => {
                let service = published.services.get(row);
                service.map(|service| write(&mut lines, service))
            }
            Rows::Sources(write) => {
                let source = self.sources.get(row);
                source.map(|source| write(&mut lines, source))
            }
        };
        if self.text.len() > body {
            return Some(true);
        }
        self.text.truncate(start);
        written.map(|()| headed)
    }

    /// The first full piece of what is written, or all of it.
    fn cut(&mut self) -> Option<Bytes> {
        if self.text.is_empty() {
            return None;
        }
        let end = end_of_piece(&self.text);
        let rest = &self.text[end..];
        let mut next = String::with_capacity(CAPACITY.max(rest.len()));
        next.push_str(rest);
        self.text.truncate(end);
        Some(Bytes::from(std::mem::replace(&mut self.text, next)))
    }
}

impl Iterator for Exposition {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while self.text.len() < PIECE && !matches!(self.place, Place::End) {
            self.advance();
        }
        self.cut()
    }
}

/// After the last line that fits. A line that alone is too long is cut anywhere.
fn end_of_piece(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let mut end = PIECE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].rfind('\n').map_or(end, |newline| newline + 1)
}

// === impl Place ===

impl Place {
    fn of_family(family: usize) -> Self {
        Self::Family {
            family,
            row: 0,
            headed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_with_a_line_where_they_can() {
        assert_eq!(end_of_piece("a 1\nb 2\n"), 8);
        let lines = format!("{}\n{}\n", "x".repeat(PIECE - 10), "y".repeat(20));
        assert_eq!(end_of_piece(&lines), PIECE - 9);
        let one = "ü".repeat(PIECE);
        assert_eq!(end_of_piece(&one), PIECE);
        let odd = format!("x{one}");
        assert_eq!(end_of_piece(&odd), PIECE - 1);
    }
}
