//! A line to a server of the lab as long as a real one: what comes over it is late, and it can be slow, cut what is
//! idle, and be down.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

/// How often is looked whether somebody came, or the line went down.
const PAUSE: Duration = Duration::from_millis(2);

/// A line. It is down when the value is gone.
pub(super) struct Line {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    ended: AtomicBool,
    up: AtomicBool,
    /// Each way, in milliseconds.
    delay: AtomicU64,
    /// What is idle for longer, in milliseconds, is cut.
    patience: AtomicU64,
}

impl Line {
    /// A line from an address to a server, with the delay each way.
    pub(super) fn new(address: SocketAddr, server: SocketAddr, delay: u64) -> Self {
        let state = Arc::new(State {
            ended: AtomicBool::new(false),
            up: AtomicBool::new(true),
            delay: AtomicU64::new(delay),
            patience: AtomicU64::new(60_000),
        });
        let accepting = Arc::clone(&state);
        thread::spawn(move || accept(address, server, &accepting));
        Self { address, state }
    }

    pub(super) fn up(&self, up: bool) {
        self.state.up.store(up, Ordering::Relaxed);
    }

    pub(super) fn delay(&self, milliseconds: u64) {
        self.state.delay.store(milliseconds, Ordering::Relaxed);
    }

    pub(super) fn patience(&self, milliseconds: u64) {
        self.state.patience.store(milliseconds, Ordering::Relaxed);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Relaxed);
    }
}

/// Listens while the line is up, so that nobody is there while it is down.
fn accept(address: SocketAddr, server: SocketAddr, state: &Arc<State>) {
    let mut listening = None;
    while !state.ended.load(Ordering::Relaxed) {
        if !state.up.load(Ordering::Relaxed) {
            listening = None;
            thread::sleep(PAUSE);
            continue;
        }
        let listener = listening.get_or_insert_with(|| {
            let listener = TcpListener::bind(address).expect("an address of the lab");
            listener.set_nonblocking(true).unwrap();
            listener
        });
        match listener.accept() {
            Ok((client, _)) => {
                let state = Arc::clone(state);
                thread::spawn(move || connect(client, server, &state));
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

fn connect(client: TcpStream, server: SocketAddr, state: &Arc<State>) {
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    for stream in [&client, &server] {
        // That one end is gone already is the end of the other.
        let _ = stream.set_nonblocking(false);
        let _ = stream.set_nodelay(true);
    }
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let there = Arc::clone(state);
    thread::spawn(move || carry(from_client, server, &there));
    carry(from_server, client, state);
}

/// One way of a connection, until either end closes or nothing comes for too long.
fn carry(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let patience = Duration::from_millis(state.patience.load(Ordering::Relaxed));
        let _ = from.set_read_timeout(Some(patience));
        let length = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => {
                let _ = from.shutdown(Shutdown::Both);
                break;
            }
        };
        thread::sleep(late(state.delay.load(Ordering::Relaxed)));
        if to.write_all(&piece[..length]).is_err() {
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// No two packets of a real line take the same time.
fn late(milliseconds: u64) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let dice = u64::from(now.unwrap_or_default().subsec_nanos()) / 1_000 % 100;
    // Rarely half as much again, mostly nearly on time.
    let more = if dice >= 95 { 50 } else { dice / 5 };
    Duration::from_micros(milliseconds * (1_000 + more * 10))
}
