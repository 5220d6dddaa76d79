//! Servers that mean harm in HTTP/2 (RFC 9113): frames written by hand, over TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use super::tls::{Identity, Secured, greeted, secured};
use super::{for_ever, named, trickle, until_closed};

type Fault = fn(&mut Secured) -> io::Result<()>;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xb5;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Errors of RFC 9113 §7.
const NO_ERROR: u8 = 0;
const INTERNAL_ERROR: u8 = 2;
const ENHANCE_YOUR_CALM: u8 = 11;

/// `:status: 200` (RFC 7541 appendix A).
const OK: u8 = 0x88;

const FAULTS: [(&str, Fault); 31] = [
    ("silent", until_closed),
    ("never-answers", |it| {
        greet(it)?;
        until_closed(it)
    }),
    ("trickled", |it| {
        trickle(it, settings(&[]))?;
        until_closed(it)
    }),
    ("trickled-body", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, END_HEADERS, 1, &[OK]))?;
        trickle(it, frame(DATA, 0, 1, &[b'x'; 100]))
    }),
    ("not-http2", |it| {
        it.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        until_closed(it)
    }),
    ("settings-flood", |it| for_ever(it, &settings(&[]))),
    ("ping-flood", |it| {
        greet(it)?;
        for_ever(it, &frame(PING, 0, 0, &[0; 8]))
    }),
    ("window-update-flood", |it| {
        greet(it)?;
        for_ever(it, &frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]))
    }),
    ("unknown-frame-flood", |it| {
        greet(it)?;
        for_ever(it, &frame(UNKNOWN, 0, 0, &[0; 64]))
    }),
    ("empty-data-flood", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, END_HEADERS, 1, &[OK]))?;
        for_ever(it, &frame(DATA, 0, 1, &[]))
    }),
    ("1xx-flood", |it| {
        greet(it)?;
        // `:status: 103`, a literal that is not to be remembered.
        let early = [8, 3, b'1', b'0', b'3'];
        for_ever(it, &frame(HEADERS, END_HEADERS, 1, &early))
    }),
    ("endless-continuation", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, 0, 1, &[OK]))?;
        for_ever(it, &frame(CONTINUATION, 0, 1, &[]))
    }),
    ("endless-headers", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, 0, 1, &[OK]))?;
        for_ever(
            it,
            &frame(CONTINUATION, 0, 1, &literal(b"x", &[b'x'; 1000])),
        )
    }),
    ("large-headers", |it| {
        greet(it)?;
        // 75 kB in as few frames as can be
        it.write_all(&frame(HEADERS, 0, 1, &[OK]))?;
        let piece = literal(b"x", &[b'x'; 15_000]);
        for _ in 0..4 {
            it.write_all(&frame(CONTINUATION, 0, 1, &piece))?;
        }
        it.write_all(&frame(CONTINUATION, END_HEADERS, 1, &piece))?;
        until_closed(it)
    }),
    ("larger-headers", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, 0, 1, &[OK]))?;
        let piece = literal(b"x", &[b'x'; 15_000]);
        for _ in 0..8 {
            it.write_all(&frame(CONTINUATION, 0, 1, &piece))?;
        }
        it.write_all(&frame(CONTINUATION, END_HEADERS, 1, &piece))?;
        until_closed(it)
    }),
    ("header-bomb", |it| {
        greet(it)?;
        // One header of 3,000 bytes is remembered, and named by a byte 16,000 times: 48 MB.
        let mut remembered = literal(b"x", &[b'x'; 3000]);
        remembered[0] = 0x40;
        it.write_all(&frame(HEADERS, 0, 1, &[&[OK], &remembered[..]].concat()))?;
        it.write_all(&frame(CONTINUATION, END_HEADERS, 1, &[0xbe; 16_000]))?;
        until_closed(it)
    }),
    ("broken-headers", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, END_HEADERS, 1, &[0xff; 64]))?;
        until_closed(it)
    }),
    ("headers-without-status", |it| {
        greet(it)?;
        it.write_all(&frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            1,
            &literal(b"x", b"y"),
        ))?;
        until_closed(it)
    }),
    ("resets-at-once", |it| {
        greet(it)?;
        it.write_all(&frame(RST_STREAM, 0, 1, &[0, 0, 0, ENHANCE_YOUR_CALM]))?;
        until_closed(it)
    }),
    ("resets-within-body", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, END_HEADERS, 1, &[OK]))?;
        it.write_all(&frame(DATA, 0, 1, b"and"))?;
        it.write_all(&frame(RST_STREAM, 0, 1, &[0, 0, 0, INTERNAL_ERROR]))?;
        until_closed(it)
    }),
    ("goes-away", |it| {
        greet(it)?;
        it.write_all(&goaway(NO_ERROR))?;
        hang_up(it)
    }),
    ("goes-away-angry", |it| {
        greet(it)?;
        it.write_all(&goaway(ENHANCE_YOUR_CALM))?;
        until_closed(it)
    }),
    ("promises", |it| {
        greet(it)?;
        it.write_all(&frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]))?;
        until_closed(it)
    }),
    ("answers-on-stream-0", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, END_HEADERS, 0, &[OK]))?;
        until_closed(it)
    }),
    ("data-on-stream-0", |it| {
        greet(it)?;
        it.write_all(&frame(DATA, 0, 0, b"x"))?;
        until_closed(it)
    }),
    ("answers-on-stream-3", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, END_HEADERS, 3, &[OK]))?;
        until_closed(it)
    }),
    ("oversized-frame", |it| {
        greet(it)?;
        it.write_all(&[0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1])?;
        for_ever(it, b"x")
    }),
    ("overflows-window", |it| {
        greet(it)?;
        it.write_all(&frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]))?;
        until_closed(it)
    }),
    ("no-window", |it| {
        // SETTINGS_INITIAL_WINDOW_SIZE 0: nothing may be posted, but a GET has nothing to post.
        it.write_all(&settings(&[0, 4, 0, 0, 0, 0]))?;
        it.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &[OK]))?;
        until_closed(it)
    }),
    ("endless-trailers", |it| {
        greet(it)?;
        it.write_all(&frame(HEADERS, END_HEADERS, 1, &[OK]))?;
        it.write_all(&frame(HEADERS, END_STREAM, 1, &literal(b"x", b"y")))?;
        for_ever(
            it,
            &frame(CONTINUATION, 0, 1, &literal(b"x", &[b'x'; 1000])),
        )
    }),
    ("settings-nonsense", |it| {
        // SETTINGS_MAX_FRAME_SIZE 0 (RFC 9113 §6.5.2 forbids it).
        it.write_all(&settings(&[0, 5, 0, 0, 0, 0]))?;
        until_closed(it)
    }),
];

pub(super) fn misbehave(stream: &mut TcpStream, identity: &Identity) -> io::Result<()> {
    let accepted = greeted(stream)?;
    let name = accepted.client_hello().server_name().map(str::to_owned);
    let config = identity.config(&["h2"]);
    let mut stream = secured(accepted, stream, config)?;
    hear_request(&mut stream)?;
    named(&FAULTS, &name.expect("a server name"))(&mut stream)
}

/// Reads until the client has asked for something on stream 1, and returns what it posted with it.
pub(super) fn hear_request(stream: &mut Secured) -> io::Result<Vec<u8>> {
    const PREFACE: usize = 24;
    stream.read_exact(&mut [0; PREFACE])?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut content = vec![0; usize::try_from(length).expect("a length")];
        stream.read_exact(&mut content)?;
        let ends = head[4] & END_STREAM != 0;
        if matches!(head[3], HEADERS | DATA) && ends {
            return Ok(if head[3] == DATA { content } else { Vec::new() });
        }
    }
}

/// Says that nothing more comes, and hears what does: who closes with something unheard resets the connection.
fn hang_up(it: &mut Secured) -> io::Result<()> {
    it.conn.send_close_notify();
    it.flush()?;
    it.sock.shutdown(Shutdown::Write)?;
    until_closed(it)
}

/// Settings, as every connection begins with.
pub(super) fn greet(stream: &mut Secured) -> io::Result<()> {
    stream.write_all(&settings(&[]))?;
    stream.write_all(&frame(SETTINGS, ACK, 0, &[]))
}

/// The head of an answer of 200.
pub(super) fn ok() -> Vec<u8> {
    frame(HEADERS, END_HEADERS, 1, &[OK])
}

/// The head of an answer of 500.
pub(super) fn server_error() -> Vec<u8> {
    const INTERNAL_SERVER_ERROR: u8 = 0x8e;
    frame(HEADERS, END_HEADERS, 1, &[INTERNAL_SERVER_ERROR])
}

/// A piece of the body.
pub(super) fn data(content: &[u8]) -> Vec<u8> {
    frame(DATA, 0, 1, content)
}

/// The last one.
pub(super) fn last_data(content: &[u8]) -> Vec<u8> {
    frame(DATA, END_STREAM, 1, content)
}

fn settings(content: &[u8]) -> Vec<u8> {
    frame(SETTINGS, 0, 0, content)
}

fn goaway(error: u8) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, error])
}

fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a frame").to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), content].concat()
}

/// A header that is not to be remembered, its name new (RFC 7541 §6.2.2).
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0], &text(name)[..], &text(value)].concat()
}

/// A string without Huffman coding; its length in a prefix of 7 bits (RFC 7541 §5.1).
fn text(bytes: &[u8]) -> Vec<u8> {
    const FULL: usize = 127;
    let mut text = Vec::new();
    let small = |number: usize| u8::try_from(number).expect("a byte");
    if bytes.len() < FULL {
        text.push(small(bytes.len()));
    } else {
        text.push(small(FULL));
        let mut rest = bytes.len() - FULL;
        while rest >= 128 {
            text.push(small(rest % 128 + 128));
            rest /= 128;
        }
        text.push(small(rest));
    }
    text.extend_from_slice(bytes);
    text
}
