//! Hears how a server begins to answer: whether it answers at all, and whether in TLS.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::witness::Witness;
use crate::probe::stream::BoxedStream;

/// A stream whose first byte the witness of the handshake gets to know.
pub(super) struct Heard {
    stream: BoxedStream,
    /// Until there was one.
    witness: Option<Arc<Witness>>,
}

impl Heard {
    pub(super) fn new(stream: BoxedStream, witness: &Arc<Witness>) -> Self {
        Self {
            stream,
            witness: Some(Arc::clone(witness)),
        }
    }
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let (Some(witness), Some(first)) = (&self.witness, buffer.filled().get(before)) {
            witness.hears(*first);
            self.witness = None;
        }
        polled
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
