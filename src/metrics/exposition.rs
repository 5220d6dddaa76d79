//! One scrape: the families one after the other, row by row, cut into pieces. Nothing is locked, and no more than a piece
//! is in memory, while the reader takes its time.
//!
//! A message of the protobuf format has its length in front. One of a few pieces is gathered for that. Of a longer one
//! the rest is measured first, then written and handed out as any other format is. Meanwhile probes go on: a row may have
//! become longer or shorter, a series may be there or gone. What is promised is kept all the same, for nothing else than
//! what is left of it decides: a row is written whole where there is room for it, and with another message of the family
//! where there is none; and what rows leave is filled with a field that means nothing. So it does not matter why a row
//! has changed its length, and no row has to be remembered.

use std::sync::Arc;

use bytes::Bytes;

use super::families::{FAMILIES, Family, Rows};
use super::format::Format;
use super::own::OwnHealth;
use super::published::Published;
use super::sample::Samples;
use super::text;
use super::wire::{self, Length, Wire as _};
use crate::discovery::SourceStatus;

/// The most bytes of a piece.
pub(super) const PIECE: usize = 64 * 1024;

/// What the last row of a piece has too much goes into the next one.
const SLACK: usize = 24 * 1024;

/// Of a message of the protobuf format no more is gathered. So much is exact, as of one moment, in every scrape of up to
/// some thousands of checks.
pub(super) const GATHERED: usize = 4 * PIECE;

/// Once a message of the protobuf format is so long, the rest of its family goes into another one of the same name.
pub(super) const MESSAGE: usize = 16 * PIECE;

/// What is still to be written, and what is written but not handed out.
pub(super) struct Exposition {
    format: Format,
    published: Arc<Published>,
    sources: Vec<SourceStatus>,
    own: Arc<OwnHealth>,
    place: Place,
    message: Message,
    /// Written, and not handed out.
    ready: Bytes,
}

/// How far the family is told that is being written; in text, a family is one message.
#[derive(Clone, Copy)]
enum Message {
    /// No row has had something to say.
    Absent,
    /// From its head on, it stands there in what is being written.
    Begun { start: usize },
    /// Its length is written, and so much of it is not.
    Promised { rest: usize },
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
            message: Message::Absent,
            ready: Bytes::new(),
        }
    }

    /// Writes on behind what is ready, until there is enough for a piece.
    fn write_on(&mut self) {
        let mut out = Vec::with_capacity(PIECE + SLACK);
        out.extend_from_slice(&self.ready);
        self.ready = Bytes::new();
        while (out.len() < PIECE || self.is_within_message()) && !self.is_over() {
            if out.len() >= PIECE && out.capacity() < PIECE + GATHERED + SLACK {
                // Once, rather than twice as much again and again.
                out.reserve_exact(PIECE + GATHERED + SLACK - out.len());
            }
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
                self.place = match self.go_on(out, family, row) {
                    Some(row) => Place::Family { family: index, row },
                    None => Place::Family {
                        family: index + 1,
                        row: 0,
                    },
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

    /// Goes on with a family at a row. Answers at which one it then is, if it is not at its end.
    fn go_on(&mut self, out: &mut Vec<u8>, family: &Family, row: usize) -> Option<usize> {
        match self.message {
            Message::Promised { rest } => Some(self.keep_promise(out, family, row, rest)),
            Message::Begun { start }
                if self.is_within_message() && out.len() - start > GATHERED =>
            {
                self.promise(out, start, family, row);
                Some(row)
            }
            Message::Absent => self.begin_family(out, family, row),
            Message::Begun { .. } => {
                let mut samples = Samples::written(out, self.format, family.head);
                if self.tell(&mut samples, family, row) {
                    return Some(row + 1);
                }
                self.end_family(out);
                None
            }
        }
    }

    /// Writes the head of a family and the first row, from this one on, that has something to say; nothing where there is
    /// none.
    fn begin_family(&mut self, out: &mut Vec<u8>, family: &Family, row: usize) -> Option<usize> {
        let start = out.len();
        Samples::written(out, self.format, family.head).head();
        let body = out.len();
        for row in row.. {
            let mut samples = Samples::written(out, self.format, family.head);
            if !self.tell(&mut samples, family, row) {
                break;
            }
            if out.len() > body {
                self.message = Message::Begun { start };
                return Some(row + 1);
            }
        }
        out.truncate(start);
        None
    }

    /// Tells what a row has to say. Answers whether there is such a row.
    fn tell(&self, samples: &mut Samples<'_>, family: &Family, row: usize) -> bool {
        let published = &*self.published;
        let told = match family.rows {
            Rows::Checks(tell) => published.checks.get(row).map(|row| tell(samples, row)),
            Rows::Histograms(tell) => {
                let set = published.histograms.get(row);
                set.map(|set| tell(samples, set))
            }
            Rows::Services(tell) => {
                let service = published.services.get(row);
                service.map(|service| tell(samples, service))
            }
            Rows::Sources(tell) => {
                let source = self.sources.get(row);
                source.map(|source| tell(samples, source))
            }
        };
        told.is_some()
    }

    fn end_family(&mut self, out: &mut Vec<u8>) {
        if let Message::Begun { start } = self.message {
            if self.format == Format::Protobuf {
                out.insert_length(start, 0, out.len() - start);
            }
            self.message = Message::Absent;
        }
    }

    /// Says how long the message is that began there, once all of its rows are written, from this one on.
    fn promise(&mut self, out: &mut Vec<u8>, start: usize, family: &Family, row: usize) {
        let gathered = out.len() - start;
        let mut length = Length(gathered);
        for row in row.. {
            if length.0 > MESSAGE {
                break;
            }
            let mut samples = Samples::measured(&mut length, family.head);
            if !self.tell(&mut samples, family, row) {
                break;
            }
        }
        out.insert_length(start, 0, length.0);
        self.promised(length.0 - gathered);
    }

    /// Writes a row into the message whose length is written, or what stands in for the row. Answers which one is next.
    fn keep_promise(
        &mut self,
        out: &mut Vec<u8>,
        family: &Family,
        row: usize,
        rest: usize,
    ) -> usize {
        let start = out.len();
        let mut samples = Samples::written(out, self.format, family.head);
        if !self.tell(&mut samples, family, row) {
            // Something has become shorter. A single byte must not be left: nothing would fit.
            let filled = if rest > PIECE { PIECE - 2 } else { rest };
            wire::fill(out, filled);
            self.promised(rest - filled);
            return row;
        }
        let written = out.len() - start;
        if written == rest || written + 2 <= rest {
            self.promised(rest - written);
            return row + 1;
        }
        // Something has become longer. What is left is less than a row.
        out.truncate(start);
        wire::fill(out, rest);
        self.promised(0);
        row
    }

    fn promised(&mut self, rest: usize) {
        self.message = match rest {
            0 => Message::Absent,
            rest => Message::Promised { rest },
        };
    }

    /// Whether nothing may be handed out of what stands from the head on.
    fn is_within_message(&self) -> bool {
        self.format == Format::Protobuf && matches!(self.message, Message::Begun { .. })
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
