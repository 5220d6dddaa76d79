//! Sockets that clients connect to: opened here, or by systemd before reachd was started (`sd_listen_fds(3)`).

use std::io;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::UnixListener;

/// A socket that listens, and does not block.
#[derive(Debug)]
pub enum ListeningSocket {
    /// Over TCP.
    Tcp(TcpListener),
    /// On this machine.
    #[cfg(unix)]
    Unix(UnixListener),
}

impl ListeningSocket {
    /// Opens one.
    ///
    /// # Errors
    /// As of [`TcpListener::bind`].
    pub fn bind(address: &SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(listener))
    }

    /// Where it listens, in words.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|error| error.to_string(), |address| address.to_string()),
            #[cfg(unix)]
            Self::Unix(listener) => listener
                .local_addr()
                .map_or_else(|error| error.to_string(), |address| format!("{address:?}")),
        }
    }
}

/// Those that systemd opened and handed to this process. To be called once.
///
/// # Errors
/// What is wrong with what was handed over, in one line.
#[cfg(unix)]
pub fn sockets_of_systemd() -> Result<Vec<ListeningSocket>, String> {
    let mut handed = listenfd::ListenFd::from_env();
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names: Vec<&str> = names.split(':').collect();
    let mut sockets = Vec::new();
    for index in 0..handed.len() {
        let name = names.get(index).filter(|name| !name.is_empty());
        let name = name.map_or_else(|| (index + 1).to_string(), |name| format!("`{name}`"));
        let refused = |error: io::Error| {
            format!("the socket {name} that systemd handed over cannot be served: {error}")
        };
        let socket = match handed.take_tcp_listener(index) {
            Ok(tcp) => tcp.map(ListeningSocket::Tcp),
            // Neither was it taken, nor is it of TCP.
            Err(_) => handed
                .take_unix_listener(index)
                .map_err(|_| io::Error::other("it is no stream socket of TCP or Unix"))
                .map_err(refused)?
                .map(ListeningSocket::Unix),
        };
        let Some(socket) = socket else { continue };
        match &socket {
            ListeningSocket::Tcp(tcp) => tcp.set_nonblocking(true),
            ListeningSocket::Unix(unix) => unix.set_nonblocking(true),
        }
        .map_err(refused)?;
        sockets.push(socket);
    }
    if sockets.is_empty() {
        return Err(
            "systemd handed over no socket (LISTEN_FDS is not set for this process): start reachd by a socket unit"
                .to_owned(),
        );
    }
    Ok(sockets)
}

/// There is no systemd.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn sockets_of_systemd() -> Result<Vec<ListeningSocket>, String> {
    Err("this system has no systemd".to_owned())
}
