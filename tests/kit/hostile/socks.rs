//! SOCKS proxies that mean harm. The host that is asked for is the fault.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::{for_ever, named, trickle, until_closed};

type Fault = fn(&mut TcpStream) -> io::Result<()>;

const FAULTS: [(&str, Fault); 9] = [
    ("trickled", |it| {
        trickle(it, [5, 0, 0, 1, 127, 0, 0, 1, 0, 80])
    }),
    ("endless-name", |it| {
        it.write_all(&[5, 0, 0, 3, 255])?;
        for_ever(it, b"a")
    }),
    ("trickled-name", |it| {
        it.write_all(&[5, 0, 0, 3, 255])?;
        trickle(it, [b'a'; 255])
    }),
    ("empty-name", |it| {
        it.write_all(&[5, 0, 0, 3, 0, 0, 80])?;
        until_closed(it)
    }),
    ("name-cut-off", |it| it.write_all(&[5, 0, 0, 3, 200, b'a'])),
    ("unknown-kind", |it| {
        it.write_all(&[5, 0, 0, 9])?;
        for_ever(it, b"a")
    }),
    ("version-4", |it| {
        it.write_all(&[0, 90, 0, 0, 0, 0, 0, 0])?;
        until_closed(it)
    }),
    ("reply-255", |it| {
        it.write_all(&[5, 255, 255, 255])?;
        for_ever(it, &[255])
    }),
    ("half-a-reply", |it| {
        it.write_all(&[5, 0])?;
        until_closed(it)
    }),
];

pub(super) fn misbehave(stream: &mut TcpStream) -> io::Result<()> {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting)?;
    stream.read_exact(&mut vec![0; usize::from(greeting[1])])?;
    stream.write_all(&[5, 0])?;
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let mut name_and_port = vec![0; usize::from(head[4]) + 2];
    stream.read_exact(&mut name_and_port)?;
    named(&FAULTS, &String::from_utf8_lossy(&name_and_port))(stream)
}
