//! The byte stream that the layers of a probe hand on to each other: TCP, a tunnel, TLS over either.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So much is read before others have their turn: more than the whole of most answers, and little enough that to look
/// through it takes a moment, whatever it is.
const TURN_BYTES: usize = 8 * 1024;

/// Anything that can be read and written.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream whose layers no longer matter.
pub(super) type BoxedStream = Box<dyn Stream>;

/// A connection that is read in turns. A peer that sends and sends keeps whoever reads it busy, and all probes share a
/// thread: after each turn the others come first.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    left: usize,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            left: TURN_BYTES,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            self.left = TURN_BYTES;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = self.left.min(buffer.remaining());
        let mut room = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut room);
        let read = room.filled().len();
        buffer.advance(read);
        // Whoever waits lets others have their turn.
        self.left = if polled.is_pending() {
            TURN_BYTES
        } else {
            self.left - read
        };
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, empty, join, repeat};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_lets_others_have_their_turn() {
        let mut flood = Paced::new(join(repeat(7), empty()));
        let mut turns = 0;
        let mut sink = vec![0; 1024];
        let reading = async {
            loop {
                flood.read_exact(&mut sink).await.unwrap();
            }
        };
        tokio::pin!(reading);
        // A turn of the other comes whenever the flood pauses: without pauses this would not end.
        let others = async {
            for _ in 0..100 {
                tokio::select! {
                    biased;
                    () = &mut reading => {}
                    () = tokio::task::yield_now() => turns += 1,
                }
            }
        };
        timeout(Duration::from_secs(1), others).await.unwrap();
        assert_eq!(turns, 100);
    }

    #[tokio::test]
    async fn nothing_is_lost_between_turns() {
        let (mut far, near) = duplex(TURN_BYTES);
        let sent: Vec<u8> = (0..=250).cycle().take(5 * TURN_BYTES + 3).collect();
        let copy = sent.clone();
        tokio::spawn(async move { far.write_all(&copy).await });
        let mut read = Vec::new();
        Paced::new(near).read_to_end(&mut read).await.unwrap();
        assert!(read == sent);
    }
}
