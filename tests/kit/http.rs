//! A plain HTTP request, as a scraper or an administrator sends it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 where nothing came back.
    pub(crate) status: u16,
    /// With the chunks put together.
    pub(crate) body: String,
}

/// `GET path`; an error where the server cannot be spoken to.
pub(crate) fn get(server: SocketAddr, path: &str) -> std::io::Result<Answer> {
    request(server, "GET", path)
}

/// `POST path` without a body.
pub(crate) fn post(server: SocketAddr, path: &str) -> std::io::Result<Answer> {
    request(server, "POST", path)
}

fn request(server: SocketAddr, method: &str, path: &str) -> std::io::Result<Answer> {
    let patience = Duration::from_secs(15);
    let mut stream = TcpStream::connect_timeout(&server, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    Ok(Answer {
        status: status.unwrap_or_default(),
        body: if chunked {
            unchunk(body)
        } else {
            body.to_owned()
        },
    })
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = after.get(..size) else {
            break;
        };
        if size == 0 {
            break;
        }
        body.push_str(chunk);
        rest = after[size..].trim_start_matches("\r\n");
    }
    body
}
