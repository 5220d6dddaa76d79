//! HTTP proxies that mean harm. The host that is asked for is the fault.

use std::io::{self, Write};
use std::net::TcpStream;

use super::{for_ever, head_of, named, trickle, until_closed};

type Fault = fn(&mut TcpStream) -> io::Result<()>;

const OPEN: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const WANTS_LOGIN: &[u8] =
    b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Digest realm=\"x\", nonce=\"y\", qop=\"auth\"\r\n";

const FAULTS: [(&str, Fault); 14] = [
    ("trickled", |it| trickle(it, OPEN.iter().copied())),
    ("endless-header", |it| {
        it.write_all(b"HTTP/1.1 200 OK\r\nX-Endless: ")?;
        for_ever(it, b"x")
    }),
    ("endless-1xx", |it| {
        for_ever(it, b"HTTP/1.1 100 Continue\r\n\r\n")
    }),
    ("endless-body-of-403", |it| {
        it.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n")?;
        for_ever(it, b"denied ")
    }),
    ("endless-body-of-407", |it| {
        it.write_all(WANTS_LOGIN)?;
        it.write_all(b"\r\n")?;
        for_ever(it, b"login first ")
    }),
    ("trickled-body-of-407", |it| {
        it.write_all(WANTS_LOGIN)?;
        it.write_all(b"Content-Length: 1000\r\n\r\n")?;
        trickle(it, [b'x'; 1000])
    }),
    ("very-long-phrase", |it| {
        it.write_all(b"HTTP/1.1 403 ")?;
        it.write_all(&[b'x'; 60_000])?;
        it.write_all(b"\r\n\r\n")
    }),
    ("many-schemes", |it| {
        it.write_all(b"HTTP/1.1 407 Login\r\n")?;
        for number in 0..90 {
            write!(it, "Proxy-Authenticate: x{number}{}\r\n", ", y".repeat(200))?;
        }
        it.write_all(b"Content-Length: 0\r\n\r\n")
    }),
    ("open-with-length", |it| {
        // RFC 9110 §9.3.6: no answer of 2xx to CONNECT has a body, whatever it says.
        it.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")?;
        until_closed(it)
    }),
    ("open-then-flood", |it| {
        it.write_all(OPEN)?;
        for_ever(it, b"no TLS here ")
    }),
    ("open-then-silence", |it| {
        it.write_all(OPEN)?;
        until_closed(it)
    }),
    ("switches-protocols", |it| {
        it.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")?;
        until_closed(it)
    }),
    // Asked for without a tunnel
    ("plain-endless-1xx", |it| {
        for_ever(it, b"HTTP/1.1 103 Early Hints\r\n\r\n")
    }),
    ("plain-endless-body", |it| {
        it.write_all(b"HTTP/1.1 200 OK\r\nVia: 1.1 hostile\r\n\r\n")?;
        for_ever(it, b"x")
    }),
];

pub(super) fn misbehave(stream: &mut TcpStream) -> io::Result<()> {
    let head = head_of(stream)?;
    let target = head.split(' ').nth(1).expect("a request line");
    let target = target.strip_prefix("http://").unwrap_or(target);
    named(&FAULTS, target)(stream)
}
