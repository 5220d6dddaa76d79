//! Where clients come in: sockets of TCP, and of Unix where systemd opened them.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use crate::platform::ListeningSocket;

/// What is said between a client and the server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A client that came in.
pub(super) type Client = Box<dyn Stream>;

/// Whom clients come in by.
pub(super) trait Door: Send + Sync + 'static {
    /// The next one.
    fn accept(&self) -> impl Future<Output = io::Result<Client>> + Send;

    /// Whether browsers of this machine come in by it, and nobody else.
    fn is_local(&self) -> bool;
}

/// A socket that clients connect to.
#[derive(Debug)]
pub enum Listener {
    /// Over TCP.
    Tcp(TcpListener),
    /// On this machine.
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    /// Serves a socket on the runtime of the caller.
    ///
    /// # Errors
    /// It is none that can be waited for.
    pub fn serving(socket: ListeningSocket) -> io::Result<Self> {
        match socket {
            ListeningSocket::Tcp(socket) => TcpListener::from_std(socket).map(Self::Tcp),
            #[cfg(unix)]
            ListeningSocket::Unix(socket) => UnixListener::from_std(socket).map(Self::Unix),
        }
    }
}

impl Door for Listener {
    async fn accept(&self) -> io::Result<Client> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // What is written is written whole; nobody is to wait for the acknowledgement of the piece before.
                stream.set_nodelay(true).ok();
                Ok(Box::new(stream))
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Box::new(stream))
            }
        }
    }

    fn is_local(&self) -> bool {
        match self {
            Self::Tcp(listener) => {
                let address = listener.local_addr();
                address.is_ok_and(|address| address.ip().to_canonical().is_loopback())
            }
            // No browser asks a socket of Unix.
            #[cfg(unix)]
            Self::Unix(_) => false,
        }
    }
}
