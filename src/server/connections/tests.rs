//! Doors that fail, and a server that opens them again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;

use super::*;
use crate::server::tests::{exposed, server};

/// What comes of accepting, one after the other; afterwards nobody comes any more.
struct Scripted {
    script: Mutex<Vec<Step>>,
    asked: AtomicUsize,
}

enum Step {
    Panics,
    Fails(io::ErrorKind),
    Comes(DuplexStream),
}

impl Door for Arc<Scripted> {
    async fn accept(&self) -> io::Result<Client> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let step = self.script.lock().unwrap().pop();
        match step {
            Some(Step::Panics) => panic!("a fault of a listener"),
            Some(Step::Fails(kind)) => Err(kind.into()),
            Some(Step::Comes(client)) => Ok(Box::new(client)),
            None => std::future::pending().await,
        }
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// Answers the one client who comes after all of that, and says what is counted.
async fn served_after(steps: Vec<Step>) -> String {
    let (mut client, stream) = duplex(1 << 20);
    let script = [Step::Comes(stream)].into_iter().chain(steps).collect();
    let door = Arc::new(Scripted {
        script: Mutex::new(script),
        asked: AtomicUsize::new(0),
    });
    let server = server();
    let metrics = Arc::clone(&server.metrics);
    let (stop, stopped) = oneshot::channel();
    let running = tokio::spawn(serve_at(vec![door], server, Front::default(), async {
        let _ = stopped.await;
    }));
    client
        .write_all(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nHealthy\n"), "{answer}");
    stop.send(()).unwrap();
    running.await.unwrap();
    exposed(&metrics)
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_is_counted_and_listens_again() {
    let shown = served_after(vec![Step::Panics, Step::Panics]).await;
    assert!(shown.contains("reachd_web_panics_total 2\n"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn clients_that_cannot_be_accepted_are_counted_and_waited_for() {
    let fails = || Step::Fails(io::ErrorKind::Other);
    let shown = served_after(vec![fails(), fails(), fails()]).await;
    assert!(
        shown.contains("reachd_web_accept_errors_total 3\n"),
        "{shown}"
    );
}

#[test]
fn pauses_grow_and_start_anew() {
    let mut trouble = Trouble::default();
    let error = io::Error::from(io::ErrorKind::Other);
    let pauses: Vec<_> = (0..8).map(|_| trouble.pause_after(&error)).collect();
    assert_eq!((pauses[0], pauses[1]), (FIRST_PAUSE, FIRST_PAUSE * 2));
    assert_eq!(pauses[7], LONGEST_PAUSE);
    let gone = io::Error::from(io::ErrorKind::ConnectionAborted);
    assert_eq!(trouble.pause_after(&gone), Duration::ZERO);
    trouble.is_over();
    assert_eq!(trouble.pause_after(&error), FIRST_PAUSE);
}

#[test]
fn the_limits_are_those_of_the_page_on_security() {
    const PAGE: &str = include_str!("../../../docs/security.md");
    let page = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    let (head, body) = (HEAD_LIMIT >> 10, crate::server::REQUEST_BODY_LIMIT >> 10);
    let (lifetime, patience) = (LIFETIME.as_secs(), HEAD_TIMEOUT.as_secs());
    let (answer, clients) = (
        crate::server::REQUEST_TIMEOUT.as_secs(),
        crate::server::events::CLIENTS,
    );
    let told = format!(
        "It serves {CONNECTIONS} connections at once, each for {lifetime} seconds and the answer under way; a request's head has \
         {patience} seconds and {head} KiB, its body {body} KiB, its answer {answer} seconds to begin; HTTP/2 has {STREAMS} streams, \
         and {clients} clients hear of events"
    );
    assert!(page.contains(&told), "{told}");
}
