//! Whoever Alertmanager tells: keeps every notification that it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A server of webhooks. It ends with the tests.
pub(super) struct Receiver {
    received: Arc<Mutex<Vec<Notification>>>,
}

/// What Alertmanager posted, and where to.
#[derive(Debug, Clone)]
pub(super) struct Notification {
    pub(super) path: String,
    pub(super) body: Value,
}

impl Receiver {
    pub(super) fn start(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("an address of the lab");
        let received = Arc::<Mutex<Vec<Notification>>>::default();
        let kept = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Ok(notification) = take(stream) {
                    kept.lock().unwrap().push(notification);
                }
            }
        });
        Self { received }
    }

    pub(super) fn received(&self) -> Vec<Notification> {
        self.received.lock().unwrap().clone()
    }
}

/// One request a connection.
fn take(stream: TcpStream) -> std::io::Result<Notification> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    reader.into_inner().write_all(answer.as_bytes())?;
    Ok(Notification {
        path,
        body: serde_json::from_slice(&body)?,
    })
}
