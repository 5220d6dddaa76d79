//! One scrape: the families one after the other, row by row, cut into pieces. Nothing is locked, and no more than a piece
//! is in memory, while the reader takes its time; a message of the protobuf format, whose length stands before it, may
//! take sixteen.

use std::sync::Arc;

use bytes::Bytes;

use super::families::{FAMILIES, Family, Rows};
use super::format::Format;
use super::own::OwnHealth;
use super::published::Published;
use super::sample::Samples;
use super::{protobuf, text};
use crate::discovery::SourceStatus;

/// The most bytes of a piece.
pub(super) const PIECE: usize = 64 * 1024;

/// A piece is cut off once it is full; what its last row has too much goes into the next one.
const CAPACITY: usize = PIECE + 24 * 1024;

/// Once a message of the protobuf format is so long, the rest of its family goes into another one of the same name.
pub(super) const MESSAGE: usize = 16 * PIECE;

/// What is still to be written, and what is written but not handed out.
pub(super) struct Exposition {
    format: Format,
    published: Arc<Published>,
    sources: Vec<SourceStatus>,
    own: Arc<OwnHealth>,
    place: Place,
    /// Where the head of the family stands in what is being written, where it has one by now.
    head: Option<usize>,
    /// Written, and not handed out.
    ready: Bytes,
}

/// Where in the exposition the writer stands.
#[derive(Clone, Copy)]
enum Place {
    Family { family: usize, row: usize },
    Own,
    End,
}

// === impl Exposition ===

impl Exposition {
    pub(super) fn new(
        format: Format,
        published: Arc<Published>,
        sources: Vec<SourceStatus>,
        own: Arc<OwnHealth>,
    ) -> Self {
        Self {
            format,
            published,
            sources,
            own,
            place: Place::Family { family: 0, row: 0 },
            head: None,
            ready: Bytes::new(),
        }
    }

    /// Writes on behind what is ready, until there is enough for a piece.
    fn write_on(&mut self) {
        let mut out = Vec::with_capacity(CAPACITY.max(self.ready.len()));
        out.extend_from_slice(&self.ready);
        while (out.len() < PIECE || self.is_within_message()) && !self.is_over() {
            self.advance(&mut out);
        }
        self.ready = Bytes::from(out);
    }

    /// Writes the next row, or the rest.
    fn advance(&mut self, out: &mut Vec<u8>) {
        match self.place {
            Place::Family { family: index, row } => {
                let Some(family) = FAMILIES.get(index) else {
                    self.place = Place::Own;
                    return;
                };
                let is_full = |head: &usize| out.len() - head > MESSAGE;
                if self.is_within_message() && self.head.as_ref().is_some_and(is_full) {
                    self.end_family(out);
                }
                self.place = if self.write_row(out, family, row) {
                    Place::Family {
                        family: index,
                        row: row + 1,
                    }
                } else {
                    self.end_family(out);
                    Place::Family {
                        family: index + 1,
                        row: 0,
                    }
                };
            }
            Place::Own => {
                self.own.write(out, self.format);
                if self.format == Format::OpenMetrics {
                    out.extend_from_slice(text::END);
                }
                self.place = Place::End;
            }
            Place::End => {}
        }
    }

    /// Writes a row, below the family's head when it is the first that has something to say. Answers whether there is
    /// such a row.
    fn write_row(&mut self, out: &mut Vec<u8>, family: &Family, row: usize) -> bool {
        let start = out.len();
        let mut samples = Samples {
            out,
            format: self.format,
            head: family.head,
        };
        if self.head.is_none() {
            samples.head();
        }
        let body = samples.out.len();
        let published = &*self.published;
        let written = match family.rows {
            Rows::Checks(tell) => published.checks.get(row).map(|row| tell(&mut samples, row)),
            Rows::Histograms(tell) => {
                let set = published.histograms.get(row);
                set.map(|set| tell(&mut samples, set))
            }
            Rows::Services(tell) => {
                let service = published.services.get(row);
                service.map(|service| tell(&mut samples, service))
            }
            Rows::Sources(tell) => {
                let source = self.sources.get(row);
                source.map(|source| tell(&mut samples, source))
            }
        };
        if out.len() > body {
            self.head.get_or_insert(start);
        } else {
            out.truncate(start);
        }
        written.is_some()
    }

    fn end_family(&mut self, out: &mut Vec<u8>) {
        let head = self.head.take();
        if let Some(start) = head.filter(|_| self.format == Format::Protobuf) {
            protobuf::delimit(out, start);
        }
    }

    /// Whether nothing may be handed out of what stands from the head on.
    fn is_within_message(&self) -> bool {
        self.format == Format::Protobuf && self.head.is_some()
    }

    fn is_over(&self) -> bool {
        matches!(self.place, Place::End)
    }

    /// The end of the first piece of what is ready: after the last line that fits. A line that alone is too long is cut
    /// anywhere, and so is what has no lines.
    fn end_of_piece(&self) -> usize {
        if self.ready.len() <= PIECE {
            return self.ready.len();
        }
        if self.format == Format::Protobuf {
            return PIECE;
        }
        let mut piece = self.ready[..PIECE].iter();
        let newline = piece.rposition(|byte| *byte == b'\n');
        newline.map_or(PIECE, |newline| newline + 1)
    }
}

impl Iterator for Exposition {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.ready.len() < PIECE && !self.is_over() {
            self.write_on();
        }
        let piece = self.ready.split_to(self.end_of_piece());
        (!piece.is_empty()).then_some(piece)
    }
}
