//! Peers that mean harm: each answers by a protocol of its own, and the first label of the name that it is asked for is
//! the fault: `endless-trailers.http.hostile.lab.test` is the fault `endless-trailers` of `http`.

mod connect;
mod dns;
mod dns_messages;
mod h2;
mod http;
mod renegotiation;
mod socks;
mod tls;

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::block::Block;
use super::faults::serve;

/// What a slow peer waits between two bytes.
const PAUSE: Duration = Duration::from_secs(1);

/// What a flood waits after each 64 KiB, so that it leaves a processor for the other tests.
const BREATH: Duration = Duration::from_millis(10);

/// Starts all of them. Their threads end with the process.
pub(crate) fn start(block: &Block, pki: &Path) {
    let listen = |server: &str, port: u16| {
        let address = (block.address(server), port);
        TcpListener::bind(address).unwrap_or_else(|error| panic!("{server}:{port}: {error}"))
    };
    let identity = tls::Identity::read(pki);
    serve(listen("hostile-http", 80), http::misbehave);
    serve(listen("hostile-connect", 3128), connect::misbehave);
    serve(listen("hostile-socks", 1080), socks::misbehave);
    let server = identity.clone();
    serve(listen("hostile-tls", 443), move |stream| {
        tls::misbehave(stream, &server)
    });
    let files = pki.to_owned();
    serve(listen("hostile-tls", 4433), move |stream| {
        renegotiation::misbehave(stream, &files)
    });
    let server = identity.clone();
    serve(listen("hostile-h2", 443), move |stream| {
        h2::misbehave(stream, &server)
    });
    dns::start(block.address("hostile-dns"), &identity);
}

/// The fault that the first label of a name stands for.
fn named<F: Copy>(faults: &[(&str, F)], name: &str) -> F {
    let label = name.split('.').next().unwrap_or_default();
    let found = faults.iter().find(|(fault, _)| *fault == label);
    let Some((_, fault)) = found else {
        panic!("there is no fault for {name}");
    };
    *fault
}

// === what faults are made of ===

/// Writes one byte a second.
fn trickle(stream: &mut impl Write, bytes: impl IntoIterator<Item = u8>) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[byte])?;
        stream.flush()?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Writes the same until the other side has gone.
fn for_ever(stream: &mut impl Write, piece: &[u8]) -> io::Result<()> {
    // Not piece by piece where they are small: the flood is the fault, not the system calls.
    let many = piece.repeat((64 * 1024 / piece.len()).max(1));
    loop {
        stream.write_all(&many)?;
        thread::sleep(BREATH);
    }
}

/// Reads until the other side has gone.
fn until_closed(stream: &mut impl Read) -> io::Result<()> {
    let mut piece = [0; 4096];
    while stream.read(&mut piece)? > 0 {}
    Ok(())
}

/// The head of a request in HTTP/1.1.
fn head_of(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&piece[..length]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
