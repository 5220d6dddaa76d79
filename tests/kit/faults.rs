//! What no real server does: peers that misbehave in one way each. A fault listens on an address of its own, on
//! the ports of HTTP, of HTTPS and of a proxy; `NAME.fault.lab.test` is its name.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime};

use socket2::{Domain, SockRef, Socket, Type};

use super::block::Block;
use super::login_faults;

/// The ports of every fault.
const PORTS: [u16; 4] = [80, 443, 1080, 3128];

/// The pause of everything that is slow once.
const DELAY: Duration = Duration::from_millis(300);

/// How long a connection is served at most: longer than any probe, shorter than a run.
const LIFETIME: Duration = Duration::from_secs(30);

type Behaviour = fn(&mut TcpStream) -> io::Result<()>;

/// Every fault by its name.
const FAULTS: [(&str, Behaviour); 28] = [
    ("silent", silent),
    ("close", close),
    ("reset", reset),
    ("half-answer", half_answer),
    ("junk", junk),
    ("banner", banner),
    ("endless-headers", endless_headers),
    ("slow-headers", slow_headers),
    ("endless-body", endless_body),
    ("short-body", short_body),
    ("reset-body", reset_body),
    ("late-answer", late_answer),
    ("late-body", late_body),
    ("late-tunnel", late_tunnel),
    ("wrong-clock", wrong_clock),
    ("socks", socks),
    ("socks-wants-kerberos", socks_wants_kerberos),
    ("socks-wants-password", socks_wants_password),
    ("digest-sha256", login_faults::digest_sha256),
    ("digest-stale", login_faults::digest_stale),
    ("digest-always-stale", login_faults::digest_always_stale),
    ("digest-sha512", login_faults::digest_sha512),
    ("digest-hangs-up", login_faults::digest_hangs_up),
    ("digest-stalls", login_faults::digest_stalls),
    ("ntlm-stalls", login_faults::ntlm_stalls),
    ("ntlm-http10", login_faults::ntlm_http10),
    ("ntlm-closes", login_faults::ntlm_closes),
    ("ntlm-garbled", login_faults::ntlm_garbled),
];

/// The fault that is no behaviour of an accepted connection: none is accepted.
const BLACK_HOLE: &str = "black-hole";

/// The running faults. Their threads end with the process.
pub(crate) struct Faults {
    /// On this port, `dual-black-hole.lab.test` is a black hole over IPv6 and listens over IPv4.
    pub(crate) dual_port: u16,
    _black_holes: Vec<BlackHole>,
}

/// A listener whose queue is full: the kernel drops every further SYN.
struct BlackHole {
    address: SocketAddr,
    _listener: Socket,
    _parked: Vec<Socket>,
}

impl Faults {
    /// The name and address of each, for the zone.
    pub(crate) fn names(block: &Block) -> Vec<(&'static str, Ipv4Addr)> {
        let names = FAULTS.iter().map(|(name, _)| *name);
        names
            .chain([BLACK_HOLE])
            .enumerate()
            .map(|(number, name)| (name, block.fault(number)))
            .collect()
    }

    /// The address of one.
    pub(crate) fn address(block: &Block, name: &str) -> Ipv4Addr {
        let mut names = Self::names(block).into_iter();
        let (_, address) = names.find(|(found, _)| *found == name).expect("a fault");
        address
    }

    /// Starts all of them.
    pub(crate) fn start(block: &Block) -> Self {
        for (number, (_, behaviour)) in FAULTS.iter().enumerate() {
            for port in PORTS {
                let listener = TcpListener::bind((block.fault(number), port)).unwrap();
                serve(listener, *behaviour);
            }
        }
        let mut black_holes: Vec<BlackHole> = PORTS
            .into_iter()
            .map(|port| BlackHole::new((block.fault(FAULTS.len()), port).into()))
            .collect();
        let dual = BlackHole::new((Ipv6Addr::LOCALHOST, 0).into());
        let dual_port = dual.address.port();
        serve(
            TcpListener::bind((block.address("dual"), dual_port)).unwrap(),
            silent,
        );
        black_holes.push(dual);
        Self {
            dual_port,
            _black_holes: black_holes,
        }
    }
}

impl BlackHole {
    fn new(address: SocketAddr) -> Self {
        let listener = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        listener.bind(&address.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        // A backlog of 0 takes one connection; the second finds the queue full, and stays in its handshake.
        let parked = (0..2).map(|_| {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            // It is never accepted, so that this does not succeed at once, and need not.
            let _ = socket.connect(&address.into());
            socket
        });
        Self {
            address,
            _parked: parked.collect(),
            _listener: listener,
        }
    }
}

/// Accepts in one thread, and lets each connection misbehave in a thread of its own.
pub(super) fn serve<B>(listener: TcpListener, behaviour: B)
where
    B: Fn(&mut TcpStream) -> io::Result<()> + Clone + Send + 'static,
{
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let behaviour = behaviour.clone();
            thread::spawn(move || {
                let prepared = stream
                    .set_read_timeout(Some(LIFETIME))
                    .and_then(|()| stream.set_write_timeout(Some(LIFETIME)))
                    .and_then(|()| stream.set_nodelay(true));
                // That the prober goes away in the middle is the purpose of most faults.
                let _ = prepared.and_then(|()| behaviour(&mut stream));
            });
        }
    });
}

// === the faults ===

/// Accepts and never says anything.
fn silent(stream: &mut TcpStream) -> io::Result<()> {
    until_closed(stream)
}

/// Hears what the prober says and closes.
fn close(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)
}

/// Hears what the prober says and resets the connection.
fn reset(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    reset_on_drop(stream)
}

/// Closes in the middle of the status line's block of headers.
fn half_answer(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(b"HTTP/1.1 200 Connection establ")
}

/// Answers something that is no HTTP.
fn junk(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(b"\x00\x01\x02 this is not the protocol you are looking for\r\n\r\n")?;
    until_closed(stream)
}

/// Speaks first, and not TLS.
fn banner(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")?;
    until_closed(stream)
}

/// Never comes to the end of its headers.
fn endless_headers(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
    let header = format!("X-Endless: {}\r\n", "x".repeat(200));
    loop {
        stream.write_all(header.as_bytes())?;
    }
}

/// Sends its headers byte by byte, ten a second.
fn slow_headers(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    let answer = ok("Content-Length: 0\r\n");
    for byte in answer.as_bytes() {
        stream.write_all(&[*byte])?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Never comes to the end of its body.
fn endless_body(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(ok("").as_bytes())?;
    let piece = vec![b'x'; 16 * 1024];
    loop {
        stream.write_all(&piece)?;
    }
}

/// Promises more than it sends.
fn short_body(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(ok("Content-Length: 1000\r\n").as_bytes())?;
    stream.write_all(b"that is all")
}

/// Resets in the middle of the body.
fn reset_body(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(ok("Content-Length: 1000\r\n").as_bytes())?;
    // What is still on its way when the reset comes is lost, so let it arrive.
    thread::sleep(Duration::from_millis(50));
    reset_on_drop(stream)
}

/// Thinks before its first byte.
fn late_answer(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    thread::sleep(DELAY);
    stream.write_all(ok("Content-Length: 2\r\n").as_bytes())?;
    stream.write_all(b"ok")
}

/// Sends its headers at once, and thinks before its body.
fn late_body(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(ok("Content-Length: 2\r\n").as_bytes())?;
    thread::sleep(DELAY);
    stream.write_all(b"ok")
}

/// A proxy that thinks before it opens a tunnel, which leads nowhere.
fn late_tunnel(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    thread::sleep(DELAY);
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    hear(stream)
}

/// Its clock is an hour ahead.
fn wrong_clock(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    let date = httpdate(SystemTime::now() + Duration::from_secs(3600));
    stream.write_all(ok(&format!("Date: {date}\r\nContent-Length: 0\r\n")).as_bytes())
}

/// A SOCKS proxy that answers with what the first label of the name asks for: `reply-3`, `silent`, `close`, `half`.
fn socks(stream: &mut TcpStream) -> io::Result<()> {
    const NO_LOGIN: [u8; 2] = [5, 0];
    let mut head = [0; 5];
    stream.read_exact(&mut [0; 3])?;
    stream.write_all(&NO_LOGIN)?;
    stream.read_exact(&mut head)?;
    let mut name_and_port = vec![0; usize::from(head[4]) + 2];
    stream.read_exact(&mut name_and_port)?;
    let text = String::from_utf8_lossy(&name_and_port).into_owned();
    let label = text.split('.').next().unwrap_or_default();
    match (label, label.strip_prefix("reply-")) {
        ("silent", _) => until_closed(stream),
        ("half", _) => stream.write_all(&[5, 0, 0]),
        (_, Some(reply)) => {
            let reply = reply.parse().expect("a number");
            stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
        }
        _ => Ok(()),
    }
}

/// A SOCKS proxy that accepts neither no login nor a password.
fn socks_wants_kerberos(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(&[5, 0xff])?;
    until_closed(stream)
}

/// A SOCKS proxy that chooses user name and password whatever it is offered.
fn socks_wants_password(stream: &mut TcpStream) -> io::Result<()> {
    hear(stream)?;
    stream.write_all(&[5, 2])?;
    until_closed(stream)
}

// === what they are made of ===

/// The head of an answer that ends with the connection unless the headers say otherwise.
fn ok(headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n")
}

/// Reads until the blank line of an HTTP head, or the first piece of anything else.
fn hear(stream: &mut TcpStream) -> io::Result<()> {
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let length = stream.read(&mut piece)?;
        heard.extend_from_slice(&piece[..length]);
        let is_text = heard.first().is_some_and(u8::is_ascii_uppercase);
        if length == 0 || !is_text || heard.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(());
        }
    }
}

fn until_closed(stream: &mut TcpStream) -> io::Result<()> {
    let mut piece = [0; 4096];
    while stream.read(&mut piece)? > 0 {}
    Ok(())
}

/// With a linger of zero, closing sends RST instead of FIN.
fn reset_on_drop(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// The form of RFC 9110 §5.6.7, `Sun, 06 Nov 1994 08:49:37 GMT`.
fn httpdate(time: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let weekday = DAYS[usize::try_from(since_epoch.as_secs() / 86400 % 7).unwrap()];
    let text = humantime::format_rfc3339_seconds(time).to_string();
    let (date, clock) = text.trim_end_matches('Z').split_once('T').unwrap();
    let [year, month, day] = date.split('-').collect::<Vec<_>>()[..] else {
        panic!("{date} is not a date");
    };
    let month = MONTHS[month.parse::<usize>().unwrap() - 1];
    format!("{weekday}, {day} {month} {year} {clock} GMT")
}
