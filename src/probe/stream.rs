//! The byte stream that the layers of a probe hand on to each other: TCP, a tunnel, TLS over either.

use tokio::io::{AsyncRead, AsyncWrite};

/// Anything that can be read and written.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream whose layers no longer matter.
pub(super) type BoxedStream = Box<dyn Stream>;
