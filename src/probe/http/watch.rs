//! Watches the bytes of a conversation: when the answer's first one came, and how the stream ended. So the
//! reason is made where the error happens, not guessed from what a library made of it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::probe::stream::BoxedStream;
use crate::probe::tls::{Demand, demands_client_certificate};

/// What was seen on the wire; a handle that outlives the stream.
#[derive(Debug, Clone)]
pub(in crate::probe) struct Watch(Arc<Sight>);

#[derive(Debug, Default)]
struct Sight {
    first_byte: Mutex<Option<Instant>>,
    /// Whether an answer was begun that another request followed.
    answered_before: AtomicBool,
    ending: Mutex<Option<Ending>>,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Closed,
    Reset,
    ClientCertificateDemanded,
    Broken(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection was closed",
            Self::Reset => "the connection was reset",
            Self::ClientCertificateDemanded => "a client certificate was demanded",
            Self::Broken(what) => what,
        })
    }
}

/// A stream under watch.
pub(in crate::probe) struct Watched {
    stream: BoxedStream,
    watch: Watch,
    marks_first_byte: bool,
}

// === impl Watch ===

impl Watch {
    pub(in crate::probe) fn new() -> Self {
        Self(Arc::default())
    }

    pub(in crate::probe) fn first_byte(&self) -> Option<Instant> {
        *self.first_byte_slot()
    }

    /// Another request goes over the same connection: the next byte is the first of its answer.
    pub(super) fn waits_for_first_byte(&self) {
        if self.first_byte_slot().take().is_some() {
            self.0.answered_before.store(true, Ordering::Relaxed);
        }
    }

    /// Whether any answer ever began.
    pub(super) fn has_spoken(&self) -> bool {
        self.0.answered_before.load(Ordering::Relaxed) || self.first_byte().is_some()
    }

    /// HTTP/2 peers speak before they answer: there the answer's head counts as its first byte.
    pub(super) fn answer_begins(&self) {
        self.first_byte_slot().get_or_insert_with(Instant::now);
    }

    /// Whether the peer ended the stream, in whatever way.
    pub(in crate::probe) fn ended(&self) -> bool {
        self.ending().is_some()
    }

    /// Whether the peer ended it, before it said anything, because of the client certificate that it asked for.
    pub(in crate::probe) fn refuses_client(&self, demand: &Demand) -> bool {
        match self.ending() {
            Some(Ending::ClientCertificateDemanded) => true,
            _ if self.first_byte().is_some() => false,
            Some(Ending::Broken(_)) => demand.was_made(),
            Some(Ending::Closed | Ending::Reset) => demand.explains_silence(),
            None => false,
        }
    }

    /// How the stream ended, if it did.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.0
            .ending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn first_byte_slot(&self) -> MutexGuard<'_, Option<Instant>> {
        let slot = self.0.first_byte.lock();
        slot.unwrap_or_else(PoisonError::into_inner)
    }

    /// The first ending is the cause, what follows it are consequences.
    fn ends(&self, ending: Ending) {
        let mut slot = self.0.ending.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert(ending);
    }
}

// === impl Watched ===

impl Watched {
    /// Watches a stream on which every byte received belongs to the answer.
    pub(in crate::probe) fn new(stream: BoxedStream, watch: &Watch) -> Self {
        Self {
            stream,
            watch: watch.clone(),
            marks_first_byte: true,
        }
    }

    /// Watches a stream on which the peer says other things too.
    pub(super) fn without_first_byte(stream: BoxedStream, watch: &Watch) -> Self {
        Self {
            stream,
            watch: watch.clone(),
            marks_first_byte: false,
        }
    }

    fn note(&self, error: &io::Error) {
        let ending = match error.kind() {
            _ if demands_client_certificate(error) => Ending::ClientCertificateDemanded,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Ending::Reset,
            io::ErrorKind::UnexpectedEof => Ending::Closed,
            _ => Ending::Broken(error.to_string()),
        };
        self.watch.ends(ending);
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        match &result {
            Ok(()) if buffer.filled().len() > before => {
                if self.marks_first_byte {
                    self.watch.answer_begins();
                }
            }
            Ok(()) => self.watch.ends(Ending::Closed),
            // A peer that closes without TLS's close_notify: whether the answer was whole is known from its
            // length, and where it has none, such peers are many.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.note(error);
                return Poll::Ready(Ok(()));
            }
            Err(error) => self.note(error),
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        Poll::Ready(result.inspect_err(|error| self.note(error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(result.inspect_err(|error| self.note(error)))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
