//! Web servers that mean harm, over plain HTTP.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::{BREATH, for_ever, head_of, named, trickle, until_closed};

type Fault = fn(&mut TcpStream) -> io::Result<()>;

const FAULTS: [(&str, Fault); 33] = [
    ("trickled-head", |it| {
        trickle(it, *b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    }),
    ("trickled-body", |it| {
        it.write_all(&ok("Content-Length: 100"))?;
        trickle(it, [b'x'; 100])
    }),
    ("endless-status-line", |it| {
        it.write_all(b"HTTP/1.1 200 ")?;
        for_ever(it, b"very fine, ")
    }),
    ("endless-header", |it| {
        it.write_all(b"HTTP/1.1 200 OK\r\nX-Endless: ")?;
        for_ever(it, b"x")
    }),
    ("many-headers", |it| {
        it.write_all(b"HTTP/1.1 200 OK\r\n")?;
        it.write_all("A: b\r\n".repeat(1000).as_bytes())?;
        it.write_all(b"Content-Length: 0\r\n\r\n")
    }),
    ("endless-1xx", |it| {
        for_ever(it, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    }),
    ("endless-chunks", |it| {
        it.write_all(&chunked())?;
        for_ever(it, &[b"1000\r\n", &[b'x'; 0x1000][..], b"\r\n"].concat())
    }),
    ("tiny-chunks", |it| {
        it.write_all(&chunked())?;
        for_ever(it, b"1\r\nx\r\n")
    }),
    ("endless-chunk-size", |it| {
        it.write_all(&chunked())?;
        for_ever(it, b"0")
    }),
    ("overflowing-chunk-size", |it| {
        it.write_all(&chunked())?;
        it.write_all(b"FFFFFFFFFFFFFFFFF\r\nx")?;
        until_closed(it)
    }),
    ("endless-chunk-extension", |it| {
        it.write_all(&chunked())?;
        it.write_all(b"1;x=")?;
        for_ever(it, b"x")
    }),
    ("endless-trailers", |it| {
        it.write_all(&chunked())?;
        it.write_all(b"0\r\n")?;
        for_ever(it, b"X-Endless: x\r\n")
    }),
    ("largest-length", |it| {
        it.write_all(&ok("Content-Length: 18446744073709551615"))?;
        for_ever(it, b"x")
    }),
    ("overflowing-length", |it| {
        it.write_all(&ok("Content-Length: 99999999999999999999999"))?;
        until_closed(it)
    }),
    ("negative-length", |it| {
        it.write_all(&ok("Content-Length: -1"))?;
        until_closed(it)
    }),
    ("two-lengths", |it| {
        it.write_all(&ok("Content-Length: 2\r\nContent-Length: 3"))?;
        it.write_all(b"abc")?;
        until_closed(it)
    }),
    ("header-with-nul", |it| {
        it.write_all(&ok("X-Nul: a\0b\r\nContent-Length: 0"))?;
        until_closed(it)
    }),
    ("switches-protocols", |it| {
        it.write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        )?;
        until_closed(it)
    }),
    ("redirect-loop", |it| {
        it.write_all(&redirect("/"))?;
        until_closed(it)
    }),
    ("redirect-ever-new", |it| {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        it.write_all(&redirect(&format!("/{number}")))?;
        until_closed(it)
    }),
    ("redirect-very-long", |it| {
        it.write_all(&redirect(&format!("/{}", "x".repeat(60_000))))?;
        until_closed(it)
    }),
    ("compressed-unasked", |it| {
        it.write_all(&compressed("gzip"))?;
        until_closed(it)
    }),
    ("compressed-list", |it| {
        it.write_all(&compressed("gzip"))?;
        until_closed(it)
    }),
    // Lists and answers about revocation
    ("list-cut-off", |it| {
        // A SEQUENCE of 65,535 bytes, of which there are a few.
        let body = [&[0x30, 0x82, 0xff, 0xff][..], &[0; 100]].concat();
        it.write_all(&with_body("application/pkix-crl", &body))
    }),
    ("list-deep", |it| {
        // SEQUENCEs of indefinite length in each other, 500,000 deep.
        it.write_all(&with_body(
            "application/pkix-crl",
            &[0x30, 0x80].repeat(500_000),
        ))
    }),
    ("list-largest-length", |it| {
        let body = [&[0x30, 0x88][..], &[0xff; 100]].concat();
        it.write_all(&with_body("application/pkix-crl", &body))
    }),
    ("list-endless", |it| {
        it.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
        for_ever(it, &[0x30; 1 << 20])
    }),
    ("list-of-a-byte-too-much", |it| {
        // 50 MiB and a byte, which is said by nobody.
        it.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
        for _ in 0..50 {
            it.write_all(&[0x30; 1 << 20])?;
            thread::sleep(BREATH);
        }
        it.write_all(&[0x30])
    }),
    // The Microsoft 365 endpoints web service: versions and sets at once, much longer than what is of use in it.
    ("m365", |it| {
        it.write_all(&with_body("application/json", &m365()))
    }),
    ("list-redirect-loop", |it| {
        it.write_all(&redirect("/"))?;
        until_closed(it)
    }),
    ("answer-cut-off", |it| {
        let body = [0x30, 0x82, 0x01, 0xff, 0x0a, 1, 0, 0xa0, 0x82];
        it.write_all(&with_body("application/ocsp-response", &body))
    }),
    ("answer-large", |it| {
        it.write_all(&with_body("application/ocsp-response", &[0x30; 300_000]))
    }),
    ("answer-endless", |it| {
        it.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
        for_ever(it, &[0x30, 0x84])
    }),
];

pub(super) fn misbehave(stream: &mut TcpStream) -> io::Result<()> {
    let head = head_of(stream)?;
    let host = head.lines().find_map(|line| line.strip_prefix("host: "));
    named(&FAULTS, host.expect("a Host"))(stream)
}

fn ok(header: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n").into_bytes()
}

fn chunked() -> Vec<u8> {
    ok("Transfer-Encoding: chunked")
}

fn redirect(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn with_body(content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = ok(&format!(
        "Content-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close"
    ));
    [&head, body].concat()
}

/// The beginning of what `gzip` makes of much of the same, as many times as it takes to look like a bomb.
fn compressed(encoding: &str) -> Vec<u8> {
    let body = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3][..], &[0; 10_000]].concat();
    let length = body.len();
    let head = ok(&format!(
        "Content-Encoding: {encoding}\r\nContent-Length: {length}\r\nConnection: close"
    ));
    [&head, &body[..]].concat()
}

/// Whoever looks for a version finds one, and whoever looks for endpoints finds one among 40,000 names that are none.
fn m365() -> Vec<u8> {
    let names = (0..40_000).map(|number| format!("\"*.n{number}.example\","));
    let names: String = names.collect();
    let body = format!(
        "[{{\"instance\": \"Worldwide\", \"latest\": \"2026112000\", \"id\": 1, \"serviceArea\": \"Common\", \
         \"tcpPorts\": \"443\", \"required\": true, \"urls\": [{names} \"crl-good.rev.lab.test\"]}}]"
    );
    body.into_bytes()
}
