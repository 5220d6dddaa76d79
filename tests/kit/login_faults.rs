//! Proxies that ask for a login in ways that no real one here does.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The account of SECRETS in kit.rs.
const USER: &str = "alice";
const PASSWORD: &str = "wonderland";

/// A request as far as its head goes.
struct Request {
    method: String,
    uri: String,
    /// Empty where there is none.
    login: String,
    /// Whether it says `Proxy-Connection: Keep-Alive`.
    keep_alive: bool,
}

/// Digest by SHA-256, or else MD5; verifies the password.
pub(super) fn digest_sha256(stream: &mut TcpStream) -> io::Result<()> {
    const CHALLENGE: &str =
        "Digest realm=\"lab\", qop=\"auth\", algorithm=SHA-256, nonce=\"n256\", opaque=\"o\"";
    const OTHER: &str =
        "Proxy-Authenticate: Digest realm=\"lab\", qop=\"auth\", algorithm=MD5, nonce=\"nmd5\"\r\n";
    while let Some(request) = hear(stream)? {
        if request.proves_password_by_sha256() {
            return take(stream, &request);
        }
        demand(stream, CHALLENGE, OTHER)?;
    }
    Ok(())
}

/// Digest whose first nonce is old when it comes back.
pub(super) fn digest_stale(stream: &mut TcpStream) -> io::Result<()> {
    while let Some(request) = hear(stream)? {
        if request.login.contains("nonce=\"second\"") {
            return take(stream, &request);
        }
        let is_answer = request.login.contains("nonce=\"first\"");
        let (nonce, stale) = if is_answer {
            ("second", ", stale=true")
        } else {
            ("first", "")
        };
        let challenge = format!("Digest realm=\"lab\", qop=\"auth\", nonce=\"{nonce}\"{stale}");
        demand(stream, &challenge, "")?;
    }
    Ok(())
}

/// Digest that calls every nonce stale.
pub(super) fn digest_always_stale(stream: &mut TcpStream) -> io::Result<()> {
    while hear(stream)?.is_some() {
        let challenge = "Digest realm=\"lab\", qop=\"auth\", nonce=\"n\", stale=true";
        demand(stream, challenge, "")?;
    }
    Ok(())
}

/// Digest by an algorithm that hardly anybody has.
pub(super) fn digest_sha512(stream: &mut TcpStream) -> io::Result<()> {
    while hear(stream)?.is_some() {
        let challenge = "Digest realm=\"lab\", qop=\"auth\", algorithm=SHA-512-256, nonce=\"n\"";
        demand(stream, challenge, "")?;
    }
    Ok(())
}

/// Digest, and hangs up after the challenge without having said so.
pub(super) fn digest_hangs_up(stream: &mut TcpStream) -> io::Result<()> {
    match hear(stream)? {
        Some(request) if request.login.starts_with("Digest ") => take(stream, &request),
        Some(_) => demand(
            stream,
            "Digest realm=\"lab\", qop=\"auth\", nonce=\"n\"",
            "",
        ),
        None => Ok(()),
    }
}

/// Digest whose demand for a login never ends, on a connection that stays open.
pub(super) fn digest_stalls(stream: &mut TcpStream) -> io::Result<()> {
    match hear(stream)? {
        Some(request) if request.login.starts_with("Digest ") => take(stream, &request),
        Some(_) => stall(stream, "Digest realm=\"lab\", qop=\"auth\", nonce=\"n\""),
        None => Ok(()),
    }
}

/// NTLM whose challenge never ends.
pub(super) fn ntlm_stalls(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stall(stream, &ntlm_challenge())
}

/// NTLM by a proxy that keeps connections open as one did before HTTP/1.1.
pub(super) fn ntlm_http10(stream: &mut TcpStream) -> io::Result<()> {
    while let Some(request) = hear(stream)? {
        // One that is asked for it in the words of those days.
        let keep_alive = if request.keep_alive {
            "Proxy-Connection: keep-alive\r\n"
        } else {
            ""
        };
        let answer = format!(
            "HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: {}\r\n{keep_alive}\
             Content-Length: 5\r\n\r\nlogin",
            ntlm_challenge()
        );
        stream.write_all(answer.as_bytes())?;
        if !request.keep_alive {
            return Ok(());
        }
    }
    Ok(())
}

/// NTLM whose challenge comes on a connection that is closed then.
pub(super) fn ntlm_closes(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    demand(stream, &ntlm_challenge(), "Connection: close\r\n")
}

fn ntlm_challenge() -> String {
    let mut message = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0\x01\x02\0\0".to_vec();
    message.extend([7; 8]);
    message.extend([0; 24]);
    format!("NTLM {}", STANDARD.encode(message))
}

/// NTLM whose challenge ends in the middle.
pub(super) fn ntlm_garbled(stream: &mut TcpStream) -> io::Result<()> {
    while hear(stream)?.is_some() {
        demand(
            stream,
            "NTLM TlRMTVNTUAACAAAABAAEADgAAAAFgoqi7Tk9VzJGRkk=",
            "",
        )?;
    }
    Ok(())
}

impl Request {
    fn proves_password_by_sha256(&self) -> bool {
        let parameters = self.login.strip_prefix("Digest ").unwrap_or_default();
        let parameters: HashMap<&str, &str> = parameters
            .split(", ")
            .filter_map(|parameter| parameter.split_once('='))
            .map(|(name, value)| (name, value.trim_matches('"')))
            .collect();
        let of = |name: &str| parameters.get(name).copied().unwrap_or_default();
        let secret = sha256(&format!("{USER}:lab:{PASSWORD}"));
        let uri = of("uri");
        let request = sha256(&format!("{}:{uri}", self.method));
        let (count, cnonce) = (of("nc"), of("cnonce"));
        let response = sha256(&format!("{secret}:n256:{count}:{cnonce}:auth:{request}"));
        of("username") == USER && self.is_for(uri) && of("response") == response
    }

    /// Whether it is what the request says, or its path alone, which curl proves where the request has the absolute
    /// form.
    fn is_for(&self, uri: &str) -> bool {
        let path = self.uri.strip_prefix("http://").and_then(|rest| {
            let slash = rest.find('/')?;
            Some(&rest[slash..])
        });
        uri == self.uri || Some(uri) == path
    }
}

fn sha256(text: &str) -> String {
    let mut hexadecimal = String::new();
    for byte in Sha256::digest(text) {
        write!(hexadecimal, "{byte:02x}").unwrap();
    }
    hexadecimal
}

/// Reads one head; none when the connection is closed instead.
fn hear(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ').map(str::to_owned);
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
        })
    };
    let (login, connection) = (header("proxy-authorization"), header("proxy-connection"));
    Ok(Some(Request {
        method: words.next().unwrap_or_default(),
        uri: words.next().unwrap_or_default(),
        login: login.unwrap_or_default(),
        keep_alive: connection.is_some_and(|value| value.eq_ignore_ascii_case("keep-alive")),
    }))
}

fn demand(stream: &mut TcpStream, challenge: &str, headers: &str) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: {challenge}\r\n{headers}\
         Content-Length: 5\r\n\r\nlogin"
    );
    stream.write_all(answer.as_bytes())
}

/// Demands a login, and never comes to the end of it.
fn stall(stream: &mut TcpStream, challenge: &str) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: {challenge}\r\n\
         Content-Length: 500\r\n\r\nlogin"
    );
    stream.write_all(answer.as_bytes())?;
    while stream.read(&mut [0; 64])? > 0 {}
    Ok(())
}

/// The login is good: a tunnel that leads nowhere, or an answer.
fn take(stream: &mut TcpStream, request: &Request) -> io::Result<()> {
    if request.method == "CONNECT" {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        while stream.read(&mut [0; 64])? > 0 {}
        return Ok(());
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
}
