//! Responders that run: openssl's, which look at the question, and one that only says that it has no time.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use socket2::{Domain, Socket, Type};

use super::site::{Site, text};
use crate::kit::{Daemon, Lab};

/// `OCSPResponse { responseStatus tryLater }` in DER.
const TRY_LATER: [u8; 5] = [0x30, 3, 0x0a, 1, 3];

/// A responder of openssl's. It ends with the value.
pub(super) struct Responder {
    daemon: Daemon,
    pub(super) port: u16,
}

impl Responder {
    /// Starts one that answers from an index, signed by `delegate` (whom the authority asked to) or `stranger`.
    pub(super) fn start(site: &Site<'_>, name: &str, index: &Path, signer: &str) -> Self {
        Self::start_by(site, name, index, signer, &[])
    }

    /// The same with a clock that is a month slow, so that its answers are over.
    pub(super) fn start_last_month(site: &Site<'_>, name: &str, index: &Path) -> Self {
        // faketime waits for what it starts, which must end with it.
        let clock = ["faketime", "-f", "-30d", "setpriv", "--pdeathsig", "KILL"];
        Self::start_by(
            site,
            name,
            index,
            "delegate",
            &[&clock[..], &["--"]].concat(),
        )
    }

    fn start_by(site: &Site<'_>, name: &str, index: &Path, signer: &str, prefix: &[&str]) -> Self {
        let [certificate, key] = ["pem", "key"].map(|kind| format!("{signer}.{kind}"));
        // On every address, and on a port that the kernel chooses.
        let answer = ["openssl", "ocsp", "-port", "0", "-nmin", "60", "-index"];
        let by_whom = ["-CA", "inter.ca", "-rsigner", &certificate, "-rkey", &key];
        let command = [prefix, &answer, &[text(index)], &by_whom].concat();
        let mut daemon = Daemon::start_with(name, &command, site.dir(), |command| {
            command.current_dir(site.lab().path("revocation"));
        });
        let log = site.dir().join(format!("{name}.log"));
        let said = || port(&fs::read_to_string(&log).unwrap_or_default());
        daemon.wait_until(|| said().is_some());
        let port = said().expect("it said so a moment ago");
        Self { daemon, port }
    }

    /// It goes on accepting connections, for the kernel does that, and says nothing.
    pub(super) fn stop(&self) {
        self.daemon.signal("STOP");
    }

    /// It goes on.
    pub(super) fn go_on(&self) {
        self.daemon.signal("CONT");
    }
}

/// Ways to a responder that are not quite open, by haproxy. They end with the value.
pub(super) struct Ways {
    _haproxy: Daemon,
    /// What goes this way is late.
    pub(super) slow: u16,
    /// This way is for GET alone.
    pub(super) only_get: u16,
}

impl Ways {
    pub(super) fn to(site: &Site<'_>, responder: &Responder) -> Self {
        let lab = site.lab();
        let [slow, only_get] = [lab.fresh_address().port(), lab.fresh_address().port()];
        let conf = include_str!("../lab/haproxy-revocation.cfg")
            .replace("@slow@", &slow.to_string())
            .replace("@only-get@", &only_get.to_string())
            .replace("@responder@", &responder.port.to_string());
        let path = site.dir().join("haproxy.cfg");
        fs::write(&path, lab.fill(&conf)).unwrap();
        let command = ["haproxy", "-db", "-f", text(&path)];
        let mut haproxy = Daemon::start("haproxy", &command, site.dir());
        haproxy.wait_for((lab.address("nginx-revocation"), only_get));
        Self {
            _haproxy: haproxy,
            slow,
            only_get,
        }
    }
}

/// What a certificate says whose responder listens on that port.
pub(super) fn says_responder(port: u16) -> String {
    format!("authorityInfoAccess = OCSP;URI:{}", url(port))
}

/// The URL of a responder, whichever address it listens on.
pub(super) fn url(port: u16) -> String {
    format!("http://ocsp.rev.lab.test:{port}/")
}

/// A port that stays closed as long as the value is there.
pub(super) fn closed_port(lab: &Lab) -> (u16, Socket) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address = SocketAddr::from((lab.address("nginx-revocation"), 0));
    socket.bind(&address.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (address.port(), socket)
}

/// Starts a responder that has no time now, whatever it is asked. openssl's never says that.
pub(super) fn busy_port(lab: &Lab) -> u16 {
    let listener = TcpListener::bind((lab.address("nginx-revocation"), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // That somebody goes away in the middle concerns nobody.
            let _ = put_off(&mut stream);
        }
    });
    port
}

fn put_off(stream: &mut TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !is_whole(&request) {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Ok(());
        }
        request.extend_from_slice(&piece[..length]);
    }
    let head = "HTTP/1.0 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: 5";
    stream.write_all(format!("{head}\r\n\r\n").as_bytes())?;
    stream.write_all(&TRY_LATER)
}

/// Whether it is a head, and as much of a body as that says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let length = text.split_once("content-length:").and_then(|(_, rest)| {
        let digits = rest.lines().next()?.trim();
        digits.parse::<usize>().ok()
    });
    request.len() >= end + 4 + length.unwrap_or(0)
}

/// The port that openssl says it accepts on, once it has read its index: `ACCEPT [::]:43163 PID=12647`.
fn port(log: &str) -> Option<u16> {
    if !log.contains("waiting for OCSP client connections") {
        return None;
    }
    let line = log.lines().find_map(|line| line.strip_prefix("ACCEPT "))?;
    let (address, _) = line.split_once(" PID=")?;
    address.rsplit_once(':')?.1.parse().ok()
}
