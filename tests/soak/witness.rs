//! A server within the test: it counts, is never at fault, and holds a probe up when it is told to.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::kit::wait;

/// How long anything here may take.
const SOON: Duration = Duration::from_secs(60);

/// It listens as long as the process lives.
#[derive(Clone)]
pub(super) struct Witness {
    pub(super) address: SocketAddr,
    shared: Arc<(Mutex<Seen>, Condvar)>,
}

#[derive(Default)]
struct Seen {
    witness: u32,
    guest: u32,
    holds: bool,
    held: u32,
}

impl Witness {
    pub(super) fn start(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let witness = Self {
            address,
            shared: Arc::default(),
        };
        let serving = witness.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || {
                    stream.set_read_timeout(Some(SOON)).unwrap();
                    // A client that goes away is seen in the figures.
                    let _ = serving.answer(stream);
                });
            }
        });
        witness
    }

    /// How often the check `witness` asked.
    pub(super) fn requests(&self) -> u32 {
        self.shared.0.lock().unwrap().witness
    }

    /// How often the check asked that comes and goes.
    pub(super) fn requests_of_guest(&self) -> u32 {
        self.shared.0.lock().unwrap().guest
    }

    /// Lets the next probe of the check `witness` wait, and comes back when it does.
    pub(super) fn hold(&self) {
        self.shared.0.lock().unwrap().holds = true;
        let held = wait::within(SOON, || {
            let seen = self.shared.0.lock().unwrap();
            (seen.held > 0).then_some(())
        });
        assert!(held.is_some(), "the witness is not probed any more");
    }

    pub(super) fn release(&self) {
        self.shared.0.lock().unwrap().holds = false;
        self.shared.1.notify_all();
    }

    fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut request = Vec::new();
        let mut piece = [0; 1024];
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read(&mut piece)? {
                0 => return Ok(()),
                read => request.extend_from_slice(&piece[..read]),
            }
        }
        self.count(request.starts_with(b"GET /guest "));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    /// A probe of the check `witness` stays here for as long as it is to be held up.
    fn count(&self, is_guest: bool) {
        let (seen, changed) = &*self.shared;
        let mut seen = seen.lock().unwrap();
        if is_guest {
            seen.guest += 1;
            return;
        }
        seen.witness += 1;
        seen.held += 1;
        let waited = changed.wait_timeout_while(seen, SOON, |seen| seen.holds);
        waited.unwrap().0.held -= 1;
    }
}
