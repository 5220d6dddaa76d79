//! A server that wants to negotiate anew when it has heard a request (RFC 5246 §7.4.1.1). It is OpenSSL's: rustls knows no
//! such thing.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// What OpenSSL takes as the order to ask for it.
const ORDER: &[u8] = b"r\n";

/// A server that ends with the value.
struct Server(Child);

/// Passes a connection on to a server of its own.
pub(super) fn misbehave(client: &TcpStream, pki: &Path) -> io::Result<()> {
    let certificates = pki.join("hostile.pem");
    let command = Command::new("openssl")
        .args(["s_server", "-tls1_2", "-accept", "127.0.0.1:0"])
        .arg("-cert")
        .arg(&certificates)
        .arg("-cert_chain")
        .arg(&certificates)
        .arg("-key")
        .arg(pki.join("hostile.key"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut process = Server(command?);
    let (input, output) = (process.0.stdin.take(), process.0.stdout.take());
    let mut orders = input.expect("is piped");
    let mut said = BufReader::new(output.expect("is piped")).lines();
    let address = said.find_map(|line| Some(line.ok()?.strip_prefix("ACCEPT ")?.to_owned()));
    let server = TcpStream::connect(address.expect("an address"))?;

    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        io::copy(&mut from_client, &mut to_server).ok();
        to_server.shutdown(Shutdown::Both).ok();
    });
    thread::spawn(move || {
        for line in said.map_while(Result::ok) {
            if line.starts_with("GET ") && orders.write_all(ORDER).is_err() {
                return;
            }
        }
    });
    let (mut from_server, mut to_client) = (server, client);
    io::copy(&mut from_server, &mut to_client)?;
    client.shutdown(Shutdown::Both)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
